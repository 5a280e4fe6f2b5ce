"""What takes too long for every run: tests/run --all, or .venv/bin/python tests/long_checks.py [NAME ..] for some.

The surveys of certificates (outputs/certificates.json, and in outputs/orthogonal and outputs/convolution), the C code
of order 3 against `evaluate`, and fuzzing of every parser with texts that change every day. What came out is written to
outputs/long_checks.json, a table a check, without times and names of machines. Exit code 1 if anything is not as it
should be.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import fuzz
import numpy as np
import survey
from test_code import COUPLINGS, CModule, compiled, load

import ntkfeyn as nf
from ntkfeyn.render.json import to_text
from ntkfeyn.runtime.files import write_file
from ntkfeyn.runtime.version import TOOL
from ntkfeyn.verification.certificates import certificates_json
from ntkfeyn.verification.certify import Certificate

OUTPUTS = Path(__file__).resolve().parent.parent / "outputs"
RECORD, CERTIFICATES = OUTPUTS / "long_checks.json", OUTPUTS / "certificates.json"
ORTHOGONAL = OUTPUTS / "orthogonal" / "certificates.json"
CONVOLUTION = OUTPUTS / "convolution" / "certificates.json"
ORDER_THREE = ("K@3", "Theta@3")
ROUNDS = 400_000  # of fuzzing: ten minutes where others work too
HOUR = 3600.0


def certificates() -> dict[str, Any]:
    """Every certificate again."""
    return surveyed(survey.run(survey.SURVEY), CERTIFICATES)


def orthogonal_certificates() -> dict[str, Any]:
    """Every certificate of orthogonal weights again."""
    return surveyed(survey.run(survey.ORTHOGONAL), ORTHOGONAL)


def shared_certificates() -> dict[str, Any]:
    """Every certificate of weights shared over labels again."""
    return surveyed(survey.run_shared(survey.SHARED), CONVOLUTION)


def surveyed(found: Sequence[Certificate], file: Path) -> dict[str, Any]:
    """The certificates, written to a file, and what they say in short."""
    path = write_file(file, to_text(certificates_json(found)))
    return {
        "certificates": len(found),
        "not_probed": [c.diagram for one in found for c in one.controls if "not probed" in (c.dropped, c.doubled)],
        "different": [f"{one.recursion.cumulant.name}@{one.recursion.order}" for one in found if not one.equal],
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def order_three() -> dict[str, Any]:
    """C of order 3, compiled with optimisation, at two inputs: the largest difference from `evaluate`."""
    gram = np.array([[0.8, 0.3], [0.3, 1.1]])
    network = nf.Network(3, 9, "tanh", cw=COUPLINGS["C_W"][0], lambda_w=1.1, cb=0.2, lambda_b=0.3)
    exact = nf.evaluate(network, gram=gram, names=ORDER_THREE)
    differences = {}
    with tempfile.TemporaryDirectory() as directory:
        source = nf.emit(list(ORDER_THREE), lang="c", directory=directory)[0]
        library = CModule(compiled(source, Path(directory)), source.stem)
        rule = load(OUTPUTS / "order1.py").trapezoid(200, 9.0)
        layers = library.solve("tanh", rule, gram, 3, [9, 9], {**COUPLINGS, "C_W": COUPLINGS["C_W"][0]})
        for name in ORDER_THREE:
            theirs = exact.array(name)
            differences[name] = float(np.max(np.abs(layers[-1][name] - theirs)) / np.max(np.abs(theirs)))
    return {"allowed": 1e-7, "too_large": {name: off for name, off in differences.items() if not off < 1e-7}}


def fuzzing() -> dict[str, Any]:
    """So many rounds of texts, files and command lines, seeded with the day."""
    seed, here = int(f"{date.today():%Y%m%d}"), Path.cwd()
    try:
        fuzzer = fuzz.fuzz(HOUR, seed, rounds=ROUNDS)
    finally:
        os.chdir(here)
    calls = dict(sorted(fuzzer.calls.items()))
    return {"seed": seed, "rounds": fuzzer.rounds, "calls": calls, "findings": fuzzer.findings}


CHECKS: dict[str, Callable[[], dict[str, Any]]] = {
    "certificates": certificates, "orthogonal_certificates": orthogonal_certificates,
    "shared_certificates": shared_certificates,
    "order_three_in_c": order_three, "fuzzing": fuzzing,
}  # fmt: skip
WRONG = ("different", "too_large", "findings")  # each empty if all is well


def main() -> int:
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    for name in sys.argv[1:] or CHECKS:
        print(f"{name} ..", flush=True)
        record[name] = {"tool": TOOL, **CHECKS[name]()}
        print(json.dumps(record[name]), flush=True)
        write_file(RECORD, json.dumps(dict(sorted(record.items())), indent=2) + "\n")
    return any(table.get(key) for table in record.values() for key in WRONG)


if __name__ == "__main__":
    sys.exit(main())
