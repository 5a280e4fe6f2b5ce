"""What numbers of convolutional networks cost, and a real case. Run: python tests/benchmarks/convolution.py [DIR]

1. seven tensors at order 1 of a circular 1d network (8 positions, 2 inputs, kernel 3, depth 3, mean-pooled);
2. how time and memory of Theta and Theta^{1} grow with positions, inputs and depth, flattened and mean-pooled;
3. Theta and Theta^{1} of the 8 x 8 digits of scikit-learn, convolutions 3 x 3, depth 3; with DIR, written there.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import ntkfeyn as nf

COUPLINGS = {"cw": 1.98305826, "cb": 0.17292239}  # critical for GeLU
SEVEN = ["K", "Theta", "V", "D", "F", "A", "B"]
MEANS = ["Theta", "Theta@1"]


def network(shape: tuple[int, ...], depth: int = 3, pool: str = "mean", width: int = 64) -> nf.Network:
    """Convolutions over 3 positions an axis below a pooled output."""
    layers = [nf.Conv(kernel=3) for _ in range(depth - 1)] + [nf.Dense(pool=pool)]
    return nf.Network(layers=layers, shape=shape, width=width, activation="gelu", **COUPLINGS)


def measured(net: nf.Network, inputs: np.ndarray, names: list[str], tolerance: float = 1e-6, jobs: int = 1) -> Any:
    """The tensors, seconds (of the clock, or of one processor), and MiB of this process or one that it started."""
    clock = time.process_time if jobs == 1 else time.perf_counter
    start = clock()
    found = nf.evaluate(net, inputs, names, tolerance=tolerance, jobs=jobs)
    seconds = clock() - start
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    return found, seconds, peak


def growth() -> None:
    """One row a case, each in a process of its own, so that its memory is its own."""
    cases = [("flatten", p, n, d) for p, n, d in ((4, 2, 3), (8, 2, 3), (16, 2, 3), (8, 1, 3), (8, 4, 3), (8, 2, 4))]
    cases += [("mean", p, n, d) for p, n, d in ((4, 2, 3), (8, 2, 3), (16, 2, 3), (8, 1, 3), (8, 4, 3), (8, 2, 4))]
    print("Theta and Theta^{1} of a 1d network, tolerance 1e-6, seconds of one processor:")
    print("  pool     positions  inputs  depth   seconds   MiB")
    for pool, positions, inputs, depth in cases:
        code = (
            f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import convolution as c, numpy as np;"
            f"x = np.random.default_rng(0).normal(size=({inputs}, 3, {positions}));"
            f"_, s, m = c.measured(c.network((3, {positions}), {depth}, {pool!r}), x, c.MEANS); print(s, m)"
        )
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        print(f"  {pool:<8} {positions:>9} {inputs:>7} {depth:>6} {float(out[0]):>9.2f} {float(out[1]):>5.0f}")


def seven() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 8))
    _, seconds, peak = measured(network((3, 8)), x, SEVEN, jobs=2)
    print(f"seven tensors, 8 positions, 2 inputs, depth 3, mean pool, 2 processes: {seconds:.1f} s, {peak:.0f} MiB")


def digits(directory: Path | None) -> None:
    """Two and four images, flattened and (two) mean-pooled."""
    from sklearn.datasets import load_digits

    images = load_digits().images[:4, None] / 8.0  # 0 to 2
    for pool, count in (("flatten", 2), ("flatten", 4), ("mean", 2)):
        found, seconds, peak = measured(network((1, 8, 8), pool=pool), images[:count], MEANS, 1e-4, jobs=2)
        print(f"digits, {count} images, {pool}: {seconds:.1f} s, {peak:.0f} MiB")
        for name in MEANS:
            print(np.array2string(found.array(name), precision=6, prefix="  "))
        if directory is not None:
            document = found.to_json()
            del document["meta"]["gram"]  # 64 labels an image
            path = directory / f"digits-{pool}-{count}.json"
            path.write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    seven()
    growth()
    digits(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
