"""The appendix: read back and compared with the engine, compiled, and safe to put into somebody's paper."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from math import factorial
from pathlib import Path

import pytest
from oracles.golden import without_version
from oracles.latex_reader import Line, arguments_of, expanded_lines, from_json, read_product, read_term, recursion_lines

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.cumulants import canonical_labels, standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render import sandbox
from ntkfeyn.render.json import recursion_json
from ntkfeyn.render.latex.appendix import LatexOptions
from ntkfeyn.render.symbols import Symbols

OUTPUTS = Path(__file__).parent.parent / "outputs"

# --- what the source says ---


def tensor_key(name: str, correction: int, samples: tuple[int, ...]) -> tuple:
    """Tensors that are equal by symmetry get one key."""
    shape = standard(name)
    slots = [0] * len(samples)
    for v, sample in zip(shape.index, samples, strict=True):
        slots[v] = sample
    return (name, correction, canonical_labels(name, tuple(slots)))


def read_back(source: str, prefix: str = "nkf", lines: list[Line] | None = None) -> Counter:
    total: Counter = Counter()
    for line in recursion_lines(source, prefix) if lines is None else lines:
        for key, value in read_term(line.text, prefix, tensor_key).items():
            total[key] += value
    return nonzero(total)


def nonzero(total: Counter) -> Counter:
    return Counter({key: value for key, value in total.items() if value})


def pairs_of(name: str) -> list[tuple[int, int]]:
    """The places in a tensor's indices that its channel pairs."""
    shape = standard(name)
    return [(shape.index.index(a), shape.index.index(b)) for a, b in shape.channel]


def assert_equal_to_the_engine(source: str, name: str, order: int, prefix: str = "nkf") -> None:
    """Every term once, beside the letters of its diagrams: in all the engine's JSON. So are the products."""
    recursion = derive_recursion(standard(name), order)
    data = json.loads(json.dumps(recursion_json(recursion)))
    derived = nonzero(from_json(data, tensor_key, lambda tensor: standard(tensor).index))
    lines = recursion_lines(source, prefix)
    assert read_back(source, prefix) == derived
    assert [line.ids for line in lines] == [term.diagrams for term in recursion.terms]
    pictures = arguments_of(source, f"\\{prefix}Picture", 3)
    letters = {identity: letter for _, identity, letter in pictures if identity}
    assert list(letters) == [diagram.id for diagram in recursion.diagrams]
    assert len(set(letters.values())) == len(letters)
    for line in lines:
        assert {letters[i] for i in line.ids} <= set(line.letters)
    products = arguments_of(source, f"\\{prefix}Product", 2)
    if products:
        assert [identity for identity, _ in products] == list(letters)
        total: Counter = Counter()
        for line in lines:
            if not line.ids:  # the bias, drawn by no diagram
                total.update(read_term(line.text, prefix, tensor_key))
        for _, text in products:
            for key, value in read_product(text, prefix, tensor_key, pairs_of).items():
                total[key] += value
        assert nonzero(total) == derived


@pytest.mark.parametrize(("name", "order"), [("K", 0), ("Theta", 0), *((name, 1) for name in NAMES)])
def test_every_committed_recursion_reads_back_to_the_engines(name: str, order: int) -> None:
    assert_equal_to_the_engine((OUTPUTS / "order1" / f"{name}-{order}.tex").read_text(), name, order)


