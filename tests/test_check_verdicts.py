"""The referee's verdicts: every kind is reached and named, fixes pass, SymPy subtracts to zero, no false alarms."""

from __future__ import annotations

import doctest
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import jsonschema
import pytest
from oracles.mutations import false_alarms, mutated, worn
from oracles.styles import STYLES, written

import ntkfeyn as nf
import ntkfeyn.symbols
from ntkfeyn.cli import main
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.referee.fixing import fix
from ntkfeyn.referee.matching import KINDS
from ntkfeyn.referee.report import Check
from ntkfeyn.referee.scaling import Scaling
from ntkfeyn.referee.source import text_source
from ntkfeyn.referee.verdict import check_source
from ntkfeyn.render.sympy import functions, letters, python, sums

SCHEMA = json.loads((Path(nf.__file__).parent / "schemas" / "check-1.schema.json").read_text())
CAMPAIGN = Path(__file__).parent.parent / "outputs" / "check_campaign.json"
HEAD = r"F_{1324}^{(\ell+1)} &= "
FIRST = r"C_W^2 \Theta_{34}\langle\sigma_1\sigma_2\sigma'_3\sigma'_4\rangle"
SECOND = (
    r"\frac{n_\ell}{n_{\ell-1}} C_W^2 \sum_{a\in\{1,3\}}\sum_{b\in\{2,4\}} F_{a3b4}"
    r" \langle\partial_a(\sigma_1\sigma_3')\rangle\langle\partial_b(\sigma_2\sigma'_4)\rangle"
)


def document(*rows: str) -> str:
    body = " \\nonumber\\\\\n&\\quad + ".join(rows)
    return f"Some words.\n\\begin{{align}}\n{HEAD}{body}\\,, \\label{{f}}\n\\end{{align}}\nMore words.\n"


WRONG = {  # the second row, its kind, what is written and what is right
    "coefficient": (r"\tfrac{3}{2} " + SECOND, "coefficient", "3/2", "1"),
    "sign": ("(-1)" + SECOND, "coefficient", "-1", "1"),
    "couplings": (SECOND.replace("C_W^2", r"C_W\lambda_W"), "couplings", "C_W lambda_W", "C_W^2"),
    "width": (SECOND.replace(r"\frac{n_\ell}{n_{\ell-1}}", ""), "width", "1", "n_(l-1)^-1 n_l"),
    "labels": (SECOND.replace(r"\sigma'_4", r"\sigma'_2"), "labels", "", ""),
    "labels of a tensor": (SECOND.replace("F_{a3b4}", "F_{b3a4}"), "labels", "", ""),
    "derivatives": (SECOND.replace(r"\sigma'_4", r"\sigma''_4"), "derivatives", "5", "4"),
    "tensor": (SECOND.replace("F_{a3b4}", "V_{a3b4}"), "tensor", "V@1", "F@1"),
}


def checked(text: str) -> Check:
    source = text_source(text, "paper.tex")
    return Check(tuple(check_source(source)), source)


@pytest.mark.parametrize("name", WRONG)
def test_every_kind_is_named_and_its_fix_passes(name: str) -> None:
    row, kind, found, expected = WRONG[name]
    check = checked(document(FIRST, row))
    data = json.loads(check.to_json())
    jsonschema.validate(data, SCHEMA)
    [edit] = data["recursions"][0]["wrong"]
    assert (edit["line"], edit["kind"], edit["diagrams"]) == (4, kind, ["F:1:2"])
    if expected:
        assert sorted(edit["written"].split()) == sorted(found.split())
        assert sorted(edit["expected"].split()) == sorted(expected.split())
    fixed = fix(check.verdicts, check.source, "paper.tex")
    assert not fixed.refused
    assert checked(fixed.text).equal
    assert fixed.text.count("\n") == document(FIRST, row).count("\n")
    assert FIRST in fixed.text  # nothing else is touched


