"""The SymPy form equals the JSON, term by term, and prints as text and LaTeX."""

from __future__ import annotations

import io

import pytest
import sympy

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.referee.python_code import python_terms
from ntkfeyn.render.json import recursion_json
from ntkfeyn.render.sympy import Expectation, code, expectation_symbol, tensor_symbol, to_sympy


def rebuilt(data: dict) -> sympy.Expr:
    """A sum made from the JSON with plain symbols for couplings, and widths."""
    c, w, b, d = sympy.symbols("C_W lambda_W C_b lambda_b", positive=True)
    n, m = nf.symbols.WIDTH, nf.symbols.WIDTH_BELOW
    total = sympy.Integer(0)
    for term in data["terms"]:
        value = sympy.Rational(term["coefficient"]) * c ** term["C_W"] * w ** term["lambda_W"]
        value *= b ** term["C_b"] * d ** term["lambda_b"] * (n / m) ** term["width_ratio"]
        for mean in term["expectations"]:
            value *= expectation_symbol([tuple(factor) for factor in mean])
        for item in term["tensors"]:
            slots = [sample for _, samples in item["legs"] for sample in samples]
            value *= tensor_symbol(item["name"], item["order"], [slots[v] for v in standard(item["name"]).index])
        total += value
    return total


@pytest.mark.parametrize(
    ("name", "order"), [("K", 0), ("Theta", 0), ("F", 1), ("A", 1), ("Theta", 1), ("Q", 1), ("V", 2)]
)
def test_difference_to_the_json_is_zero(name: str, order: int) -> None:
    recursion = derive_recursion(standard(name), order)
    assert sympy.expand(to_sympy(recursion) - rebuilt(recursion_json(recursion))) == 0
    assert to_sympy(recursion) != 0


def test_readable_as_text_and_latex() -> None:
    expression = nf.derive("F", order=1).sympy()
    assert "<s_1 s_2 s'_3 s'_4>*Theta[3,4]" in str(expression)
    assert r"\langle \sigma_{1}\,\sigma_{2}\,\sigma'_{3}\,\sigma'_{4}\rangle" in sympy.latex(expression)
    assert r"F^{(\ell)}_{1324}" in sympy.latex(expression)
    assert str(tensor_symbol("K", 2, (1, 2))) == "K^{2}[1,2]"
    assert sympy.latex(tensor_symbol("Theta", 1, (1, 2))) == r"\Theta^{\{1\}(\ell)}_{12}"


def test_squares_of_expectations_print() -> None:
    square = expectation_symbol([(1, 0), (2, 4)]) ** 2
    assert sympy.latex(square) == r"{\langle \sigma_{1}\,\sigma^{(4)}_{2}\rangle}^{2}"
    assert square.has(Expectation)


def test_the_order_of_factors_does_not_matter() -> None:
    assert expectation_symbol([(2, 1), (1, 0)]) == expectation_symbol([(1, 0), (2, 1)])


# --- as Python ---------------------------------------------------------------------------------------------------


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    return ended.value.code, capsys.readouterr().out


def pasted(text: str) -> sympy.Expr:
    return eval(text, {name: getattr(nf.symbols, name) for name in nf.symbols.__all__})  # noqa: S307


@pytest.mark.parametrize(
    ("target", "options"),
    [
        *((f"{name}@1", []) for name in NAMES),
        ("K@0", []),
        ("Theta@2", []),
        ("V@1", ["--weights", "orthogonal"]),
        ("F@1", ["--shared"]),
        ("K@0", ["--shared"]),
    ],
    ids=str,
)
def test_what_derive_prints_is_pasted_and_checked(
    target: str, options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = told(capsys, "derive", target, "--format", "sympy", *options)[1]
    name, order = target.split("@")
    asked = {"weights": "orthogonal" if "--weights" in options else "gaussian", "shared": "--shared" in options}
    assert pasted(text) == nf.derive(name, int(order), **asked).sympy()
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert told(capsys, "check", "-", target, "--from", "sympy", *options)[0] == 0


def test_with_other_letters_it_is_printed_to_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    both = ("derive", "K@0", "F", "--format", "sympy")
    assert told(capsys, *both, "--notation", "pdlt")[1] == "".join(
        f"{nf.derive(name, order, notation='pdlt').sympy()}\n" for name, order in (("K", 0), ("F", 1))
    )
    ours = told(capsys, *both)[1]
    assert told(capsys, *both, "--notation", "ntkfeyn")[1] == ours
    assert [line for line in ours.splitlines() if line.startswith("#")] == ["# K@0", "# F@1"]


def test_long_sums_are_read() -> None:
    """Python reads some 3000 terms without brackets."""
    total = sympy.Add(*(nf.symbols.C_W**i * nf.symbols.C_B**j for i in range(1, 61) for j in range(1, 61)))
    assert len(python_terms(code(total)).terms) == 3600
