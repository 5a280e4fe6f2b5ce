"""Do printed errors cover the truth? Random networks, inputs, tensors and tolerances, each against extended precision.

Run: python tests/benchmarks/coverage.py COMPONENTS [SEED] [FILE.json]. One row a tolerance: how many cases and
components, the share whose printed error covers the difference, and the worst ratio of difference to error.
"""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from oracles import extended

import ntkfeyn as nf

TOLERANCES = (1e-3, 1e-6, 1e-8, 1e-9, 1e-10, 1e-12)
POLYNOMIALS = {
    "z+z**2/10": (0, 1, Fraction(1, 10)), "1+z": (1, 1), "1000+z": (1000, 1), "10**8+z": (10**8, 1), "3*z/2": (0, 1.5),
    "z-z**3/6": (0, 1, 0, Fraction(-1, 6)), "1/3+z/7-z**2": (Fraction(1, 3), Fraction(1, 7), -1),
}  # fmt: skip
NAMES = ("K", "Theta", "V", "D", "F", "A", "B", "K@1", "Theta@1")


class Case(NamedTuple):
    activation: str
    inputs: list[list[float]]
    depth: int
    couplings: dict[str, float]
    names: tuple[str, ...]
    tolerance: float


def random_case(rng: np.random.Generator, tolerance: float) -> Case:
    every = [*extended.TABLES, *POLYNOMIALS]
    activation = str(rng.choice(every, p=[0.1] * 8 + [0.2 / 7] * 7))
    samples, size = int(rng.integers(1, 3)), int(rng.integers(1, 4))
    x = rng.normal(size=(samples, size)) * 10 ** rng.uniform(-4, 0.4) ** float(rng.integers(0, 2))
    if samples == 2 and rng.random() < 0.4:  # nearby, parallel or opposite
        factor = rng.choice([1.0, 1.0, -1.0, 2.0])
        x[1] = factor * x[0] + np.linalg.norm(x[0]) * rng.normal(size=size) * 10 ** rng.uniform(-8, -1)
    few = tuple(n for n in NAMES if rng.random() < 0.4) or ("K",)
    long = rng.random() < 0.15
    depth = int(rng.integers(10, 25)) if long else int(rng.integers(2, 6))
    names = ("K", "Theta") if long else few
    rates = {"lambda_w": float(rng.uniform(0.2, 2)), "lambda_b": float(rng.choice([0, 0.3]))}
    couplings = {"cw": float(10 ** rng.uniform(-0.5, 0.6)), "cb": float(rng.choice([0, 0, 0.1, 0.5])), **rates}
    return Case(activation, x.tolist(), depth, couplings, names, tolerance)


def compared(case: Case) -> tuple[float, int, int, str] | None:
    """The worst ratio, components, how many are covered, and where the worst is; None where there is no number."""
    network = nf.Network(case.depth, 8, case.activation, **case.couplings)
    try:
        found = nf.evaluate(network, case.inputs, list(case.names), tolerance=case.tolerance)
    except nf.NtkfeynError:
        return None
    top = max(float(np.max(layer["K@0"].values)) for layer in _kernels(network, case))
    exact = case.activation in POLYNOMIALS  # its integrand has no pole: any spread does
    if not exact and not 0 < top < 40:
        return None
    ids = [nf.derive(*_split(name)).record.id for name in case.names]
    if exact:
        table = extended.polynomial([Fraction(c) for c in POLYNOMIALS[case.activation]])
    else:
        table = extended.TABLES[case.activation]
    names = {"cw": "C_W", "cb": "C_b", "lambda_w": "lambda_W", "lambda_b": "lambda_b"}
    constants = {names[key]: value for key, value in case.couplings.items()}
    spread = 1.0 if exact else top**0.5
    truth = extended.solve(ids, table, case.inputs, case.depth, spread, constants)
    result = _judged(found, truth)
    if result[0] <= 1:
        return result
    other = extended.solve(ids, table, case.inputs, case.depth, spread, constants, moved=0.37)
    return _judged(found, truth, extended.doubt(truth, other))


def _judged(found: nf.records.Tensors, truth: Any, doubt: Any = None) -> tuple[float, int, int, str]:
    """``doubt``: what the truth itself may be off by, where digits end in it as well."""
    worst, count, covered, where = 0.0, 0, 0, ""
    for number, (row, right) in enumerate(zip(found.settings[0].layers, truth, strict=True), 1):
        for name, tensor in row.items():
            place = tuple(tensor.indices.T - 1)
            off = np.abs(tensor.values - right[name][place])
            off = np.maximum(off - (doubt[number - 1][name][place] if doubt else 0), 0).astype(float)
            ratio = np.where(off > 0, off / np.maximum(tensor.errors, 1e-300), 0.0)
            count, covered = count + len(ratio), covered + int(np.sum(ratio <= 1))
            if ratio.max() > worst:
                worst, where = float(ratio.max()), f"{name} at layer {number}"
    return worst, count, covered, where


def _split(name: str) -> tuple[Any, ...]:
    base, _, order = name.partition("@")
    return (base, int(order)) if order else (base,)


def _kernels(network: nf.Network, case: Case) -> Any:
    return nf.evaluate(network, case.inputs, ["K"], tolerance=1e-3).settings[0].layers


def main(components: int, seed: int = 0, file: str = "") -> None:
    rng = np.random.default_rng(seed)
    table = {t: {"cases": 0, "refused": 0, "components": 0, "covered": 0, "worst": 0.0} for t in TOLERANCES}
    while sum(int(row["components"]) for row in table.values()) < components:
        for tolerance, row in table.items():
            case = random_case(rng, tolerance)
            result = compared(case)
            if result is None:
                row["refused"] += 1
                continue
            worst, count, covered, where = result
            row["cases"] += 1
            row["components"] += count
            row["covered"] += covered
            row["worst"] = max(row["worst"], worst)
            if worst > 1:
                print(f"{worst:.3g} {where}: {case}", file=sys.stderr, flush=True)
    print(f"{'tolerance':>10} {'cases':>6} {'refused':>8} {'components':>11} {'covered':>9} {'worst ratio':>12}")
    for tolerance, row in table.items():
        share = row["covered"] / max(row["components"], 1)
        print(
            f"{tolerance:>10.0e} {row['cases']:>6} {row['refused']:>8} {row['components']:>11} {share:>9.3%}"
            f" {row['worst']:>12.3g}"
        )
    if file:
        rows = [{"tolerance": t, **row} for t, row in table.items()]
        command = f"python tests/benchmarks/coverage.py {components} {seed} {file}"
        Path(file).write_text(json.dumps({"command": command, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(int, sys.argv[2:3]), *sys.argv[3:4])