def test_the_kinds_are_those_of_the_interface() -> None:
    assert {kind for _, kind, _, _ in WRONG.values()} == set(KINDS)
    assert SCHEMA["$defs"]["recursion"]["properties"]["wrong"]["items"]["properties"]["kind"]["enum"] == list(KINDS)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SECOND.replace("C_W^2", "C_W"), r"\frac{n_\ell}{n_{\ell-1}} C_W^{2} \sum"),
        (SECOND.replace("F_{a3b4}", "V_{a3b4}"), "F_{a3b4} " + SECOND.split("F_{a3b4} ")[1]),
        ("-1 " + SECOND, SECOND),
    ],
)
def test_as_much_of_the_author_stays_as_can(before: str, after: str) -> None:
    check = checked(document(FIRST, before))
    assert after in fix(check.verdicts, check.source, "paper.tex").text


def test_widths_stand_in_one_fraction() -> None:
    text = r"\frac{1}{n_\ell} " + HEAD.replace("&", "") + r"\frac{1}{n_\ell}" + FIRST
    check = checked("$$" + text + "$$")
    fixed = fix(check.verdicts, check.source, "paper.tex").text
    assert r"+ \frac{1}{n_{\ell-1}}\,C_W^{2}" in fixed
    assert checked(fixed).equal


def test_a_recursion_from_layer_l_minus_1_to_l_is_fixed_in_its_layers() -> None:
    kernel = r"\rangle_{K^{(\ell-1)}}"
    omega = rf"\lambda_W\langle\sigma_1\sigma_2{kernel} + \Theta^{{(\ell-1)}}_{{12}} C_W^{{(\ell)}}"
    check = checked(rf"$$ \Theta^{{(\ell)}}_{{12}} = \lambda_b + {omega} \langle\sigma'_1\sigma_2{kernel} $$")
    fixed = fix(check.verdicts, check.source, "paper.tex")
    assert not fixed.refused
    assert r"\langle \sigma'^{(\ell-1)}_{1}\,\sigma'^{(\ell-1)}_{2}\rangle_{K^{(\ell-1)}} $$" in fixed.text
    lost = checked(r"$$ F^{(\ell)}_{1324} = (C_W^{(\ell)})^2 \Theta^{(\ell-1)}_{34}"
                   r"\langle\sigma_1\sigma_2\sigma'_3\sigma'_4\rangle $$")  # fmt: skip
    fixed = fix(lost.verdicts, lost.source, "paper.tex")
    assert not fixed.refused
    assert r"+ \frac{n_{\ell-1}}{n_{\ell-2}}\,(C_W^{(\ell)})^{2}" in fixed.text


def test_missing_extra_and_alone_in_its_row() -> None:
    extra = r"B_{1324}\langle\sigma_1\rangle"
    for rows in ([FIRST], [extra, FIRST, SECOND], [FIRST, extra, SECOND], [FIRST, SECOND, extra]):
        check = checked(document(*rows))
        fixed = fix(check.verdicts, check.source, "paper.tex")
        assert not fixed.refused, rows
        assert "B_" not in fixed.text
        assert fixed.text.endswith(",, \\label{f}\n\\end{align}\nMore words.\n")
        assert fixed.text.count(r"\nonumber\\") == (len(rows) > 1), fixed.text


@pytest.mark.parametrize("kind", ["coefficient", "sign", "couplings", "width", "derivatives", "labels", "tensor",
                                  "dropped", "doubled"])  # fmt: skip
def test_mutations_are_fixed_in_every_style(kind: str) -> None:
    random = Random(len(kind))
    for style in STYLES:
        original = worn(derive_recursion(standard(random.choice(("F", "B", "P", "S"))), 1), style)
        while (mutation := mutated(original, random)).kind != kind:
            pass
        source = text_source(written(mutation.recursion, style).text, "a.tex")
        assert not fix(check_source(source, style.symbols), source, "a.tex", style.symbols).refused


