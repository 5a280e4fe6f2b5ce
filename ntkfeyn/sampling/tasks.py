"""Tasks: blocks of sampled networks of one law, what their estimates are and how they lie in a row of numbers.

Enters: the law of a network, tensors, a seed. Leaves: one row of estimates a block; refusals of what is too large.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import LimitError, bad_request
from ntkfeyn.model.cumulants import standard
from ntkfeyn.sampling.directional import DERIVATIVES, check_smooth, derivative_block, derivative_bytes
from ntkfeyn.sampling.kernels import KERNELS, kernel_block, network_bytes
from ntkfeyn.sampling.law import Law
from ntkfeyn.sampling.shared import shared_block, shared_bytes
from ntkfeyn.sampling.shared_directional import shared_derivative_block, shared_derivative_bytes

Array = NDArray[np.float64]
SAMPLED = (*KERNELS, *DERIVATIVES)
PART, PART_BYTES = 8, 1 << 25  # blocks of one task, fewer where networks are large
MAX_NUMBERS, MAX_GROUPED = 1 << 22, 1 << 19  # components of one network's tensors; with sums of each group of blocks
MAX_BYTES = 1 << 28  # of one network's largest array; about four such are held


class Task(NamedTuple):
    """What every block of one network has in common; ``names`` in the order of SAMPLED."""

    law: Law
    names: tuple[str, ...]
    seed: int
    outputs: int
    backend: str

    @property
    def kernels(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name in KERNELS)

    @property
    def derivatives(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name in DERIVATIVES)

    def layout(self) -> Iterator[tuple[int, str, tuple[int, ...], slice]]:
        """(layer, tensor, shape, place) of every estimate in a block's row; indices in the tensor's index order."""
        first = 0
        for layer in self.law.reported:
            for name in self.names:
                shape = (self.law.labels,) * len(standard(name).labels)
                place = slice(first, first + int(np.prod(shape)))
                yield layer, name, shape, place
                first = place.stop

    @property
    def size(self) -> int:
        """Numbers of one block's row."""
        return max((place.stop for *_, place in self.layout()), default=0)

    @property
    def bytes(self) -> int:
        """Of one network's largest array."""
        kernels, derivatives = network_bytes, derivative_bytes
        if self.law.shared:
            kernels, derivatives = shared_bytes, shared_derivative_bytes
        found = kernels(self.law, self.kernels) if self.kernels else 0
        return max(found, derivatives(self.law, self.derivatives, self.outputs) if self.derivatives else 0)

    @property
    def part(self) -> int:
        """Blocks that one worker does at a time."""
        return max(1, min(PART, PART_BYTES // self.bytes))

    def check(self, grouped: bool) -> None:
        """Raises RequestError for matrices that are too small, LimitError where it needs too much memory."""
        check_smooth(self.law, self.derivatives)
        shown = self.outputs if self.derivatives else 2 if set(self.names) - {"K", "Theta"} else 1
        for size in self.law.matrix_sizes:
            if size < shown:
                raise bad_request(
                    f"{shown} neurons of a layer with orthogonal weights of size {size}",
                    f"a matrix of at least {shown} rows shows as many neurons",
                    f"--width {shown}",
                )
        most = MAX_GROUPED if grouped else MAX_NUMBERS
        if self.size > most:
            raise LimitError(
                f"{', '.join(self.names)} of {self.law.labels} {self.law.noun} have {self.size} components; at most"
                f" {most} are allowed; try fewer inputs, {'pooling, ' if self.law.shared else ''}or fewer tensors"
            )
        if self.bytes > MAX_BYTES:
            smaller = " or positions (a stride, pool = 'mean')" if self.law.shared else ""
            raise LimitError(
                f"a network of width {max(self.law.hidden)} with {self.law.inputs} inputs needs {self.bytes} bytes,"
                f" more than {MAX_BYTES}; try a smaller width, fewer inputs{smaller}, or fewer tensors"
            )


def sample_blocks(task: Task, first: int, last: int) -> Array:
    """Estimates of blocks first .. last - 1, shape (blocks, size), each row in the order of ``Task.layout``."""
    rows = []
    with np.errstate(all="ignore"):  # what is not finite is refused with a message
        for block in range(first, last):
            layers: list[dict[str, Array]] = [{} for _ in task.law.reported]
            if task.kernels:
                estimated = shared_block if task.law.shared else kernel_block
                layers = estimated(task.law, task.kernels, task.seed, block, task.backend)
            if task.derivatives:
                derive = shared_derivative_block if task.law.shared else derivative_block
                derived = derive(task.law, task.derivatives, task.seed, block, task.outputs)
                layers = [{**one, **two} for one, two in zip(layers, derived, strict=True)]
            rows.append(np.concatenate([layer[name].ravel() for layer in layers for name in task.names]))
    return np.array(rows)
