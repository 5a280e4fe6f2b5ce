"""What a request would compute, before it is computed: components, expectations, memory, time (theory section 10).

Enters: a request for tensors of a network. Leaves: the size of each layer's work. Nothing is solved; the time is that
of a few expectations of each kind, measured at a kernel like that of the network, times how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import process_time

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import Activation, functions
from ntkfeyn.expectations.engine import engine_of
from ntkfeyn.expectations.kernels import Kernel
from ntkfeyn.model.network import Network
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.solve.convergence import planned_runs
from ntkfeyn.solve.evaluation import planned, wanted_components
from ntkfeyn.solve.plan import Plan
from ntkfeyn.solve.request import Request

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
TRIED = 6  # sets of samples of each size whose expectations are timed


@dataclass(frozen=True)
class Work:
    """The step to layer ``layer``: ``labels`` of the layer below that differ, components and expectations.

    ``components``: of all right-hand sides; ``sets``: how many sets of 1, 2, .. labels are integrated over;
    ``bytes`` of tables and values; ``seconds`` on one processor.
    """

    layer: int
    labels: int
    components: int
    sets: tuple[int, ...]
    bytes: int
    seconds: float


def forecast(request: Request, targets: Sequence[TensorId], components: str = "all") -> list[Work]:
    """One record a step, from layer 2 to the output. Raises what ``evaluate_tensors`` would raise beforehand."""
    network = request.networks[0]
    positions = network.positions[-1]
    wanted = wanted_components(targets, components, request.labels, positions)
    problem = planned(request, wanted)
    found = []
    for number, (plan, function) in enumerate(zip(problem.stack.steps, functions(network), strict=True), 2):
        found.append(_work(number, plan, function, network, request.tolerance))
        request.advance(f"time of layer {number}")
    return found


def _work(layer: int, plan: Plan, function: Activation, network: Network, tolerance: float) -> Work:
    sets = _sets(plan)
    size = sum(own.rows.nbytes + 8 * len(own) for own in plan.components.values())
    for terms in plan.terms.values():
        for term in terms:
            size += sum(factor.table.nbytes for _, factor in term.tensors) + sum(f.table.nbytes for f in term.means)
    if plan.averaging is not None:
        size += sum(m.data.nbytes + m.indices.nbytes for m in plan.averaging.matrices.values())
    size += 16 * plan.expectations.size
    seconds = 0.0
    if sets:
        seconds = _seconds(plan, function, network, layer, tolerance, sets)
    labels = max(own.samples for own in plan.components.values())
    counts = tuple(len(sets.get(k, ())) for k in range(1, max(sets, default=0) + 1))
    return Work(layer, labels, sum(map(len, plan.components.values())), counts, size, seconds)


def _sets(plan: Plan) -> dict[int, Ints]:
    """The distinct sets of labels of all expectations, by size."""
    found: dict[int, list[Ints]] = {}
    for key, rows in plan.expectations.rows.items():
        found.setdefault(len(key), []).append(np.sort(rows, axis=1))
    return {size: np.unique(np.concatenate(parts), axis=0) for size, parts in sorted(found.items())}


def _seconds(
    plan: Plan, function: Activation, network: Network, layer: int, tolerance: float, sets: dict[int, Ints]
) -> float:
    """Of all runs, from the time of a few sets of each size, with unit inputs that are not parallel."""
    below = network.layers[layer - 2]
    labels = max(own.samples for own in plan.components.values())
    x = np.random.default_rng(1).normal(size=(labels, max(8, labels)))
    kernel = Kernel.of(below.C_b + below.C_W * (x @ x.T) / x.shape[1])
    engine = engine_of(function, plan.expectations, tolerance / 1000)
    total = 0.0
    for size, rows in sets.items():
        some = rows[np.linspace(0, len(rows) - 1, TRIED).astype(int)] if len(rows) > TRIED else rows
        needed = np.zeros(plan.expectations.size, dtype=bool)
        for key, own in plan.expectations.rows.items():
            if len(key) == size:
                inside = (np.sort(own, axis=1)[:, None] == some).all(axis=2).any(axis=1)
                needed[plan.expectations.numbers(key)[inside]] = True
        engine.values(kernel, needed)  # what is measured once is not what it takes
        start = process_time()
        engine.values(kernel, needed)
        total += (process_time() - start) / len(np.unique(some, axis=0)) * len(rows)
    return total * planned_runs(function, labels)
