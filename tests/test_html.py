"""The HTML atlas: a page that needs nothing else, in which every term, diagram and formula is what the records say."""

from __future__ import annotations

import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from oracles.golden import without_version

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.derivation.recursion import Recursion, derive_recursion, derive_system
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.targets import default_targets
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.render import mathtex
from ntkfeyn.render.explain.explanation import Explanation
from ntkfeyn.render.explain.steps import derivation_steps
from ntkfeyn.render.formulas import term_text
from ntkfeyn.render.html.graph import dependency_graph
from ntkfeyn.render.html.mathml import mathml
from ntkfeyn.render.notation import TextNotation
from ntkfeyn.render.symbols import TEXT, Symbols
from ntkfeyn.render.sympy import OURS, code

ATLAS = Path(__file__).parent.parent / "outputs" / "atlas"
MOST_BYTES = 3 << 20
VOID = {"meta", "link", "input", "br", "path", "rect", "circle", "mspace"}
CORE = {  # elements of MathML Core that formulas are made of
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msub", "msup", "msubsup", "munder", "mover",
    "munderover",
}  # fmt: skip


class Page(HTMLParser):
    """Elements in order, each with its attributes; what is not closed in order is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())

    def all(self, tag: str = "", **wanted: str) -> list[dict[str, str]]:
        """Attributes of the elements of a kind and class."""
        kind = wanted.get("kind", "")
        return [a for t, a in self.elements if tag in ("", t) and kind in ("", *a.get("class", "").split())]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The two pages of the atlas, and some with other weights and letters."""
    folder = tmp_path_factory.mktemp("atlas")
    made = {
        "order1": nf.emit(lang="html", directory=folder),
        "Theta_2_closure": nf.emit("Theta@2", lang="html", directory=folder, closure=True),
        "orthogonal": nf.emit(["V", "A"], lang="html", directory=folder, weights="orthogonal"),
        "shared": nf.emit(["F", "Theta@1"], lang="html", directory=folder, shared=True),
        "labels": nf.emit(legs="z5 z6 NTK78", channel="57.68", lang="html", directory=folder, notation="pdlt"),
        "tree": nf.emit(
            legs="tree:0-1,1-2(1,2,3) z4", channel="12.34", lang="html", directory=folder, title="A & <b>", name="tree"
        ),
    }
    return {name: path.read_text() for name, [path] in made.items()}


ALL = ("order1", "Theta_2_closure", "orthogonal", "shared", "labels", "tree")


def recursions() -> dict[str, tuple[Recursion, ...]]:
    return {
        "order1": tuple(derive_recursion(*target) for target in default_targets()),
        "Theta_2_closure": derive_system([TensorId("Theta", 2)]).recursions,
    }


@pytest.mark.parametrize("name", ALL)
def test_pages_are_well_formed_and_hang_together(name: str, pages: dict[str, str]) -> None:
    text = pages[name]
    assert re.match(r"<!-- Made by ntkfeyn .*?-->\n<!DOCTYPE html>\n", text, re.DOTALL)
    page = Page(text)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert not [one for one in ids if re.search(r"\s", one)]
    for tag, attributes in page.elements:
        if tag == "a" and "href" in attributes:
            assert attributes["href"][0] == "#"
            assert unquote(attributes["href"][1:]) in ids
        for one in ("aria-labelledby", "aria-controls"):
            assert attributes.get(one, ids[0]) in ids
        if tag == "button":
            assert attributes["type"] == "button"
    data = known(text)
    members = [about["picture"] for about in data["diagrams"].values() if "part" in about]
    shown, beside = text.split("<script")[0], {"svg": members, "math": data["pieces"]}
    for kind in ("svg", "math"):
        found = re.findall(rf"<{kind}\b.*?</{kind}>", shown, re.DOTALL)
        assert len(found) > 5
        for element in (*found, *beside[kind]):
            tree = ET.fromstring(element)
            assert kind == "svg" or {node.tag for node in tree.iter()} <= CORE


@pytest.mark.parametrize("name", ALL)
def test_pages_need_nothing_from_elsewhere(name: str, pages: dict[str, str]) -> None:
    text, page = pages[name], Page(pages[name])
    foreign = r"https?:|//[a-z]|@import|url\(|\bfetch\b|XMLHttp|WebSocket|\bimport\("
    assert not re.search(foreign, text.split("-->", 1)[1])
    assert not [attributes for _, attributes in page.elements if {"src", "srcset", "data", "action"} & set(attributes)]
    assert [attributes["href"] for attributes in page.all("link")] == ["data:,"]
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy


