"""Estimation: many blocks of sampled networks, in parallel, with a checkpoint.

Enters: networks, kernels, a seed and a number of networks. Leaves: ``Tensors`` with standard errors. Blocks are merged
in a fixed order, so the numbers depend on the seed alone, not on jobs or interruptions.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.emitters.rendering import write_file
from ntkfeyn.errors import NtkfeynError, bad_request
from ntkfeyn.numerics.evaluation import Request, evaluate_tensors, settings_json
from ntkfeyn.numerics.networks import Network
from ntkfeyn.numerics.plan import Mapped
from ntkfeyn.numerics.results import Setting, Tensors, TensorValues
from ntkfeyn.numerics.sampling import BLOCK, TENSORS, Law, Tally, layout, sample_blocks
from ntkfeyn.numerics.solver import workers
from ntkfeyn.recursion import TensorId
from ntkfeyn.serialisation import TOOL

Array = NDArray[np.float64]
GROUP = 8  # blocks of one task
MAX_NETWORKS = 10**8
MAX_BYTES = 1 << 30  # of one block's neural tangent kernels


class Sampling(NamedTuple):
    """How many networks (rounded up to whole tasks), which seed, and where to keep what is done."""

    networks: int
    seed: int = 1
    checkpoint: Path | None = None
    resume: bool = False

    @property
    def tasks(self) -> int:
        """Groups of blocks that hold so many networks."""
        return -(-self.networks // (BLOCK * GROUP))


def check_targets(targets: Sequence[TensorId]) -> None:
    """Raises RequestError for a tensor that sampling does not estimate."""
    allowed = {(name, 0 if name in ("K", "Theta") else 1) for name in TENSORS} | {("K", 1), ("Theta", 1)}
    for name, order in targets:
        if (name, order) not in allowed:
            raise bad_request(
                f"{name}@{order} was to be sampled",
                f"allowed are {', '.join(TENSORS)} at leading order, K@1 and Theta@1",
                "ntkfeyn sample V F ..",
            )


def sample_tensors(request: Request, targets: Sequence[TensorId], sampling: Sampling) -> Tensors:
    """Estimates of n^R times each cumulant at every layer; K@1 is n (mean - K), K from the recursions.

    Raises NtkfeynError for a request that cannot be sampled, or a checkpoint of another request.
    """
    request.check()
    check_targets(targets)
    if not 2 * BLOCK <= sampling.networks <= MAX_NETWORKS or sampling.seed < 0:
        raise bad_request(
            f"{sampling.networks} networks with seed {sampling.seed}",
            f"{2 * BLOCK} to {MAX_NETWORKS} networks and a seed from 0 up are allowed",
            "--networks 3200 --seed 1",
        )
    if any(network.depth < 2 for network in request.networks):
        raise bad_request("depth 1 was to be sampled", "a depth from 2 up is allowed", "--depth 3")
    means = [target for target in targets if target in (("K", 1), ("Theta", 1))]
    leading = (
        evaluate_tensors(request._replace(advance=lambda _: None), [(name, 0) for name, _ in means]) if means else None
    )
    fingerprint = _fingerprint(request, sampling)
    done = _read(sampling, fingerprint)
    settings = []
    with workers(request.jobs) as mapped:
        for network in request.networks:
            tally = _one_setting(request, network, sampling, done, fingerprint, mapped)
            settings.append(_setting(request, network, tally, targets, leading))
    extra = {"networks": sampling.tasks * GROUP * BLOCK, "seed": sampling.seed}
    meta = {"tool": TOOL, "command": "sample", **settings_json(request), **extra}
    meta["tensors"] = [f"{name}@{order}" for name, order in targets]
    return Tensors(meta, tuple(settings))


def _one_setting(
    request: Request,
    network: Network,
    sampling: Sampling,
    done: dict[str, tuple[int, Tally]],
    fingerprint: str,
    mapped: Mapped,
) -> Tally:
    """All blocks of one network; what the checkpoint holds is not sampled again."""
    couplings = tuple(network.couplings(layer) for layer in range(1, network.depth + 1))
    law = Law(network.hidden, couplings, network.activation, request.gram)
    if 8 * BLOCK * len(request.gram) ** 2 * max(network.hidden) ** 2 > MAX_BYTES:
        raise NtkfeynError(
            f"width {max(network.hidden)} with {len(request.gram)} inputs needs more than {MAX_BYTES} bytes a block;"
            " try a smaller width or fewer inputs"
        )
    key = network.width_text
    start, tally = done.get(key, (0, Tally(0, np.zeros(0), np.zeros(0))))
    firsts = [task * GROUP for task in range(start, sampling.tasks)]
    arguments = ([law] * len(firsts), [sampling.seed] * len(firsts), firsts, [first + GROUP for first in firsts])
    step = max(1, request.jobs)
    for i in range(0, len(firsts), step):
        for one in mapped(sample_blocks, *(argument[i : i + step] for argument in arguments)):
            tally = tally.merged(one)
            request.advance(f"width {key}")
        done[key] = (start + min(i + step, len(firsts)), tally)
        _write(sampling, fingerprint, done)
    return tally


def _setting(
    request: Request, network: Network, tally: Tally, targets: Sequence[TensorId], leading: Tensors | None
) -> Setting:
    samples = len(request.gram)
    C_W, lambda_W, C_b, lambda_b = network.couplings(1)
    first = {"K": C_b + C_W * request.gram, "Theta": lambda_b + lambda_W * request.gram}
    rows: list[dict[str, tuple[Array, Array]]] = [{}]
    for name in TENSORS:
        value = first.get(name, np.zeros((samples,) * 4))
        rows[0][name] = (value, np.zeros_like(value))
    place = 0
    for layer, name, shape in layout(samples, network.depth):
        rows += [{}] if layer > len(rows) else []
        some = slice(place, place + int(np.prod(shape)))
        rows[-1][name] = (tally.mean[some].reshape(shape), tally.errors[some].reshape(shape))
        place = some.stop
    layers = []
    for layer, row in enumerate(rows, 1):
        found = {}
        for name, order in targets:
            value, error = row[name]
            if leading is not None and (name, order) in (("K", 1), ("Theta", 1)):
                below = network.hidden[layer - 2] if layer > 1 else 1
                value = below * (value - leading.array(f"{name}@0", layer, network.width_text))
                error = below * error
            index = np.indices(value.shape).reshape(value.ndim, -1).T + 1
            found[f"{name}@{order}"] = TensorValues(index, value.ravel(), error.ravel())
        layers.append(found)
    return Setting(network.width_text, network.hidden, tuple(layers))


def _fingerprint(request: Request, sampling: Sampling) -> str:
    """What a checkpoint must agree with; the number of networks may grow."""
    return json.dumps([settings_json(request), sampling.seed, BLOCK, GROUP, TOOL])


def _write(sampling: Sampling, fingerprint: str, done: dict[str, tuple[int, Tally]]) -> None:
    if sampling.checkpoint is None:
        return
    arrays: dict[str, Any] = {"fingerprint": np.frombuffer(fingerprint.encode(), dtype=np.uint8)}
    for key, (tasks, tally) in done.items():
        arrays[f"{key} counts"] = np.array([tasks, tally.blocks])
        arrays[f"{key} mean"], arrays[f"{key} squares"] = tally.mean, tally.squares
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    write_file(sampling.checkpoint, stream.getvalue())


def _read(sampling: Sampling, fingerprint: str) -> dict[str, tuple[int, Tally]]:
    if not sampling.resume:
        return {}
    if sampling.checkpoint is None:
        raise bad_request(
            "--resume was given without a checkpoint", "it needs --checkpoint FILE", "--checkpoint run.npz"
        )
    if not sampling.checkpoint.exists():
        return {}
    try:
        with np.load(sampling.checkpoint, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        same = arrays.pop("fingerprint").tobytes().decode() == fingerprint
        done = {}
        for name in arrays:
            if name.endswith(" counts"):
                key = name.removesuffix(" counts")
                tasks, blocks = map(int, arrays[name])
                done[key] = (tasks, Tally(blocks, arrays[f"{key} mean"], arrays[f"{key} squares"]))
    except Exception as error:  # a damaged file raises whatever its reader raises
        raise NtkfeynError(
            f"the checkpoint '{sampling.checkpoint}' is damaged; delete it, or run without --resume"
        ) from error
    if not same or any(tasks > sampling.tasks for tasks, _ in done.values()):
        raise bad_request(
            f"the checkpoint '{sampling.checkpoint}' is of another request",
            "the same networks, inputs and seed, and at least as many networks are allowed",
            "a new file, or no --resume",
        )
    return done