def test_the_committed_closure_of_order_two_reads_back() -> None:
    for path in sorted((OUTPUTS / "order2" / "closure").glob("*-[0-9].tex")):
        name, _, order = path.stem.rpartition("-")
        assert_equal_to_the_engine(path.read_text(), name, int(order))


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("D@2", LatexOptions(prefix="xyz", terms_per_line=3)),
        ("C0C0R1@2", LatexOptions(symbols=Symbols.read("pdlt"))),
        ("P@2", LatexOptions(symbols=Symbols.read("paper"), style="compact")),
        ("ddNTK2(1,2,3,4)+z5+z6/12.34.56@2", LatexOptions()),
    ],
    ids=["three terms a line", "six slots, PDLT's letters", "the paper's letters, compact", "unnamed"],
)
def test_order_two_six_slots_and_foreign_letters_read_back(target: str, options: LatexOptions, tmp_path: Path) -> None:
    nf.emit(target, lang="latex", directory=tmp_path, latex=options)
    name, order = standard(target.split("@")[0]).name, target.split("@")[1]
    [path] = (path for path in tmp_path.glob(f"*/*-{order}.tex") if path.parent.name != "figures")
    assert_equal_to_the_engine(path.read_text(), name, int(order), options.prefix)
    if options.symbols.latex.samples:
        assert r"\alpha_1" in (path.parent / "macros.tex").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_the_terms_of_the_diagrams_after_leibniz_add_up_to_the_recursion(name: str, tmp_path: Path) -> None:
    nf.emit(name, order=1, lang="latex", directory=tmp_path, latex=LatexOptions(expanded=True))
    source = (tmp_path / f"{name}_1" / f"{name}-1.tex").read_text()
    blocks = expanded_lines(source, "nkf")
    assert len(blocks) == len(enumerate_diagrams(standard(name), 1).diagrams)
    assert read_back(source, lines=[line for block in blocks for line in block]) == read_back(source)


def test_a_changed_term_would_be_noticed() -> None:
    source = (OUTPUTS / "order1" / "F-1.tex").read_text()
    recursion = source.index(r"\begin{nkfRecursion}")
    for old, new in (
        (r"\nkfCW{2}", r"\nkfCW{1}"),
        (r"\nkfS{1}{3}", r"\nkfS{0}{3}"),
        (r"\nkfSum{2}{2,4}", r"\nkfSum{2}{2,3}"),
        (r"{+}", r"{-}"),
        (r"\nkfDiagram{b}", r"\nkfDiagram{a}"),
    ):
        wrong = source[:recursion] + source[recursion:].replace(old, new, 1)
        assert wrong != source
        with pytest.raises((AssertionError, KeyError)):
            assert_equal_to_the_engine(wrong, "F", 1)
    wrong = source[:recursion].replace(r"\nkfB{1}\nkfX{3}\nkfB{2}", r"\nkfB{1}\nkfX{4}\nkfB{2}") + source[recursion:]
    with pytest.raises((AssertionError, KeyError, StopIteration, RuntimeError)):
        assert_equal_to_the_engine(wrong, "F", 1)


DECOMPOSED = {  # tensor, its indices, deltas; typed by hand
    "D": "D1234 12.34, F1324 13.24, F1423 14.23",
    "A": "A1234 12.34, B1324 13.24, B1423 14.23",
    "V": "V1234 12.34, V1324 13.24, V1423 14.23",
    "P": "Q0123 01.23, Q0213 02.13, P0123 03.12",
    "R": "R0123 01.23, R0213 02.13, R0312 03.12",
    "S": "S1234 12.34, T1324 13.24, U1423 14.23",
    "K": "K12 12",
}


@pytest.mark.parametrize("name", DECOMPOSED)
def test_a_cumulant_is_written_out_into_all_its_channels(name: str) -> None:
    assert decomposed((OUTPUTS / "order1" / f"{name}-{int(name != 'K')}.tex").read_text()) == DECOMPOSED[name]


def decomposed(source: str) -> str:
    [(_, head, body)] = arguments_of(source, r"\nkfDefine", 3)
    assert head.startswith(r"\nkfE{\nkfLeg{\nkfNext}")
    found = re.findall(r"\\nkfU\{(\w+)\}\{0\}\{([^{}]*(?:\{\d+\}[^{}]*)*)\}\\nkfI ((?:\\nkfDl\{\d+\}\{\d+\})+)", body)
    written = []
    for tensor, indices, deltas in found:
        channel = ".".join(f"{a}{b}" for a, b in re.findall(r"\{(\d+)\}\{(\d+)\}", deltas))
        written.append(f"{tensor}{''.join(re.findall(r'[0-9]+', indices))} {channel}")
    return ", ".join(written)