def ran(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["check", *arguments])
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_a_document_of_several_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The fix belongs to the file that is taken in; FILE may be that file or a new one."""
    inner, outer, new = tmp_path / "f.tex", tmp_path / "paper.tex", tmp_path / "new.tex"
    inner.write_text(document(FIRST, "2 " + SECOND))
    outer.write_text("\\input{f}\nThe end.\n")
    assert ran(str(outer), "--fix", str(new)) == 1
    assert "f.tex, line 4" in capsys.readouterr().err
    assert new.read_text() == document(FIRST, SECOND)
    assert ran(str(new)) == 0
    assert ran(str(inner), "--fix", str(inner)) == 1
    assert ran(str(outer), "--format", "json") == 0
    outer.write_text("\\input{f}\n" + document(FIRST, "2 " + SECOND))
    inner.write_text(document(FIRST, "2 " + SECOND))
    assert ran(str(outer), "--fix", str(new)) == 2
    assert "1 in" in capsys.readouterr().err


def test_what_would_not_pass_is_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad, good = tmp_path / "bad.tex", tmp_path / "good.tex"
    bad.write_text(document("n_\\ell " + FIRST, "n_\\ell " + SECOND))
    assert ran(str(bad), "--fix", str(good)) == 1
    assert "another normalisation" in capsys.readouterr().err
    assert not good.exists()


SIGMAS, PRIMES = r"\langle\sigma_1\sigma_2\rangle", r"C_W\Theta_{12}\langle\sigma'_1\sigma'_2\rangle"
UNDER = {
    "C_b = 0": r"K_{12}^{(\ell+1)} = C_W\langle\sigma_1\sigma_2\rangle",
    "lambda_b = 0": rf"\Theta_{{12}} = \lambda_W{SIGMAS} + {PRIMES}",
    "lambda_W = 1": rf"\Theta_{{12}} = \lambda_b + {SIGMAS} + {PRIMES}",
    "equal widths": "F_{1324} = " + FIRST + "+" + SECOND.replace(r"\frac{n_\ell}{n_{\ell-1}}", ""),
    "a single input": r"K_{12}^{(\ell+1)} = C_b + C_W\langle\sigma_1\sigma_1\rangle",
}


@pytest.mark.parametrize("condition", UNDER)
def test_right_under_a_condition(condition: str) -> None:
    check = checked("$$" + UNDER[condition] + "$$")
    assert check.verdicts[0].under == (condition,)
    assert f"right under {condition}" in str(check)


def test_tensors_in_another_normalisation() -> None:
    """F' = F/n and F' = C_W F, at both layers; and all tensors of order 1/n divided by n."""
    whole = [FIRST.replace("C_W^2", r"C_W^2\frac{1}{n_\ell}"), SECOND.replace(r"\frac{n_\ell}{n_{\ell-1}}", "")]
    assert checked(document(*whole)).verdicts[0].scaling == Scaling("n_l^-1", ("F@1",))
    scaled = [FIRST.replace("C_W^2", "C_W^3"), SECOND]
    assert checked(document(*scaled)).verdicts[0].scaling == Scaling("C_W", ("F@1",))
    text = nf.derive("D", order=1).latex().replace("C_W", r"\frac{1}{n_\ell}C_W", 2).replace(r"\rho", "")
    [verdict] = checked(rf"\begin{{align}}{text}\end{{align}}").verdicts
    assert verdict.scaling == Scaling("n_l^-1", ("D@1", "V@1"))
    assert not verdict.edits


@pytest.mark.parametrize("module", [ntkfeyn.symbols, functions, letters, python, sums])
def test_symbols_are_documented(module: object) -> None:
    tried = doctest.testmod(module)  # type: ignore[arg-type]
    assert tried.attempted
    assert not tried.failed


@pytest.mark.parametrize("name", NAMES)
def test_sympy_carries_out_symmetries(name: str) -> None:
    """Permuted labels, factors in another order and couplings put in: the difference is zero."""
    sympy = pytest.importorskip("sympy")
    from ntkfeyn.symbols import C_W, Activation, Expectation, tensor_symbol

    recursion, random = nf.derive(name, order=1), Random(3)
    shape = standard(name)
    index = list(shape.index)
    slots = random.sample(range(1, 9), len(index))
    for symmetry in shape.symmetries:
        there = [slots[symmetry[v]] for v in index]
        assert tensor_symbol(name, 1, there) == tensor_symbol(name, 1, [slots[v] for v in index])
    found = recursion.sympy()
    backwards = found.replace(Expectation, lambda *factors: Expectation(sympy.Mul(*reversed(factors), evaluate=False)))
    assert sympy.expand(found - backwards) == 0
    assert sympy.expand(found.subs(C_W, 2) - backwards.subs(C_W, 2)) == 0
    assert Expectation(Activation(1) ** 2) == Expectation(Activation(1), Activation(1))


def test_other_formats_show_terms_that_can_be_read(tmp_path: Path) -> None:
    from ntkfeyn.symbols import C_W, Activation, Expectation, tensor_symbol

    s = Activation
    wrong = 3 * C_W**2 * tensor_symbol("Theta", 0, (3, 4)) * Expectation(s(1) * s(2) * s(3, 1) * s(4, 1))
    text = str(nf.check(nf.derive("F", order=1).sympy() + wrong, "F"))
    assert "4*C_W**2*<s_1 s_2 s'_3 s'_4>*Theta[3,4]" in text
    assert "line" not in text
    file = tmp_path / "b.py"
    file.write_text(
        "from ntkfeyn.symbols import *\n\ns = Activation\n"
        'B = C_W**2 * tensor_symbol("Theta", 0, (1, 2)) * tensor_symbol("Theta", 0, (3, 4))'
        " * Expectation(s(1, 1), s(2, 1), s(3, 1), s(4, 1))\n"
        'B -= C_W**2 * WIDTH / WIDTH_BELOW * tensor_symbol("B", 1, (1, 3, 2, 4))'
        " * Expectation(s(1, 1) * s(3, 1)) * Expectation(s(2, 1), s(4, 1))\n"
    )
    out = tmp_path / "b.json"
    assert ran(str(file), "--json", str(out)) == 1
    [edit] = json.loads(out.read_text())["recursions"][0]["wrong"]
    assert (edit["line"], edit["kind"], edit["written"], edit["expected"]) == (5, "coefficient", "-1", "1")
    assert edit["term"].startswith("-C_W**2 * WIDTH / WIDTH_BELOW * tensor_symbol(")
    file.write_text(file.read_text().replace("B -=", "B +="))
    assert ran(str(file)) == 0


@pytest.mark.parametrize(
    "change", [lambda row: row, lambda row: row.replace('"coefficient": "1"', '"coefficient": "7"')]
)
def test_products_are_read_from_json(
    change: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["derive", "T", "K@2", "A", "--products", "--format", "json"])
    file = tmp_path / "t.json"
    text = capsys.readouterr().out
    file.write_text(change(text))
    assert ran(str(file)) == (file.read_text() != text)
    said = capsys.readouterr().out
    assert ("7 is written, 1 is right" in said) == (file.read_text() != text)


def test_a_homogeneous_recursion_is_refused_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["derive", "F", "--homogeneous", "--format", "json"])
    file = tmp_path / "f.json"
    file.write_text(capsys.readouterr().out)
    assert ran(str(file)) == 2
    assert "without --homogeneous" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("for a in (1, 2): F = a", "line 1, column 1: For is not understood"),
        ("\nF = C_W * nothing", "line 2, column 11: Name is not understood"),
        ("x = 1 +", "line 1: this is no Python expression"),
        ("C_W", "what this is a recursion of is not said"),
    ],
)
def test_python_that_is_not_understood_is_placed(code: str, message: str, tmp_path: Path) -> None:
    from ntkfeyn.referee.formats import check_format
    from ntkfeyn.render.symbols import DEFAULT

    with pytest.raises(NtkfeynError, match=message):
        check_format(code, "sympy", None, DEFAULT)


def test_edits_that_change_nothing_at_order_2() -> None:
    assert not false_alarms(3, 4, [(2, 1.0)])


def test_the_campaign_of_the_outputs() -> None:
    """Made by the command that stands in it; a small one runs in test_check."""
    found = json.loads(CAMPAIGN.read_text())
    every, quiet = found["mistakes"]["all"], found["edits_that_change_nothing"]
    assert every["made"] >= 2000
    assert every["caught"] == every["made"]
    assert every["named"] >= 0.95 * every["made"]
    assert len(found["not_named"]) == every["made"] - every["named"]
    assert quiet["made"] >= 500
    assert quiet["false_alarms"] == []


def test_a_power_of_a_mean_is_read() -> None:
    """It stood behind a bracket and was skipped, as the kernel is that people put there."""
    right = rf"{HEAD}{FIRST} + {SECOND}"
    assert nf.check(rf"\begin{{align}}{right}\end{{align}}").equal
    for wrong in (r"\rangle^2", r"\rangle^{2}_{K}", r"\rangle_K^2"):
        assert not nf.check(rf"\begin{{align}}{HEAD}{FIRST[:-7]}{wrong} + {SECOND}\end{{align}}").equal
    squares = r"\langle\sigma'_1\sigma'_2\rangle_K^2"
    [verdict] = nf.check(rf"\[A_{{1212}} = {squares} A_{{1212}}\]").verdicts
    product = r"\langle\sigma'_1\sigma'_2\rangle\langle\sigma'_1\sigma'_2\rangle"
    [other] = nf.check(rf"\[A_{{1212}} = {product} A_{{1212}}\]").verdicts
    assert verdict.values == other.values


# --- orthogonal weights ---

V_EQUAL = r"""V_{1234} = C_W^2 [\langle\sigma_1\sigma_2\sigma_3\sigma_4\rangle
- \langle\sigma_1\sigma_2\rangle\langle\sigma_3\sigma_4\rangle
- %s\langle\sigma_1\sigma_3\rangle\langle\sigma_2\sigma_4\rangle
- %s\langle\sigma_1\sigma_4\rangle\langle\sigma_2\sigma_3\rangle]
+ \frac{n_\ell}{n_{\ell-1}} \frac{C_W^2}{4} V_{abcd}
\langle\partial_a\partial_b(\sigma_1\sigma_2)\rangle\langle\partial_c\partial_d(\sigma_3\sigma_4)\rangle"""


def test_every_recursion_of_orthogonal_weights_passes() -> None:
    for name in ("K", "Theta", "V", "D", "F", "A", "B", "P", "Q", "R", "S", "T", "U"):
        right = nf.derive(name, order=1, weights="orthogonal")
        assert nf.check(rf"\begin{{align}}{right.latex()}\end{{align}}", weights="orthogonal").equal
        assert nf.check(right).equal


def test_the_ensemble_decides() -> None:
    at_all_widths = V_EQUAL % (r"\tau", r"\tau")
    assert nf.check(rf"\[{at_all_widths}\]", weights="orthogonal").equal
    assert not nf.check(rf"\[{at_all_widths}\]").equal
    [verdict] = nf.check(rf"\[{V_EQUAL % ('', '')}\]", weights="orthogonal").verdicts
    assert verdict.under == ("equal widths",)
    [verdict] = nf.check(rf"\[{V_EQUAL % ('', r'2')}\]", weights="orthogonal").verdicts
    assert not verdict.equal
    assert verdict.under == ()
    with pytest.raises(nf.NtkfeynError, match="weights 'unitary'"):
        nf.check(rf"\[{at_all_widths}\]", weights="unitary")
