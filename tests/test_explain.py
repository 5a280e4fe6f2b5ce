"""explain: weights, power counting and values worked out on their own agree with the engine; quoted lines exist."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from itertools import product
from math import prod
from pathlib import Path

import jsonschema
import pytest

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.derivation.diagrams import Diagram, full_diagrams
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.identifiers import find_diagram
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.derivation.translation import translate
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.explain.attachment import attached_tensors, propagator_value, weight_factors
from ntkfeyn.render.explain.explanation import Explanation
from ntkfeyn.render.explain.steps import LEAST_WIDTH, explanation_json, explanation_text
from ntkfeyn.render.notation import TextNotation
from ntkfeyn.render.symbols import TEXT, Symbols
from ntkfeyn.render.wrapping import wrap
from ntkfeyn.views import explanation as explain_diagram

SCHEMA = json.loads((Path(nf.__file__).parent / "schemas" / "explanation-1.schema.json").read_text())
SIX_SLOTS = ("C0C0C0", "C0C0R1", "C0C1", "C1R1", "C2", "R1R2", "R3")
UNNAMED = "z1+z2+z3+dNTK456/12.34.56"
TARGETS = [(name, order) for name in NAMES for order in (1, 2)] + [(name, 2) for name in (*SIX_SLOTS, UNNAMED)]
IDS = (
    "F:1:2 V:1:1 V:1:2 D:1:2 D:1:2a Theta:1:3 Theta:0:1 K:0:1 K:2:1 K:2:4 K:2:6 B:1:1 A:1:1 T:1:5 R:1:4 S:1:1"
    f" C0C0R1:2:9 C0C0C0:2:3 {UNNAMED}:2:3 C0C0R1:2:1a"
).split()


def every_diagram(name: str, order: int) -> tuple[Diagram, ...]:
    """Drawn ones and members."""
    drawn = enumerate_diagrams(standard(name), order).diagrams
    return (*drawn, *(member for diagram in drawn for member in diagram.members))


def explained(diagram_id: str) -> Explanation:
    return explain_diagram(find_diagram(diagram_id), Symbols())


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["explain", *arguments])
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


# --- the numbers ---


@pytest.mark.parametrize(("name", "order"), TARGETS)
def test_weight_and_power_counting_are_those_of_the_engine(name: str, order: int) -> None:
    for diagram in every_diagram(name, order):
        tensors = attached_tensors(diagram)
        assert (
            prod((f.value for f in weight_factors(tensors, TextNotation(TEXT))), start=Fraction(1)) == diagram.weight
        ), diagram.id
        cost = sum(one.tensor.order for one in tensors)
        assert len(diagram.cubic_vertices) - len(diagram.propagators) + cost == order, diagram.id
        assert cost == diagram.cost


@pytest.mark.parametrize(
    ("diagram_id", "values"),
    [
        ("F:1:2", []),
        ("V:1:2", ["1/2", "1/2"]),
        ("K:1:1", ["1/2"]),
        ("K:1:2", ["1/2", "1/2", "1/2"]),
        ("K:2:1", ["1/2", "1/2", "1/2"]),
        ("K:2:4", ["1/2"] * 7),
        ("K:2:6", ["1/2", "1/2", "1/2", "1/6"]),
    ],
)
def test_factors_of_known_weights(diagram_id: str, values: list[str]) -> None:
    """Theory section 4: K^{1} 1/2; V 1/8 and 1/4; two K^{1} 1/8; two V 1/128; six z 1/48."""
    assert [str(factor.value) for factor in explained(diagram_id).weight_factors] == values


def signature(diagram: Diagram) -> tuple[Counter, Counter]:
    """Signed counts of every product, from the values of the propagators and from the engine's translation."""
    tensors = attached_tensors(diagram)
    name_of = {v: (one.tensor.name, one.tensor.order) for one in tensors for v in one.tensor.labels if v < 0}
    told: Counter = Counter()
    for choice in product(*(propagator_value(diagram, tensors, j) for j in range(len(diagram.propagators)))):
        groups = []
        for cubic, labels in (group for split in choice for group in split.groups):
            factors = tuple(sorted(f for i in cubic for f in diagram.cubic_vertices[i].factors))
            groups.append((factors, tuple(sorted(name_of[v] for v in labels))))
        told[tuple(sorted(groups))] += diagram.weight * prod(split.sign for split in choice)
    engine: Counter = Counter()
    for term in translate(diagram, diagram.id):
        held = [(v, (t.name, t.order)) for t in term.tensors for v in t.labels]
        hits = [tuple(sorted(tensor for v, tensor in held if v == -g - 1)) for g in range(len(term.groups))]
        factors = [group.factors for group in term.groups]
        engine[tuple(sorted(zip(factors, hits, strict=True)))] += term.coefficient
    return told, engine


