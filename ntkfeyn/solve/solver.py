"""The solver: a System layer by layer from the kernels of layer 1 (theory sections 3 to 5).

Enters: the plans of all steps, a network, the Gram matrix x.x'/n_0. Leaves: every tensor at every layer with an error
estimate, from runs that are compared (``convergence``). A compared run carries noise on all that is rounded. Where a
kink lets derivatives diverge, bounds of the rounding are carried through every layer as well, and what a layer is off
by at most is its noise in compared runs: smooth layers above amplify that as they amplify anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.activations import Activation, functions
from ntkfeyn.expectations.engine import Engine, engine_of
from ntkfeyn.expectations.kernels import Kernel
from ntkfeyn.expectations.keys import EPSILON, KernelError
from ntkfeyn.model.network import Network
from ntkfeyn.model.tensors import MEAN_KERNEL
from ntkfeyn.runtime.workers import Mapped
from ntkfeyn.solve.carried import first_layer, kernel_matrix, next_kernel
from ntkfeyn.solve.centring import constants
from ntkfeyn.solve.convergence import LayerValues, Trial, converged
from ntkfeyn.solve.noise import NOISE, Noise
from ntkfeyn.solve.plan import Plan
from ntkfeyn.solve.scaling import check_size
from ntkfeyn.solve.stack import Of, Stack, uniform
from ntkfeyn.solve.step import Values, active_terms, needed_means, step, step_error

Array = NDArray[np.float64]


class Stopped(NtkfeynError):
    """A layer cannot be solved. ``layers``: those before it; their errors are of rounding alone."""

    def __init__(self, error: NtkfeynError, layers: list[LayerValues]) -> None:
        super().__init__(str(error))
        self.reason, self.layers = error.reason, layers


class Reached(NamedTuple):
    """As many layers as can be solved, and why there are no more: empty if these are all."""

    layers: list[LayerValues]
    stopped: str


class Problem(NamedTuple):
    """What every run has in common; ``functions`` are the activations of the hidden layers."""

    stack: Stack
    network: Network
    functions: tuple[Activation, ...]
    inputs: Kernel
    mapped: Mapped
    advance: Callable[[str], None]

    def run(self, trial: Trial, depth: int) -> list[LayerValues]:
        """Layers 1 .. depth once, with rounding where it is tracked. Raises Stopped where a layer cannot be solved."""
        stack, coarsening = self.stack.centred() if trial.centred else self.stack, trial.coarsening
        made = self._engines(stack, trial)
        tracked = any(engine.amplifies for engine in made)
        noisy = coarsening > 1.0
        layers = [first_layer(stack.first, self.network, self.inputs, Noise(0, coarsening) if noisy else None)]
        below = np.sign(self.network.layers[0].C_W) * np.diag(self.inputs.matrix)
        check_size(np.diag(kernel_matrix(stack.first, layers[0].values)), below, stack.first, 1)
        quadrature = 0.0
        for layer, (plan, engine) in enumerate(zip(stack.steps[: depth - 1], made, strict=False), 1):
            try:
                noise = Noise(layer, coarsening) if noisy else None
                off = quadrature if tracked else None
                layers.append(self._next(plan, layer, layers[-1], engine, off, noise))
            except NtkfeynError as error:
                raise Stopped(error, layers) from error
            quadrature += engine.resolution
            self.advance(f"layer {layer + 1}")
        return layers

    def _engines(self, stack: Stack, trial: Trial) -> list[Engine]:
        """One a step; those of one plan and of equal activations are one, with what it has measured."""
        found: dict[tuple[int, Activation], Engine] = {}
        for plan, function in zip(stack.steps, self.functions, strict=True):
            key = id(plan.expectations), function
            if key not in found:
                found[key] = engine_of(function, plan.expectations, trial.resolution, trial.coarsening)
        return [found[id(plan.expectations), f] for plan, f in zip(stack.steps, self.functions, strict=True)]

    def _next(
        self, plan: Plan, layer: int, at: LayerValues, engine: Engine, quadrature: float | None, noise: Noise | None
    ) -> LayerValues:
        """Layer l + 1 from layer l, whose activation the engine is of; bounds are carried if ``quadrature`` is given.

        It is the error that the quadratures below have left in the kernel.
        """
        current, errors, kernel = at
        # a tensor may be zero with an error, which lives on; a layer that amplifies makes errors of that size by itself
        kept = not engine.amplifies
        held = {t: bool(np.any(v) or (kept and np.any(errors[t]))) for t, v in current.items()}
        couplings = {**self.network.couplings(layer), **constants(engine.at_zero)}
        active = active_terms(plan, held, couplings)
        needed = needed_means(plan, active)
        if noise is None and quadrature is None:
            means = engine.values(kernel, needed, self.mapped)
        else:
            means, masses = engine.spread(kernel, needed, self.mapped)
        bounds = np.zeros(plan.expectations.size)
        if quadrature is not None:
            off = KernelError(min(_kernel_error(plan.below, kernel.matrix, errors), 1.0), quadrature)
            bounds = engine.bounds(kernel, masses, needed, off)
        if noise is not None:
            means = np.where(needed, noise.on(means, masses + bounds / NOISE, len(plan.terms)), means)
        steps = {t: step(plan, t, active[t], couplings, current, means) for t in plan.terms}
        following = {t: total for t, (total, _) in steps.items()}
        if noise is not None:
            following = {t: noise.on(total, mass, i) for i, (t, (total, mass)) in enumerate(steps.items())}
        rounded = {t: np.zeros_like(v) for t, v in following.items()}
        if quadrature is not None and noise is None:
            known = (current, errors, means, bounds)
            rounded = {t: step_error(plan, t, active[t], couplings, known) for t in plan.terms}
        if not all(np.isfinite(v).all() for v in following.values()):
            raise NtkfeynError(
                f"the tensors overflow at layer {layer + 1}", "try a smaller --cw or --depth (see critical couplings)"
            )
        check_size(np.diag(kernel_matrix(plan.above, following)), self._left(layer, kernel), plan.above, layer + 1)
        near = len(kernel.pairs) and plan.averaging is None
        found = engine.distances(kernel) if near else None
        above = next_kernel(plan.above, following, self.network.layers[layer], kernel, found, noise)
        return LayerValues(following, rounded, replace(above, known_parallel=self._parallel(layer, kernel)))

    def _parallel(self, layer: int, below: Kernel) -> NDArray[np.bool_] | None:
        """Parallel samples stay so where s(c z) = c s(z) and nothing is added."""
        if self.stack.steps[layer - 1].averaging is not None:
            return None
        kept = self.functions[layer - 1].slopes is not None and not self.network.layers[layer].C_b
        return below.known_parallel if kept else None

    def _left(self, layer: int, below: Kernel) -> Array:
        """Positive for samples whose variance can only be zero at the next layer because it underflows."""
        if self.stack.steps[layer - 1].averaging is not None:
            return np.zeros(1)  # averages of zeros are zeros
        return np.diag(below.matrix) * (self.network.layers[layer].C_W > 0 and not self.functions[layer - 1].vanishes)


def solve(
    plan: Plan | Stack,
    network: Network,
    inputs: Kernel,
    tolerance: float = 1e-8,
    mapped: Mapped = map,
    advance: Callable[[str], None] = lambda _: None,
) -> list[LayerValues]:
    """Tensors at layers 1 .. depth; errors aim at ``tolerance`` times the largest component of each tensor.

    ``plan``: of all steps alike, or of each. ``inputs``: x.x'/n_0 with the distances of the inputs. The result does not
    depend on who does ``mapped``. Raises Stopped where an expectation does not converge, a tensor does not exist or is
    no number.
    """
    problem = Problem(_stack(plan, network), network, functions(network), inputs, mapped, advance)
    return converged(problem.functions, tolerance, len(inputs.matrix), lambda trial: problem.run(trial, network.depth))


def solve_reachable(
    plan: Plan | Stack,
    network: Network,
    inputs: Kernel,
    tolerance: float = 1e-8,
    advance: Callable[[str], None] = lambda _: None,
) -> Reached:
    """``solve`` to the last layer that every run reaches: the same numbers as for a network that ends there."""
    problem = Problem(_stack(plan, network), network, functions(network), inputs, map, advance)
    known: dict[Trial, list[LayerValues]] = {}
    depth, stopped = network.depth, ""

    def run(trial: Trial) -> list[LayerValues]:
        """Layers 1 .. depth; a run is done once, for no layer depends on those above it."""
        if trial not in known:
            try:
                known[trial] = problem.run(trial, depth)
            except Stopped as stop:
                known[trial] = stop.layers
                raise
        return known[trial][:depth]

    while True:
        try:
            return Reached(converged(problem.functions, tolerance, len(inputs.matrix), run), stopped)
        except Stopped as stop:
            depth, stopped = len(stop.layers), stopped or stop.reason


def _stack(plan: Plan | Stack, network: Network) -> Stack:
    return plan if isinstance(plan, Stack) else uniform(plan, network.depth)


def _kernel_error(of: Of, kernel: Array, errors: Values) -> float:
    """How far K is off, relative to the spread of its samples: at least by rounding."""
    a, b = of[MEAN_KERNEL].rows.T
    size = np.sqrt(np.diag(kernel)[a] * np.diag(kernel)[b])
    return max(EPSILON, float(np.max(errors[MEAN_KERNEL] / np.maximum(size, 1e-300), initial=0.0)))