def test_pages_of_very_many_diagrams_are_laid_out_piece_by_piece(
    pages: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not [text for text in pages.values() if 'class="many"' in text]
    monkeypatch.setattr("ntkfeyn.render.html.atlas.MANY", 1)
    [path] = nf.emit("F", lang="html", directory=tmp_path)
    assert '<main id="main" tabindex="-1" class="many">' in path.read_text()


def test_titles_are_text(pages: dict[str, str]) -> None:
    assert "<title>A &amp; &lt;b&gt;</title>" in pages["tree"]
    assert "<h1>A &amp; &lt;b&gt;</h1>" in pages["tree"]


@pytest.mark.parametrize("name", ["order1", "Theta_2_closure"])
def test_every_term_and_diagram_is_there(name: str, pages: dict[str, str]) -> None:
    """In each section the terms of the record with their diagrams, in order; and a picture of every diagram."""
    parts = re.split(r'<section class="recursion" id="(.*?)"', pages[name])[1:]
    written = dict(zip(parts[::2], parts[1::2], strict=True))
    known = recursions()[name]
    assert list(written) == [str(recursion.id) for recursion in known]
    for recursion in known:
        text = written[str(recursion.id)]
        terms = re.findall(r'<li class="term" data-d="(.*?)">', text)
        assert terms == [" ".join(term.diagrams) for term in recursion.terms]
        figures = re.findall(r'<button type="button" class="diagram" id="(.*?)" data-d="(.*?)"', text)
        assert figures == [(diagram.id, diagram.id) for diagram in recursion.diagrams]
        assert {d for one in terms for d in one.split()} <= {one for one, _ in figures}
        needs = re.search(r"Needs (.*?)\.\s*(?:Needed|</p>)", text, re.DOTALL)
        others = {str(tensor) for tensor in recursion.dependencies if tensor != recursion.id}
        linked = {unquote(one) for one in re.findall('href="#(.*?)"', needs[1])} if needs else set()
        assert linked == others


@pytest.mark.parametrize("name", ["order1", "Theta_2_closure"])
def test_formulas_show_the_signs_that_text_shows(name: str, pages: dict[str, str]) -> None:
    """MathML has two-dimensional places for what text writes with ^ and _ and /; all other signs are the same."""
    notation = TextNotation(TEXT)
    formulas = re.findall(r'<li class="term".*?(<math.*?</math>)', pages[name])
    terms = [(r, i) for r in recursions()[name] for i in range(len(r.terms))]
    for formula, (recursion, i) in zip(formulas, terms, strict=True):
        text = term_text(recursion.terms[i], notation, leading=i == 0)
        for one, other in (("-", "−"), ("Σ", "∑"), ("'''", "‴"), ("''", "″"), ("'", "′")):
            text = text.replace(one, other)
        shown = unicodedata.normalize("NFKC", "".join(ET.fromstring(formula).itertext()))
        text = unicodedata.normalize("NFKC", text)
        assert signs(shown) == signs(text), (recursion.id, i, shown, text)


def signs(text: str) -> Counter[str]:
    return Counter(re.sub(r"[\s{}_^/,]", "", text))


def known(page: str) -> dict[str, Any]:
    """What the script of a page has."""
    found: dict[str, Any] = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1])
    return found


def plain(text: str) -> Counter[str]:
    """The signs of words with formulas, without those that two dimensions make needless."""
    for one, other in (("−", "-"), ("⋅", "·"), ("Σ", "∑"), ("'''", "‴"), ("''", "″"), ("'", "′")):
        text = text.replace(one, other)
    return signs(re.sub(r"[().]", "", unicodedata.normalize("NFKC", text)))


