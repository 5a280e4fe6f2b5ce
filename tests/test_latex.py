"""The appendix: read back and compared with the engine, compiled, and safe to put into somebody's paper."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from oracles.golden import without_version
from oracles.latex_reader import diagram_lines, from_json, read_term, recursion_lines

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

OUTPUTS = Path(__file__).parent.parent / "outputs"
PDFLATEX = shutil.which("pdflatex")
needs_tex = pytest.mark.skipif(
    PDFLATEX is None, reason="pdflatex is not installed; tests/run installs it where apt-get is allowed"
)


def compile_latex(path: Path, *options: str, runs: int = 3) -> str:
    """The log of the last pdflatex run, when its cross references have settled; fails on an error."""
    command = [str(PDFLATEX), "-interaction=nonstopmode", "-halt-on-error", *options, path.name]
    references, before = path.with_suffix(".aux"), None
    for _ in range(runs):
        run = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, errors="replace")
        assert run.returncode == 0, run.stdout[-3000:]
        if references.read_bytes() == before:
            break
        before = references.read_bytes()
    return path.with_suffix(".log").read_text(errors="replace")


def assert_clean(log: str) -> None:
    complaints = [line for line in log.splitlines() if re.search(r"Overfull|Warning|undefined", line)]
    assert complaints == []


# --- what the source says ---


def tensor_key(name: str, correction: int, samples: tuple[int, ...]) -> tuple:
    """Tensors that are equal by symmetry get one key."""
    shape = standard(name)
    slots = [0] * len(samples)
    for v, sample in zip(shape.index, samples, strict=True):
        slots[v] = sample
    return (name, correction, canonical_labels(name, tuple(slots)))


def read_back(source: str, prefix: str = "nkf", lines: list[str] | None = None) -> Counter:
    total: Counter = Counter()
    for line in recursion_lines(source, prefix) if lines is None else lines:
        for key, value in read_term(line, prefix, tensor_key).items():
            total[key] += value
    return total


def assert_equal_to_the_engine(source: str, name: str, order: int, prefix: str = "nkf") -> None:
    data = json.loads(json.dumps(recursion_json(derive_recursion(standard(name), order))))
    derived = from_json(data, tensor_key, lambda tensor: standard(tensor).index)
    read = read_back(source, prefix)
    assert {k: v for k, v in read.items() if v} == {k: v for k, v in derived.items() if v}


@pytest.mark.parametrize(("name", "order"), [("K", 0), ("Theta", 0), *((name, 1) for name in NAMES)])
def test_every_committed_recursion_reads_back_to_the_engines(name: str, order: int) -> None:
    assert_equal_to_the_engine((OUTPUTS / "order1" / f"{name}-{order}.tex").read_text(), name, order)


@pytest.mark.parametrize("target", ["Theta@2", "V@2", "B@2", "C0C0R1@2"])
def test_order_two_and_six_slots_read_back(target: str, tmp_path: Path) -> None:
    name, order = target.split("@")
    options = LatexOptions(prefix="xyz", terms_per_line=3)
    nf.emit(target, lang="latex", directory=tmp_path, latex=options)
    [path] = tmp_path.glob(f"*/{name}-{order}.tex")
    assert_equal_to_the_engine(path.read_text(), name, int(order), "xyz")


@pytest.mark.parametrize("name", NAMES)
def test_the_terms_of_the_diagrams_add_up_to_the_recursion_before_and_after_leibniz(name: str, tmp_path: Path) -> None:
    nf.emit(name, order=1, lang="latex", directory=tmp_path, latex=LatexOptions(expanded=True))
    source = (tmp_path / f"{name}_1" / f"{name}-1.tex").read_text()
    blocks = diagram_lines(source, "nkf")
    assert len(blocks) == 2 * len(enumerate_diagrams(standard(name), 1).diagrams)
    whole = {k: v for k, v in read_back(source).items() if v}
    for part in (blocks[::2], blocks[1::2]):
        summed = read_back(source, lines=[line for block in part for line in block])
        assert {k: v for k, v in summed.items() if v} == whole


def test_a_changed_term_would_be_noticed() -> None:
    source = (OUTPUTS / "order1" / "F-1.tex").read_text()
    for wrong in (
        source.replace(r"\nkfCW{2}", r"\nkfCW{1}"),
        source.replace(r"\nkfS{1}{3}", r"\nkfS{0}{3}"),
        re.sub(r"\\nkfSum\{2\}\{2,4\}", r"\\nkfSum{2}{2,3}", source),
    ):
        assert wrong != source
        with pytest.raises((AssertionError, KeyError)):
            assert_equal_to_the_engine(wrong, "F", 1)


def test_fragments_name_every_diagram_with_weight_counting_and_picture() -> None:
    for name, order in [("K", 0), ("Theta", 0), *((name, 1) for name in NAMES)]:
        text = (OUTPUTS / "order1" / f"{name}-{order}.tex").read_text()
        for diagram in enumerate_diagrams(standard(name), order).diagrams:
            slug = diagram.id.replace(":", "-")
            assert f"\\nkfPicture{{{slug}}}{{{diagram.id}}}" in text
            assert f"\\textbf{{{diagram.id}.}} Weight" in text
            figure = (OUTPUTS / "order1" / "figures" / f"{slug}.tex").read_text()
            assert figure.count(r"\begin{tikzpicture}") == 1
        assert f"= order {order}" in text.replace("$=$", "=")
        assert "It needs, at layer" in text


def test_the_six_slot_cumulant_of_four_z_and_an_ntk(tmp_path: Path) -> None:
    """Four z, one NTK, channel 12.34.56: pictures, algebra and counts."""
    nf.emit(legs="z1 z2 z3 z4 NTK56", channel="12.34.56", lang="latex", directory=tmp_path)
    text = (tmp_path / "C0C0R1_2" / "C0C0R1-2.tex").read_text()
    found = enumerate_diagrams(standard("C0C0R1"), 2)
    assert (len(found.diagrams), found.connected) == (16, 24)
    assert "16 in all" in text
    assert len(list((tmp_path / "C0C0R1_2" / "figures").glob("*.tex"))) == 17
    assert r"\mathsf{C00R1}" in (tmp_path / "C0C0R1_2" / "figures" / "C0C0R1-2-16.tex").read_text()


def test_nothing_in_a_fragment_clashes_with_an_authors_names() -> None:
    """Every macro that we define begins with the prefix and yields to an earlier definition."""
    macros = (OUTPUTS / "order1" / "macros.tex").read_text()
    defined = re.findall(r"\\(?:providecommand|newcommand|def|let|newenvironment)\{?(\\?[A-Za-z@]+)", macros)
    assert len(defined) > 20
    assert all(name.lstrip("\\").startswith("nkf") or name == "\\csname" for name in defined), defined
    assert "\\newcommand" not in macros
    for path in (OUTPUTS / "order1").rglob("*.tex"):
        assert "documentclass" not in path.read_text()
        assert "usepackage" not in path.read_text()


def test_every_tensor_that_is_written_has_a_symbol(tmp_path: Path) -> None:
    """TeX would print a blank for an undefined name, without a word."""
    nf.emit(["F", "dNTK123+z4+z5+z6/14.23.56@2"], lang="latex", directory=tmp_path)
    for root in (OUTPUTS, tmp_path):
        macros = "".join(path.read_text() for path in root.glob("*/macros.tex"))
        for path in root.rglob("*.tex"):
            for name in re.findall(r"\\nkfT\{([^}]*)\}", path.read_text()):
                assert f"\\csname nkf:{name}\\endcsname{{" in macros, (path, name)


# --- what TeX makes of it ---


@needs_tex
def test_the_committed_appendix_compiles_without_a_complaint(tmp_path: Path) -> None:
    shutil.copytree(OUTPUTS / "order1", tmp_path / "order1")
    shutil.copy(OUTPUTS / "order1.tex", tmp_path)
    assert_clean(compile_latex(tmp_path / "order1.tex"))
    assert (tmp_path / "order1.pdf").stat().st_size > 100_000


@needs_tex
@pytest.mark.parametrize(
    ("names", "options"),
    [
        (None, LatexOptions(columns=2)),
        (["V@2"], LatexOptions(columns=1, expanded=True)),
        (["Theta@2"], LatexOptions(columns=2, terms_per_line=2)),
        (["C0C0R1"], LatexOptions(columns=2, expanded=True, prefix="abc")),
        (["dNTK123+z4+z5+z6/14.23.56@3"], LatexOptions()),
        (["ddNTK2(1,2,3,4)+z5+z6/12.34.56"], LatexOptions(columns=2)),
    ],
    ids=["two columns", "V@2", "Theta@2", "six slots", "correction of an unnamed tensor", "unnamed"],
)
def test_other_requests_compile_without_a_complaint(names, options: LatexOptions, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = nf.emit(names, lang="latex", directory=tmp_path, latex=options)[0]
    assert_clean(compile_latex(path, "-draftmode"))  # the same log without a PDF


@needs_tex
def test_an_author_can_input_one_fragment(tmp_path: Path) -> None:
    """Two appendices with different prefixes in a paper that has its own macros of the same kind."""
    nf.emit("F", lang="latex", directory=tmp_path, latex=LatexOptions(prefix="one"))
    nf.emit("B", lang="latex", directory=tmp_path / "deep", latex=LatexOptions(prefix="two"))
    paper = r"""\documentclass{article}\usepackage{amsmath,tikz}
