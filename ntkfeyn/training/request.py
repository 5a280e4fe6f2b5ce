"""Request: what is trained, on what, for how long, checked before anything is solved.

Enters: a request for numbers over training and test points together, targets, a schedule. Leaves: ``TrainingRequest``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isinf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import LimitError, NtkfeynError, RequestError, bad_request
from ntkfeyn.expectations.activations import functions
from ntkfeyn.model.network import Network
from ntkfeyn.sampling.estimation import Sampling
from ntkfeyn.solve.inputs import gram_matrix, gram_of, number_array, vectors
from ntkfeyn.solve.request import Request, settings_json
from ntkfeyn.training.histories import Descent, Flow, Schedule
from ntkfeyn.training.tensors import kernel_pairs

Array = NDArray[np.float64]
MAX_TRAINED, MAX_TEST, MAX_OUTPUTS = 12, 24, 64
DEFAULT_TIMES = (0.5, 1.0, 2.0, 5.0, inf)
HINT = "--targets y.json with [1, -0.5], or [[1, 0], [0, 1]] for two outputs"
BLOCK = 16  # trained networks of one estimate
EQUAL = 1e-9  # share of their size up to which targets are equal


class Points(NamedTuple):
    """What the user gives, array-like: ``targets`` are numbers, one a training input, or (training inputs, outputs).

    Either ``inputs`` and perhaps ``test``, or ``gram``, x.x'/n_0 of all of them, training inputs first.
    """

    targets: Any
    inputs: Any = None
    test: Any = None
    gram: Any = None


class TrainingRequest(NamedTuple):
    """``numbers``: networks and all points, training points first; ``targets`` (training points, outputs).

    ``sampling``: how many networks to train beside the theory, or None; ``curve``: at how many times in between theory
    is wanted for figures; ``every_pair``: the motion of the kernel also between different test points.
    """

    numbers: Request
    targets: Array
    schedule: Schedule
    sampling: Sampling | None = None
    curve: int = 0
    every_pair: bool = True

    @property
    def trained(self) -> int:
        """Training points."""
        return len(self.targets)

    @property
    def outputs(self) -> int:
        return int(self.targets.shape[1])

    @property
    def pairs(self) -> NDArray[np.bool_]:
        """Pairs of points whose kernel is followed, shape (points, points)."""
        return kernel_pairs(len(self.numbers.gram), self.trained, self.every_pair)

    @property
    def blocks(self) -> int:
        """Blocks that hold the networks asked for."""
        return 0 if self.sampling is None else -(-self.sampling.networks // BLOCK)

    def check(self) -> None:
        """Raises RequestError or LimitError for what cannot be trained, or is out of range."""
        self.numbers.check()
        self.schedule.check()
        points = len(self.numbers.gram)
        for kind, found, most in (
            ("training inputs", self.trained, MAX_TRAINED),
            ("test inputs", points - self.trained, MAX_TEST),
            ("outputs", self.outputs, MAX_OUTPUTS),
        ):
            if found > most:
                raise LimitError(f"{found} {kind} were given; at most {most} are allowed; try fewer")
        network = self.numbers.networks[0]
        for function in functions(network):
            if not function.smooth:
                raise RequestError(
                    f"training at order 1/n does not exist for '{function.name}': it needs R, S, T and U, whose"
                    " recursions multiply delta functions, which diverge as the kink sharpens",
                    "allowed are smooth activations. Try: --activation gelu",
                )
        if self.sampling is not None:
            self.sampling.check()
            if network.depth < 2:
                raise bad_request("depth 1 was to be sampled", "a depth from 2 up is allowed", "--depth 3")

    def equal_inputs(self) -> list[tuple[int, int]]:
        """Pairs of equal training inputs, from 0, whose targets differ: they can never both be fitted."""
        gram, targets = self.numbers.gram, self.targets
        size = float(np.max(np.abs(targets), initial=0.0))
        return [
            (a, b)
            for a in range(self.trained)
            for b in range(a + 1, self.trained)
            if (gram[a] == gram[b]).all() and np.max(np.abs(targets[a] - targets[b])) > EQUAL * size
        ]


def training_request(
    networks: tuple[Network, ...],
    points: Points,
    schedule: Schedule,
    sampling: Sampling | None = None,
    every_pair: bool = True,
    **solving: Any,
) -> TrainingRequest:
    """A checked request; ``solving`` are the fields of ``Request`` that say how."""
    if any(network.shared for network in networks):  # before its inputs, which are no vectors, are looked at
        raise bad_request(
            "training of a network that shares weights over positions",
            "fully connected networks are allowed",
            "--depth 3 --width 64 --activation tanh",
        )
    numbers = Request(networks, **training_samples(points), **solving)
    targets = target_array(points.targets, len(numbers.gram))
    found = TrainingRequest(numbers, targets, schedule, sampling, every_pair=every_pair)
    found.check()
    return found


def target_array(given: Any, points: int) -> Array:
    """Shape (training points, outputs). Raises RequestError."""
    array = number_array(given)
    if array is None:
        raise bad_request(
            "the targets are ragged or no real numbers", "as many real numbers for each input are allowed", HINT
        )
    if array.ndim not in (1, 2) or not array.size or len(array) > points:
        raise bad_request(
            f"targets of shape {array.shape} for {points} inputs",
            "one number, or a row of one number an output, is allowed for each training input",
            HINT,
        )
    if not np.isfinite(array).all():
        raise bad_request("the targets hold nan or inf", "finite numbers are allowed", HINT)
    return array.astype(float).reshape(len(array), -1)


def joined(inputs: Any, targets: Any, test: Any) -> Array:
    """Training and test inputs, one a row. Raises RequestError where targets or dimensions do not fit."""
    trained = vectors(inputs)
    rows = len(np.atleast_1d(np.asarray(targets, dtype=object)))
    if rows != len(trained):
        raise bad_request(
            f"{rows} rows of targets for {len(trained)} training inputs", "one row an input is allowed", HINT
        )
    if test is None:
        return trained
    tested = vectors(test)
    if tested.shape[1] != trained.shape[1]:
        raise bad_request(
            f"test inputs of dimension {tested.shape[1]} for training inputs of dimension {trained.shape[1]}",
            "one dimension is allowed",
            "--test x.json with vectors as in --inputs",
        )
    return np.concatenate([trained, tested])


def training_samples(points: Points) -> dict[str, Any]:
    """``gram`` and ``inputs`` (if known) of training and test inputs together. Raises RequestError."""
    targets, inputs, test, gram = points
    if (inputs is None) == (gram is None):
        raise bad_request("inputs and a Gram matrix", "exactly one of them is needed", "--inputs x.json")
    if targets is None:
        raise bad_request("no targets were given", "one row a training input is needed", HINT)
    if gram is None:
        given = joined(inputs, targets, test)
        return {"gram": gram_of(given), "inputs": given}
    if test is not None:
        raise bad_request(
            "test inputs and a Gram matrix were given",
            "the matrix holds test inputs too, behind the training inputs",
            "--gram without --test",
        )
    return {"gram": gram_matrix(gram), "inputs": None}


def schedule_for(times: Sequence[float] | None, steps: Sequence[int] | None, rate: float | None) -> Schedule:
    """Gradient flow to times, or gradient descent for steps with a rate. Raises RequestError."""
    if steps is None and rate is None:
        return Flow(tuple(DEFAULT_TIMES if times is None else times))
    if times is not None or steps is None or rate is None:
        raise bad_request(
            "steps, a rate and times do not fit together",
            "--times for gradient flow, or --steps and --rate for gradient descent, are allowed",
            "--steps 100 --rate 0.1",
        )
    return Descent(tuple(steps), rate)


def check_stable(schedule: Schedule, largest: float) -> None:
    """Raises NtkfeynError for gradient descent that diverges at infinite width."""
    if isinstance(schedule, Descent) and not schedule.stable(largest):
        raise NtkfeynError(
            f"gradient descent with rate {schedule.rate:g} diverges: the kernel's largest eigenvalue is {largest:.6g}",
            f"rates below 2/{largest:.6g} = {2 / largest:.6g} are allowed. Try: --rate {1 / largest:.2g}",
        )


def training_json(request: TrainingRequest) -> dict[str, Any]:
    """Everything that determines the numbers."""
    schedule = request.schedule
    until: dict[str, Any]
    if isinstance(schedule, Flow):
        until = {"times": [_json_time(t) for t in schedule.times]}
    else:
        until = {"steps": list(schedule.steps), "rate": schedule.rate}
    common = {**settings_json(request.numbers), "training": request.trained, "targets": request.targets.tolist()}
    return {**common, **until, **({} if request.sampling is None else {"seed": request.sampling.seed})}


def _json_time(t: float) -> float | str:
    return "inf" if isinf(t) else float(t)
