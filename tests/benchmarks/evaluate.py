"""How fast `evaluate` is: ratios measured side by side in one run. Run: python tests/benchmarks/evaluate.py

1. four inputs, GELU, depth 4, seven tensors, all components: against a straightforward NumPy solver of the same
   accuracy and against scipy.integrate.cubature on the same expectations (a sample, scaled by the count);
2. where the time goes; cost of an added input, of an added layer, of many inputs; peak memory.
"""

from __future__ import annotations

import cProfile
import pstats
import resource
import sys
import time
from collections.abc import Callable
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import cubature
from scipy.special import ndtr

sys.path.insert(0, str(Path(__file__).parent.parent))
from oracles.straightforward import solve as straightforward

import ntkfeyn as nf
from ntkfeyn.derivation.recursion import derive_system
from ntkfeyn.expectations.grids import product_grid
from ntkfeyn.expectations.kernels import Kernel
from ntkfeyn.expectations.quadrature import trapezoid
from ntkfeyn.model.network import Network
from ntkfeyn.runtime.workers import Mapped
from ntkfeyn.solve.components import subsets_up_to
from ntkfeyn.solve.convergence import LayerValues
from ntkfeyn.solve.plan import Plan, make_plan
from ntkfeyn.solve.solver import solve

NAMES = ["K", "Theta", "V", "D", "F", "A", "B"]
TENSORS = [(name, nf.derive(name).record.order) for name in NAMES]
COUPLINGS = {"cw": 1.6, "cb": 0.0}


def inputs(samples: int, dimension: int) -> np.ndarray:
    """Well separated vectors of squared length dimension, so that K is 1.6 at layer 1."""
    x = np.random.default_rng(0).normal(size=(samples, dimension))
    return x * np.sqrt(dimension) / np.linalg.norm(x, axis=1)[:, None]


def timed(call: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    best, result = np.inf, None
    for _ in range(repeats):
        start = time.perf_counter()
        result = call()
        best = min(best, time.perf_counter() - start)
    return best, result


def planned(samples: int, size: int) -> Plan:
    return make_plan(derive_system(TENSORS), {t: subsets_up_to(samples, size) for t in TENSORS}, samples)


def solved(
    plan: Plan, x: np.ndarray, depth: int = 4, tolerance: float = 1e-8, mapped: Mapped = map
) -> list[LayerValues]:
    gram = x @ x.T / x.shape[1]
    return solve(plan, Network(depth, 64, "gelu", **COUPLINGS), Kernel.of(gram), tolerance, mapped)


def main() -> None:
    x = inputs(4, 4)
    gram = x @ x.T / 4
    planning, plan = timed(lambda: planned(4, 4))
    solved(plan, x)
    ours, layers = timed(lambda: solved(plan, x), 3)
    print(f"four inputs, GELU, depth 4, seven tensors: {ours:.2f} s solving, {planning:.3f} s planning")
    tight = solved(plan, x, tolerance=1e-11)
    off = max(relative(plan, layers[-1], tight[-1], t) for t in TENSORS)
    print(f"  largest error relative to each tensor's largest component: {off:.1e}")
    slow, other = timed(lambda: straightforward(gram, 4, 1.6, 0.0, nodes=30))
    found = nf.evaluate(Network(4, 64, "gelu", **COUPLINGS), x, NAMES, tolerance=1e-11)
    theirs = max(float(np.max(np.abs(found.array(n) - other[n])) / np.max(np.abs(other[n]))) for n in NAMES)
    print(f"  straightforward solver: {slow:.2f} s at error {theirs:.1e}; ratio {slow / ours:.0f}")
    adaptive(gram, plan, ours)
    shares(plan, x)
    print("cost of inputs (all components, K .. B, depth 4):")
    for n in (2, 3, 4, 5, 6, 8):
        more = inputs(n, 8)
        seconds = timed(lambda n=n, more=more: solved(planned(n, 4), more))[0]
        print(f"  {n} inputs: {seconds:.2f} s")
    pairs = timed(lambda: solved(planned(16, 2), inputs(16, 16)))[0]
    print(f"  16 inputs, pairs: {pairs:.2f} s")
    print("cost of layers (four inputs):")
    for depth in (2, 4, 8, 16):
        print(f"  depth {depth}: {timed(lambda depth=depth: solved(plan, x, depth))[0]:.2f} s")
    many()
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:.2f} GiB")