@pytest.mark.parametrize("name", ["order1", "Theta_2_closure"])
def test_what_is_explained_is_what_explain_says(name: str, pages: dict[str, str]) -> None:
    """Of diagrams and of the members of Omega; formulas of it are MathML, whose signs are those of the text."""
    data = known(pages[name])
    letters = ["".join(ET.fromstring(f"<math>{piece}</math>").itertext()) for piece in data["pieces"]]
    spoken = [
        plain("".join("".join(letters[p] for p in part) if k % 2 else part for k, part in enumerate(sentence)))
        for sentence in data["sentences"]
    ]
    assert len({json.dumps(sentence) for sentence in data["sentences"]}) == len(spoken)
    ids = []
    for recursion in recursions()[name]:
        for drawn in recursion.diagrams:
            assert data["diagrams"][drawn.id].get("members", []) == [member.id for member in drawn.members]
            for diagram in (drawn, *drawn.members):
                ids.append(diagram.id)
                about = data["diagrams"][diagram.id]
                assert about.get("part", drawn.id) == drawn.id
                explained = derivation_steps(Explanation(diagram, drawn, recursion, Symbols(), dict))
                for (title, *rows), (heading, lines) in zip(about["steps"], explained, strict=True):
                    assert data["sentences"][title] == [heading]
                    assert rows[::2] == [depth for depth, _ in lines]
                    assert [spoken[row] for row in rows[1::2]] == [plain(text) for _, text in lines], diagram.id
    assert sorted(ids) == sorted(data["diagrams"])
    words = [part for sentence in data["sentences"] for part in sentence[::2]]
    assert not [part for part in words if re.search(r"[_^∂⟨σΘ]", part)]  # nothing was left as text


@pytest.mark.parametrize("name", ["order1", "Theta_2_closure"])
def test_what_is_copied(name: str, pages: dict[str, str]) -> None:
    data = known(pages[name])
    for recursion in recursions()[name]:
        copied = data["recursions"][str(recursion.id)]
        view = nf.derive(recursion.name, recursion.order)
        assert copied["latex"] == view.latex()
        if len(recursion.expanded) < 50:
            assert copied["sympy"] == code(view.sympy())
            members = nf.diagrams(recursion.name, recursion.order, full=True)
            biases = [term for term in recursion.expanded if not term.diagrams]
            whole = sum(diagram.sympy() for diagram in view.diagrams) + sum(map(OURS.term, biases))
            assert whole == view.sympy()  # what is copied of its diagrams is what is copied of it
            for diagram in view.diagrams:
                about = data["diagrams"][diagram.id]
                assert about["sympy"] == code(diagram.sympy())
                own = [one for one in members if one.id in about.get("members", [])]
                assert not own or sum(one.sympy() for one in own) == diagram.sympy()
                assert [data["diagrams"][one.id]["sympy"] for one in own] == [code(one.sympy()) for one in own]


def test_copied_expressions_can_be_pasted(pages: dict[str, str]) -> None:
    """Whatever the weights; those of the diagrams make the whole."""
    for name, id in (("order1", "F@1"), ("orthogonal", "V@1"), ("shared", "F@1")):
        data = known(pages[name])
        copied, drawn = data["recursions"][id], f"{id[0]}:1:"
        whole = run(copied["python"])["recursion"].sympy()
        parts = [one for one in data["diagrams"] if one.split("orthogonal:")[-1].startswith(drawn)]
        texts = [data["diagrams"][one]["sympy"] for one in parts if "part" not in data["diagrams"][one]]
        assert pasted(copied["sympy"]) == sum(map(pasted, texts)) == whole


def test_long_expressions_are_copied_as_a_program(pages: dict[str, str]) -> None:
    data = known(pages["Theta_2_closure"])
    long = {id: about for id, about in data["diagrams"].items() if about["sympy"].startswith("import")}
    assert {"D:2:6", "D:2:6a"} <= set(long)
    for id in ("D:2:6", "D:2:6a"):
        assert run(long[id]["sympy"])["expression"] == run(long[id]["python"])["diagram"].sympy()


def test_copied_python_makes_the_same_again(pages: dict[str, str]) -> None:
    """The lines run, whatever labels and weights; what they give has the id that they were copied from."""
    for name in ("order1", "labels", "orthogonal", "shared", "tree"):
        data = known(pages[name])
        hashes = re.findall(r"recursion hash ([0-9a-f]{16})", pages[name])
        made = [run(about["python"])["recursion"] for about in data["recursions"].values()]
        assert sorted(one.record.hash[:16] for one in made) == sorted(hashes)
        members = [(id, about) for id, about in data["diagrams"].items() if "part" in about]
        for id, about in [*list(data["diagrams"].items())[:6], *members[-2:]]:
            assert run(about["python"])["diagram"].id == id
    long = known(pages["Theta_2_closure"])["recursions"]["C0C1@2"]
    line = long["sympy"] if ".sympy()" in long["sympy"] else f"{long['python']}expression = {long['sympy']}"
    assert "expression" in line


