"""THEORY.md: its formulas, counts, weights and numbers are the engine's, its sections those cited; ntkfeyn theory."""

from __future__ import annotations

import json
import os
import pty
import re
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from test_enumeration import weight_of

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.cli.encoding import RAISED, SPELT
from ntkfeyn.cli.theory import SECTIONS
from ntkfeyn.criticality.points import critical_points
from ntkfeyn.derivation.diagrams import full_diagrams
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.identifiers import find_diagram
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.derivation.translation import translate
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.polynomials import polynomial
from ntkfeyn.model.tensors import NAMED_TENSORS, NAMES
from ntkfeyn.render.formulas import recursion_text
from ntkfeyn.render.notation import TextNotation
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.render.weight_blocks import series, series_text
from ntkfeyn.verification.certify import certify, random_setting

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "ntkfeyn" / "derivation" / "THEORY.md").read_text(encoding="utf-8")
PARTS = re.split(r"^(?=## )", TEXT, flags=re.MULTILINE)
SECTION = {part[3 : part.index(".")]: part for part in PARTS[1:]}
EXAMPLE = SECTION["5"].split("### The worked example", 1)[1]
ORDER_ONE = [("K", 0), ("Theta", 0), *((name, 1) for name in ("V", "K", "D", "F", "A", "B", "Theta"))]
AT_ORDER_ONE = [("K", 1), ("Theta", 1), *((name, 1) for name in NAMES[2:])]


def blocks(text: str) -> list[str]:
    """What stands between fences."""
    return re.findall(r"^```\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def table(text: str, head: str) -> list[list[str]]:
    """The rows of the table whose head line begins so, code marks taken off."""
    [rows] = re.findall(rf"^\| {re.escape(head)}.*\n\|[ |-]*\n((?:\|.*\n)+)", text, flags=re.MULTILINE)
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows.splitlines()]


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    assert not stopped.value.code
    return capsys.readouterr().out


# --- the text ---------------------------------------------------------------------------------------------------


def test_sections_are_numbered_as_the_command_takes_them() -> None:
    assert tuple(re.findall(r"^## (\d+)\. \S", TEXT, flags=re.MULTILINE)) == SECTIONS == tuple(SECTION)
    assert [row[0] for row in table(PARTS[0], "section")] == list(SECTIONS)


def test_every_cited_section_exists() -> None:
    """Docstrings and comments of the package and the tests: "theory section 4", "THEORY sections 3 to 5 and 7"."""
    number = r"\d+(?![\d.]*\d)"
    cited = re.compile(rf"theory:?\s+(?:sections?\s+)?({number}(?:(?:,| to| and)\s+{number})*)", re.IGNORECASE)
    found: list[str] = []
    for path in (*(ROOT / "ntkfeyn").rglob("*.py"), *(ROOT / "tests").rglob("*.py")):
        if path == Path(__file__):
            continue
        text = path.read_text()
        here = cited.findall(text)
        assert len(here) >= len(re.findall(r"theory:?\s+sections?\s+\d", text, flags=re.IGNORECASE)), path
        found += here
    numbers: Counter[int] = Counter()
    for text in found:
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", text):
            numbers.update(range(int(first), int(last or first) + 1))
    assert set(numbers) == set(map(int, SECTIONS))
    assert numbers.total() > 80


def test_it_can_be_read_anywhere() -> None:
    """Short lines, signs that an ASCII terminal spells, no underscore or asterisk that Markdown takes for emphasis."""
    assert max(map(len, TEXT.splitlines())) <= 120
    assert {sign for sign in TEXT if not sign.isascii()} <= {*SPELT, *RAISED}
    tokens = [child for token in MarkdownIt().parse(TEXT) for child in token.children or ()]
    assert not {token.type for token in tokens} & {"em_open", "html_inline", "link_open"}
    for path in re.findall(r"`((?:outputs|tests|ntkfeyn)/[^` ]+)`", TEXT):
        assert (ROOT / path).exists(), path


# --- its formulas -----------------------------------------------------------------------------------------------


def formula(name: str, order: int) -> list[str]:
    """The lines of a derived recursion, from "F_1324 =" on."""
    _, _, rest = recursion_text(derive_recursion(standard(name), order), TextNotation(Symbols().text)).partition("\n\n")
    return rest.split("\n\n")[0].splitlines()


