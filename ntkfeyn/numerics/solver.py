"""The solver: a System layer by layer from the kernels of layer 1 (theory sections 3 to 5).

Enters: a plan, a network, the Gram matrix x.x'/n_0. Leaves: every tensor at every layer with an error estimate. The
recursions are solved twice, with all and with 1.15 times fewer nodes; the difference says how far the full rules have
converged, because their error falls exponentially with the number of nodes. Where it is above the tolerance the
recursions are solved once more with finer rules, and compared with the run before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import NtkfeynError
from ntkfeyn.numerics.activations import Kinked
from ntkfeyn.numerics.gaussian import SmoothExpectations
from ntkfeyn.numerics.networks import Network
from ntkfeyn.numerics.plan import Factor, Plan, TermPlan
from ntkfeyn.numerics.quadrature import REACHED, Rule
from ntkfeyn.recursion import MEAN_KERNEL, MEAN_NTK, TensorId

Array = NDArray[np.float64]
Values = dict[TensorId, Array]
COARSENING = 1.15  # the second run has this many times fewer nodes on each axis
SHARE = 0.5
ROUNDING = 1e-13
MAX_REPEATS = 3
TIGHTER, LEAST, MOST = 0.3, 1e-4, 0.03  # how much tighter a repeated run is
MARGIN = 0.0005  # share of the tolerance that one integral may use along one axis
BLOCK = 1 << 21  # products held at a time


class Layer(NamedTuple):
    """Tensors of one layer by component number, and the estimated errors of these values."""

    values: Values
    errors: Values


Expect = Callable[[Array, NDArray[np.bool_], Executor | None], Array]


def solve(
    plan: Plan,
    network: Network,
    gram: Array,
    tolerance: float = 1e-8,
    jobs: int = 1,
    advance: Callable[[str], None] = lambda _: None,
) -> list[Layer]:
    """Tensors at layers 1 .. depth; errors aim at ``tolerance`` times the largest component of each tensor.

    ``gram`` is x.x'/n_0, shape (samples, samples). The result does not depend on ``jobs`` (processes). Raises
    NtkfeynError where an expectation does not converge or a tensor does not exist.
    """
    margin = MARGIN
    with workers(jobs) as executor:

        def run(coarsening: float = 1.0) -> list[Values]:
            expect = expectations(plan, network, max(tolerance * margin, REACHED), coarsening)
            return _run(plan, network, gram, expect, executor, advance)

        fine = run()
        if exact(network):
            return [Layer(values, {t: np.zeros_like(v) for t, v in values.items()}) for values in fine]
        coarse = run(COARSENING)
        for _ in range(MAX_REPEATS):
            layers = [Layer(a, {t: _error(a[t], b[t]) for t in a}) for a, b in zip(fine, coarse, strict=True)]
            worst = max(_relative(layer) for layer in layers)
            if worst <= tolerance:
                break
            margin *= min(max(TIGHTER * tolerance / worst, LEAST), MOST)
            coarse, fine = fine, run()
    return layers


def solve_with_rule(plan: Plan, network: Network, gram: Array, rule: Rule) -> list[Values]:
    """Tensors at layers 1 .. depth with one rule for every axis, as emitted code computes them; no error estimate."""
    if isinstance(network.function, Kinked):
        raise NtkfeynError(f"'{network.function.name}' has a kink: a quadrature rule across it does not converge")
    expect = SmoothExpectations(network.function, plan.expectations, 1.0, rule=rule)
    return _run(plan, network, gram, expect, None, lambda _: None)


def _relative(layer: Layer) -> float:
    """The largest error of a layer relative to the largest component of its tensor."""
    sizes = {t: float(np.max(np.abs(v), initial=0.0)) for t, v in layer.values.items()}
    return max((float(layer.errors[t].max(initial=0.0)) / size for t, size in sizes.items() if size), default=0.0)


def exact(network: Network) -> bool:
    """Whether expectations are exact: polynomials and closed forms."""
    from ntkfeyn.numerics.activations import Polynomial

    return isinstance(network.function, Polynomial | Kinked)


def expectations(plan: Plan, network: Network, tolerance: float, coarsening: float = 1.0) -> Expect:
    """What computes the plan's expectations for the network's activation."""
    if isinstance(network.function, Kinked):
        from ntkfeyn.numerics.kinked import KinkedExpectations

        return KinkedExpectations(network.function, plan.expectations)
    return SmoothExpectations(network.function, plan.expectations, tolerance, coarsening)


def _error(fine: Array, coarse: Array) -> Array:
    """The difference; a component where it is small by chance is given a share of the largest one."""
    scale = np.max(np.abs(fine), initial=0.0)
    if scale == 0.0:
        return np.zeros_like(fine)
    difference = np.abs(fine - coarse)
    return np.asarray(np.maximum(difference, SHARE * difference.max()) + ROUNDING * scale)


@contextmanager
def workers(jobs: int) -> Iterator[Executor | None]:
    """Processes to share the work, or None for this one alone."""
    if jobs <= 1:
        yield None
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as executor:
        yield executor


def _run(
    plan: Plan, network: Network, gram: Array, expect: Expect, executor: Executor | None, advance: Callable[[str], None]
) -> list[Values]:
    current = first_layer(plan, network, gram)
    layers = [current]
    for layer in range(1, network.depth):
        active = {t: [term for term in terms if _alive(term, current)] for t, terms in plan.terms.items()}
        needed = np.zeros(plan.expectations.size, dtype=bool)
        for terms in active.values():
            for term in terms:
                for numbers in term.needed():
                    needed[numbers] = True
        needed[0] = False
        means = expect(_kernel(plan, current), needed, executor)
        couplings = (*network.couplings(layer + 1), network.ratio(layer))
        current = {t: _step(plan, t, active[t], couplings, current, means) for t in plan.terms}
        if not all(np.isfinite(v).all() for v in current.values()):
            raise NtkfeynError(
                f"the tensors overflow at layer {layer + 1}; try a smaller --cw or --depth (see critical couplings)"
            )
        layers.append(current)
        advance(f"layer {layer + 1}")
    return layers


def first_layer(plan: Plan, network: Network, gram: Array) -> Values:
    """Layer 1: K = C_b + C_W x.x'/n_0 and Theta = lambda_b + lambda_W x.x'/n_0; everything else vanishes."""
    C_W, lambda_W, C_b, lambda_b = network.couplings(1)
    start = {MEAN_KERNEL: C_b + C_W * gram, MEAN_NTK: lambda_b + lambda_W * gram}
    values = {}
    for tensor, components in plan.components.items():
        rows = components.rows
        values[tensor] = start[tensor][rows[:, 0], rows[:, 1]] if tensor in start else np.zeros(len(rows))
    return values


def _kernel(plan: Plan, values: Values) -> Array:
    """K as a matrix; nan where it is not needed."""
    kernel = np.full((plan.samples, plan.samples), np.nan)
    a, b = plan.components[MEAN_KERNEL].rows.T
    kernel[a, b] = kernel[b, a] = values[MEAN_KERNEL]
    return kernel


def _alive(term: TermPlan, values: Values) -> bool:
    return all(np.any(values[tensor]) for tensor, _ in term.tensors)


def _step(
    plan: Plan, tensor: TensorId, terms: list[TermPlan], couplings: tuple[float, ...], previous: Values, means: Array
) -> Array:
    """One recursion at all components."""
    size = len(plan.components[tensor])
    total = np.zeros(size)
    for term in terms:
        factor = term.coefficient
        for base, power in zip(couplings, term.couplings, strict=True):
            factor *= base**power
        if not factor:
            continue
        gathered = [(previous[name], f) for name, f in term.tensors] + [(means, f) for f in term.means]
        block = max(1, BLOCK // len(term.counts))
        for start in range(0, size, block):
            rows = slice(start, min(start + block, size))
            total[rows] += factor * _products(gathered, rows, term.counts)
    return total


def _products(gathered: list[tuple[Array, Factor]], rows: slice, counts: Array) -> Any:
    """sum over combinations of multiplicity * product of the gathered values, shape (rows,)"""
    product: Array = np.ones((1, len(counts)))
    for values, factor in gathered:
        one = values[factor.table[rows]]
        if len(counts) > 1 or factor.table.shape[1] > 1:
            one = one[:, factor.options]
        product = product * one
    return product @ counts
