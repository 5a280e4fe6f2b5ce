"""Recursions of orthogonal weights against the judge: equal, exactly, and only with every diagram once.

A selection: the whole survey is tests/long_checks.py, its certificates outputs/orthogonal/certificates.json.
"""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.polynomials import polynomial
from ntkfeyn.verification import derived
from ntkfeyn.verification.certificates import certificate_json
from ntkfeyn.verification.certify import Certificate, certify, random_setting
from ntkfeyn.verification.citations import read_certificates

QUADRATIC = polynomial("z + z**2/2")
SEVEN = ("K", "Theta", "V", "D", "F", "A", "B")
OUTPUTS = Path(__file__).parent.parent / "outputs"
SCHEMAS = Path(nf.__file__).parent / "schemas"


def certified(  # type: ignore[no-untyped-def]
    name: str, order: int, layers: tuple[int, ...], samples: int = 2, controls: bool = False, **rest
) -> Certificate:
    setting = random_setting(1, QUADRATIC, samples, weights="orthogonal", **rest)
    return certify(standard(name), order, layers, setting, 1, controls=controls)


def differs_from_gaussian(found: Certificate) -> bool:
    """Whether the exact numbers at the recursion's order are others than those of Gaussian weights."""
    order = found.recursion.order
    gaussian = certify(
        standard(found.recursion.name), order, [2], replace(found.setting, weights="gaussian"), 1, controls=False
    )
    own = [c.exact for c in found.comparisons if c.layer == 2 and c.order == order]
    return own != [c.exact for c in gaussian.comparisons if c.order == order]


@pytest.mark.parametrize("name", [*SEVEN, "P", "Q", "U"])
def test_order_one_with_controls(name: str) -> None:
    """Every diagram is felt, every one that is left out or counted twice is caught."""
    found = certified(name, 1, (2, 3), samples=1 if name in "PQU" else 2, controls=True)
    assert found.equal
    assert found.controls
    assert all((c.dropped, c.doubled) == ("caught", "caught") for c in found.controls)
    assert differs_from_gaussian(found) == (name in "VFB")  # at layer 2 the others are the same


@pytest.mark.parametrize("name", ["R", "S", "T"])
def test_order_one_at_layer_two(name: str) -> None:
    assert certified(name, 1, (2,)).equal


@pytest.mark.parametrize("name", SEVEN)
def test_order_two(name: str) -> None:
    found = certified(name, 2, (2, 3) if name not in "DA" else (2,))
    assert found.equal
    assert found.comparisons[-1].exact


@pytest.mark.parametrize("name", [*SEVEN, "P", "Q"])
@pytest.mark.parametrize("widths", [(2, 3, 2), (3, 2, 5)])
def test_unequal_widths(name: str, widths: tuple[int, ...]) -> None:
    assert certified(name, 1, (2, 3), samples=1, widths=widths).equal


@pytest.mark.parametrize("name", ["V", "F"])
def test_unequal_widths_at_order_two(name: str) -> None:
    """Powers of tau beyond the first, and the last layer wider than the one below it or not."""
    values = set()
    for widths in ((2, 3, 5), (2, 3, 2), (2, 3)):
        found = certified(name, 2, (2, 3), samples=1, widths=widths)
        assert found.equal
        values.add(found.comparisons[-1].exact)
    assert len(values) == 2  # where no width is given, the last layer is no wider


def test_six_slots() -> None:
    assert certified("C0C0C0", 2, (2, 3)).equal
    assert certified("C0C1", 2, (2,)).equal


def test_layer_four() -> None:
    for name in ("V", "F"):
        assert certified(name, 1, (4,), samples=1).equal