def test_the_recursions_are_the_derived_ones() -> None:
    derived = [line for tensor in ORDER_ONE for line in formula(*tensor)]
    [printed] = [block for block in blocks(SECTION["5"].split("### ")[0]) if block.startswith("K_12 =")]
    assert printed.splitlines() == derived


def test_the_example_is_what_derive_prints(capsys: pytest.CaptureFixture[str]) -> None:
    printed = run("derive", "F", capsys=capsys)
    [shown] = [block for block in blocks(EXAMPLE) if block.startswith("F_1324 =")]
    assert shown.splitlines() == formula("F", 1)
    assert f"\n\n{shown.rstrip()}\n" in printed
    assert "2 diagrams, 2 product terms, 5 expanded terms" in printed


def explained(diagram_id: str, title: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    data = json.loads(run("explain", diagram_id, "--format", "json", capsys=capsys))
    [lines] = [step["lines"] for step in data["steps"] if step["title"] == title]
    return [line.strip() for line in lines]


@pytest.mark.parametrize(("diagram_id", "ratio"), [("F:1:1", 0), ("F:1:2", 1)])
def test_the_counting_and_weight_of_the_example(
    diagram_id: str, ratio: int, capsys: pytest.CaptureFixture[str]
) -> None:
    [shown] = re.findall(rf"^{diagram_id}   (order = .*?)   width factor (\S)   (weight = .*)$", EXAMPLE, re.MULTILINE)
    assert shown[0] in explained(diagram_id, "Power counting", capsys)
    assert shown[1] == ("1", "ρ")[ratio]
    assert find_diagram(diagram_id).cost == ratio
    assert explained(diagram_id, "The weight", capsys)[-1].startswith(f"{shown[2]}:")


def test_the_expanded_terms_of_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for diagram_id in ("F:1:1", "F:1:2"):
        lines = explained(diagram_id, "The term", capsys)
        [start] = [i for i, line in enumerate(lines) if line.startswith("After Leibniz")]
        found += [line for line in lines[start + 1 :] if "⟨" in line]
    [shown] = [block for block in blocks(EXAMPLE) if block.startswith("C_W^2 Θ_34 ") and "F_2433" in block]
    assert shown.splitlines() == found
    data = json.loads(run("derive", "F", "--format", "json", capsys=capsys))
    assert len(data["terms"]) == len(found) == 5
    [quoted] = re.findall(r'`"expectations": (.*?)`', EXAMPLE)
    assert json.loads(quoted) == data["terms"][2]["expectations"]


def test_the_diagram_of_order_two_in_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    [shown] = [block.strip() for block in blocks(EXAMPLE) if block.startswith("⟨∂_b1")]
    assert f"propagator 1, joint cumulant of 2 functions: {shown}" in explained("F:2:5", "The propagators", capsys)


def test_four_functions_on_one_neuron() -> None:
    """Their joint cumulant has 15 terms, and with it eight z are right to the last digit."""
    shape = standard("C0C0C0C0")
    [first, *_] = enumerate_diagrams(shape, 3).diagrams
    assert len(first.propagators) == 1
    assert sorted(term.coefficient for term in translate(first, first.id)) == [-6, *[-1] * 7, 1, *[2] * 6]
    assert certify(shape, 3, (2,), random_setting(1, polynomial("z + z**2/2"), 2), 1, controls=False).equal


# --- its tables -------------------------------------------------------------------------------------------------


def test_the_named_tensors() -> None:
    for shown, row in zip(table(SECTION["2"], "name"), NAMED_TENSORS, strict=True):
        letter = {"Theta": "Θ"}.get(row.name, row.name)
        order = str(standard(row.name).leading_order)
        assert shown[:5] == [row.name, row.legs, row.channel, order, f"{letter}_{row.order}"]
        assert not shown[5] or standard(shown[5]).name == row.name


def test_the_counts() -> None:
    for (name, drawn, full), tensor in zip(table(SECTION["4"], "diagrams at order 1"), AT_ORDER_ONE, strict=True):
        found = enumerate_diagrams(standard(tensor[0]), 1).diagrams
        assert (name, int(drawn), int(full)) == (tensor[0], len(found), len(full_diagrams(found)))


WEIGHTS = {
    "K^{1}": ("K", 1, [("K", (1,))]),
    "V, both pairs on one propagator": ("K", 1, [("V", (2,))]),
    "V, its pairs on two propagators": ("V", 1, [("V", (1, 1))]),
    "D with its z-z pair": ("D", 1, [("D", (1, 0))]),
    "F": ("F", 1, [("F", (0, 0))]),
    "two K^{1} on one propagator": ("K", 2, [("K", (1,)), ("K", (1,))]),
    "two V on one propagator": ("K", 2, [("V", (2,)), ("V", (2,))]),
    "two V, both split over two propagators": ("V", 2, [("V", (1, 1)), ("V", (1, 1))]),
    "six z, all three pairs on one propagator": ("K", 2, [("C0C0C0", (3,))]),
}


def test_the_weights() -> None:
    shown = {text: Fraction(weight) for text, weight in table(SECTION["4"], "tensor vertices")}
    beside = ("V", 3, [("K", (1, 0)), ("K", (0, 1)), ("V", (1, 1))])  # two K^{1} need something that connects them
    assert shown.pop("two K^{1} on two propagators") * weight_of(*WEIGHTS["V, its pairs on two propagators"]) == (
        weight_of(*beside)
    )
    assert shown == {text: weight_of(*case) for text, case in WEIGHTS.items()}


@pytest.mark.parametrize(("activation", "cw", "first"), [("linear", 1.0, 1), ("relu", 2.0, 5)])
def test_the_numbers_of_the_example(activation: str, cw: float, first: int) -> None:
    rows = [list(map(int, row)) for row in table(EXAMPLE, "layer")]
    found = nf.evaluate(nf.Network(4, 8, activation, cw=cw), [[1.0]], ["Theta", "F"])
    assert [row[0] for row in rows] == [1, 2, 3, 4]
    theta, one, two, total = ([row[first + i] for row in rows] for i in range(4))
    for layer in range(1, 5):
        value = {name: found.get(name, layer=layer).values[0] for name in ("Theta", "F")}
        assert value == pytest.approx({"Theta": theta[layer - 1], "F": total[layer - 1]}, rel=1e-12)
        assert total[layer - 1] == one[layer - 1] + two[layer - 1]
    means = {"linear": (cw, 1.0), "relu": (cw / 2, 0.5)}[activation]  # K stays at C_W
    assert one[1:] == [cw**2 * before * means[0] for before in theta[:-1]]
    assert two[1:] == [cw**2 * before * means[1] ** 2 for before in total[:-1]]


def test_the_closed_forms_of_linear_networks() -> None:
    inputs = [[1.0, 2.0], [3.0, -1.0], [0.0, 1.0], [2.0, 2.0]]
    rows = {row[0]: row[1] for row in table(SECTION["6"], "tensor | linear")}
    assert [text[0] for text in rows] == [name for name in NAMES if name not in ("K", "Theta")]
    components = "1-2-3-4,1-3-2-4,1-4-2-3"
    found = nf.evaluate(nf.Network(5, 8, "linear"), inputs, [text[0] for text in rows], components=components)
    for text, form in rows.items():
        name, labels = text.split("_")
        lowest = int(min(labels))
        q = {
            f"q{a}{b}": sum(x * y for x, y in zip(inputs[a - lowest], inputs[b - lowest], strict=True)) / 2
            for a in range(lowest, lowest + 4)
            for b in range(lowest, lowest + 4)
        }
        if lowest:
            q["v"] = q["q13"] * q["q24"] + q["q14"] * q["q23"]
        for layer in range(1, 6):
            value, error = found.value(name, tuple(int(label) - lowest + 1 for label in labels), layer=layer)
            exact = eval(form, {"L": layer} | q)  # noqa: S307
            assert value == pytest.approx(exact, rel=1e-12)
            assert abs(value - exact) <= error < 1e-10 * max(1, abs(exact))


def test_the_closed_forms_of_relu() -> None:
    rows = dict(table(SECTION["6"], "tensor | relu"))
    found = nf.evaluate(nf.Network(6, 8, "relu", cw=2), [[1.5]], list(rows))
    for name, form in rows.items():
        for layer in range(1, 7):
            expected = eval(form, {"L": layer, "q": 2.25})  # noqa: S307
            assert found.get(name, layer=layer).values[0] == pytest.approx(expected, rel=1e-12, abs=1e-11)


def test_what_it_says_of_the_certificates() -> None:
    found = json.loads((ROOT / "outputs" / "certificates.json").read_text())["certificates"]
    compared = [one for certificate in found for one in certificate["comparisons"]]
    controls = [certificate["controls"]["diagrams"] for certificate in found if certificate["controls"]]
    text = " ".join(SECTION["6"].split())
    assert all(one["equal"] for one in compared)
    assert f"holds {len(found)} certificates with {len(compared)} compared coefficients, all equal" in text
    assert f"in {len(controls)} of the certificates each diagram was left out" in text
    assert f"{sum(map(len, controls))} diagrams in all" in text
    assert {(one["dropped"], one["doubled"]) for few in controls for one in few} == {("caught", "caught")}
    held = {(one["cumulant"]["name"], one["order"]) for one in found}
    assert {(name, order) for name in NAMES for order in (1, 2, 3)} <= held
    assert max(order for _, order in held) == 3


def test_what_tensors_feed_on_themselves_with() -> None:
    """At one input: the terms that carry the tensor itself are the product of the susceptibilities."""
    chi = {"chi_par": Counter({(0, 2): 1, (1, 1): 1}), "chi_perp": Counter({(1, 1): 1})}
    rows = [(name, text) for names, text in table(SECTION["8"], "tensor") for name in names.split(", ")]
    assert {name.split("@")[0] for name, _ in rows} == set(NAMES)
    for name, text in rows:
        factors = [word for one in text.split() for word in [one.split("^")[0]] * (2 if "^" in one else 1)]
        tensor = (name.split("@")[0], 1)
        found: Counter[tuple[object, ...]] = Counter()
        for term in derive_recursion(standard(tensor[0]), 1).expanded:
            if tensor in [(t.name, t.order) for t in term.tensors]:
                own = [(t.name, t.order) for t in term.tensors] == [tensor] and not term.couplings.power("lambda_W")
                orders = sorted(tuple(sorted(m for _, m in mean)) for mean in term.expectations)
                assert own
                assert len(factors) == term.couplings.power("C_W")
                found[tuple(orders)] += term.coefficient  # type: ignore[assignment]
        expected: Counter[tuple[object, ...]] = Counter({(): 1})
        for factor in factors:
            grown: Counter[tuple[object, ...]] = Counter()
            for orders, count in expected.items():
                for mean, more in chi[factor].items():
                    grown[tuple(sorted([*orders, mean]))] += count * more  # type: ignore[type-var]
            expected = grown
        assert found == expected, name


def test_the_cumulants_of_orthogonal_weights() -> None:
    for loops, shown in table(SECTION["9"], "loops"):
        assert series_text(series(tuple(map(int, loops.split(","))))) == shown.removesuffix(" + ..")


def test_the_recursion_of_orthogonal_weights() -> None:
    recursion = derive_recursion(standard("V"), 1, weights="orthogonal")
    derived = recursion_text(recursion, TextNotation(Symbols().text)).partition("\n\n")[2].split("\n\n")[0]
    [shown] = [block for block in blocks(SECTION["9"]) if block.startswith("V_1234 =")]
    assert shown.splitlines() == derived.replace("  orthogonal:V:", "  V:").splitlines()


def test_the_series_in_taylor_coefficients() -> None:
    """Section 11: those of two tensors, and the constants of orthogonal weights."""
    depth = next(part for part in PARTS if re.match(r"## \d+\. Depth\n", part))
    found = json.loads(nf.depth(["V", "T"], activation="odd").to_json())["tensors"]
    shown = dict(re.findall(r"^([VT])   =   (\S.*?)  +(?:odd|g =)", depth, flags=re.MULTILINE))
    assert shown == {name: found[f"{name}@1"]["text"] for name in "VT"}
    forms = nf.depth(["K", "Theta", "V", "F", "K@1", "Theta@1"], activation="odd", weights="orthogonal").forms
    leading = {name: Fraction(str(form.terms[0].coefficient)) for name, form in forms.items()}  # type: ignore[union-attr]
    assert leading.pop("K@0") == leading.pop("Theta@0") == 1
    [constants] = [block for block in blocks(depth) if "→" in block]
    assert [Fraction(text) for text in re.findall(r"→  (\S+)", constants)] == list(leading.values())


@pytest.mark.parametrize(("name", "order"), [("K", 0), ("F", 1)])
def test_the_recursions_of_shared_weights(name: str, order: int) -> None:
    recursion = derive_recursion(standard(name), order, shared=True)
    derived = recursion_text(recursion, TextNotation(Symbols().text)).partition("\n\n")[2].split("\n\n")[0]
    [shown] = [block for block in blocks(SECTION["10"]) if block.startswith("K_12 =")]
    assert f"{derived}\n" in shown


def test_the_critical_points() -> None:
    rows = {row[0]: row[1:] for row in table(SECTION["8"], "activation")}
    for name in ("gelu", "silu"):
        point = critical_points(name).main
        assert point is not None
        cw, cb, kernel = (float(cell.split(",")[0]) for cell in rows[name])
        assert (cw, cb) == (pytest.approx(point.cw, abs=6e-9), pytest.approx(point.cb, abs=6e-9))
        assert kernel == pytest.approx(point.kernel, abs=6e-8)
    for name, cw in (("relu", 2), ("leaky_relu(0.5)", 1.6), ("tanh", 1)):
        point = critical_points(name).main
        assert point is not None
        assert (point.cw, point.cb) == pytest.approx((cw, 0))
    assert rows["softplus, sigmoid"][0] == "none"
    assert critical_points("softplus").main is critical_points("sigmoid").main is None


def test_scale_invariance_holds_at_one_input_only() -> None:
    diagonal, apart = "1-1", "1-2"
    relu = nf.evaluate(nf.Network(3, 8, "relu", cw=2), [[1.0, 0.0], [0.6, 0.8]], ["Theta@1"])
    gelu = nf.evaluate(nf.Network(3, 8, "gelu", cw=2), [[1.0, 0.0]], ["Theta@1"])
    at = {key: relu.value("Theta@1", tuple(map(int, key.split("-"))))[0] for key in (diagonal, apart)}
    assert at[diagonal] == pytest.approx(0, abs=1e-9)
    assert abs(at[apart]) > 1e-3
    assert abs(gelu.get("Theta@1").values[0]) > 1e-3


# --- the command ------------------------------------------------------------------------------------------------


def test_the_command_prints_the_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("theory", capsys=capsys) == TEXT
    printed = [run("theory", number, capsys=capsys) for number in SECTIONS]
    assert [part.rstrip() + "\n" for part in PARTS[1:]] == printed
    assert all(text.startswith(f"## {n}. ") for n, text in zip(SECTIONS, printed, strict=True))


def on_a_terminal(arguments: list[str], **environment: str) -> str:
    """What ``ntkfeyn`` writes to a terminal of 100 columns."""
    child, terminal = pty.fork()
    if child == 0:
        bare = {"COLUMNS": "100", "TERM": "xterm", "PAGER": "cat"}
        os.execve(sys.executable, [sys.executable, "-m", "ntkfeyn", *arguments], {**os.environ, **bare, **environment})
    written = b""
    while True:
        try:
            more = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not more:
            break
        written += more
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return written.decode()


def test_a_terminal_gets_it_set_and_paged(tmp_path: Path) -> None:
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\ncat\necho paged\n")
    pager.chmod(0o755)
    shown = on_a_terminal(["theory", "4"], PAGER=str(pager))
    assert shown.rstrip().endswith("paged")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "4. Averaging over layer ℓ: the diagrams, all orders" in plain
    assert not re.search(r"^#|\*\*|\| ---", plain, flags=re.MULTILINE)
    assert max(len(line.rstrip()) for line in plain.splitlines()) <= 100


def test_an_ascii_terminal_gets_it_spelt() -> None:
    shown = on_a_terminal(["theory", "4"], LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert shown.isascii()
    assert "\\u" not in shown
    assert "## 4. Averaging over layer l: the diagrams, all orders" in shown


def test_a_dumb_terminal_gets_no_escapes() -> None:
    assert "\x1b" not in on_a_terminal(["theory", "8"], TERM="dumb")


def test_the_readme_links_to_it() -> None:
    assert "(ntkfeyn/derivation/THEORY.md)" in (ROOT / "README.md").read_text()