def test_six_slots_have_fifteen_channels(tmp_path: Path) -> None:
    """Four z, one NTK: the NTK is a pair of its own in three channels, in a chain in twelve."""
    nf.emit("C0C1@2", lang="latex", directory=tmp_path)
    names = [
        word[:-6]
        for word in decomposed((tmp_path / "C0C1_2" / "C0C1-2.tex").read_text()).split(", ")
        for word in [word.split()[0]]
    ]
    assert Counter(names) == {"C0C0R1": 3, "C0C1": 12}


def test_every_observable_that_is_written_has_a_letter(tmp_path: Path) -> None:
    """Also a tree without a name whose slots are numbered in an order of the user's."""
    legs = "tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5"
    nf.emit(legs=legs, channel="01.23.45", lang="latex", directory=tmp_path, name="t")
    macros = (tmp_path / "t" / "macros.tex").read_text()
    found = {
        name
        for path in tmp_path.rglob("*.tex")
        for name in re.findall(r"\\nkfLeg\{\\nkf\w+\}\{([^}]*)\}", path.read_text())
    }
    assert "0-1;1-2;2-3;3-4" in found
    assert all(f"\\csname nkf:leg:{name}\\endcsname{{" in macros for name in found)
    assert (
        "contractions $\\nkfX{0}$--$\\nkfX{1}$, $\\nkfX{1}$--$\\nkfX{2}$"
        in (tmp_path / "t.tex")
        .with_name("t")
        .joinpath(next(p.name for p in (tmp_path / "t").glob("*-2.tex")))
        .read_text()
    )


def test_a_correction_is_defined_beside_what_it_corrects() -> None:
    text = (OUTPUTS / "order1" / "Theta-1.tex").read_text()
    both = r"\bigl(\nkfU{Theta}{0}{\nkfX{1}\nkfX{2}}+\tfrac{1}{\nkfWidth{}}\nkfU{Theta}{1}{\nkfX{1}\nkfX{2}}\bigr)"
    assert both + r"\nkfI \nkfDl{1}{2}" in text
    assert r"O\bigl(1/\nkfWidth{2}\bigr)" in text


WORDS = {word: number for number, word in enumerate(["one", "two", "three", "four", "five", "six"], start=1)}


def told_weight(remarks: str) -> Fraction:
    """The product of what the sentence on the weight says, 1 without one."""
    weight = Fraction(1)
    for words in re.findall(r"\\nkfCf\{1\}\{2\}\$ for (?:the pair|each of the (\w+) pairs)", remarks):
        weight /= 2 ** (WORDS[words] if words else 1)
    for count in re.findall(r"\$1/(\d)!\$", remarks):
        weight /= factorial(int(count))
    return weight


def test_factors_multiply_to_the_order_and_sentences_give_the_weight(tmp_path: Path) -> None:
    """The powers of 1/n in each table of factors add up to the order of the diagram."""
    nf.emit(["K@2", "V@2"], lang="latex", directory=tmp_path, name="two")
    targets = [(OUTPUTS / "order1", name, int(name not in ("K", "Theta"))) for name in NAMES]
    for folder, name, order in [*targets, (tmp_path / "two", "K", 2), (tmp_path / "two", "V", 2)]:
        entries = arguments_of((folder / f"{name}-{order}.tex").read_text(), r"\nkfEntry", 4)
        diagrams = enumerate_diagrams(standard(name), order).diagrams
        assert len(entries) == len(diagrams)
        for diagram, (_, factors, _, remarks) in zip(diagrams, entries, strict=True):
            powers = [power for _, _, power in arguments_of(factors, r"\nkfFactor", 3) if power]
            assert sum(exponent(power) for power in powers) == -order
            assert told_weight(remarks) == diagram.weight
            assert ("The weight is" in remarks) == (diagram.weight != 1)


def exponent(power: str) -> int:
    """Of a width, as macros write it: 1/\\nkfWidth{2} is -2, \\nkfWidth{} is 1."""
    size = int((re.search(r"\{(\d+)\}", power) or ("", "1"))[1])
    return -size if power.startswith("1/") else size