\newcommand{\oneHeading}[1]{\paragraph{#1}}\newcommand{\twoPath}{deep/B_1}
\input{F_1/macros}\input{deep/B_1/macros}
\begin{document}\section{Mine}\input{F_1/F-1}\input{deep/B_1/B-1}\end{document}"""
    (tmp_path / "paper.tex").write_text(paper)
    assert_clean(compile_latex(tmp_path / "paper.tex", "-draftmode"))


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
    assert body.count(r"\nkfLine") == 3
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


@needs_tex
def test_refused_prefixes_are_those_that_latex_has(tmp_path: Path) -> None:
    """begin, DOTS, circled: one of our macros would be TeX's own; nkf: none is."""
    macros = (OUTPUTS / "order1" / "macros.tex").read_text()
    names = sorted(set(re.findall(r"\\nkf([A-Za-z]+)", macros)))
    assert len(names) > 25
    tests = "".join(
        rf"\ifdefined\{prefix}{name}\typeout{{HAS {prefix}}}\fi"
        for prefix in ("begin", "DOTS", "circled", "nkf")
        for name in names
    )
    packages = r"\documentclass{article}\usepackage{amsmath,amssymb,tikz}"
    (tmp_path / "t.tex").write_text(rf"{packages}{tests}\begin{{document}}x\end{{document}}")
    log = compile_latex(tmp_path / "t.tex", runs=1)
    assert set(re.findall(r"HAS (\w+)", log)) == {"begin", "DOTS", "circled"}


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
