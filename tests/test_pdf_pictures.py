"""Pictures as TeX prints them, measured on the compiled PDF: labels fit, and nothing lies on anything else."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from math import sqrt
from pathlib import Path

import pytest
from oracles.pdf import Page, faults, labels, pages

from ntkfeyn.derivation.diagrams import Diagram
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.rules import ELEMENT_RULES, RULE
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.drawing.layout import blob, layout
from ntkfeyn.render.drawing.names import tensor_names
from ntkfeyn.render.drawing.primitives import Drawing
from ntkfeyn.render.drawing.rules import element_picture, pair_picture
from ntkfeyn.render.drawing.tikz import AXIS, UNIT, tikz
from ntkfeyn.render.drawing.typeset import typeset
from ntkfeyn.render.symbols import LATEX, Symbols

PDFLATEX = shutil.which("pdflatex")
pytestmark = pytest.mark.skipif(
    PDFLATEX is None, reason="pdflatex is not installed; tests/run installs it where apt-get is allowed"
)
SIX_SLOTS = ("C0C0C0", "C0C0R1", "C0C1", "C0R1R1", "C0R2", "C1R1", "C2", "R1R1R1", "R1R2", "R3")
CASES = [(name, order) for name in NAMES for order in (1, 2)] + [(name, 2) for name in SIX_SLOTS]
FOREIGN = Symbols(
    latex=replace(
        LATEX,
        tensors={
            "K": r"{\mathcal{K}^{[\infty]}}",
            "Theta": r"\widehat{\mathbf{H}}",
            "F": r"\mathfrak{F}_{\!zz}",
            "V": "W",
        },
        activation=r"\varphi",
        samples=(r"\alpha", r"\beta", r"\gamma", r"\delta"),
    )
)
FORMULAS = (
    *("K", r"\Theta", r"K^{\{1\}}", r"\mathsf{C0C0C0}^{\{2\}}", r"{\mathcal{K}^{[\infty]}}^{\{1\}}", "/n", "/n^{2}"),
    *(r"\sigma\sigma''", r"\sigma^{(4)}\sigma'''", r"\widehat{\Theta}", r"\mathrm{dd_{I}}\Theta", r"\boldsymbol{\Xi}"),
    *(r"\mathfrak{g}_{ab}", r"\mathsf{T}[\text{dNTK z}]", r"\mathbb{E}^*", r"\tilde K_{(12)}", r"\omega_{12}^{(3)}"),
)
DOCUMENTS = {"10pt": Symbols(), "12pt": FOREIGN}


def shown() -> list[Diagram]:
    """So many that every tensor is seen at every order at which it occurs, on few neurons and on many."""
    found: set[tuple[object, int]] = set()
    chosen = []
    for name, order in CASES:
        for diagram in enumerate_diagrams(standard(name), order).diagrams:
            new = {(vertex.name, vertex.order) for vertex in diagram.tensor_vertices} - found
            new |= {(len(diagram.propagators), len(diagram.tensor_vertices))} - found
            if new:
                chosen.append(diagram)
                found |= new
    return chosen


def pictures(symbols: Symbols) -> list[Drawing]:
    blobs = [(standard(name), number % 2) for number, name in enumerate((*NAMES, *SIX_SLOTS))]
    return [
        *(layout(diagram, symbols) for diagram in shown()),
        *(blob(shape, *tensor_names(shape.name, correction, symbols), symbols) for shape, correction in blobs),
        *(pair_picture(rule, symbols) for rule in RULE.values()),
        *(element_picture(rule.name, symbols) for rule in ELEMENT_RULES),
    ]


def document(size: str, drawings: list[Drawing]) -> str:
    """Each picture in a box whose size is printed, then formulas."""
    boxes = "".join(
        rf"\setbox0\hbox{{{tikz(drawing).strip()}}}\typeout{{SIZE \the\wd0 \the\ht0 \the\dp0 }}\box0\qquad" "\n"
        for drawing in drawings
    )
    formulas = "".join(
        rf"\setbox0\hbox{{${tex}$}}\typeout{{TEXT \the\wd0 \the\ht0 \the\dp0 }}" "\n" for tex in FORMULAS
    )
    return (
        rf"\documentclass[{size}]{{article}}\usepackage{{amsmath,amssymb,tikz}}\begin{{document}}\raggedright"
        "\n"
        rf"\makeatletter{{\scriptsize\typeout{{FONT \f@size pt}}}}\makeatother"
        "\n"
        rf"{boxes}{{\scriptsize {formulas}}}\end{{document}}"
    )


@pytest.fixture(scope="module", params=DOCUMENTS)
def printed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, list[Page], list[Drawing]]:
    """Log, pages and what was drawn."""
    folder, drawings = tmp_path_factory.mktemp("pdf"), pictures(DOCUMENTS[request.param])
    (folder / "a.tex").write_text(document(request.param, drawings))
    plain = r"\pdfcompresslevel=0 \pdfobjcompresslevel=0 \input{a}"
    command = [str(PDFLATEX), "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "-jobname=a", plain]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    assert run.returncode == 0, run.stdout[-3000:]
    return (folder / "a.log").read_text(errors="replace"), pages(folder / "a.pdf"), drawings


def boxes(log: str, kind: str) -> list[tuple[float, ...]]:
    found = re.findall(rf"^{kind} ([\d.]+)pt([-\d.]+)pt([-\d.]+)pt", log, re.MULTILINE)
    return [tuple(map(float, numbers)) for numbers in found]


def letters(log: str) -> float:
    match = re.search(r"^FONT ([\d.]+)pt", log, re.MULTILINE)
    assert match
    return float(match[1])


def test_labels_fit_and_touch_nothing(printed: tuple[str, list[Page], list[Drawing]]) -> None:
    _, found, drawings = printed
    assert [fault for page in found for fault in faults(page)] == []
    discs = [mark for drawing in drawings for mark in drawing.marks if mark.fill == "D9D9D9"]
    assert sum(len(labels(page)) for page in found) == len(discs) > 100


def test_labels_are_of_scriptsize(printed: tuple[str, list[Page], list[Drawing]]) -> None:
    """The largest glyph of each, for what stands above or below is smaller; and every tag that stands alone."""
    log, found, _ = printed
    for page in found:
        for _, glyphs in labels(page):
            assert max(glyph.size for glyph in glyphs) > 0.99 * letters(log)
            assert min(glyph.size for glyph in glyphs) > 0.65 * letters(log)


def test_the_size_of_a_picture_is_known_before_tex_runs(printed: tuple[str, list[Page], list[Drawing]]) -> None:
    log, _, drawings = printed
    found = boxes(log, "SIZE")
    assert len(found) == len(drawings)
    for drawing, box in zip(drawings, found, strict=True):
        x0, y0, x1, y1 = drawing.box()
        known = [UNIT * (x1 - x0), UNIT * y1 + AXIS, -UNIT * y0 - AXIS]  # to the right, up and down, in letters
        assert [letters(log) * number for number in known] == pytest.approx(box, abs=0.2)


def test_formulas_are_as_large_as_they_are_taken_to_be(printed: tuple[str, list[Page], list[Drawing]]) -> None:
    """Hardly smaller, and not much larger: letters are wider for their size in small fonts."""
    log, _, _ = printed
    for tex, box in zip(FORMULAS, boxes(log, "TEXT"), strict=True):
        width, height, depth = (number / letters(log) for number in box)
        ours = typeset(tex)
        assert width - 0.04 < ours.width < 1.2 * width + 0.05, tex
        assert height + depth - 0.08 < ours.height + ours.depth < height + depth + 0.35, tex


def test_a_letter_in_a_wide_font_widens_its_disc(tmp_path: Path) -> None:
    """What is not Computer Modern: TeX draws the disc around the label, whatever we took it for."""
    drawing = blob(standard("K"), r"\hugeletter", "K", Symbols())
    text = document("10pt", [drawing]).replace("FORMULAS", "")
    text = text.replace(r"\begin{document}", r"\def\hugeletter{\hbox to 40pt{\hss K\hss}}\begin{document}")
    (tmp_path / "a.tex").write_text(text)
    plain = r"\pdfcompresslevel=0 \pdfobjcompresslevel=0 \input{a}"
    command = [str(PDFLATEX), "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "-jobname=a", plain]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    [disc] = [disc for page in pages(tmp_path / "a.pdf") for disc, _ in labels(page)]
    assert disc.radius > 20 > drawing.marks[0].radius * 7 / sqrt(0.16)


def test_the_measure_sees_a_bad_picture() -> None:
    from oracles.pdf import Disc, Glyph

    disc = Disc((0.0, 0.0), 5.0, 0.85)
    good = Page([disc], [], [Glyph(75, (-3.0, -2.0, 3.0, 2.0), 7.0)])
    assert not list(faults(good))
    assert len(list(faults(Page([disc], [], [Glyph(75, (-6.0, -2.0, 3.0, 2.0), 7.0)])))) == 1
    assert len(list(faults(Page([disc], [], [])))) == 1
    tag = Glyph(110, (8.0, -1.0, 10.0, 2.0), 7.0)
    assert not list(faults(Page([disc], [(7.0, 0.0)], [*good.glyphs, tag])))
    assert len(list(faults(Page([disc], [(9.0, 0.0)], [*good.glyphs, tag])))) == 1
    assert len(list(faults(Page([disc, Disc((12.0, 0.0), 3.0, 1.0)], [], [*good.glyphs, tag])))) == 1