def test_fragments_say_everything_that_is_asked_of_them() -> None:
    for name, order in [("K", 0), ("Theta", 0), *((name, 1) for name in NAMES)]:
        text = (OUTPUTS / "order1" / f"{name}-{order}.tex").read_text()
        for diagram in enumerate_diagrams(standard(name), order).diagrams:
            slug = diagram.id.replace(":", "-")
            figure = (OUTPUTS / "order1" / "figures" / f"{slug}.tex").read_text()
            assert figure.startswith("% Made by ntkfeyn")
            assert figure.count(r"\begin{tikzpicture}") == 1
        for kind in ("sec", "def", "fig", "eq"):
            assert text.count(f"{{nkf:{kind}:{name}-{order}}}") >= 1
        assert "depends on" in text
        assert "At layer 1, $" in text
        assert "legs" not in text
    assert r"=C_b+\tfrac{C_W}{n_0}" in (OUTPUTS / "order1" / "K-0.tex").read_text()
    conventions = (OUTPUTS / "order1" / "conventions.tex").read_text()
    for what in (r"\nkfE{\ldots}", r"\widehat{\Theta}", r"\rho=", r"\Omega_{ab}=", "neuron 1", "/n^s", "Layer 1"):
        assert what in conventions


def test_compact_has_diagrams_and_recursion_alone(tmp_path: Path) -> None:
    nf.emit("F", lang="latex", directory=tmp_path, style="compact")
    text = (tmp_path / "F_1" / "F-1.tex").read_text()
    assert [text.count(f"\\begin{{nkf{kind}}}") for kind in ("Diagrams", "Recursion", "Derivation")] == [1, 1, 0]
    assert "depends" not in text


def test_closure_has_all_that_is_needed_in_order_of_dependence(tmp_path: Path) -> None:
    [path, *_] = nf.emit(
        "V@2",
        lang="latex",
        directory=tmp_path,
        closure=True,
        name="mine",
        title=r"A \& B",
        authors=["E. Noether", "M. Born"],
    )
    text = path.read_text()
    assert path.name == "mine.tex"
    assert re.findall(r"\\input\{mine/(\S+-\d)\}", text) == ["K-0", "V-1", "K-1", "C0C0C0-2", "V-2"]
    assert r"\title{A \& B}" in text
    assert r"\author{E. Noether \and M. Born}" in text


def test_a_bib_file_holds_entries_alone() -> None:
    """A comment that holds an @ stops BibTeX."""
    text = (OUTPUTS / "order1" / "references.bib").read_text()
    assert text.count("@") == 4
    assert all(line.startswith(("@", "  ", "}")) for line in text.splitlines())


def test_the_six_slot_cumulant_of_four_z_and_an_ntk(tmp_path: Path) -> None:
    """Four z, one NTK, channel 12.34.56: pictures, algebra and counts."""
    nf.emit(legs="z1 z2 z3 z4 NTK56", channel="12.34.56", lang="latex", directory=tmp_path)
    text = (tmp_path / "C0C0R1_2" / "C0C0R1-2.tex").read_text()
    found = enumerate_diagrams(standard("C0C0R1"), 2)
    assert (len(found.diagrams), found.connected) == (16, 24)
    assert "the sum of 16 diagrams" in text
    assert len(list((tmp_path / "C0C0R1_2" / "figures").glob("*.tex"))) == 17
    assert r"\mathsf{C00R1}" in (tmp_path / "C0C0R1_2" / "macros.tex").read_text()
    assert r"\mathsf{C00R1}" in (tmp_path / "C0C0R1_2" / "figures" / "C0C0R1-2-16.tex").read_text()


def test_nothing_in_a_fragment_clashes_with_an_authors_names() -> None:
    """Every macro that we define begins with the prefix and yields to an earlier definition."""
    macros = (OUTPUTS / "order1" / "macros.tex").read_text()
    pattern = r"\\(?:providecommand|newcommand|def|let|newenvironment|newbox|newdimen|newif)\{?(\\?[A-Za-z@]+)"
    defined = set(re.findall(pattern, macros)) - {r"\@captype"}  # of LaTeX: which kind a caption is, inside a box
    assert len(defined) > 60
    assert all(name.lstrip("\\").startswith(("nkf", "ifnkf")) or name == "\\csname" for name in defined), defined
    assert "\\newcommand{" not in macros.replace("% citations: \\newcommand", "")
    for path in (OUTPUTS / "order1").rglob("*.tex"):
        assert "documentclass" not in path.read_text()
        assert "usepackage" not in path.read_text()


