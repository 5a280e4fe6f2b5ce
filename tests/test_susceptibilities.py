"""What a tensor feeds on itself with: the table of theory section 8, derivatives of the recursion, and the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from oracles.one_input import Stepper

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.derivation.susceptibilities import Susceptibility, self_part
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import NAMES, TensorId

TABLE = {  # powers of chi_par and chi_perp
    "K": (1, 0), "Theta": (0, 1), "V": (2, 0), "F": (2, 0), "D": (1, 1), "P": (1, 1), "Q": (1, 1), "A": (0, 2),
    "B": (0, 2), "R": (0, 2), "S": (0, 2), "T": (0, 2), "U": (0, 2),
}  # fmt: skip
SIX = {"C0C0C0": (3, 0), "C0C1": (3, 0), "C2": (2, 1), "R1R2": (0, 3)}
COUPLINGS = {"C_W": 1.3, "C_b": 0.2, "lambda_W": 0.7, "lambda_b": 0.4}


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
@pytest.mark.parametrize("above", [0, 1, 2])
def test_one_factor_a_pair(above: int, weights: str) -> None:
    """At the leading order and above it, the same for both ensembles; each pair of the channel once."""
    for name, powers in (TABLE | (SIX if above < 1 else {})).items():
        shape = standard(name)
        if above == 2 and len(shape.channel) > 1:
            continue
        part = self_part(derive_recursion(shape, shape.leading_order + above, weights=weights))
        assert (part.count(Susceptibility.PARALLEL), part.count(Susceptibility.PERPENDICULAR)) == powers, name
        assert part.ratio == shape.leading_order + above
        ends = sorted(tuple(sorted(shape.labels[v] for v in pair)) for pair in shape.channel)
        assert [pair.slots for pair in part.pairs] == ends
        assert name == "Theta" or set(part.diagrams).isdisjoint(part.sources)  # Omega is both


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
def test_it_is_the_derivative_of_a_layer(weights: str) -> None:
    """Add something to one tensor of layer l: its own value at layer l+1 changes by the product times that."""
    targets = [TensorId(name, order) for name in NAMES for order in (1, 2)]
    stepper = Stepper("tanh", targets, COUPLINGS, weights)
    rng = np.random.default_rng(5)
    here = {
        tensor: float(value) for tensor, value in zip(stepper.parts, rng.normal(size=len(stepper.parts)), strict=True)
    }
    here[TensorId("K", 0)] = 0.8
    means = stepper.means_at(0.8)
    perpendicular = COUPLINGS["C_W"] * means[(1, 1), 0]
    parallel = COUPLINGS["C_W"] / 2 * means[(0, 0), 2]
    assert abs(parallel - perpendicular) > 0.1
    before = stepper.step(here)
    for target in targets:
        part = self_part(derive_recursion(standard(target.name), target.order, weights=weights))
        slope = stepper.step(here | {target: here[target] + 1.0})[target] - before[target]
        expected = parallel ** part.count(Susceptibility.PARALLEL)
        expected *= perpendicular ** part.count(Susceptibility.PERPENDICULAR)
        assert slope == pytest.approx(expected, rel=1e-9), target


def test_what_is_no_product_is_refused() -> None:
    recursion = derive_recursion(standard("F"), 1)
    wrong = replace(
        recursion,
        terms=(*recursion.terms[:1], recursion.terms[1]._replace(coefficient=2 * recursion.terms[1].coefficient)),
    )
    without = replace(recursion, terms=recursion.terms[:1])
    for broken in (wrong, without):
        with pytest.raises(NtkfeynError, match="does not feed on itself"):
            self_part(broken)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["derive", *arguments])
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    asked = ["Q", "V@2", "K", "--susceptibilities"]
    code, out, _ = told(capsys, *asked)
    assert code == 0
    assert "Q_0123 = ρ χ_perp χ_par Q_0123 + sources\n      pairs 01 χ_perp, 23 χ_par; from Q:1:5;" in out
    assert "V^{1}_1234 = ρ^2 χ_par χ_par V^{1}_1234 + sources" in out
    assert "dK_12 = χ_par dK_12\n" in out
    assert r"\chi_{\perp}^{(01)}\,\chi_{\parallel}^{(23)}\,Q_{0123}" in told(capsys, *asked, "--format", "latex")[1]
    assert told(capsys, *asked, "--format", "sympy")[1] == "chi_par*chi_perp*rho\nchi_par**2*rho**2\nchi_par\n"
    document = json.loads(told(capsys, "F", "--susceptibilities", "--format", "json")[1])
    schema = json.loads((Path(nf.__file__).parent / "schemas" / "recursion-1.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["susceptibilities"] == {
        "width_ratio": 1,
        "pairs": [{"slots": [1, 3], "factor": "chi_par"}, {"slots": [2, 4], "factor": "chi_par"}],
        "diagrams": ["F:1:2"],
        "sources": ["F:1:1"],
    }
    for rest in (["--homogeneous"], ["--shared"], ["--without", "collect"], ["--picture", str(tmp_path / "a.svg")]):
        code, out, err = told(capsys, "F", "--susceptibilities", *rest)
        assert (code, out) == (2, "")
        assert "read off the recursion as it stands" in err
    assert nf.derive("B").susceptibilities.pairs[0].slots == (1, 3)
