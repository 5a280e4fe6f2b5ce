"""Speed, measured side by side in one run: python tests/benchmarks/speed.py

Prints start-up ratios (best of several cold processes, interleaved) and, for each closure, tensors, diagrams, product
and expanded terms, seconds and memory, each in a process of its own; for orthogonal weights beside Gaussian ones.
Asserts nothing.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

BARE = "import sympy, networkx, jinja2, click, rich"
COMMANDS = {
    f"python -c '{BARE}'": [sys.executable, "-c", BARE],
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "derive --order 1 --cumulant F": [sys.executable, "-m", "ntkfeyn", "derive", "--order", "1", "--cumulant", "F"],
    "list": [sys.executable, "-m", "ntkfeyn", "list"],
    "--help": [sys.executable, "-m", "ntkfeyn", "--help"],
}
NAMES = ("K", "Theta", "V", "D", "F", "A", "B", "P", "Q", "R", "S", "T", "U")
CLOSURES = {
    "order 1, thirteen tensors, K@1, Theta@1": [(name, 1) for name in NAMES],
    "order 2, Theta": [("Theta", 2)],
    "order 2, all named tensors": [(name, 2) for name in NAMES],
    "order 3, K and Theta": [("K", 3), ("Theta", 3)],
}
BESIDE = list(CLOSURES)[:3]  # for orthogonal weights too


def best(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def start_up(rounds: int = 9) -> None:
    times = {name: float("inf") for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            times[name] = min(times[name], best(command))
    bare, click = list(times.values())[:2]
    print(f"{'cold start':<55}{'seconds':>9}{'/ imports':>11}{'/ click':>9}")
    for name, seconds in times.items():
        print(f"{name:<55}{seconds:>9.3f}{seconds / bare:>11.2f}{seconds / click:>9.2f}")


def measure(targets: list[tuple[str, int]], weights: str) -> dict[str, float]:
    """Closure and collected expanded terms, no SymPy."""
    from ntkfeyn.derivation.recursion import derive_system

    start = time.perf_counter()
    recursions = derive_system(targets, weights).recursions
    expanded = sum(len(recursion.expanded) for recursion in recursions)
    return {
        "tensors": len(recursions),
        "diagrams": sum(len(recursion.diagrams) for recursion in recursions),
        "product": sum(len(recursion.terms) for recursion in recursions),
        "expanded": expanded,
        "seconds": time.perf_counter() - start,
        "MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def next_order() -> None:
    """What the order-4 closure would cost: derived without Leibniz, its expansion counted but not written."""
    from ntkfeyn.derivation.recursion import derive_system

    start = time.perf_counter()
    recursions = derive_system([("K", 4), ("Theta", 4)]).recursions
    seconds = time.perf_counter() - start
    diagrams = sum(len(recursion.diagrams) for recursion in recursions)
    written = sum(recursion.written for recursion in recursions)
    print(
        f"order 4, K and Theta, before Leibniz: {len(recursions)} tensors, {diagrams} diagrams,"
        f" {sum(len(r.terms) for r in recursions)} product terms in {seconds:.1f} s;"
        f" Leibniz would write up to {written} expanded terms"
    )


def closures() -> None:
    print(
        f"\n{'closure':<42}{'weights':<12}{'tensors':>8}{'diagrams':>9}{'product':>8}{'expanded':>9}{'seconds':>9}"
        f"{'MiB':>6}{'/ Gaussian':>12}"
    )
    for name, targets in CLOSURES.items():
        seconds: dict[str, float] = {}
        for weights in ("gaussian", *(("orthogonal",) if name in BESIDE else ())):
            run = [sys.executable, __file__, json.dumps(targets), weights]
            row = json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
            seconds[weights] = row["seconds"]
            print(
                f"{name:<42}{weights:<12}{row['tensors']:>8}{row['diagrams']:>9}{row['product']:>8}{row['expanded']:>9}"
                f"{row['seconds']:>9.3f}{row['MiB']:>6.0f}{seconds[weights] / seconds['gaussian']:>12.2f}"
            )
    next_order()


def verifications() -> None:
    """`verify` with its defaults: the slowest of the named tensors, K@1, Theta@1 and B@2."""
    import ntkfeyn

    seconds = {}
    for target in [*NAMES, "K@1", "Theta@1", "B@2"]:
        start = time.perf_counter()
        assert ntkfeyn.verify(target).equal
        seconds[target] = time.perf_counter() - start
    slowest = max(seconds, key=lambda target: seconds[target])
    print(
        f"verify, defaults with controls: {len(seconds)} tensors in {sum(seconds.values()):.1f} s,"
        f" slowest {slowest} {seconds[slowest]:.1f} s"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure([(name, order) for name, order in json.loads(sys.argv[1])], sys.argv[2])))
    else:
        start_up()
        closures()
        verifications()