def relative(plan: Plan, a: LayerValues, b: LayerValues, tensor: tuple[str, int]) -> float:
    return float(np.max(np.abs(a.values[tensor] - b.values[tensor])) / np.max(np.abs(b.values[tensor])))


def adaptive(gram: np.ndarray, plan: Plan, ours: float) -> None:
    """<s' s' s' s'> by adaptive cubature at rtol 1e-3, the cheapest kind of four-dimensional expectation, scaled."""
    kernel = 1.6 * gram
    inverse, norm = np.linalg.inv(kernel), (2 * np.pi) ** 2 * np.sqrt(np.linalg.det(kernel))

    def integrand(z: np.ndarray) -> np.ndarray:
        slopes = ndtr(z) + z * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
        return np.prod(slopes, axis=1) * np.exp(-0.5 * np.einsum("ni,ij,nj->n", z, inverse, z)) / norm

    four = sum(len(rows) for key, rows in plan.expectations.rows.items() if len(key) == 4)
    for text, end in (("over R^4", np.inf), ("in a box of 9", 9.0)):
        one, _ = timed(lambda end=end: cubature(integrand, [-end] * 4, [end] * 4, rtol=1e-3))
        print(f"  cubature at rtol 1e-3 {text}: {one:.1f} s for one four-dimensional expectation;")
        print(f"    {four} a layer and three layers: ratio {3 * four * one / ours:.0f}")


def shares(plan: Plan, x: np.ndarray) -> None:
    profile = cProfile.Profile()
    profile.runcall(solved, plan, x)
    rows = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = sum(row[2] for row in rows.values())

    def share(file: str, *names: str) -> float:
        found = [row[3] for (path, _, name), row in rows.items() if path.endswith(file) and name in names]
        return sum(found) / total

    print(
        f"  activations {share('activations.py', 'table'):.0%}, sums {share('nested.py', '_summed'):.0%},"
        f" interpolated means {share('interpolation.py', 'mean_along', '__call__'):.0%}, grids"
        f" {share('grids.py', 'product_grid', 'moved'):.0%} of the solving time"
    )


def product_floor(samples: int) -> float:
    """Seconds for matrix products alone: of all sets of four samples, products of three known factors at the points
    above the last axis, and their products with known means."""
    rules = [trapezoid(0.4, 7.0)] * 4
    grid = product_grid(rules, 8.5)
    points = len(grid.counts)
    factors, means = np.ones((3, 2, points)), np.ones((3, points))

    def one() -> np.ndarray:
        rows = [factors[0, a] * factors[1, b] * factors[2, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]
        return np.array(rows) @ means.T

    return 4 * comb(samples, 4) * timed(one, 5)[0]  # two layers, two runs


def many() -> None:
    print("many inputs (GELU, depth 3, all components of K .. B; K alone of 512):")
    for n in (8, 12):
        seconds, _ = timed(lambda n=n: nf.evaluate(Network(3, 8, "gelu", cw=1.3, cb=0.1), inputs(n, 5), NAMES))
        floor = product_floor(n)
        print(f"  {n} inputs: {seconds:.1f} s, {seconds / floor:.1f} times matrix products alone ({floor:.2f} s)")
    seconds, _ = timed(lambda: nf.evaluate(Network(3, 8, "gelu", cw=1.3, cb=0.1), inputs(512, 5), ["K"]))
    print(f"  512 inputs, K: {seconds:.1f} s")


if __name__ == "__main__":
    main()
