"""How fast emitted code is: ratios measured side by side in one run. Run: python tests/benchmarks/code.py

C against emitted Python on a small case (2 inputs) and a large one (4 inputs, all components), with one and two
threads; and how the size of the code and the time to compile it grow with the order.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from test_code import CModule, load

import ntkfeyn as nf

FLAGS = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC"]
COUPLINGS = {"C_W": 1.6, "C_b": 0.0, "lambda_W": 1.0, "lambda_b": 0.0}


def timed(call: Callable[[], Any], repeats: int = 3) -> float:
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def build(source: Path, name: str, *flags: str) -> tuple[Path, float]:
    library = source.parent / f"{name}.so"
    start = time.perf_counter()
    subprocess.run(["cc", *FLAGS, *flags, "-o", str(library), str(source), "-lm"], check=True)
    return library, time.perf_counter() - start


def compare(python: ModuleType, one: CModule, two: CModule, gram: np.ndarray) -> None:
    rule, widths = python.trapezoid(30, 7.0), [64] * 3
    slow = timed(lambda: python.solve(gram=gram, depth=4, rule=rule, **COUPLINGS))
    serial = timed(lambda: one.solve("gelu", rule, gram, 4, widths, COUPLINGS))
    threads = timed(lambda: two.solve("gelu", rule, gram, 4, widths, COUPLINGS))
    print(f"{len(gram)} inputs, 30 nodes an axis: Python {slow:.3f} s, C {serial:.4f} s, two threads {threads:.4f} s")
    print(f"  ratio Python/C {slow / serial:.1f}, one thread/two {serial / threads:.2f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        names = ["K", "Theta", "V", "D", "F", "A", "B"]
        python = load(nf.emit(names, lang="python", directory=directory)[0])
        source = nf.emit(names, lang="c", directory=directory)[0]
        prefix = source.stem
        one = CModule(build(source, "one")[0], prefix)
        two = CModule(build(source, "two", "-fopenmp")[0], prefix)
        for samples in (2, 4):
            x = np.random.default_rng(0).normal(size=(samples, 4))
            compare(python, one, two, x @ x.T / 4)
        print("K and Theta at order R: lines and bytes of C, of Python, seconds to compile with -O2")
        for order in (1, 2, 3):
            targets = [f"K@{order}", f"Theta@{order}"]
            source = nf.emit(targets, lang="c", directory=directory)[0]
            module = nf.emit(targets, lang="python", directory=directory)[0]
            seconds = build(source, f"order{order}")[1]
            texts = [path.read_text() for path in (source, module)]
            sizes = ", ".join(f"{len(text.splitlines())} lines {len(text.encode()) // 1000} kB" for text in texts)
            print(f"  order {order}: {sizes}, {seconds:.1f} s")


if __name__ == "__main__":
    main()
