"""Training: time of the theory against the number of inputs, and networks trained a second against a plain JAX loop.

Times are those of one processor, and ratios are measured side by side: `python tests/benchmarks/training.py`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
import ntkfeyn as nf
from ntkfeyn.training import expansion, networks, run
from ntkfeyn.training.histories import Flow
from ntkfeyn.training.request import Points, training_request

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(16, 6)), RNG.normal(size=16)
SIZES = ((1, 1), (2, 1), (2, 2), (4, 0), (4, 2), (6, 2), (8, 2))  # training and test inputs
DEPTH, TIMES = 4, (0.5, 1.0, 2.0, 5.0, float("inf"))
PROBLEM_DEPTH, TIME, STEPS, JAX_NETWORKS = 3, 2.0, 40, 4


def timed(call: Callable[[], Any], repeats: int = 2) -> float:
    call()
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return float(best)


def theory() -> None:
    """All of ``train`` without networks; and what of it is not the solution of the recursions."""
    print(f"theory, tanh, depth {DEPTH}, times {', '.join(f'{t:g}' for t in TIMES)}")
    print(f"  {'training':>8} {'test':>5} {'seconds':>9} {'sums alone':>11} {'every pair':>11}")
    network = nf.Network(DEPTH, 64, "tanh", cw=1.5)
    for trained, test in SIZES:
        points = Points(Y[:trained], X[:trained], X[trained : trained + test] if test else None)
        request = training_request((network,), points, Flow(TIMES), tolerance=1e-6)
        whole = timed(lambda request=request: run.trained(request._replace(every_pair=False)))  # type: ignore[misc]
        every = timed(lambda request=request: run.trained(request))  # type: ignore[misc]
        kept = [0.0]
        solved = expansion.solved

        def slow(*arguments: Any, solved: Any = solved, kept: list[float] = kept) -> Any:
            start = time.process_time()
            found = solved(*arguments)
            kept[0] = time.process_time() - start
            return found

        expansion.solved = slow  # type: ignore[assignment]
        start = time.process_time()
        run.trained(request)
        sums = time.process_time() - start - kept[0]
        expansion.solved = solved
        print(f"  {trained:>8} {test:>5} {whole:>9.2f} {sums:>11.2f} {every:>11.2f}")


def ours(width: int, many: int) -> Callable[[], Any]:
    """A batch of networks, with as many Runge-Kutta steps as the JAX loop does."""
    network = nf.Network(PROBLEM_DEPTH, width, "tanh", cw=1.5)
    problem = networks.Problem(network.layers, X[:2], Y[:2, None])
    streams = [np.random.default_rng(k) for k in range(many)]
    start = networks.drawn(problem, streams)

    def call() -> Any:
        return networks.forward(problem, networks.flowed(problem, start, TIME, STEPS)).output

    return call


def plain_jax(width: int, many: int) -> Callable[[], Any]:
    """One network after the other: a compiled Runge-Kutta step on the gradient of the loss, called in a loop."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    sizes = [X.shape[1], *[width] * (PROBLEM_DEPTH - 1), 1]
    x, y, h = jnp.asarray(X[:2]), jnp.asarray(Y[:2, None]), TIME / STEPS

    def output(weights: Any) -> Any:
        s = x
        for i, W in enumerate(weights):
            z = s @ W.T
            s = jnp.tanh(z) if i + 1 < len(weights) else z
        return s

    def velocity(weights: Any) -> Any:
        slopes = jax.grad(lambda w: 0.5 * jnp.sum((output(w) - y) ** 2))(weights)
        return [-slope / n for slope, n in zip(slopes, sizes, strict=False)]

    def moved(weights: Any, slopes: Any, step: float) -> Any:
        return [W + step * slope for W, slope in zip(weights, slopes, strict=True)]

    @jax.jit
    def advance(weights: Any) -> Any:
        a = velocity(weights)
        b = velocity(moved(weights, a, h / 2))
        c = velocity(moved(weights, b, h / 2))
        d = velocity(moved(weights, c, h))
        return [W + h / 6 * (p + 2 * q + 2 * r + s) for W, p, q, r, s in zip(weights, a, b, c, d, strict=True)]

    def call() -> Any:
        ends = []
        for k in range(many):
            rng = np.random.default_rng(k)
            weights = [jnp.asarray(rng.normal(size=(m, n)) * np.sqrt(1.5 / n)) for n, m in pairwise(sizes)]
            for _ in range(STEPS):
                weights = advance(weights)
            ends.append(np.asarray(output(weights)))
        return ends

    return call


def trained_networks() -> None:
    print(f"networks, tanh, depth {PROBLEM_DEPTH}, 2 inputs, {STEPS} Runge-Kutta steps of order 4")
    print(f"  {'width':>5} {'ours a second':>14} {'JAX a second':>13} {'ratio':>6}")
    for width in (16, 32, 64, 128):
        batch = max(1, (1 << 17) // (width * (width + 10)))
        many = batch * ceil(64 / batch)
        calls = many // batch
        one = ours(width, batch)
        mine = many / timed(lambda one=one, calls=calls: [one() for _ in range(calls)])  # type: ignore[misc]
        theirs = JAX_NETWORKS / timed(plain_jax(width, JAX_NETWORKS))
        print(f"  {width:>5} {mine:>14.1f} {theirs:>13.1f} {mine / theirs:>6.1f}")


if __name__ == "__main__":
    theory()
    trained_networks()