@pytest.mark.parametrize("broken", ["tau", "weight"])
def test_a_wrong_power_or_number_is_seen(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Powers of tau forgotten are seen at widths that grow; a block's number, at any."""
    if broken == "tau":
        monkeypatch.setattr(derived.SystemSolver, "corner", lambda self, layer: Fraction(1))
    else:

        def derive(shape, order=None, without=(), weights="gaussian"):  # type: ignore[no-untyped-def]
            recursion = derive_recursion(shape, order, without, weights)
            kept = tuple(t for t in recursion.terms if not t.couplings.power("tau") or shape.name != "V")
            return replace(recursion, terms=kept)

        monkeypatch.setattr(derived, "derive_recursion", derive)
    found = certified("V", 1, (2, 3), samples=1, widths=(2, 3, 5))
    assert not found.equal
    assert found.first_difference is not None
    assert found.first_difference.layer == 2


# --- the command, its document, and what is made of it ---


def test_the_command_and_its_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.json"
    with pytest.raises(SystemExit) as stopped:
        main(["verify", "V", "--weights", "orthogonal", "--width", "2:3:2", "--certificate", str(path)])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert "equal   (orthogonal weights, legs z1 z2 z3 z4" in out
    assert "8 caught, 0 missed, 0 not probed" in out
    data = json.loads(path.read_text())
    jsonschema.validate(data, json.loads((SCHEMAS / "certificate-1.schema.json").read_text()))
    assert data["parameters"]["weights"] == data["controls"]["parameters"]["weights"] == "orthogonal"
    recursion = derive_recursion(standard("V"), 1, weights="orthogonal")
    assert data["hash"] == recursion.hash != derive_recursion(standard("V"), 1).hash
    line = read_certificates(path, [recursion])[recursion.hash]
    assert "a polynomial activation and orthogonal weights at layer 2, 3" in line
    with pytest.raises(NtkfeynError, match="for none of the recursions"):
        read_certificates(path, [derive_recursion(standard("V"), 1)])


def test_gaussian_certificates_say_nothing_of_weights() -> None:
    found = certify(standard("V"), 1, (2,), random_setting(1, QUADRATIC, 1), 1, controls=False)
    assert "weights" not in certificate_json(found)["parameters"]
    assert nf.verify("V", layers=(2,), weights="orthogonal", controls=False).setting.weights == "orthogonal"
    with pytest.raises(NtkfeynError, match="weights 'haar' were asked for"):
        nf.verify("V", weights="haar")


def test_committed_certificates() -> None:
    """Of every tensor of the issue, all equal, none unprobed at order 1, and of the recursions as they are derived."""
    data = json.loads((OUTPUTS / "orthogonal" / "certificates.json").read_text())
    jsonschema.validate(data, json.loads((SCHEMAS / "certificates-1.schema.json").read_text()))
    assert data["verdict"] == "equal"
    done = {
        (one["cumulant"]["name"], one["order"], comparison["layer"], len(one["parameters"]["kernel"]))
        for one in data["certificates"]
        for comparison in one["comparisons"]
    }
    assert {(name, 2, layer, 2) for name in SEVEN for layer in (2, 3)} <= done
    assert {(name, 1, layer, 2) for name in "PQRSTU" for layer in (2, 3)} <= done
    for one in data["certificates"]:
        assert one["parameters"]["weights"] == "orthogonal"
        if one["order"] == 1 and one["controls"]:
            outcomes = {outcome for d in one["controls"]["diagrams"] for outcome in (d["dropped"], d["doubled"])}
            assert outcomes == {"caught"}, one["cumulant"]
        if one["order"] == 1:
            recursion = derive_recursion(standard(one["cumulant"]["name"]), 1, weights="orthogonal")
            assert one["hash"] == recursion.hash


def test_saturation_as_committed() -> None:
    """outputs/orthogonal/saturation.json: theory as it is now, growth with depth, pulls at large widths."""
    data = json.loads((OUTPUTS / "orthogonal" / "saturation.json").read_text())
    at = data["layers"].index(20), data["layers"].index(40)
    for weights, found in data["ensembles"].items():
        now = nf.evaluate(nf.Network(6, 30, "tanh", weights=weights), [[1.0]], ["V", "B", "Theta@1"])
        for name in ("V", "B", "Theta@1"):
            [value] = now.get(name, 6).values
            assert found["theory"][name]["order 1"][data["layers"].index(6)] == pytest.approx(value, rel=1e-6)
        kernel = found["leading"]["K"]
        early, late = (found["theory"]["V"]["order 1"][i] / kernel[i] ** 2 for i in at)
        assert late / early == pytest.approx(2.1 if weights == "gaussian" else 1.0, abs=0.05)
        for width in ("100", "200"):
            assert found["pulls"][width]["root_mean_square"] < 1.3
            assert abs(found["pulls"][width]["largest"]) < 4