@pytest.mark.parametrize(("name", "order"), TARGETS)
def test_values_of_propagators_multiply_to_the_translation(name: str, order: int) -> None:
    for diagram in full_diagrams(enumerate_diagrams(standard(name), order).diagrams):
        told, engine = signature(diagram)
        assert told == engine, diagram.id


def coefficients(terms: tuple) -> Counter:
    found: Counter = Counter()
    for term in terms:
        found[term._replace(coefficient=Fraction(0), diagrams=())] += term.coefficient
    return Counter({key: value for key, value in found.items() if value})


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("K", 0),
        ("Theta", 0),
        ("F", 1),
        ("D", 1),
        ("A", 1),
        ("T", 1),
        ("Theta", 1),
        ("V", 2),
        ("C0C0C0", 2),
        ("C0C1", 2),
    ],
)
def test_expanded_terms_add_up_to_the_recursion(name: str, order: int) -> None:
    shape = standard(name)
    recursion = derive_recursion(shape, order)
    for diagrams in (recursion.diagrams, full_diagrams(recursion.diagrams)):
        total: Counter = Counter()
        for diagram in diagrams:
            terms = explain_diagram(diagram, Symbols()).expanded
            assert terms
            for key, value in coefficients(terms).items():
                total[key] += value
        for term in recursion.expanded:  # C_b and lambda_b, which no diagram draws
            if not term.diagrams:
                total[term._replace(coefficient=Fraction(0))] += term.coefficient
        assert {key: value for key, value in total.items() if value} == dict(coefficients(recursion.expanded))


# --- what it says ---