def test_every_tensor_that_is_written_has_a_symbol(tmp_path: Path) -> None:
    """TeX would print a blank for an undefined name, without a word."""
    nf.emit(["F", "dNTK123+z4+z5+z6/14.23.56@2"], lang="latex", directory=tmp_path)
    found = [path for root in (OUTPUTS, tmp_path) for path in root.rglob("macros.tex")]
    assert len(found) == 3
    for own in found:
        macros = own.read_text()
        for path in own.parent.rglob("*.tex"):
            for name in re.findall(r"\\nkf(?:T|U|N|Tensor)\{([^}#]*)\}", path.read_text()):
                assert f"\\csname nkf:{name}\\endcsname{{" in macros, (path, name)


# --- options and user text ---


def test_committed_outputs_are_reproduced(tmp_path: Path) -> None:
    paths = nf.emit(lang="latex", directory=tmp_path)
    written = {path.relative_to(tmp_path) for path in paths}
    committed = {path.relative_to(OUTPUTS) for path in [OUTPUTS / "order1.tex", *(OUTPUTS / "order1").rglob("*.*")]}
    assert written == committed, "a stale or missing file: run `ntkfeyn emit --lang latex` again"
    for path in written:
        new, old = (without_version((folder / path).read_text()) for folder in (tmp_path, OUTPUTS))
        assert new == old, path


def test_terms_per_line_breaks_at_term_boundaries(tmp_path: Path) -> None:
    nf.emit("A", lang="latex", directory=tmp_path, latex=LatexOptions(terms_per_line=2))
    text = (tmp_path / "A_1" / "A-1.tex").read_text()
    [body] = re.findall(r"\\begin{nkfRecursion}(.*?)\\end{nkfRecursion}", text, flags=re.DOTALL)
    assert body.count(r"\nkfRow") == 3
    assert body.count(r"\nkfTerm") == 6


def test_expanded_terms_are_shown_on_request(tmp_path: Path) -> None:
    nf.emit("F", lang="latex", directory=tmp_path, latex=LatexOptions(expanded=True))
    assert (tmp_path / "F_1" / "F-1.tex").read_text().count("After Leibniz") == 2


@pytest.mark.parametrize(
    "prefix",
    [
        "end",
        "endo",
        "begin",
        "DOTS",
        "circled",
        "",
        "f",
        "Te",
        "LaTe",
        "a1",
        "a_b",
        "\\input",
        "x" * 13,
        "ä",
        "a b",
        "%",
    ],
)
def test_a_prefix_that_could_do_harm_is_refused(prefix: str, tmp_path: Path) -> None:
    with pytest.raises(NtkfeynError, match="prefix"):
        nf.emit("F", lang="latex", directory=tmp_path, latex=LatexOptions(prefix=prefix))
    assert list(tmp_path.iterdir()) == []


