"""Certificates: equal where the derivation is right, and only there."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest

import ntkfeyn
import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.judge import exact
from ntkfeyn.model.cumulants import cumulant, standard
from ntkfeyn.model.polynomials import polynomial
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.verification import certify as certify_module
from ntkfeyn.verification import derived as polynomials
from ntkfeyn.verification.certificates import certificate_json, certificate_text
from ntkfeyn.verification.certify import assignments, certify, compare, random_setting
from ntkfeyn.verification.controls import sleeping
from ntkfeyn.verification.defaults import default_activations

QUADRATIC = polynomial("z + z**2/2")
CUBIC = polynomial("z/2 + z**2/3 - z**3/5")
SEVEN = ("K", "Theta", "V", "D", "F", "A", "B")
SCHEMAS = Path(ntkfeyn.__file__).parent / "schemas"
OUTPUTS = Path(__file__).parent.parent / "outputs"


def equal(name: str, order: int, layers: tuple[int, ...], activation=QUADRATIC, samples: int = 2, widths=()) -> bool:  # type: ignore[no-untyped-def]
    shape, setting = standard(name), random_setting(1, activation, samples, widths)
    found = compare(shape, order, layers, setting, assignments(shape, samples))
    assert all(comparison.exact or comparison.order < order or name in ("K", "Theta") for comparison in found[-1:])
    return all(comparison.equal for comparison in found)


@pytest.mark.parametrize("name", NAMES)
def test_leading_orders_with_controls(name: str) -> None:
    found = nf.verify(name)
    assert found.equal
    assert found.controls
    assert found.asleep == ()
    assert all((c.dropped, c.doubled) == ("caught", "caught") for c in found.controls)


@pytest.mark.parametrize("name", ["K", "Theta"])
def test_first_corrections_of_the_means(name: str) -> None:
    found = certify(standard(name), 1, (2, 3), random_setting(2, QUADRATIC, 2), 2)
    assert found.equal
    assert all((c.dropped, c.doubled) == ("caught", "caught") for c in found.controls)
    assert found.comparisons[-1].exact


@pytest.mark.parametrize("name", ["K", "Theta", "V", "F"])
def test_cubic_activation(name: str) -> None:
    assert equal(name, 1, (2, 3), CUBIC)


@pytest.mark.parametrize("name", SEVEN)
def test_layer_four(name: str) -> None:
    assert equal(name, 1, (4,), samples=1)


@pytest.mark.parametrize("name", SEVEN)
def test_order_two(name: str) -> None:
    assert equal(name, 2, (3,))


@pytest.mark.parametrize("name", ["K", "Theta"])
@pytest.mark.parametrize("order", [2, 3])
def test_higher_corrections_of_the_means_at_layer_four(name: str, order: int) -> None:
    shape, setting = standard(name), random_setting(1, QUADRATIC, 1)
    found = compare(shape, order, (4,), setting, assignments(shape, 1))
    assert all(comparison.equal for comparison in found)
    assert found[-1].exact


@pytest.mark.parametrize("name", ["C0C0C0", "C0C0R1", "C0C1", "C0R1R1", "C0R2", "C1R1", "C2", "R1R1R1", "R1R2", "R3"])
def test_six_slots(name: str) -> None:
    assert equal(name, 2, (3,))


@pytest.mark.parametrize("name", NAMES)
def test_unequal_widths(name: str) -> None:
    assert equal(name, 1, (3,), widths=(2, 5))


def test_widths_are_felt() -> None:
    shape = standard("V")
    values = [
        compare(shape, 1, (3,), random_setting(1, QUADRATIC, 1, widths), [(0, 0, 0, 0)])[-1].exact
        for widths in ((1, 1), (2, 1), (1, 2))
    ]
    assert len(set(values)) == 3


def test_five_node_tree() -> None:
    name = cumulant("tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5", "01.23.45").name
    assert equal(name, 2, (3,), samples=1)


@pytest.mark.parametrize("name", SEVEN)
def test_linear_to_depth_ten(name: str) -> None:
    shape, setting = standard(name), random_setting(1, polynomial("z"), 1)
    found = compare(shape, 3, range(2, 11), setting, assignments(shape, 1))
    assert all(comparison.equal for comparison in found)


def test_a_relabelled_request_is_certified() -> None:
    shape = cumulant("NTK87 z5 z6", "58.67")
    assert certify(shape, 1, (2, 3), random_setting(3, QUADRATIC, 2), 3).equal


# --- what must fail ---


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recursions of F without their last expanded term."""

    def derive(shape, order=None, without=(), weights="gaussian"):  # type: ignore[no-untyped-def]
        recursion = derive_recursion(shape, order, without, weights)
        if recursion.name != "F":
            return recursion
        return replace(recursion, terms=recursion.terms[:-1])

    monkeypatch.setattr(polynomials, "derive_recursion", derive)