def test_copied_python_names_the_notation(pages: dict[str, str], tmp_path: Path) -> None:
    """A shipped one by its name, a file by the path that was given: what runs shows the letters of the page."""
    file = tmp_path / 'my "own".toml'
    file.write_text("[letters]\npreactivation = 'h'\n[text]\nactivation = 'φ'\n")
    [path] = nf.emit("D", lang="html", directory=tmp_path, notation=file)
    for page, symbols in ((pages["labels"], Symbols.read("pdlt")), (path.read_text(), Symbols.read(file))):
        for kind in ("recursion", "diagram"):
            for about in known(page)[f"{kind}s"].values():
                assert run(about["python"])[kind].symbols == symbols
    assert "φ_1" in known(path.read_text())["diagrams"]["D:1:1"]["sympy"]
    assert "notation" not in pages["order1"].split("<script")[1]


def test_rules_begin_with_a_capital_but_keep_symbols(pages: dict[str, str], tmp_path: Path) -> None:
    """Of words, never of letters: the preactivation is the reader's."""
    rules = re.findall(r"<span>(.*?)</span><span class=\"scroll\">", pages["order1"])
    assert rules[0].startswith("Cubic vertex")
    assert "<math><mi>z</mi></math>-<math><mi>z</mi></math> pair on a propagator" in rules
    file = tmp_path / "own.toml"
    file.write_text("[letters]\npreactivation = 'h'\nwidth = 'N'\n")
    paths = nf.emit("D", lang="latex", directory=tmp_path, notation=file)
    [table] = [path.read_text() for path in paths if path.name == "rules.tex"]
    assert r"\textbf{$h$-$h$ pair on a propagator}" in table
    assert r"\textbf{Pair of a $h$-leg and a slot}" in table
    assert r"\textbf{Tensor vertex, per power of $1/N$}" in table


def pasted(expression: str) -> Any:
    return run(f"from ntkfeyn.symbols import *\nexpression = {expression}")["expression"]


