"""Estimation: many blocks of sampled networks, by several workers, with a checkpoint.

Enters: networks, kernels, a seed and a number of networks or an error to reach. Leaves: ``Tensors`` with standard
errors. Blocks are added in a fixed order, so the numbers depend on the seed alone, not on workers or interruptions.
"""

import importlib.util
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import NtkfeynError, bad_request
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.network import Network, width_below
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.runtime.version import TOOL
from ntkfeyn.runtime.workers import Mapped, WorkersLost, workers
from ntkfeyn.sampling.law import BLOCK, Law
from ntkfeyn.sampling.tallies import GROUPS, Done, Tally, read_checkpoint, write_checkpoint
from ntkfeyn.sampling.tasks import SAMPLED, Task, sample_blocks
from ntkfeyn.solve.inputs import first_kernels
from ntkfeyn.solve.request import Request, settings_json
from ntkfeyn.solve.results import Setting, Tensors, TensorValues

Array = NDArray[np.float64]
MEANS = (TensorId("K", 1), TensorId("Theta", 1))  # n times what a mean is off its leading order
WINDOW = 64  # tasks handed out at a time
MAX_NETWORKS = 10**8
PAUSE = 1.0  # seconds between checkpoints
BACKENDS = ("numpy", "jax")


class Sampling(NamedTuple):
    """How many networks, which seed, and where to keep what is done.

    >>> import ntkfeyn as nf
    >>> nf.Sampling(6400, seed=7).blocks
    200
    """

    networks: int = 3200
    """At each width; rounded up to whole blocks of 32, from 64 up."""
    seed: int = 1
    """From 0 up; the numbers depend on it alone."""
    checkpoint: Path | None = None
    """A file that holds what is done."""
    resume: bool = False
    """Go on from the checkpoint."""
    outputs: int = 2
    """Neurons of each layer that show the derivative tensors P to U."""
    target_error: float | None = None
    """Ends early, once every tensor's largest error at the last layer is below this share of its largest component."""
    backend: str = "numpy"
    """Or "jax", for the products of the neural tangent kernel."""
    grouped: bool = False
    """Keep the means of groups of blocks, of which chi^2 is made."""

    @property
    def blocks(self) -> int:
        """Blocks that hold so many networks."""
        return -(-self.networks // BLOCK)

    def check(self) -> None:
        """Raises RequestError for settings out of range."""
        for name in ("networks", "seed", "outputs"):
            if type(getattr(self, name)) is not int:
                raise bad_request(f"{name} {getattr(self, name)!r}", "an integer is allowed", f"--{name} 2")
        if not isinstance(self.target_error, float | int | None):
            raise bad_request(f"a target error of {self.target_error!r}", "a number is allowed", "--target-error 0.01")
        if not 2 * BLOCK <= self.networks <= MAX_NETWORKS or self.seed < 0:
            raise bad_request(
                f"{self.networks} networks with seed {self.seed}",
                f"{2 * BLOCK} to {MAX_NETWORKS} networks and a seed from 0 up are allowed",
                "--networks 3200 --seed 1",
            )
        if not 2 <= self.outputs <= 16:
            raise bad_request(f"{self.outputs} output neurons", "2 to 16 are allowed", "--outputs 2")
        if self.target_error is not None and not 1e-6 <= self.target_error <= 1:
            raise bad_request(f"a target error of {self.target_error}", "1e-6 to 1 is allowed", "--target-error 0.01")
        if self.backend not in BACKENDS:
            raise bad_request(f"backend '{self.backend}'", f"allowed are {', '.join(BACKENDS)}", "--backend numpy")
        if self.backend == "jax" and importlib.util.find_spec("jax") is None:
            raise bad_request("backend 'jax'", "it needs the extra `jax`", "pip install 'ntkfeyn[jax]'")
        if self.checkpoint is not None and not self.resume and self.checkpoint.is_file():
            raise bad_request(
                f"the checkpoint '{self.checkpoint}' exists", "--resume goes on from it", "--resume, or another file"
            )
        if self.resume and self.checkpoint is None:
            raise bad_request(
                "--resume was given without a checkpoint", "it needs --checkpoint FILE", "--checkpoint run.npz"
            )


class Estimate(NamedTuple):
    """What sampling one network's law gave."""

    network: Network
    task: Task
    tally: Tally


def check_targets(targets: Sequence[TensorId]) -> None:
    """Raises RequestError for a tensor that sampling does not estimate."""
    allowed = {(name, standard(name).leading_order) for name in SAMPLED} | set(MEANS)
    for target in targets:
        if target not in allowed:
            raise bad_request(
                f"{target} was to be sampled",
                f"allowed are {', '.join(SAMPLED)} at leading order, K@1 and Theta@1",
                "ntkfeyn sample V F ..",
            )


def leading_means(targets: Sequence[TensorId]) -> list[TensorId]:
    """The infinite-width means that K@1 and Theta@1 are measured from; they come from theory."""
    return [TensorId(target.name, 0) for target in targets if target in MEANS]


def sample_tensors(
    request: Request, targets: Sequence[TensorId], sampling: Sampling, leading: Tensors | None = None
) -> Tensors:
    """Estimates of n^R times each cumulant at every layer; K@1 is n (mean - K), K from ``leading``.

    Raises NtkfeynError for a request that cannot be sampled, or a checkpoint of another request.
    """
    estimates = estimate(request, targets, sampling, leading)
    settings = tuple(setting(one, targets, leading) for one in estimates)
    sampled = [one.tally.blocks * BLOCK for one in estimates]
    extra = {"networks": sampled[0] if len(set(sampled)) == 1 else sampled, "seed": sampling.seed}
    meta = {"tool": TOOL, "command": "sample", **settings_json(request), **extra}
    meta["tensors"] = [str(target) for target in targets]
    return Tensors(meta, settings)


def estimate(
    request: Request, targets: Sequence[TensorId], sampling: Sampling, leading: Tensors | None = None
) -> list[Estimate]:
    """Sample every network of a request; ``leading`` holds K@0, Theta@0 where K@1, Theta@1 are asked for."""
    request.check()
    check_targets(targets)
    sampling.check()
    if any(network.depth < 2 for network in request.networks):
        raise bad_request("depth 1 was to be sampled", "a depth from 2 up is allowed", "--depth 3")
    wanted = {name for name, _ in targets}
    names = tuple(name for name in SAMPLED if name in wanted)
    tasks = {}
    for network in request.networks:
        law = Law(network.layers, request.gram)
        tasks[network.width_text] = Task(law, names, sampling.seed, sampling.outputs, sampling.backend)
        tasks[network.width_text].check(sampling.grouped)
    fingerprint = json.dumps(
        [settings_json(request), next(iter(tasks.values()))[1:], sampling.target_error, BLOCK, TOOL]
    )
    done: Done = {}
    if sampling.resume and sampling.checkpoint is not None:
        sizes = {key: task.size for key, task in tasks.items()}
        groups = GROUPS if sampling.grouped else 0
        done = read_checkpoint(sampling.checkpoint, fingerprint, sizes, groups, sampling.blocks)
    found = []
    run = _Run(request, sampling, targets, leading, fingerprint, done)
    try:
        with workers(request.jobs, request.scheduler) as mapped:
            for network in request.networks:
                task = tasks[network.width_text]
                found.append(Estimate(network, task, run.one(network, task, mapped)))
    except WorkersLost as error:
        raise run.interrupted(error) from error
    return found


class _Run(NamedTuple):
    request: Request
    sampling: Sampling
    targets: Sequence[TensorId]
    leading: Tensors | None
    fingerprint: str
    done: Done

    def one(self, network: Network, task: Task, mapped: Mapped) -> Tally:
        """All blocks of one network; what the checkpoint holds is not sampled again."""
        key, part = network.width_text, task.part
        groups = GROUPS if self.sampling.grouped else 0
        tally = self.done.get(key, Tally.empty(task.size, groups))
        written = float("-inf")
        for stage in _stages(self.sampling.blocks):
            for start in range(tally.blocks, stage, part * WINDOW):
                firsts = range(start, min(start + part * WINDOW, stage), part)
                arguments = [(task, first, min(first + part, stage)) for first in firsts]
                for rows in mapped(sample_blocks, *zip(*arguments, strict=True)):
                    tally = self.done[key] = self._added(tally, rows, key)
                    if self.sampling.checkpoint is not None and time.monotonic() > written + PAUSE:
                        write_checkpoint(self.sampling.checkpoint, self.fingerprint, self.done)
                        written = time.monotonic()
            if tally.blocks == stage and self._enough(network, task, tally):
                break
        if self.sampling.checkpoint is not None:
            write_checkpoint(self.sampling.checkpoint, self.fingerprint, self.done)
        return tally

    def interrupted(self, error: WorkersLost) -> WorkersLost:
        """What happened, and how to go on from what is done."""
        if self.sampling.checkpoint is None or not self.done:
            return WorkersLost(f"{error}. Try: --checkpoint FILE, which keeps what is done")
        write_checkpoint(self.sampling.checkpoint, self.fingerprint, self.done)
        blocks = sum(tally.blocks for tally in self.done.values())
        return WorkersLost(
            f"{error}; {blocks * BLOCK} networks are kept. Try: the same with --checkpoint {self.sampling.checkpoint}"
            " --resume"
        )

    def _added(self, tally: Tally, rows: Array, key: str) -> Tally:
        """Raises NtkfeynError for what is not finite."""
        with np.errstate(all="ignore"):
            tally = tally.added(rows)
        if not (np.isfinite(tally.mean).all() and np.isfinite(tally.squares).all()):
            name = self.request.networks[0].activation_text
            raise NtkfeynError(
                f"samples of '{name}' at width {key} overflow or are no numbers; the activation must be finite on the"
                " whole line, and tensors below 1e150. Try: a smaller --cw, or another activation"
            )
        for _ in rows:
            self.request.advance(f"width {key}")
        return tally

    def _enough(self, network: Network, task: Task, tally: Tally) -> bool:
        if self.sampling.target_error is None:
            return False
        row = setting(Estimate(network, task, tally), self.targets, self.leading).layers[-1]
        share = self.sampling.target_error
        return all(np.max(found.errors) <= share * np.max(np.abs(found.values)) for found in row.values())


def _stages(blocks: int) -> Iterator[int]:
    """Numbers of blocks at which the error is looked at: they grow by a quarter, whoever does the work."""
    stage = 32
    while stage < blocks:
        yield stage
        stage += stage // 4
    yield blocks


def setting(estimated: Estimate, targets: Sequence[TensorId], leading: Tensors | None) -> Setting:
    """Values and standard errors of the targets at every layer, all components; none at layers not estimated."""
    network, task, tally = estimated
    first = {mean.name: kernel for mean, kernel in first_kernels(network.layers[0], task.law.gram).items()}
    rows: list[dict[str, tuple[Array, Array]]] = [{} for _ in range(network.depth)]
    for layer, name, shape, place in task.layout():
        rows[layer - 1][name] = (tally.mean[place].reshape(shape), tally.errors[place].reshape(shape))
        if not task.law.shared:
            rows[0][name] = (first.get(name, np.zeros(shape)), np.zeros(shape))
    layers = []
    for layer, row in enumerate(rows, 1):
        below = width_below(network.hidden, layer)
        found = {}
        for target in targets if row else ():
            value, error = row[target.name]
            if leading is not None and target in MEANS:
                value = below * (value - leading.array(f"{target.name}@0", layer, network.width_text))
                error = below * error
            index = np.indices(value.shape).reshape(value.ndim, -1).T + 1
            found[str(target)] = TensorValues(index, value.ravel(), error.ravel(), network.positions[-1])
        layers.append(found)
    return Setting(network.width_text, network.hidden, tuple(layers))