def test_the_text_of_f(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    code, out, err = run("F:1:2", capsys=capsys)
    assert (code, err) == (0, "")
    for line in (
        "F:1:2: a diagram of F_1324 at layer ℓ+1, order 1 in 1/n",
        "slot 3: the old edge 3-4: σ is differentiated once, σ'_3",
        "pair b1 with slot 3, on propagator 1 where the slot sits: acts there as ∂_b1",
        "order = P - B + X = 2 - 2 + 1 = 1",
        "propagator 1, one function: ⟨∂_b1(σ_1 σ'_3)⟩",
        "In the recursion of F@1: term 2 of 2, of this diagram alone.",
    ):
        assert f" {line}\n" in f" {out}", line
    assert "⠈" not in out
    assert "⠈" in run("F:1:2", "--pictures", capsys=capsys)[1]


def test_the_text_says_what_is_shared_tied_merged_and_signed() -> None:
    texts = {name: explanation_text(explained(name), 110, picture=False) for name in IDS}
    assert "1/2 · 1/2 = 1/4" in texts["V:1:2"]
    assert "⟨σ_1 σ_2 σ_3 σ_4⟩ - ⟨σ_1 σ_2⟩ ⟨σ_3 σ_4⟩" in texts["V:1:1"]
    assert "the choices of Ω are D:1:2a, D:1:2b" in texts["D:1:2"]
    assert "λ_W σ_3 σ_4: its edge 3-4 is new" in texts["D:1:2"]
    assert "C_W Θ_34 σ'_3 σ'_4: its edge is old" in texts["D:1:2"]
    assert "λ_W/n_ℓ" in texts["D:1:2a"]
    assert "cited, as D:1:2." in texts["D:1:2a"]
    assert "it ties the cubic vertices 1-3 and 2-4" in texts["B:1:1"]
    assert "the old edges 1-2, 1-3 in 2 blocks: σ is differentiated twice" in texts["T:1:5"]
    assert "collected with equal terms of C0C0C0:2:2, C0C0C0:2:4" in " ".join(texts["C0C0C0:2:3"].split())
    assert "3 · " not in texts["K:0:1"]
    assert "constant of the biases" in texts["K:0:1"]
    assert "the 2 identical vertices K^{1}, attached alike" in texts["K:2:1"]
    assert "has them all" in texts["C0C0R1:2:9"]


def test_one_block_of_two_edges_and_three_functions() -> None:
    inside = [explanation_text(explain_diagram(d, Symbols()), 110, picture=False) for d in every_diagram("R", 1)]
    assert any("in one block: σ is differentiated once" in text for text in inside)
    first = explanation_text(explained("C0C0C0:2:1"), 110, picture=False)
    assert "+ 2 ⟨σ_1 σ_2⟩ ⟨σ_3 σ_4⟩ ⟨σ_5 σ_6⟩" in first


@pytest.mark.parametrize("diagram_id", IDS)
def test_lines_fit_and_say_the_same_at_every_width(diagram_id: str) -> None:
    explanation = explained(diagram_id)
    words = {"".join(explanation_text(explanation, w, picture=False).split()) for w in (1, 60, 83, 110, 500)}
    assert len(words) == 1
    for columns in (1, 60, 83, 110):
        text = explanation_text(explanation, columns, picture=True)
        assert max(map(len, text.splitlines())) <= max(columns, LEAST_WIDTH)
        assert text.count("\n\n") >= 6


def test_wrap_keeps_formulas_whole() -> None:
    text = "a " + "V_{b1 b2 b3 b4} ⟨∂_b1∂_b2(σ_1 σ_2)⟩ " * 6 + "- 1/2"
    for width in range(45, 75):
        lines = wrap(text, width, "  ")
        assert max(map(len, lines)) <= width
        assert all(line.count("{") == line.count("}") and line.count("⟨") == line.count("⟩") for line in lines)
        assert not any(line.strip() == "-" or line.endswith(" -") for line in lines)
    assert wrap("x" * 25, 12, "  ") == ["  " + "x" * 10, "    " + "x" * 8, "    " + "x" * 7]


# --- where it stands ---


@pytest.mark.parametrize("diagram_id", ["F:1:2", "D:1:2a", "Theta:1:3", f"{UNNAMED}:2:3", "T:1:1", "K:0:1"])
def test_quoted_lines_are_in_the_files_that_emit_writes(diagram_id: str, tmp_path: Path) -> None:
    explanation = explained(diagram_id)
    target = f"{explanation.diagram.cumulant.name}@{explanation.diagram.order}"
    for lang in ("latex", "python", "c"):
        nf.emit(target, lang=lang, directory=tmp_path)
    assert {one.language for one in explanation.citations} == {"latex", "python", "c"}
    for one in explanation.citations:
        lines = (tmp_path / one.file).read_text().splitlines()
        assert explanation.drawn.id in one.text
        assert lines[one.line - 1 : one.line + 1] == [one.text, one.following]
        assert target in one.command


def test_every_line_with_the_id_is_quoted_and_no_other(tmp_path: Path) -> None:
    """T:1:1 is not T:1:10 to T:1:13."""
    nf.emit("T@1", lang="python", directory=tmp_path)
    lines = (tmp_path / "T_1.py").read_text().splitlines()
    own = [number for number, line in enumerate(lines, start=1) if line.strip() == "# T:1:1"]
    assert [one.line for one in explained("T:1:1").citations if one.language == "python"] == own
    assert len(own) == 1


def test_relabelled_cumulants_are_explained_with_their_labels() -> None:
    view = nf.diagrams(legs="z5 z6 NTK78", channel="57.68")[1]
    text = view.explain(100)
    assert "F_5768" in text
    assert "--legs 'z5 z6 NTK78' --channel 57.68 --order 1" in text
    assert nf.derive("F").diagrams[1].explain(100).startswith("F:1:2: a diagram of F_1324")


def test_slots_beyond_the_letters_that_are_given_are_not_explained(tmp_path: Path) -> None:
    (tmp_path / "greek.toml").write_text("[text]\nsamples = ['α', 'β', 'γ', 'δ']\n")
    text = str(nf.explain("F:1:2", legs="z1 z2 NTK78", channel="17.28", notation=tmp_path / "greek.toml"))
    assert "slots 1 = α, 2 = β: " in text


# --- JSON, determinism, wrong requests ---


@pytest.mark.parametrize("diagram_id", IDS)
def test_json_follows_its_schema(diagram_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(diagram_id, "--format", "json", capsys=capsys)
    assert code == 0
    data = json.loads(out)
    jsonschema.validate(data, SCHEMA)
    assert data == json.loads(json.dumps(explanation_json(explained(diagram_id))))
    assert data["id"] == diagram_id
    assert data["weight"]["product"] == data["diagram"]["weight"]
    counting = data["counting"]
    assert counting["cubic_vertices"] - counting["propagators"] + counting["cost"] == data["order"]
    assert counting["width_ratio"] == data["diagram"]["width_ratio"]
    assert all(data["drawn_as"] in held["diagrams"] for held in data["collected_in"])
    assert data["picture"]


def test_broken_json_is_refused_by_the_schema() -> None:
    for key, value in (("weight", {"factors": [], "product": "0.5"}), ("id", "F"), ("propagators", [])):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(explanation_json(explained("F:1:2")) | {key: value}, SCHEMA)


WRONG = [
    ("F", "'F' is no diagram id"),
    ("F:1", "no diagram id"),
    ("F:1:2:3:", "no diagram id"),
    ("F:1:x", "no diagram id"),
    ("F:1:2A", "no diagram id"),
    ("F@1:1:2", "no diagram id"),
    ("F:1.0:2", "no diagram id"),
    ("", "no diagram id"),
    ("F:1:²", "no diagram id"),
    ("F:1:" + "9" * 500, "no diagram id"),
    ("X:1:1", "ntkfeyn list"),
    ("f:1:2", "Try: ntkfeyn explain F:1:1"),
    ("all:1:1", "unknown cumulant 'all'"),
    ("z1+banana/12:0:1", "unknown cumulant"),
    ("F:0:1", "its leading order is 1 (its channel has 2 pairs). Try: ntkfeyn explain F:1:1"),
    ("F:-1:1", "leading order is 1"),
    ("K:13:1", "at most 12"),
    ("R13:12:1", "at most 12"),
    ("F:1:0", "F at order 1 has the diagrams 1 to 2. Try: ntkfeyn diagrams --cumulant F --order 1"),
    ("F:1:3", "has the diagrams 1 to 2"),
    ("F:1:2a", "F:1:2 has no members"),
    ("D:1:2c", "the members of D:1:2 are D:1:2a, D:1:2b. Try: ntkfeyn diagrams --cumulant D --order 1 --full"),
]


@pytest.mark.parametrize(("diagram_id", "message"), WRONG, ids=[repr(text[:30]) for text, _ in WRONG])
def test_wrong_ids(diagram_id: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(diagram_id, capsys=capsys)
    assert code == 2
    assert out == ""
    assert message in err
    assert err.count("Error") == 1
    assert len(err) < 500


@pytest.mark.parametrize("diagram_id", ["F:1:2", "D:1:1b", f"{UNNAMED}:2:7", "R1R1R1:2:3c"])
def test_ids_find_their_diagrams(diagram_id: str) -> None:
    assert find_diagram(diagram_id).id == find_diagram(f" {diagram_id}\n").id == diagram_id


def test_labels_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    """The term is written as derive writes it for the same request; another cumulant is refused."""
    import ntkfeyn as nf
    from ntkfeyn.cli import main

    asked = {"legs": "z5 z6 NTK78", "channel": "57.68"}
    derived = str(nf.derive(**asked))
    assert "F_{b1 7 b2 8}" in derived
    with pytest.raises(SystemExit):
        main(["explain", "F:1:2", "--legs", asked["legs"], "--channel", asked["channel"]])
    out = capsys.readouterr().out
    assert "F_5768" in out
    assert "F_{b1 7 b2 8}" in out
    assert "F_1324" not in out
    assert str(nf.explain("F:1:2", **asked)).startswith("F:1:2: a diagram of F_5768")
    with pytest.raises(nf.NtkfeynError, match="these are of V"):
        nf.explain("F:1:2", legs="z1 z2 z3 z4", channel="12.34")
