"""What TeX makes of an appendix: alone, and in papers of six document classes; and the PDF that emit writes.

Each document is compiled once a session. No error, no warning, no line over the margin by more than 2 pt.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.render.latex import pdf
from ntkfeyn.render.latex.appendix import LatexOptions
from ntkfeyn.render.latex.pdf import compile_pdf, tex_engine
from ntkfeyn.render.symbols import Symbols

OUTPUTS = Path(__file__).parent.parent / "outputs"
PDFLATEX = shutil.which("pdflatex")
WHERE = "tests/run installs it where apt-get is allowed"
needs_tex = pytest.mark.skipif(PDFLATEX is None, reason=f"pdflatex is not installed; {WHERE}")


def run_tex(path: Path, *options: str) -> str:
    """One run of pdflatex; its log. Fails on an error."""
    command = [str(PDFLATEX), "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", *options, path.name]
    run = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, errors="replace")
    assert run.returncode == 0, run.stdout[-3000:]
    return path.with_suffix(".log").read_text(errors="replace")


def settled(path: Path, *options: str, bibliography: str = "") -> str:
    """The log when cross references no longer change, with BibTeX or biber after the first run."""
    log, before = run_tex(path, *options), b""
    if bibliography:
        run = subprocess.run([bibliography, path.stem], cwd=path.parent, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout
    for _ in range(3):
        references = path.with_suffix(".aux").read_bytes()
        if references == before:
            break
        before = references
        log = run_tex(path, *options)
    return log


def assert_clean(log: str, allowed: str = "$^", most: float = 2.0) -> None:
    """No warning but those allowed, nothing undefined, nothing out of its margin by more than ``most`` pt."""
    unfolded = re.sub(r"(?<=.{79})\n", "", log)
    complaints = [line for line in unfolded.splitlines() if re.search(r"Warning|undefined|warning \(", line)]
    assert [line for line in complaints if not re.search(allowed, line)] == []
    over = [float(width) for width in re.findall(r"Overfull \\[hv]box \(([0-9.]+)pt", log)]
    assert [width for width in over if width > most] == []


@needs_tex
def test_the_committed_appendix_compiles_without_a_complaint(tmp_path: Path) -> None:
    shutil.copytree(OUTPUTS / "order1", tmp_path / "order1")
    shutil.copy(OUTPUTS / "order1.tex", tmp_path)
    assert_clean(settled(tmp_path / "order1.tex"))
    assert (tmp_path / "order1.pdf").stat().st_size > 100_000
    outline = (tmp_path / "order1.out").read_text(errors="replace")
    assert len(re.findall("BOOKMARK", outline)) == 2 + 3 + 15
    assert "{1}" not in outline.replace("{1}{section", "").replace("{2}{", "")


@needs_tex
def test_the_committed_closure_of_order_two_compiles_to_twelve_pages(tmp_path: Path) -> None:
    shutil.copytree(OUTPUTS / "order2" / "closure", tmp_path / "closure")
    shutil.copy(OUTPUTS / "order2" / "closure.tex", tmp_path)
    log = settled(tmp_path / "closure.tex")
    assert_clean(log)
    pages = int(re.search(r"\((\d+) pages", log)[1])  # type: ignore[index]
    assert pages <= 12
    assert "Figure" in log or pages > 5


@needs_tex
@pytest.mark.parametrize(
    ("names", "options"),
    [
        (["C0C0R1"], LatexOptions(columns=2, expanded=True, prefix="abc", symbols=Symbols.read("pdlt"))),
        (["ddNTK2(1,2,3,4)+z5+z6/12.34.56"], LatexOptions(symbols=Symbols.read("paper"))),
        (["K"], LatexOptions(training=True)),
        (["K"], LatexOptions(training=True, columns=2, prefix="abc", style="compact", symbols=Symbols.read("pdlt"))),
    ],
    ids=["six slots, PDLT's letters", "unnamed, the paper's letters", "training", "training, PDLT's letters"],
)
def test_other_requests_compile_without_a_complaint(names, options: LatexOptions, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = nf.emit(names, lang="latex", directory=tmp_path, latex=options)[0]
    assert_clean(settled(path, "-draftmode"))  # the same log without a PDF


# --- in somebody's paper ---

CLASSES = {
    "article": (r"\documentclass{article}", "", r"\bibliographystyle{plain}"),
    "two columns": (r"\documentclass[twocolumn]{article}", "", r"\bibliographystyle{plain}"),
    "revtex4-2": (r"\documentclass[aps,prd,10pt,twocolumn]{revtex4-2}", "", ""),
    "amsart": (r"\documentclass{amsart}", "", r"\bibliographystyle{amsplain}"),
    "elsarticle": (r"\documentclass[review]{elsarticle}", "", r"\bibliographystyle{elsarticle-num}"),
    "icml": (
        r"\documentclass[10pt,twocolumn]{article}"
        r"\usepackage[letterpaper,textwidth=6.75in,textheight=9in,columnsep=.25in]{geometry}",
        r"""\usepackage{natbib}\newcommand{\E}{\mathbb E}\newcommand{\D}{\Delta}\newcommand{\T}{\mathsf T}
        \newcommand{\K}{K}\newcommand{\Heading}[1]{#1}\newcommand{\X}{x}\newcommand{\Row}{r}\newcommand{\Om}{\Omega}
        \newcommand{\Sum}{\sum}\renewcommand{\Box}{q}\newcommand{\Term}{t}\newcommand{\Figure}{f}\newcommand{\Next}{n}""",
        r"\bibliographystyle{plainnat}",
    ),
    "biblatex": (
        r"\documentclass{article}",
        r"\usepackage[backend=biber]{biblatex}\addbibresource{app/references.bib}",
        "",
    ),
}
NEEDS = {"revtex4-2": "revtex4-2.cls", "elsarticle": "elsarticle.cls", "biblatex": "biblatex.sty"}
TITLE = {
    "elsarticle": r"\begin{frontmatter}\title{T}\author{A}\end{frontmatter}",
    "revtex4-2": r"\title{T}\author{A}\affiliation{B}\maketitle",
}
MAKETITLE = r"\title{T}\author{A}\maketitle"
PRINTED = r"\printbibliography"
ICML_SECTION = r"\onecolumn\twocolumn"


def paper(kind: str) -> str:
    head, own, style = CLASSES[kind]
    bibliography = PRINTED if kind == "biblatex" else rf"{style}\bibliography{{app/references}}"
    return rf"""{head}\usepackage{{amsmath,amssymb,tikz}}{own}\usepackage{{hyperref}}\usepackage{{cleveref}}
\newcommand{{\nkfCite}}[1]{{~\cite{{#1}}}}
\input{{app/macros}}\input{{cmp/macros}}
\begin{{document}}
{TITLE.get(kind, MAKETITLE)}
\section{{Mine}} Of mine, see \cref{{nkf:eq:F-1,nkf:fig:F-1,nkf:sec:conventions}} and \cref{{cmp:fig:V-2}}.
\begin{{equation}}\label{{mine}} a=b \end{{equation}}
\appendix{ICML_SECTION if kind == "icml" else ""}
\section{{Derivations}}
\input{{app/conventions}}\input{{app/rules}}\input{{app/tensors}}\input{{app/F-1}}\input{{app/Theta-1}}\input{{cmp/V-2}}
\nkfHeading{{Last}}{{Last}}\makeatletter\typeout{{RUN IN: \if@noskipsec yes\else no\fi}}\makeatother Text.
{bibliography}
\end{{document}}"""


@pytest.fixture(scope="module")
def fragments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full appendix and a compact one with another prefix."""
    folder = tmp_path_factory.mktemp("fragments")
    nf.emit(["F", "Theta@1"], lang="latex", directory=folder, name="app")
    nf.emit("V@2", lang="latex", directory=folder, name="cmp", style="compact", prefix="cmp")
    return folder


def require(*files: str) -> None:
    """Skips where one of the packages is not installed."""
    found = subprocess.run(["kpsewhich", *files], capture_output=True, text=True).stdout.split()
    if len(found) < len(files):
        pytest.skip(f"{', '.join(files)}: not all are installed; {WHERE}")


@needs_tex
@pytest.mark.parametrize("kind", CLASSES)
def test_fragments_compile_in_papers(kind: str, fragments: Path, tmp_path: Path) -> None:
    require("cleveref.sty", *([NEEDS[kind]] if kind in NEEDS else []))
    program = "biber" if kind == "biblatex" else "bibtex"
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed; {WHERE}")
    for name in ("app", "cmp"):
        shutil.copytree(fragments / name, tmp_path / name)
    (tmp_path / "paper.tex").write_text(paper(kind))
    log = settled(tmp_path / "paper.tex", bibliography=program)
    # revtex has defaults; the footer of elsarticle's first page is as wide as that with nothing of ours in the paper
    assert_clean(log, r"revtex4-2 Warning: No Society", 2.3 if kind == "elsarticle" else 2.0)
    references = (tmp_path / "paper.aux").read_text(errors="replace")
    assert r"\newlabel{nkf:eq:F-1}" in references
    assert "RUN IN: no" in log  # a heading has a line of its own, also where the class runs headings in


def test_fragments_refer_to_equations_and_figures_alone(fragments: Path) -> None:
    """Classes that call a section of an appendix "Appendix A.1" would print "Section Appendix A.1"."""
    for path in fragments.rglob("*.tex"):
        for kind in re.findall(r"\\(?:nkf|cmp)Ref\{(\w+)\}", path.read_text()):
            assert kind in ("eq", "fig")
        assert "Section~" not in path.read_text()


@needs_tex
def test_an_author_can_input_one_fragment(tmp_path: Path) -> None:
    """Two appendices with different prefixes in a paper with amsmath and tikz alone, that has its own macros."""
    nf.emit("F", lang="latex", directory=tmp_path, latex=LatexOptions(prefix="one"))
    nf.emit("B", lang="latex", directory=tmp_path / "deep", latex=LatexOptions(prefix="two"))
    text = r"""\documentclass{article}\usepackage{amsmath,tikz}
\newcommand{\oneHeading}[2]{\paragraph{#1}}\newcommand{\twoPath}{deep/B_1}
\input{F_1/macros}\input{deep/B_1/macros}
\begin{document}\section{Mine}\input{F_1/F-1}\input{deep/B_1/B-1}\end{document}"""
    (tmp_path / "paper.tex").write_text(text)
    assert_clean(settled(tmp_path / "paper.tex", "-draftmode"))


@needs_tex
def test_refused_prefixes_are_those_that_latex_has(tmp_path: Path) -> None:
    """begin, DOTS, circled: one of our macros would be TeX's own; nkf: none is."""
    macros = (OUTPUTS / "order1" / "macros.tex").read_text()
    names = sorted(set(re.findall(r"\\nkf([A-Za-z]+)", macros)))
    assert len(names) > 60
    tests = "".join(
        rf"\ifdefined\{prefix}{name}\typeout{{HAS {prefix}}}\fi"
        for prefix in ("begin", "DOTS", "circled", "nkf")
        for name in names
    )
    packages = r"\documentclass{article}\usepackage{amsmath,amssymb,tikz}"
    (tmp_path / "t.tex").write_text(rf"{packages}{tests}\begin{{document}}x\end{{document}}")
    assert set(re.findall(r"HAS (\w+)", run_tex(tmp_path / "t.tex"))) == {"begin", "DOTS", "circled"}


# --- the PDF ---


@needs_tex
def test_pdf_is_written_and_the_same_every_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["emit", "--lang", "latex", "K", "--style", "compact", "--pdf", "--name", "k"]
    for folder in ("a", "b"):
        with pytest.raises(SystemExit) as stopped:
            main([*command, "-o", str(tmp_path / folder)])
        assert stopped.value.code == 0
    out = capsys.readouterr().out.split()
    assert out == [str(tmp_path / folder / name) for folder in ("a", "b") for name in ("k.tex", "k.pdf")]
    first, second = ((tmp_path / folder / "k.pdf").read_bytes() for folder in ("a", "b"))
    assert first.startswith(b"%PDF")
    assert first == second


@needs_tex
def test_tex_reads_nothing_outside_and_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    for command in (rf"\input{{{tmp_path}/secret}}", r"\immediate\write18{touch here}\input{nothing-there}"):
        text = rf"\documentclass{{article}}\begin{{document}}{command}x\end{{document}}"
        with pytest.raises(NtkfeynError, match=r"cannot compile d\.tex.*nothing was written"):
            compile_pdf({"d.tex": text}, "d")


def test_pdf_without_tex_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(NtkfeynError, match="neither pdflatex nor tectonic"):
        tex_engine()
    with pytest.raises(SystemExit) as stopped:
        main(["emit", "--lang", "latex", "V@9", "--pdf", "-o", str(tmp_path / "out")])
    assert stopped.value.code == 2
    err = capsys.readouterr().err
    assert "without" in err or "leave out --pdf" in err
    assert err.count("Error") == 1
    assert not (tmp_path / "out").exists()


@needs_tex
def test_tex_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "SECONDS", 1.0)
    with pytest.raises(NtkfeynError, match=r"more than 1 seconds for d\.tex"):
        compile_pdf({"d.tex": r"\def\x{\x}\x"}, "d")


# --- what is refused ---


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--name", "a/b"], "name 'a/b'"),
        (["--name", "../a"], "name '../a'"),
        (["--name", "a b"], "letters, digits"),
        (["--name", "a.tex"], "name 'a.tex'"),
        (["--name", ""], "name ''"),
        (["--name", "\\x"], "letters, digits"),
        (["--name", "x" * 81], "at most 80"),
        (["--style", "short"], "full and compact"),
        (["--title", "a{b"], "balanced braces"),
        (["--title", "100% of it"], "with a backslash"),
        (["--author", ""], "author ''"),
        (["--author", "a\nb"], "one line"),
    ],
)
def test_bad_values_are_one_message_and_nothing_is_written(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(["--lang", "latex", "F", *options], message, tmp_path, capsys)


@pytest.mark.parametrize(
    "options", [["--style", "full"], ["--closure"], ["--name", "a"], ["--title", "t"], ["--author", "a"], ["--pdf"]]
)
def test_options_of_latex_with_another_language(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(["--lang", "c", "F", *options], f"{options[0]} was given with --lang c", tmp_path, capsys)
    with pytest.raises(NtkfeynError, match="for LaTeX alone"):
        nf.emit("F", lang="c", directory=tmp_path / "out", style="compact")
    with pytest.raises(NtkfeynError, match="'nothing' was given to emit"):
        nf.emit("F", lang="latex", directory=tmp_path / "out", nothing=1)


def test_a_name_that_is_in_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.tex").mkdir()
    with pytest.raises(SystemExit) as stopped:
        main(["emit", "--lang", "latex", "F", "--name", "mine", "-o", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert "mine.tex" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.tex"]


def refused(arguments: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["emit", *arguments, "-o", str(folder / "out")])
    assert stopped.value.code == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("Error") == 1
    assert err.count("\n") == 1
    assert not (folder / "out").exists()