def test_user_templates_override_ours(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "latex").mkdir(parents=True)
    (mine / "latex" / "cumulant.tex.jinja").write_text("% mine: << name >>@<< order >>\n")
    nf.emit("F", lang="latex", directory=tmp_path / "out", latex=LatexOptions(templates=mine))
    assert (tmp_path / "out" / "F_1" / "F-1.tex").read_text() == "% mine: F@1\n"
    assert (tmp_path / "out" / "F_1.tex").read_text().startswith("% Made by ntkfeyn")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<< nothing >>", "'nothing' is undefined"),
        ("<% if %>", "cumulant.tex.jinja, line 1"),
        ("<< ''.__class__.__mro__ >>", "unsafe"),
        ("<< name.__init__.__globals__ >>", "unsafe"),
        ("<% for i in range(10**9) %><% endfor %>", "Range too big"),
        ("<% include '/etc/passwd' %>", "/etc/passwd"),
        ("<% include '../../pyproject.toml' %>", "pyproject"),
        ("a\n<% set _ = diagrams[0].update({'figure': '../../victim'}) %>", "cumulant.tex.jinja, line 2"),
        ("a\n<% set _ = diagrams.append(1) %>", "cumulant.tex.jinja, line 2"),
        ("a\n\n<< 1 / 0 >>", "cumulant.tex.jinja, line 3 cannot be used: division by zero"),
        ("<< name + 1 >>", "cumulant.tex.jinja, line 1"),
        ("a\n<% include 'latex/cumulant.tex.jinja' %>", "line 2 cannot be used: it includes or calls itself"),
        ("<% macro f() %><< f() >><% endmacro %><< f() >>", "line 1 cannot be used: it includes or calls itself"),
        ("<< '\\ud800' >>", "no sign of Unicode"),
        ("a\n<< name.ljust(10**12) >>", "line 2 cannot be used: it needs too much memory"),
    ],
)
def test_a_broken_template_is_a_clear_error_and_writes_nothing(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "latex").mkdir()
    (tmp_path / "latex" / "cumulant.tex.jinja").write_text(text)
    with pytest.raises(SystemExit) as stopped:
        main(["emit", "--lang", "latex", "F", "--template", str(tmp_path), "-o", str(tmp_path / "out")])
    assert stopped.value.code == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("Error") == 1
    assert not (tmp_path / "out").exists()


def test_a_certificate_is_cited_where_it_belongs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.json"
    for command in (
        ["verify", "F", "--certificate", str(path)],
        ["emit", "--lang", "latex", "F", "B", "--certificate", str(path), "-o", str(tmp_path / "out")],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(command)
        assert stopped.value.code == 0
    assert "4 of 4 spoiled versions were caught" in (tmp_path / "out" / "F_1_B_1" / "F-1.tex").read_text()
    assert "Certified" not in (tmp_path / "out" / "F_1_B_1" / "B-1.tex").read_text()
    with pytest.raises(SystemExit) as stopped:
        main(["emit", "--lang", "latex", "V", "--certificate", str(path), "-o", str(tmp_path / "none")])
    assert stopped.value.code == 2
    assert "none of the recursions" in capsys.readouterr().err


def loops(depth: int) -> str:
    return "<% for i in range(100000) %>" * depth + "<% endfor %>" * depth


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n" + loops(4), "cumulant.tex.jinja, line 2 took more than 1 second"),
        ("a\n<< (name | length) * 10 ** (10 ** 9) >>", "cumulant.tex.jinja took more than 1 second"),
        ("a\n" + loops(3).replace(" %><% endfor", " %>a word<% endfor", 1), "line 2 writes more than 100000"),
    ],
    ids=["loop", "power", "text"],
)
def test_templates_end_in_time_and_size(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "SECONDS", 1.0)
    monkeypatch.setattr(sandbox, "MAX_TEXT", 100_000)
    (tmp_path / "latex").mkdir()
    (tmp_path / "latex" / "cumulant.tex.jinja").write_text(text)
    with pytest.raises(NtkfeynError, match=message):
        nf.emit("F", lang="latex", directory=tmp_path / "out", latex=LatexOptions(templates=tmp_path))
    assert not (tmp_path / "out").exists()


def test_a_template_that_is_no_file_or_too_large(tmp_path: Path) -> None:
    (tmp_path / "latex").mkdir()
    path = tmp_path / "latex" / "cumulant.tex.jinja"
    path.symlink_to("/dev/zero")
    for message in ("no regular file", "more than 1048576 bytes"):
        with pytest.raises(NtkfeynError, match=message):
            nf.emit("F", lang="latex", directory=tmp_path / "out", latex=LatexOptions(templates=tmp_path))
        path.unlink()
        path.write_bytes(b" " * (sandbox.MAX_TEMPLATE + 1))


def forged(change: Callable[[dict], object]) -> str:  # type: ignore[type-arg]
    """The committed certificate of F@1, changed."""
    listed = json.loads((OUTPUTS / "certificates.json").read_text())["certificates"]
    data = next(one for one in listed if one["cumulant"]["name"] == "F" and one["order"] == 1)
    changed = change(data)
    return json.dumps(data if changed is None else changed)