@pytest.mark.usefixtures("broken")
def test_a_broken_recursion_is_different_and_the_first_place_is_named() -> None:
    found = certify(standard("F"), 1, (2, 3), random_setting(1, QUADRATIC, 2), 1)
    assert not found.equal
    first = found.first_difference
    assert first is not None
    assert (first.layer, first.order) == (3, 1)
    assert "first difference: layer 3, order 1" in certificate_text(found)
    assert certificate_json(found)["verdict"] == "different"


@pytest.mark.usefixtures("broken")
def test_the_command_ends_with_exit_code_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["verify", "F", "V", "--no-controls"])
    assert stopped.value.code == 1
    out = capsys.readouterr().out
    assert "F@1: DIFFERENT" in out
    assert "V@1: equal" in out


def test_a_missed_control_is_no_certificate() -> None:
    found = certify(standard("F"), 1, (2,), random_setting(1, QUADRATIC, 1), 1)
    missed = replace(found.controls[0], dropped="missed")
    assert not replace(found, controls=(missed,)).equal


def test_what_is_zero_on_the_data_is_not_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A linear activation silences diagrams with s'': they must be reported, not counted as caught."""
    linear = random_setting(1, polynomial("z"), 1)
    monkeypatch.setattr(certify_module, "control_setting", lambda seed, order, weights, sharing: linear)
    found = certify(standard("Q"), 1, (2, 3), random_setting(1, QUADRATIC, 1), 1)
    outcomes = {control.dropped for control in found.controls}
    assert outcomes == {"caught", "not probed"}
    assert found.equal


# --- the certificate ---


def schema(name: str) -> dict:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text())


def test_certificates_follow_their_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.json"
    with pytest.raises(SystemExit) as stopped:
        main(["verify", "--cumulant", "Theta@1", "--layers", "2,3", "--certificate", str(path)])
    assert stopped.value.code == 0
    assert "14 caught, 0 missed, 0 not probed" in capsys.readouterr().out
    data = json.loads(path.read_text())
    jsonschema.validate(data, schema("certificate-1"))
    assert data["hash"] == derive_recursion(standard("Theta"), 1).hash
    with pytest.raises(SystemExit):
        main(["verify", "K", "V", "--format", "json", "--no-controls"])
    jsonschema.validate(json.loads(capsys.readouterr().out), schema("certificates-1"))


def test_the_certificate_can_be_checked_from_its_own_numbers() -> None:
    """The recorded parameters give the recorded numbers again."""
    found = certify(standard("B"), 1, (2,), random_setting(5, QUADRATIC, 2), 5, controls=False)
    data = certificate_json(found)
    p = data["parameters"]
    kernels = [tuple(tuple(tuple(map(Fraction, s)) for s in row) for row in p[name]) for name in ("kernel", "ntk")]
    couplings = {name: Fraction(p[name]) for name in ("C_W", "C_b", "lambda_W", "lambda_b")}
    setting = replace(
        found.setting,
        activations=(tuple(map(Fraction, p["activation"])),),
        kernel=kernels[0],
        ntk=kernels[1],
        **couplings,
    )
    for comparison in data["comparisons"]:
        samples = tuple(sample - 1 for sample in comparison["samples"])
        [again] = compare(standard("B"), comparison["order"], [comparison["layer"]], setting, [samples])[-1:]
        assert str(again.exact) == comparison["exact"] == comparison["derived"]


def test_the_committed_survey_covers_what_is_claimed() -> None:
    data = json.loads((OUTPUTS / "certificates.json").read_text())
    jsonschema.validate(data, schema("certificates-1"))
    assert data["verdict"] == "equal"
    controlled: dict[tuple[str, int], list] = {}
    for certificate in data["certificates"]:
        jsonschema.validate(certificate, schema("certificate-1"))
        name, order = certificate["cumulant"]["name"], certificate["order"]
        assert certificate["hash"] == derive_recursion(standard(name), order).hash, "run tests/run --all again"
        assert all(c["equal"] and c["exact"] == c["derived"] for c in certificate["comparisons"])
        if certificate["controls"]:
            controlled[name, order] = certificate["controls"]["diagrams"]
    for name in NAMES:
        assert all((c["dropped"], c["doubled"]) == ("caught", "caught") for c in controlled[name, 1])
    for name in SEVEN:
        assert all("missed" not in (c["dropped"], c["doubled"]) for c in controlled[name, 2])


# --- requests ---


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["F", "--layers", "0"], "--layers '0'"),
        (["F", "--layers", "2,x"], "--layers '2,x'"),
        (["F", "--layers", "99"], "at most 12"),
        (["F", "--layers", "9"], "at most 40"),
        (["F", "--samples", "0"], "0 samples"),
        (["F", "--samples", "9"], "9 samples"),
        (["F", "--activation", "tanh(z)"], "not a polynomial"),
        (["F", "--activation", "1"], "does not depend on z"),
        (["F", "--activation", "__import__('os')"], "not a polynomial"),
        (["F", "--activation", "z**z"], "not a polynomial"),
        (["F", "--activation", "z**99"], "'z**99' was asked for; exponents up to 12 are allowed. Try: --activation"),
        (["F", "--activation", "z**7*z**7"], "degrees up to 12"),
        (["F", "--layers", ""], "--layers ''"),
        (["F", "--layers", "2 3"], "--layers '2 3'"),
        (["F", "--layers", "٢"], "positive integers"),
        (["F", "--activation", "z:z:z:z"], "4 activations were given for layer 3; one, or one a layer below the last"),
        (["F", "--width", "1:2:3:4:5:6"], "widths 1:2:3:4:5:6 were given for layer 3; one a layer below the last"),
        (["F", "--width", "1:2:3"], "2 here"),
        (["F", "--width", "1:2:3:4", "--weights", "orthogonal"], "2 or 3 here"),
        (["F", "--activation", "9**9**9*z"], "not a polynomial"),
        (["F", "--activation", "z + (((9**12)**12)**12)**12"], "binary digits"),
        (["F", "--activation", "1/0*z"], "not a polynomial"),
        (["F", "--activation", "z +"], "cannot read"),
        (["F", "--activation", "(" * 240 + "z" + ")" * 240], "cannot read"),
        (["F", "--activation", "z" * 501], "at most 500"),
        (["F", "--width", "2", "--layers", "4"], "one a layer"),
        (["F", "--width", "2:0"], "--width '2:0'"),
        (["F", "--cw", "x"], "--cw 'x'"),
        (["F", "--cw", "1e999999999"], "--cw '1e999999999'"),
        (["F", "--layers", "2," * 100 + "abc"], "positive integers"),
        (["F", "--width", "9" * 5000], "positive integers"),
        (["F", "--cb", "1/0"], "--cb '1/0'"),
        (["F", "--lambda-w", "-1"], "from 0 up"),
        ([], "no cumulant"),
        pytest.param(["K@4"], "`ntkfeyn derive --format latex`", marks=pytest.mark.long),
        (["F@0"], "leading order"),
    ],
)
def test_wrong_requests(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(["verify", *arguments, "--certificate", "c.json"])
    out, err = capsys.readouterr()
    assert stopped.value.code == 2
    assert message in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["z", "z + z**2/2", "-(z-1)*(z+1)", "0.5*z + z**3/10", "2*z/3 - -z", "z**0 + z"])
def test_the_coefficients_are_those_of_the_text(text: str) -> None:
    coefficients = polynomial(text)
    for z in (Fraction(2, 3), Fraction(-3)):
        value = sum(c * z**k for k, c in enumerate(coefficients))
        assert abs(float(value) - eval(text, {"z": float(z)})) < 1e-12  # noqa: S307


def test_couplings_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["verify", "K", "--cw", "3/2", "--cb", "0", "--seed", "7", "--format", "json"])
    data = json.loads(capsys.readouterr().out)
    assert (data["parameters"]["C_W"], data["parameters"]["C_b"], data["seed"]) == ("3/2", "0", 7)


def test_an_exact_sum_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "MAX_WORK", 50)
    with pytest.raises(NtkfeynError, match="more than 50 steps; try fewer layers"):
        certify(standard("A"), 1, (2, 3), random_setting(1, QUADRATIC, 2), 1)


def test_inputs_are_inequivalent() -> None:
    """Samples of equal norm would hide an exchange of samples."""
    for seed in range(1, 30):
        setting = random_setting(seed, QUADRATIC, 3)
        assert len({setting.kernel[a][a][0] for a in range(3)}) == 3


def test_size_is_checked_before_work() -> None:
    with pytest.raises(NtkfeynError, match="pairs"):
        certify(standard("V"), 1, (8,), random_setting(1, QUADRATIC, 2), 1)


def test_what_sleeps_is_told_and_what_woke_it() -> None:
    """A polynomial of degree 2 has no third derivative: R:1:3 needs one, and the controls have it."""
    found = nf.verify("R", samples=1, activation="z + z**2/2")
    assert found.equal
    assert found.asleep == found.woken == ("R:1:1", "R:1:3")
    text = str(found)
    assert "activation z + 1/2 z^2, 1 sample\n" in text
    assert "asleep in the comparisons above, where they are zero: R:1:1, R:1:3" in text
    assert "awake in the controls, layer 3, an activation of degree 3" in text
    cubic = nf.verify("R", samples=1, activation="z + z**2/2 - z**3/3", layers=(2, 3))
    assert cubic.asleep == ()
    assert "asleep" not in str(cubic)


NAMED = [(name, standard(name).leading_order + more) for name in NAMES for more in (0, 1)]


@pytest.mark.parametrize(
    ("name", "order", "weights"),
    [(*one, "gaussian") for one in NAMED]
    + [(*one, "orthogonal") for one in NAMED[::2]]
    + [pytest.param(*one, "orthogonal", marks=pytest.mark.long) for one in NAMED[1::2] if one[0] not in "RSTU"],
)
def test_by_default_nothing_sleeps(name: str, order: int, weights: str) -> None:
    """And at a lower degree something does."""
    shape, layers = standard(name), (2, 3)
    recursion = derive_recursion(shape, order, weights=weights)
    given = default_activations(shape, order, layers, weights)

    def asleep(*activations: tuple[Fraction, ...]) -> tuple[str, ...]:
        setting = random_setting(1, activations, 2, weights=weights)
        return sleeping(recursion, setting, layers, lambda _: [shape.by_standard(s) for s in assignments(shape, 2)])

    assert asleep(*given) == ()
    if len(given) > 1:
        lower = (Fraction(0), *(Fraction(1, k) for k in range(1, len(given[1]) - 1)))
        assert asleep(given[0], lower)
        assert given[0] == QUADRATIC or asleep(QUADRATIC, given[1])


@pytest.mark.parametrize(
    ("name", "order"),
    [("Theta", 1), ("V", 2), *(pytest.param(*one, marks=pytest.mark.long) for one in NAMED[1::2][2:])],
)
def test_first_corrections_with_controls(name: str, order: int) -> None:
    """At leading orders see above."""
    found = nf.verify(name, order)
    assert found.equal
    assert found.asleep == ()


def test_defaults_are_plain_where_a_higher_degree_is_dear() -> None:
    """Above layer 3, at order 3, and of long trees; at layer 2 alone it would wake nothing."""
    tree = cumulant("tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5", "01.23.45").name
    for name, order, layers in (("R", 1, (2, 3, 4)), ("V", 3, (2, 3)), ("R", 1, (2,)), (tree, 2, (2, 3))):
        assert default_activations(standard(name), order, layers, "gaussian") == (QUADRATIC,)
