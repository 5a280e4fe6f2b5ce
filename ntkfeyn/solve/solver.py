"""The solver: a System layer by layer from the kernels of layer 1 (theory sections 3 to 5).

Enters: a plan, a network, the Gram matrix x.x'/n_0. Leaves: every tensor at every layer with an error estimate. The
recursions are solved again with fewer nodes, none of them shared, and with noise on all that is rounded (twice for few
samples): the difference says how far the full rules have converged, because their error falls
exponentially with the number of nodes, and what the layers make of rounding. Where it is above the tolerance both are
solved again with finer rules. Where a kink lets derivatives diverge, no noise is small: there bounds of the rounding
are carried through every layer instead, whatever its activation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.activations import Activation, functions
from ntkfeyn.expectations.engine import Engine, engines
from ntkfeyn.expectations.keys import EPSILON, KernelError
from ntkfeyn.expectations.quadrature import REACHED
from ntkfeyn.model.network import Network
from ntkfeyn.model.tensors import MEAN_KERNEL
from ntkfeyn.runtime.workers import Mapped
from ntkfeyn.solve.differences import differences, relative, total
from ntkfeyn.solve.inputs import first_kernels
from ntkfeyn.solve.noise import Noise
from ntkfeyn.solve.plan import Plan
from ntkfeyn.solve.scaling import check_size
from ntkfeyn.solve.step import Values, active_terms, needed_means, step, step_error

Array = NDArray[np.float64]
COARSENING, FINE = (1.15, 1.25), (1.08, 1.13)  # compared runs have so many times fewer nodes; FINE where digits end
FEW = 2  # samples up to which two runs are compared: among few components one difference may be small by chance
SMALLEST, FIRST = 1e-16, 3e-14  # tolerances of one integral along one axis: the least, and the least at first
LARGEST = 1e-6  # tolerance that runs are made for: few nodes agree by chance
MAX_REPEATS = 2
TIGHTER, LEAST, MOST = 0.3, 1e-4, 0.03  # how much tighter a repeated run is
MARGIN = 0.0002  # share of the tolerance that one integral may use along one axis


class LayerValues(NamedTuple):
    """Tensors of one layer by component number, and the estimated errors of these values."""

    values: Values
    errors: Values


class Stopped(NtkfeynError):
    """A layer cannot be solved. ``layers``: those before it; their errors are of rounding alone."""

    def __init__(self, error: NtkfeynError, layers: list[LayerValues]) -> None:
        super().__init__(str(error))
        self.reason, self.layers = error.reason, layers


class Reached(NamedTuple):
    """As many layers as can be solved, and why there are no more: empty if these are all."""

    layers: list[LayerValues]
    stopped: str


Run = Callable[[float, float], list[LayerValues]]  # margin and coarsening -> layers, errors of rounding alone


class Problem(NamedTuple):
    """What every run has in common; ``functions`` are the activations of the hidden layers."""

    plan: Plan
    network: Network
    functions: tuple[Activation, ...]
    gram: Array
    tolerance: float
    mapped: Mapped
    advance: Callable[[str], None]

    def run(self, margin: float, coarsening: float, depth: int) -> list[LayerValues]:
        """Layers 1 .. depth once, with rounding where it is tracked. Raises Stopped where a layer cannot be solved."""
        made = engines(self.functions, self.plan.expectations, self.resolution(margin), coarsening)
        tracked = any(engine.amplifies for engine in made)
        noisy = coarsening > 1.0 and not tracked
        layers = [first_layer(self.plan, self.network, self.gram, Noise(0, coarsening) if noisy else None)]
        below = np.sign(self.network.layers[0].C_W) * np.diag(self.gram)
        check_size(np.diag(_kernel(self.plan, layers[0].values)), below, self.plan.components, 1)
        quadrature = 0.0
        for layer, engine in enumerate(made[: depth - 1], 1):
            try:
                noise = Noise(layer, coarsening) if noisy else None
                off = quadrature if tracked else None
                layers.append(self._next(layer, layers[-1], engine, off, noise))
            except NtkfeynError as error:
                raise Stopped(error, layers) from error
            quadrature += engine.resolution
            self.advance(f"layer {layer + 1}")
        return layers

    def resolution(self, margin: float) -> float:
        """The tolerance of one integral along one axis."""
        return max(min(self.tolerance, LARGEST) * margin, SMALLEST)

    def _next(
        self, layer: int, at: LayerValues, engine: Engine, quadrature: float | None, noise: Noise | None
    ) -> LayerValues:
        """Layer l + 1 from layer l, whose activation the engine is of; bounds are carried if ``quadrature`` is given.

        It is the error that the quadratures below have left in the kernel.
        """
        plan, current, errors = self.plan, at.values, at.errors
        # a tensor may be zero with an error, which lives on; a layer that amplifies makes errors of that size by itself
        kept = not engine.amplifies
        held = {t: bool(np.any(v) or (kept and np.any(errors[t]))) for t, v in current.items()}
        couplings = self.network.couplings(layer)
        active = active_terms(plan, held, couplings)
        needed = needed_means(plan, active)
        kernel = _kernel(plan, current)
        if noise is not None:
            kernel = noise.apart(kernel)
        if noise is None and quadrature is None:
            means = engine.values(kernel, needed, self.mapped)
        else:
            means, masses = engine.spread(kernel, needed, self.mapped)
        bounds = np.zeros(plan.expectations.size)
        if quadrature is not None:
            off = KernelError(min(_kernel_error(plan, kernel, errors), 1.0), quadrature)
            bounds = engine.bounds(kernel, masses, needed, off)
        if noise is not None:
            means = np.where(needed, noise.on(means, masses, len(plan.terms)), means)
        following = {t: step(plan, t, active[t], couplings, current, means) for t in plan.terms}
        if noise is None and quadrature is None:
            rounded = {t: np.zeros_like(v) for t, v in following.items()}
        else:
            known = (current, errors, means, bounds)
            rounded = {t: step_error(plan, t, active[t], couplings, known) for t in plan.terms}
        if noise is not None:
            following = {t: noise.on(v, rounded[t] / EPSILON, i) for i, (t, v) in enumerate(following.items())}
            rounded = {t: np.zeros_like(v) for t, v in following.items()}
        if not all(np.isfinite(v).all() for v in following.values()):
            raise NtkfeynError(
                f"the tensors overflow at layer {layer + 1}", "try a smaller --cw or --depth (see critical couplings)"
            )
        check_size(np.diag(_kernel(plan, following)), np.zeros(plan.samples), plan.components, layer + 1)
        return LayerValues(following, rounded)


def solve(
    plan: Plan,
    network: Network,
    gram: Array,
    tolerance: float = 1e-8,
    mapped: Mapped = map,
    advance: Callable[[str], None] = lambda _: None,
) -> list[LayerValues]:
    """Tensors at layers 1 .. depth; errors aim at ``tolerance`` times the largest component of each tensor.

    ``gram`` is x.x'/n_0, shape (samples, samples). The result does not depend on who does ``mapped``. Raises Stopped
    where an expectation does not converge, a tensor does not exist or is no number.
    """
    problem = Problem(plan, network, functions(network), gram, tolerance, mapped, advance)
    return _converged(problem, lambda margin, coarsening: problem.run(margin, coarsening, network.depth))


def solve_reachable(
    plan: Plan,
    network: Network,
    gram: Array,
    tolerance: float = 1e-8,
    advance: Callable[[str], None] = lambda _: None,
) -> Reached:
    """``solve`` to the last layer that every run reaches: the same numbers as for a network that ends there."""
    problem = Problem(plan, network, functions(network), gram, tolerance, map, advance)
    known: dict[tuple[float, float], list[LayerValues]] = {}
    depth, stopped = network.depth, ""

    def run(margin: float, coarsening: float) -> list[LayerValues]:
        """Layers 1 .. depth; a run is done once, for no layer depends on those above it."""
        if (margin, coarsening) not in known:
            try:
                known[margin, coarsening] = problem.run(margin, coarsening, depth)
            except Stopped as stop:
                known[margin, coarsening] = stop.layers
                raise
        return known[margin, coarsening][:depth]

    while True:
        try:
            return Reached(_converged(problem, run), stopped)
        except Stopped as stop:
            depth, stopped = len(stop.layers), stopped or stop.reason


def _converged(problem: Problem, run: Run) -> list[LayerValues]:
    """The layers of the finest run that it takes, with both parts of their errors."""
    kinked = not all(function.smooth for function in problem.functions)
    if kinked and all(function.exact for function in problem.functions):
        return run(MARGIN, 1.0)
    margin = max(MARGIN, FIRST / problem.tolerance)
    found, worst = _compared(problem, run, margin)
    for _ in range(MAX_REPEATS):
        if worst <= problem.tolerance or problem.resolution(margin) <= SMALLEST:
            break
        margin *= min(max(TIGHTER * problem.tolerance / worst, LEAST), MOST)
        try:
            finer, left = _compared(problem, run, margin)
        except NtkfeynError:
            break  # too many nodes: what is known has its error
        if left >= worst:
            break  # rounding: more nodes bring no more digits
        found, worst = finer, left
    return found


def _compared(problem: Problem, run: Run, margin: float) -> tuple[list[LayerValues], float]:
    """Layers with their errors, and the largest difference relative to the largest component of a tensor."""
    coarsenings = COARSENING if problem.resolution(margin) >= REACHED else FINE
    fine = run(margin, 1.0)
    coarse = [run(margin, one) for one in coarsenings[: 2 if problem.plan.samples <= FEW else 1]]
    off = differences([layer.values for layer in fine], [[layer.values for layer in one] for one in coarse])
    worst = max(relative(layer.values, one) for layer, one in zip(fine, off, strict=True))
    return [LayerValues(layer.values, total(one, layer.errors)) for layer, one in zip(fine, off, strict=True)], worst


def first_layer(plan: Plan, network: Network, gram: Array, noise: Noise | None = None) -> LayerValues:
    """Layer 1: the kernels K and Theta; everything else vanishes."""
    scale = np.sqrt(np.diag(gram))
    start, sizes = (first_kernels(network.layers[0], one) for one in (gram, scale[:, None] * scale))
    values, errors = {}, {}
    for i, (tensor, components) in enumerate(plan.components.items()):
        a, b = components.rows[:, 0], components.rows[:, 1]
        values[tensor] = start[tensor][a, b] if tensor in start else np.zeros(len(a))
        size = sizes[tensor][a, b] if tensor in start else np.zeros(len(a))
        errors[tensor] = EPSILON * size if noise is None else np.zeros(len(a))
        if noise is not None:
            values[tensor] = noise.on(values[tensor], size, i)
    return LayerValues(values, errors)


def _kernel_error(plan: Plan, kernel: Array, errors: Values) -> float:
    """How far K is off, relative to the spread of its samples: at least by rounding."""
    a, b = plan.components[MEAN_KERNEL].rows.T
    size = np.sqrt(np.diag(kernel)[a] * np.diag(kernel)[b])
    return max(EPSILON, float(np.max(errors[MEAN_KERNEL] / np.maximum(size, 1e-300))))


def _kernel(plan: Plan, values: Values) -> Array:
    """K as a matrix; nan where it is not needed."""
    kernel = np.full((plan.samples, plan.samples), np.nan)
    a, b = plan.components[MEAN_KERNEL].rows.T
    kernel[a, b] = kernel[b, a] = values[MEAN_KERNEL]
    return kernel
