"""The solver: a System layer by layer from the kernels of layer 1 (theory sections 3 to 5).

Enters: a plan, a network, the Gram matrix x.x'/n_0. Leaves: every tensor at every layer with an error estimate. The
recursions are solved twice, with all and with 1.15 times fewer nodes; the difference says how far the full rules have
converged, because their error falls exponentially with the number of nodes. Where it is above the tolerance the
recursions are solved once more with finer rules, and compared with the run before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.rules import reading_order
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.activations import Kinked, Polynomial
from ntkfeyn.expectations.kinked import EPSILON, KinkedExpectations
from ntkfeyn.expectations.quadrature import REACHED, Rule
from ntkfeyn.expectations.smooth import SmoothExpectations
from ntkfeyn.model.network import Network
from ntkfeyn.model.tensors import MEAN_KERNEL, MEAN_NTK, TensorId
from ntkfeyn.runtime.workers import Mapped
from ntkfeyn.solve.plan import Factor, Plan, TermPlan

Array = NDArray[np.float64]
Values = dict[TensorId, Array]
COARSENING = 1.15  # the second run has this many times fewer nodes on each axis
SHARE = 0.5  # of the largest difference, for components where it is small by chance
ROUNDING = 1e-13  # relative to the largest component
EXACT = 1e-10  # tracked errors below this share of the largest component are ordinary rounding
MAX_REPEATS = 2
TIGHTER, LEAST, MOST = 0.3, 1e-4, 0.03  # how much tighter a repeated run is
MARGIN = 0.0005  # share of the tolerance that one integral may use along one axis
BLOCK = 1 << 21  # products held at a time


class Layer(NamedTuple):
    """Tensors of one layer by component number, and the estimated errors of these values."""

    values: Values
    errors: Values


Expect = Callable[[Array, NDArray[np.bool_], Mapped], Array]


def solve(
    plan: Plan,
    network: Network,
    gram: Array,
    tolerance: float = 1e-8,
    mapped: Mapped = map,
    advance: Callable[[str], None] = lambda _: None,
) -> list[Layer]:
    """Tensors at layers 1 .. depth; errors aim at ``tolerance`` times the largest component of each tensor.

    ``gram`` is x.x'/n_0, shape (samples, samples). The result does not depend on who does ``mapped``. Raises
    NtkfeynError where an expectation does not converge or a tensor does not exist.
    """
    margin = MARGIN

    def run(coarsening: float = 1.0) -> list[Layer]:
        expect = expectations(plan, network, max(tolerance * margin, REACHED), coarsening)
        return _run(plan, network, gram, expect, mapped, advance)

    fine = run()
    if isinstance(network.function, Kinked | Polynomial):
        return [Layer(layer.values, _beyond_rounding(layer)) for layer in fine]
    layers = _compared(fine, run(COARSENING))
    for _ in range(MAX_REPEATS):
        worst = max(_relative(layer) for layer in layers)
        if worst <= tolerance:
            break
        margin *= min(max(TIGHTER * tolerance / worst, LEAST), MOST)
        coarse, fine = fine, run()
        layers = _compared(fine, coarse)
    return layers


def _compared(fine: list[Layer], coarse: list[Layer]) -> list[Layer]:
    """The finer run, with its difference from the other one as the error."""
    pairs = [(a.values, b.values) for a, b in zip(fine, coarse, strict=True)]
    return [Layer(a, {t: _error(a[t], b[t]) for t in a}) for a, b in pairs]


def _beyond_rounding(layer: Layer) -> Values:
    """Tracked errors; 0 for a tensor that is exact but for ordinary rounding."""
    sizes = {t: float(np.max(np.abs(v), initial=0.0)) for t, v in layer.values.items()}
    return {t: e * (np.max(e, initial=0.0) > EXACT * sizes[t]) for t, e in layer.errors.items()}


def solve_with_rule(plan: Plan, network: Network, gram: Array, rule: Rule) -> list[Values]:
    """Tensors at layers 1 .. depth with one rule for every axis, as emitted code computes them; no error estimate."""
    if isinstance(network.function, Kinked):
        raise NtkfeynError(f"'{network.function.name}' has a kink: a quadrature rule across it does not converge")
    expect = SmoothExpectations(network.function, plan.expectations, 1.0, rule=rule)
    return [layer.values for layer in _run(plan, network, gram, expect, map, lambda _: None)]


def _relative(layer: Layer) -> float:
    """The largest error of a layer relative to the largest component of its tensor."""
    sizes = {t: float(np.max(np.abs(v), initial=0.0)) for t, v in layer.values.items()}
    return max((float(layer.errors[t].max(initial=0.0)) / size for t, size in sizes.items() if size), default=0.0)


def expectations(plan: Plan, network: Network, tolerance: float, coarsening: float = 1.0) -> Expect:
    """What computes the plan's expectations for the network's activation."""
    if isinstance(network.function, Kinked):
        return KinkedExpectations(network.function, plan.expectations)
    return SmoothExpectations(network.function, plan.expectations, tolerance, coarsening)


def _error(fine: Array, coarse: Array) -> Array:
    """The difference; a component where it is small by chance is given a share of the largest one."""
    scale = np.max(np.abs(fine), initial=0.0)
    if scale == 0.0:
        return np.zeros_like(fine)
    difference = np.abs(fine - coarse)
    return np.asarray(np.maximum(difference, SHARE * difference.max()) + ROUNDING * scale)


def _run(
    plan: Plan, network: Network, gram: Array, expect: Expect, mapped: Mapped, advance: Callable[[str], None]
) -> list[Layer]:
    """All layers; errors are tracked from layer to layer where expectations come with bounds, else 0."""
    current = first_layer(plan, network, gram)
    errors = {t: EPSILON * np.abs(v) for t, v in current.items()}
    layers = [Layer(current, errors)]
    for layer in range(1, network.depth):
        active = {t: [term for term in terms if _alive(term, current)] for t, terms in plan.terms.items()}
        needed = _needed(plan, active)
        kernel = _kernel(plan, current)
        means = expect(kernel, needed, mapped)
        couplings = (*network.couplings(layer + 1), network.ratio(layer))
        following = {t: _step(plan, t, active[t], couplings, current, means) for t in plan.terms}
        if isinstance(expect, KinkedExpectations):
            delta = max(EPSILON, float(np.max(errors[MEAN_KERNEL] / np.maximum(np.abs(current[MEAN_KERNEL]), 1e-300))))
            bounds = expect.rounding(kernel, means, needed, min(delta, 1.0))
            known = (current, errors, means, bounds)
            errors = {t: _step_error(plan, t, active[t], couplings, known) for t in plan.terms}
        else:
            errors = {t: np.zeros_like(v) for t, v in following.items()}
        current = following
        if not all(np.isfinite(v).all() for v in current.values()):
            raise NtkfeynError(
                f"the tensors overflow at layer {layer + 1}; try a smaller --cw or --depth (see critical couplings)"
            )
        layers.append(Layer(current, errors))
        advance(f"layer {layer + 1}")
    return layers


def _needed(plan: Plan, active: dict[TensorId, list[TermPlan]]) -> NDArray[np.bool_]:
    """Which expectations occur in terms that do not vanish."""
    needed = np.zeros(plan.expectations.size, dtype=bool)
    for terms in active.values():
        for term in terms:
            for numbers in term.needed():
                needed[numbers] = True
    needed[0] = False
    return needed


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
        factor = _factor(term, couplings)
        if not factor:
            continue
        gathered = [(previous[name], f) for name, f in term.tensors] + [(means, f) for f in term.means]
        for rows in _blocks(size, term):
            product = np.ones((1, len(term.counts)))
            for values, f in gathered:
                product = product * _gather(values, f, rows)
            total[rows] += factor * (product @ term.counts)
    return total


def _step_error(
    plan: Plan,
    tensor: TensorId,
    terms: list[TermPlan],
    couplings: tuple[float, ...],
    known: tuple[Values, Values, Array, Array],
) -> Array:
    """What errors of the factors, and rounding of each product, do to one recursion."""
    previous, errors, means, bounds = known
    size = len(plan.components[tensor])
    total = np.zeros(size)
    for term in terms:
        factor = abs(_factor(term, couplings))
        gathered = [(previous[name], errors[name], f) for name, f in term.tensors]
        gathered += [(means, bounds, f) for f in term.means]
        for rows in _blocks(size, term):
            product, error = np.ones((1, len(term.counts))), np.zeros((1, len(term.counts)))
            for values, off, f in gathered:
                one = np.abs(_gather(values, f, rows))
                error = error * one + product * _gather(off, f, rows)
                product = product * one
            total[rows] += factor * ((error + EPSILON * product) @ term.counts)
    return total


def _factor(term: TermPlan, couplings: tuple[float, ...]) -> float:
    return term.coefficient * float(np.prod(np.power(couplings, reading_order(term.couplings))))


def _blocks(size: int, term: TermPlan) -> Iterator[slice]:
    block = max(1, BLOCK // len(term.counts))
    return (slice(start, min(start + block, size)) for start in range(0, size, block))


def _gather(values: Array, factor: Factor, rows: slice) -> Array:
    """The values of one factor, shape (rows, combinations)."""
    one = values[factor.table[rows]]
    several = len(factor.options) > 1 or factor.table.shape[1] > 1
    return one[:, factor.options] if several else one
