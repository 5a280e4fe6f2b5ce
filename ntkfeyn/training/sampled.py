"""Sampled training: means over trained networks, with two ways of seeing 1/n behind fluctuations of 1/sqrt(n).

Enters: a ``TrainingRequest`` with a sampling. Leaves: ``Sampled`` for each network: the mean prediction and kernel with
standard errors. Networks come in pairs that differ by the sign of the last layer, so that the mean of the pair does not
feel the initial output. Each pair is compared with its own linearisation, the network whose kernel stays at H(0): what
is left is the motion of the kernel, of order 1/n. The mean of linearised networks is taken over many more networks,
which are only drawn. Blocks are added in order, and each network has random numbers of its own: the seed alone counts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from math import ceil, isinf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import LimitError, NtkfeynError
from ntkfeyn.model.network import width_below
from ntkfeyn.runtime.version import TOOL
from ntkfeyn.runtime.workers import Mapped, workers
from ntkfeyn.sampling.estimation import PAUSE, WINDOW, Sampling
from ntkfeyn.sampling.law import Law, root, stream
from ntkfeyn.sampling.tallies import Done, Tally, read_checkpoint, write_checkpoint
from ntkfeyn.training.histories import Descent, Flow, Schedule
from ntkfeyn.training.networks import (
    Problem,
    averaged,
    descended,
    drawn,
    flowed,
    forward,
    frozen,
    kernel,
    mirrored,
    settled,
)
from ntkfeyn.training.request import BLOCK, TrainingRequest, training_json

Array = NDArray[np.float64]
TRAINED, DRAWN = 2, 3  # kinds of networks, which keep their random numbers apart
PAIRS = BLOCK // 2  # of trained networks in a block
LINEAR = 1024  # networks of a block that are only drawn, for the mean of linearised ones
STEP = 0.25  # of the Runge-Kutta method, times the largest eigenvalue of the kernel at infinite width
LATE = 12.0  # what is left at infinity is exp(-LATE), and goes by the kernel there
MAX_STEPS = 200_000  # of one network
TESTED = 4  # pairs of networks on which the error of a step is measured
BATCH_FLOATS = 1 << 17  # parameters of networks that are held at a time


class Task(NamedTuple):
    """What every block of one width has in common; ``rates`` are the largest and least eigenvalue that moves.

    ``step`` of the Runge-Kutta method is relative to the first, ``late``, which stands for infinity, to the second.
    """

    problem: Problem
    law: Law
    schedule: Schedule
    seed: int
    rates: tuple[float, float]
    step: float = STEP
    late: float = LATE

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the estimates in a row: predictions, n times the kernel's motion, the kernel at the start."""
        points, times = len(self.problem.inputs), len(self.schedule.times)
        return (times, points, self.problem.targets.shape[1]), (times, points, points), (points, points)

    @property
    def size(self) -> int:
        """Numbers of a row."""
        return sum(int(np.prod(shape)) for shape in self.shapes)

    @property
    def width(self) -> int:
        """n"""
        return width_below(self.law.hidden, len(self.law.layers))

    @property
    def last(self) -> float:
        """The time at which networks are all but trained."""
        return max([self.late / self.rates[1], *(t for t in self.schedule.times if not isinf(t))])

    def check(self) -> None:
        """Raises LimitError where one network would take too long."""
        if isinstance(self.schedule, Descent):
            return
        until = max(self.last if isinf(t) else t for t in self.schedule.times)
        steps = until * self.rates[0] / self.step
        if steps > MAX_STEPS:
            raise LimitError(
                f"gradient flow to time {until:.3g} takes {steps:.1e} steps; at most {MAX_STEPS} are allowed"
                " for sampled networks; try --times without inf, or inputs that are less alike"
            )

    def parts(self, row: Array) -> list[Array]:
        """A row's estimates."""
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(row, ends), self.shapes, strict=True)]

    def batches(self, networks: range, copies: int = 1) -> list[range]:
        """Networks, or pairs of them, that are held at a time."""
        size = max(1, BATCH_FLOATS // (copies * self.problem.floats))
        return [networks[first : first + size] for first in range(0, len(networks), size)]

    def drawn(self, networks: range, kind: int) -> list[Array]:
        """Networks by number, whatever block they are in."""
        return drawn(self.problem, [stream(self.law, self.seed, k, kind) for k in networks])


class Sampled(NamedTuple):
    """Means over trained networks and one standard error each; ``step_error`` is what the largest step error was.

    ``prediction`` (times, points, outputs), ``change`` n E[H(t) - H(0)] (times, points, points), ``initial`` E[H(0)].
    """

    prediction: Array
    prediction_errors: Array
    change: Array
    change_errors: Array
    initial: Array
    initial_errors: Array
    networks: int
    blocks: int
    step_error: float


def block_row(task: Task, block: int) -> Array:
    """The estimates of one block, flat."""
    with np.errstate(all="ignore"):  # what is not finite is refused with a message
        apart, change = _motion(task, range(block * PAIRS, (block + 1) * PAIRS))
        linear, first = np.zeros(task.shapes[0]), np.zeros(task.shapes[2])
        for batch in task.batches(range(block * LINEAR, (block + 1) * LINEAR)):
            full = kernel(task.problem, task.drawn(batch, DRAWN))
            linear += frozen(task.problem, full, since(task.schedule)).sum(axis=0) / LINEAR
            first += averaged(full).sum(axis=0) / LINEAR
    return np.concatenate([(apart + linear).ravel(), change.ravel(), first.ravel()])


def _motion(task: Task, pairs: range) -> tuple[Array, Array]:
    """Means over pairs of networks: outputs less those of their linearisations, and n (H(t) - H(0))."""
    apart, change = np.zeros(task.shapes[0]), np.zeros(task.shapes[1])
    for batch in task.batches(pairs, 2):
        start = mirrored(task.drawn(batch, TRAINED))
        full = kernel(task.problem, start)
        linear = frozen(task.problem, full[: len(batch)], since(task.schedule)).sum(axis=0)
        outputs, kernels = _course(task, start)
        apart += (outputs.sum(axis=1) / 2 - linear) / len(pairs)
        change += task.width * (kernels - averaged(full)).sum(axis=1) / 2 / len(pairs)
    return apart, change


def _course(task: Task, parameters: list[Array]) -> tuple[Array, Array]:
    """Outputs (times, networks, points, outputs) and averaged kernels at every time of the schedule."""
    problem, schedule = task.problem, task.schedule
    found: dict[int, tuple[Array, Array]] = {}
    reached: float = 0
    for place in np.argsort(np.array(schedule.times), kind="stable").tolist():
        if isinstance(schedule, Descent):
            parameters = descended(problem, parameters, schedule.rate, int(schedule.steps[place] - reached))
            reached = schedule.steps[place]
        else:
            until = task.last if isinf(schedule.times[place]) else schedule.times[place]
            steps = ceil((until - reached) * task.rates[0] / task.step)
            parameters, reached = flowed(problem, parameters, until - reached, steps), until
        if isinf(schedule.times[place]):
            outputs, full = settled(problem, parameters)
        else:
            outputs, full = forward(problem, parameters).output, kernel(problem, parameters)
        found[place] = outputs, averaged(full)
    ordered = [found[i] for i in range(len(found))]
    return np.array([outputs for outputs, _ in ordered]), np.array([kernels for _, kernels in ordered])


def since(schedule: Schedule) -> Callable[[Array], Array]:
    """The integral of exp(-w s) from 0 to each time, or its sum over steps: w (..) -> (times, ..); 0 at w = 0, inf."""

    def integrals(w: Array) -> Array:
        safe = np.where(w > 0, w, 1.0)
        if isinstance(schedule, Flow):
            rows = [np.where(w > 0, -np.expm1(-safe * t) / safe, 0.0 if isinf(t) else t) for t in schedule.times]
        else:
            rows = [
                np.where(w > 0, (1 - (1 - schedule.rate * safe) ** n) / safe, schedule.rate * n) for n in schedule.steps
            ]
        return np.array(rows)

    return integrals


def sampled_training(
    request: TrainingRequest, rates: list[tuple[float, float]], advance: Callable[[str], None]
) -> list[Sampled]:
    """Train the networks of every width; ``rates`` are the extreme eigenvalues of the kernel at infinite width.

    Raises NtkfeynError for networks that diverge, or a checkpoint of another request.
    """
    sampling = request.sampling
    assert sampling is not None
    numbers = request.numbers
    inputs = root(numbers.gram) * np.sqrt(len(numbers.gram))
    tasks = {}
    for network, extreme in zip(numbers.networks, rates, strict=True):
        problem = Problem(network.layers, inputs, request.targets)
        tasks[network.width_text] = Task(
            problem, Law(network.layers, numbers.gram), request.schedule, sampling.seed, extreme
        )
        tasks[network.width_text].check()
    fingerprint = json.dumps([training_json(request), LINEAR, PAIRS, STEP, LATE, TOOL])
    done: Done = {}
    if sampling.resume and sampling.checkpoint is not None:
        sizes = {key: task.size for key, task in tasks.items()}
        done = read_checkpoint(sampling.checkpoint, fingerprint, sizes, 0, request.blocks)
    run = _Run(sampling, request.blocks, fingerprint, done, advance)
    with workers(numbers.jobs, numbers.scheduler) as mapped:
        return [run.one(key, task, mapped) for key, task in tasks.items()]


class _Run(NamedTuple):
    sampling: Sampling
    blocks: int
    fingerprint: str
    done: Done
    advance: Callable[[str], None]

    def one(self, key: str, task: Task, mapped: Mapped) -> Sampled:
        """All blocks of one width; what the checkpoint holds is not trained again."""
        tally, written = self.done.get(key, Tally.empty(task.size)), float("-inf")
        for start in range(tally.blocks, self.blocks, WINDOW):
            blocks = range(start, min(start + WINDOW, self.blocks))
            for row in mapped(block_row, [task] * len(blocks), blocks):
                if not np.isfinite(row).all():
                    raise NtkfeynError(
                        f"trained networks of width {key} overflow: steps are too large for some of them",
                        "try a smaller --rate, larger widths, or fewer steps",
                    )
                tally = self.done[key] = tally.added(row[None])
                self.advance(f"width {key}")
                if self.sampling.checkpoint is not None and time.monotonic() > written + PAUSE:
                    write_checkpoint(self.sampling.checkpoint, self.fingerprint, self.done)
                    written = time.monotonic()
        if self.sampling.checkpoint is not None:
            write_checkpoint(self.sampling.checkpoint, self.fingerprint, self.done)
        return _sampled(task, tally)


def _sampled(task: Task, tally: Tally) -> Sampled:
    """Means with errors; what halved steps and a later end change in a few networks is added to them."""
    prediction, change, initial = task.parts(tally.mean)
    errors = task.parts(tally.errors)
    if isinstance(task.schedule, Flow):
        few = range(TESTED)
        finer = _motion(task._replace(step=task.step / 2, late=1.25 * task.late), few)
        off = [np.abs(a - b) for a, b in zip(_motion(task, few), finer, strict=True)]
    else:
        off = [np.zeros_like(prediction), np.zeros_like(change)]
    return Sampled(
        prediction, np.hypot(errors[0], off[0]), change, np.hypot(errors[1], off[1]), initial, errors[2],
        tally.blocks * BLOCK, tally.blocks, float(np.max(off[0])),
    )  # fmt: skip