def exchanged(data: dict) -> dict:  # type: ignore[type-arg]
    """The certificate of another recursion under the hash of this one."""
    listed = json.loads((OUTPUTS / "certificates.json").read_text())["certificates"]
    return listed[0] | {"hash": data["hash"]}


FORGED = {
    "nothing but a hash": lambda d: {k: d[k] for k in ("schema", "hash", "verdict", "probed", "order", "seed")}
    | {"comparisons": [{"layer": 99}], "parameters": {"kernel": [1]}, "controls": None},
    "of another recursion": exchanged,
    "another hash": lambda d: d.update(hash="0" * 64),
    "another cumulant": lambda d: d.update(cumulant={"name": "B"}),
    "another order": lambda d: d.update(order=2),
    "infinite order": lambda d: d.update(order=float("inf")),
    "numbers": lambda d: d["comparisons"][-1].update(exact="1/3", derived="1/3"),
    "verdict against numbers": lambda d: d["comparisons"][-1].update(derived="1/3", equal=False),
    "fewer comparisons": lambda d: d["comparisons"].pop(0),
    "more controls": lambda d: d["controls"]["diagrams"].append(d["controls"]["diagrams"][0]),
    "a control missed": lambda d: d["controls"]["diagrams"][0].update(dropped="not probed"),
    "another seed": lambda d: d.update(seed=d["seed"] + 1),
    "a text for a seed": lambda d: d.update(seed="1"),
    "true for a number": lambda d: d["comparisons"][0].update(order=False),
    "another kernel": lambda d: d["parameters"]["kernel"][0][0].__setitem__(0, "7"),
    "a layer too high": lambda d: d["comparisons"][0].update(layer=10**9),
    "many samples": lambda d: d["parameters"].update(kernel=d["parameters"]["kernel"] * 1000),
    "a long rational": lambda d: d["parameters"].update(C_W="9" * 100_000),
    "no list": lambda d: d.update(comparisons=5),
}  # fmt: skip


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_certificate_is_refused(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.json"
    path.write_text(forged(FORGED[kind]))  # type: ignore[arg-type]
    with pytest.raises(SystemExit) as stopped:
        main(["emit", "--lang", "latex", "F", "--certificate", str(path), "-o", str(tmp_path / "out")])
    assert stopped.value.code == 2
    err = capsys.readouterr().err
    assert "certificate" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()
    path.write_text(forged(lambda _: None))
    assert nf_cites(path, tmp_path / "out")


def nf_cites(path: Path, directory: Path) -> bool:
    with pytest.raises(SystemExit):
        main(["emit", "--lang", "latex", "F", "--certificate", str(path), "-o", str(directory)])
    return "Certified: all 12 coefficients" in (directory / "F_1" / "F-1.tex").read_text()


def test_a_certificate_of_nothing_but_zeros_is_not_cited(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    with pytest.raises(SystemExit):
        main(["verify", "F", "--layers", "1", "--no-controls", "--certificate", str(path)])
    assert json.loads(path.read_text())["probed"] == 0
    with pytest.raises(SystemExit) as stopped:
        main(["emit", "--lang", "latex", "F", "--certificate", str(path), "-o", str(tmp_path / "out")])
    assert stopped.value.code == 2


@pytest.mark.parametrize("content", ["", "[]", "{}", "nonsense", '{"schema": "ntkfeyn.certificate/1"}', "[" * 100000])
def test_a_file_that_is_no_certificate_is_refused(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.json"
    path.write_text(content)
    with pytest.raises(SystemExit) as stopped:
        main(["emit", "--lang", "latex", "F", "--certificate", str(path), "-o", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert "certificate" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_certificate_of_difference_is_not_cited(tmp_path: Path) -> None:
    data = json.loads((OUTPUTS / "certificates.json").read_text())["certificates"][0] | {"verdict": "different"}
    (tmp_path / "c.json").write_text(json.dumps(data))
    with pytest.raises(SystemExit) as stopped:
        main(["emit", "--lang", "latex", "F", "--certificate", str(tmp_path / "c.json"), "-o", str(tmp_path / "out")])
    assert stopped.value.code == 2
