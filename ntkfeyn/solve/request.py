"""Request: what every command that ends in numbers is asked: networks, inputs, tolerance, who does the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import bad_request
from ntkfeyn.expectations.activations import activation
from ntkfeyn.expectations.kernels import Kernel, parallel_in
from ntkfeyn.model.activations import SEPARATOR
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.network import Network
from ntkfeyn.runtime.workers import check_workers

Array = NDArray[np.float64]
MIN_TOLERANCE, MAX_TOLERANCE = 1e-12, 1e-1


class Request(NamedTuple):
    """Networks that differ in their widths alone, x.x'/n_0 of the inputs, the inputs if known, and how to solve.

    Where weights are shared over positions both are of the labels (input, position) of the input, input by input:
    vectors of channels, and their products over the number of channels.

    ``tolerance`` is relative to the largest component of each tensor; ``jobs`` are processes, ``scheduler`` the
    address of a Dask scheduler that does the work instead.
    """

    networks: tuple[Network, ...]
    gram: Array
    tolerance: float = 1e-8
    jobs: int = 1
    scheduler: str | None = None
    advance: Callable[[str], None] = lambda _: None
    inputs: Array | None = None

    @property
    def labels(self) -> int:
        """How many labels (input, position) the output has; the inputs, where no weights are shared."""
        positions = self.networks[0].positions
        return len(self.gram) // positions[0] * positions[-1]

    @property
    def steps(self) -> int:
        """How often ``advance`` is called at least: each layer in two runs, and planned where labels differ."""
        one = self.networks[0]
        return (one.depth - 1) * (2 * len(self.networks) + one.shared)

    @property
    def kernel(self) -> Kernel:
        """x.x'/n_0, with distances from the inputs where they are known."""
        if self.inputs is None:
            return replace(Kernel.of(self.gram), known_parallel=parallel_in(self.gram))
        return Kernel.of_inputs(self.gram, self.inputs)

    def check(self) -> None:
        """Raises RequestError or LimitError for what cannot be asked together, or is out of range, or no activation."""
        same = {(n.activation_text, *(replace(layer, width=None) for layer in n.layers)) for n in self.networks}
        texts = [network.width_text for network in self.networks]
        if len(set(texts)) < len(texts):
            once = ",".join(dict.fromkeys(texts))
            raise bad_request(
                f"widths {', '.join(texts)} were asked for", "each width once is allowed", f"--width {once}"
            )
        if len(same) != 1:
            raise bad_request(
                f"{len(same)} kinds of networks",
                "networks that differ in their widths alone are allowed",
                "one call for each kind",
            )
        if not isinstance(self.tolerance, float | int) or not MIN_TOLERANCE <= self.tolerance <= MAX_TOLERANCE:
            raise bad_request(
                f"tolerance {self.tolerance} was asked for",
                f"{MIN_TOLERANCE} to {MAX_TOLERANCE} is allowed",
                "--tolerance 1e-8",
            )
        for text in self.networks[0].activation_text.split(SEPARATOR):
            activation(text)  # what only SymPy can refuse
        check_workers(self.jobs, self.scheduler)


def settings_json(request: Request) -> dict[str, Any]:
    """Everything that determines the numbers."""
    one = request.networks[0]
    return {
        "activation": one.activation_text,
        "depth": one.depth,
        "widths": [network.width_text for network in request.networks],
        "cw": one.cw,
        "cb": one.cb,
        "lambda_w": one.lambda_w,
        "lambda_b": one.lambda_b,
        **({} if one.weights == GAUSSIAN else {"weights": one.weights_text}),
        "tolerance": request.tolerance,
        **one.layout(),
        "samples": len(request.gram) // one.positions[0],
        "gram": request.gram.tolist(),
    }
