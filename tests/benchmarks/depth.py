"""How long `depth` takes: all tensors at order 1, and orders 2 and 3. Run: python tests/benchmarks/depth.py

With a directory it also writes there what outputs/depth holds: a JSON document an activation and README.md, tables.
Seconds of CPU of one process, imports and the search for critical points included, on a busy machine of two cores:

    all thirteen at order 1, K^{1} and Theta^{1}    linear 0.9, relu 0.9, leaky_relu(a) 1.0, tanh 1.3, odd 1.2, gelu 0.8
    V, A, Theta at order 2                          linear 1.0, leaky_relu(a) 1.5, tanh 1.5
    V at order 3                                    linear 0.9
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import ntkfeyn as nf

SHOWN = {"linear": "linear", "relu": "relu", "leaky": "leaky_relu(a)", "tanh": "tanh", "gelu": "gelu"}
ASKED = [
    *([name] for name in (*SHOWN.values(), "odd")),
    *([name, "V@2", "A@2", "Theta@2"] for name in ("linear", "leaky_relu(a)", "tanh")),
    ["linear", "V@3"],
]
HEAD = """# How tensors depend on the depth

One input, equal widths, order 1 in 1/n: what `ntkfeyn depth --activation NAME` prints. The JSON documents beside this
file say the same (`--json FILE`). `python tests/benchmarks/depth.py outputs/depth` makes all of it.
"""


def tables(directory: Path) -> None:
    """The documents and README.md."""
    parts = [HEAD]
    for name, activation in SHOWN.items():
        found = nf.depth(activation=activation)
        (directory / f"{name}.json").write_text(found.to_json())
        parts.append(f"## {activation}\n\n```\n{found}```\n")
    (directory / "README.md").write_text("\n".join(parts))


def main() -> None:
    for name, *targets in ASKED:
        before, start = getrusage(RUSAGE_CHILDREN).ru_utime, time.perf_counter()
        command = [sys.executable, "-m", "ntkfeyn", "depth", *targets, "--activation", name]
        subprocess.run(command, check=True, capture_output=True)
        used = getrusage(RUSAGE_CHILDREN).ru_utime - before
        print(f"{' '.join([name, *targets]):<40} {used:6.2f} s of CPU, {time.perf_counter() - start:6.2f} s")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        tables(Path(sys.argv[1]))
    else:
        main()