def run(program: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102 (our own lines, as a reader would paste them)
    return names


# --- MathML ---


def test_every_command_that_a_letter_may_have_becomes_mathml() -> None:
    for name in sorted(mathtex.SYMBOLS):
        shown = ET.fromstring(mathml(f"\\{name}"))
        assert "".join(shown.itertext()).strip(), name
    for name in sorted(mathtex.TAKING):
        assert "".join(ET.fromstring(mathml(rf"\{name}{{K}}_1")).itertext()) != "1", name
        ET.fromstring(mathml(rf"\{name} K"))
    for name in sorted(mathtex.TEXTS):
        assert "".join(ET.fromstring(mathml(rf"\{name}{{a b<}}")).itertext()) == "a b<"
    for name in sorted(mathtex.SIZED):
        ET.fromstring(mathml(rf"\{name}[ x \{name}\rangle"))
    for space in mathtex.SPACES:
        ET.fromstring(mathml(f"a{space}b"))
    for sign in sorted(mathtex.PLAIN | mathtex.FENCES):
        assert "".join(ET.fromstring(mathml(sign)).itertext()).strip(), sign
    assert ET.fromstring(mathml(r"\left( \frac{a}{b'_2} \right.")).find("mrow") is not None


def test_mathml_of_indices_primes_fractions_and_alphabets() -> None:
    assert mathml(r"K_{12}") == "<math><msub><mi>K</mi><mrow><mn>1</mn><mn>2</mn></mrow></msub></math>"
    assert "<mn>12</mn>" in mathml("K_{12,3}")
    assert "<mn>12</mn>" in mathml(r"\tfrac{1}{12}")
    assert mathml(r"\tfrac12") == '<math><mfrac displaystyle="false"><mn>1</mn><mn>2</mn></mfrac></math>'
    assert mathml(r"s''^{(4)}_1") == mathml(r"s_1''^{(4)}")
    assert "<mo>″</mo>" in mathml("s''_1")
    assert [mathml(tex).count("prefix") for tex in ("(-1)^p", "a=-b", "a-b", "-1")] == [1, 1, 0, 0]  # first is prefix
    assert "<munder><mo>∑</mo>" in mathml(r"\sum_{a\in\{1,2\}} x", block=True)
    for tex, sign in ((r"\mathcal{H}", "ℋ"), (r"\mathbb{R}", "ℝ"), (r"\mathfrak C", "ℭ"), (r"\mathbf{\Gamma}", "𝚪")):
        assert sign in mathml(tex)
    for broken in (r"\foo", "{a", r"\frac{a}", r"\text{a", "a^", r"\right)", "%"):
        with pytest.raises(ValueError, match=r"missing|no MathML"):
            mathml(broken)


def test_users_letters_are_on_the_page(pages: dict[str, str], tmp_path: Path) -> None:
    assert "<mi>G</mi>" in pages["labels"]
    file = tmp_path / "own.toml"
    letters = r"[tensors]|K = '\mathcal{K}^{[\infty]}'|[letters]|expectation = ['\bigl\{', '\bigr\}']"
    file.write_text(letters.replace("|", "\n"))
    [path] = nf.emit("Theta", lang="html", directory=tmp_path, notation=file)
    assert "𝒦" in path.read_text()
    assert 'minsize="1.2em"' in path.read_text()


# --- the graph ---


def test_the_graph_says_what_needs_what() -> None:
    known = recursions()["Theta_2_closure"]
    graph = dependency_graph(known, {recursion.id: str(recursion.id) for recursion in known})
    below = {(str(a), str(b)) for a, b, _ in graph.edges}
    reached = {node.tensor: {node.tensor} for node in graph.nodes}
    for node in graph.nodes:  # rows from the top: everything that is needed has been reached
        for a, b in below:
            if b == str(node.tensor):
                reached[node.tensor] |= reached[next(t for t in reached if str(t) == a)]
    for recursion, node in ((r, n) for r in known for n in graph.nodes if n.tensor == r.id):
        assert set(node.needs) == set(recursion.dependencies) - {recursion.id}
        assert set(node.needs) <= reached[recursion.id]
        assert {other.id for other in known if recursion.id in node_needs(other)} == set(node.needed_by)
    boxes = [(n.x - n.width / 2, n.x + n.width / 2, n.y) for n in graph.nodes]
    for i, (left, right, y) in enumerate(boxes):
        assert not [1 for a, b, v in boxes[:i] if v == y and a < right and left < b]
    assert len(below) < sum(len(node.needs) for node in graph.nodes) / 2


def node_needs(recursion: Recursion) -> set[TensorId]:
    return set(recursion.dependencies) - {recursion.id}


# --- files and options ---


@pytest.mark.parametrize("name", ["order1", "Theta_2_closure"])
def test_the_committed_atlas_is_what_emit_writes(name: str, pages: dict[str, str]) -> None:
    committed = (ATLAS / f"{name}.html").read_text()
    assert without_version(committed) == without_version(pages[name]), "run `ntkfeyn emit --lang html` again"


def test_the_committed_atlas_is_small() -> None:
    assert sorted(path.name for path in ATLAS.glob("*.html")) == ["Theta_2_closure.html", "order1.html"]
    assert sum(path.stat().st_size for path in ATLAS.glob("*.html")) < MOST_BYTES


def test_options_of_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(
            ["emit", "--lang", "html", "F", "--closure", "--title", "50% & more", "--name", "mine", "-o", str(tmp_path)]
        )
    assert stopped.value.code == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "mine.html")
    text = (tmp_path / "mine.html").read_text()
    assert "<title>50% &amp; more</title>" in text
    assert re.findall(r'data-recursion="(.*?)"', text) == ["K@0", "Theta@0", "F@1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--style", "compact"], "--style was given with --lang html; it is for LaTeX alone"),
        (["--author", "A"], "--author was given with --lang html"),
        (["--certificate", "f.json"], "--certificate was given with --lang html"),
        (["--terms-per-line", "2"], "--terms-per-line was given with --lang html; it is for LaTeX alone"),
        (["--template", "mine"], "--template was given with --lang html"),
        (["--columns", "2"], "--columns was given with --lang html"),
        (["--no-cse"], "--lang html was asked for with --no-cse; python, jax, c are allowed. Try: --lang python"),
        (["--title", "a\nb"], "one line of text"),
        (["--title", " "], "one line of text"),
        (["--name", "../x"], "name '../x'"),
    ],
)
def test_bad_options_of_a_page(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["emit", "--lang", "html", "F", *options, "-o", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    with pytest.raises(NtkfeynError, match="LaTeX and HTML"):
        nf.emit("F", lang="python", directory=tmp_path / "out", closure=True)
