"""Tallies: streaming moments of block estimates, and the checkpoint that keeps them.

Enters: block estimates in order. Leaves: mean, standard error, means of interleaved groups of blocks. A checkpoint is
an .npz of plain arrays with the fingerprint of its request.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import NtkfeynError, bad_request
from ntkfeyn.runtime.files import read_file, write_file

Array = NDArray[np.float64]
MOST_HEADERS = 1 << 20  # bytes of a checkpoint that are not numbers
GROUPS = 128  # of blocks, interleaved: their means show how estimates vary together


class Tally(NamedTuple):
    """Number of blocks, mean, sum of squared deviations; ``sums`` of each group, shape (groups, size) or (0, size)."""

    blocks: int
    mean: Array
    squares: Array
    sums: Array

    @staticmethod
    def empty(size: int, groups: int = 0) -> Tally:
        return Tally(0, np.zeros(size), np.zeros(size), np.zeros((groups, size)))

    def added(self, rows: Array) -> Tally:
        """With further blocks, shape (blocks, size), one after the other (Welford): no grouping changes a bit."""
        blocks, mean, squares, sums = self.blocks, self.mean.copy(), self.squares.copy(), self.sums.copy()
        for row in rows:
            if len(sums):
                sums[blocks % len(sums)] += row
            blocks += 1
            step = row - mean
            mean += step / blocks
            squares += step * (row - mean)
        return Tally(blocks, mean, squares, sums)

    @property
    def errors(self) -> Array:
        """One standard error of the mean; nan for fewer than two blocks."""
        if self.blocks < 2:
            return np.full_like(self.mean, np.nan)
        return np.sqrt(self.squares / (self.blocks - 1) / self.blocks)

    def group_means(self) -> tuple[Array, float]:
        """Means of the groups that hold as many blocks as any, shape (groups, size): independent, alike distributed.

        And how many such groups all blocks would make: the variance of the mean is theirs divided by that.
        """
        counts = self.blocks // len(self.sums) + (np.arange(len(self.sums)) < self.blocks % len(self.sums))
        full = counts == counts.max()
        return self.sums[full] / counts[full, None], self.blocks / int(counts.max())


Done = dict[str, Tally]  # by width


def write_checkpoint(path: Path, fingerprint: str, done: Done) -> None:
    """Written beside and renamed, so that a stop at any moment leaves the old or the new one."""
    arrays: dict[str, Any] = {"fingerprint": np.frombuffer(fingerprint.encode(), dtype=np.uint8)}
    for key, tally in done.items():
        arrays[f"{key} blocks"] = np.array(tally.blocks)
        arrays |= {f"{key} {name}": getattr(tally, name) for name in ("mean", "squares", "sums")}
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    write_file(path, stream.getvalue())


def read_checkpoint(path: Path, fingerprint: str, sizes: dict[str, int], groups: int, most: int) -> Done:
    """What was done before, or nothing; ``sizes`` by width. Raises NtkfeynError if damaged or of another request."""
    if not path.exists():
        return {}
    most_bytes = 8 * (2 + max(groups, GROUPS)) * sum(sizes.values()) + MOST_HEADERS
    data = read_file(path, most_bytes)
    try:
        if _declared(data) > most_bytes:
            raise ValueError("not what was written")
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        same = arrays.pop("fingerprint").tobytes().decode() == fingerprint
        done: Done = {}
        for name in arrays:
            if name.endswith(" blocks"):
                key, held_blocks = name.removesuffix(" blocks"), arrays[name]
                parts = (arrays[f"{key} {part}"] for part in ("mean", "squares", "sums"))
                done[key] = Tally(int(held_blocks) if held_blocks.dtype.kind == "i" else -1, *parts)
        whole = not same or all(_fits(done[key], sizes[key], len(done[key].sums)) for key in done)
    except Exception as error:  # a damaged file raises whatever its reader raises
        raise _damaged(path) from error
    if not whole or not {len(tally.sums) for tally in done.values()} <= {0, GROUPS}:
        raise _damaged(path)
    if same and any(len(tally.sums) != groups for tally in done.values()):
        kept, wanted = ("compare", "sample") if groups == 0 else ("sample", "compare")
        raise bad_request(
            f"the checkpoint '{path}' is of `{kept}`",
            f"`{wanted}` goes on from a checkpoint of its own, which holds other sums",
            "another file, or no --resume",
        )
    if not same or any(tally.blocks > most for tally in done.values()):
        raise bad_request(
            f"the checkpoint '{path}' is of another request",
            "the same networks, inputs, tensors and seed, and at least as many networks are allowed",
            "a new file, or no --resume",
        )
    return done


def _fits(tally: Tally, size: int, groups: int) -> bool:
    shapes = tally.mean.shape == tally.squares.shape == (size,) and tally.sums.shape == (groups, size)
    numbers = all(part.dtype == np.float64 and np.isfinite(part).all() for part in tally[1:])
    return shapes and numbers and tally.blocks > 0 and bool((tally.squares >= 0).all())


def _declared(data: bytes) -> int:
    """Bytes that the arrays of an .npz take once they are read."""
    with zipfile.ZipFile(io.BytesIO(data)) as held:
        return sum(member.file_size for member in held.infolist())


def _damaged(path: Path) -> NtkfeynError:
    return NtkfeynError(f"the checkpoint '{path}' is damaged; delete it, or run without --resume")
