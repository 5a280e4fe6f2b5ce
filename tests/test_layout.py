"""Pictures cannot be misread: measured over the named tensors at orders 1 and 2 and the six-slot channels."""

from __future__ import annotations

from dataclasses import replace

import pytest
from oracles.pictures import crossings, faults

from ntkfeyn.derivation.diagrams import Diagram, full_diagrams
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.drawing.layout import blob, edge_strokes, layout
from ntkfeyn.render.drawing.primitives import Label, Mark, Path
from ntkfeyn.render.drawing.sketch import side_by_side
from ntkfeyn.render.symbols import Symbols

SIX_SLOTS = ("C0C0C0", "C0C0R1", "C0C1", "C0R1R1", "C0R2", "C1R1", "C2", "R1R1R1", "R1R2", "R3")
CASES = [(name, order) for name in NAMES for order in (1, 2)] + [(name, 2) for name in SIX_SLOTS]


def drawn(name: str, order: int) -> list[Diagram]:
    """The merged diagrams and, where they differ, their members."""
    merged = enumerate_diagrams(standard(name), order).diagrams
    return [*merged, *(diagram for diagram in full_diagrams(merged) if diagram not in merged)]


@pytest.mark.parametrize(("name", "order"), CASES)
def test_no_drawing_can_be_misread(name: str, order: int) -> None:
    for diagram in drawn(name, order):
        drawing = layout(diagram, Symbols())
        assert not list(faults(drawing)), diagram.id
        angles = crossings(drawing)
        assert len(angles) <= 2, diagram.id
        assert all(angle > 20 for angle in angles), (diagram.id, angles)


@pytest.mark.parametrize("name", [*NAMES, *SIX_SLOTS])
def test_the_blob_cannot_be_misread(name: str) -> None:
    assert not list(faults(blob(standard(name), name, name, Symbols())))


def test_every_kind_of_fault_is_seen() -> None:
    """The measure itself: a good drawing, spoiled in one way at a time."""
    [diagram, *_] = enumerate_diagrams(standard("D"), 1).diagrams
    good = layout(diagram, Symbols())
    assert not list(faults(good))
    neuron = next(mark for mark in good.marks if mark.radius == 0.19)
    label = good.labels[0]
    spoiled = [
        replace(good, paths=(*good.paths, Path(((-3.0, 0.05), (3.0, 0.05))))),
        replace(good, marks=(*good.marks, Mark((neuron.centre[0] + 0.2, 0.0), 0.2, "D9D9D9"))),
        replace(good, labels=(*good.labels, Label(label.centre, "x", "x"))),
        replace(good, labels=(*good.labels, Label((neuron.centre[0] + 0.15, 0.0), "x", "x"))),
        replace(good, labels=(*good.labels, Label((-0.8, 0.0), "x", "x"))),
    ]
    assert all(list(faults(drawing)) for drawing in spoiled)
    crossing = replace(good, paths=(*good.paths, Path(((-1.0, -1.0), (-0.6, 1.0)))))
    assert len(crossings(crossing)) == 1


def test_each_line_of_a_cubic_vertex_lies_on_the_side_of_its_slot() -> None:
    """T:1:1: sigma' at slot 1 on top of the left vertex, so the dashed line is the upper one there."""
    diagram = next(d for d in enumerate_diagrams(standard("T"), 1).diagrams if d.id == "T:1:1")
    left = next(v for v in diagram.cubic_vertices if 1 in v.slots)
    assert {factor.slot: factor.order for factor in left.factors} == {1: 1, 3: 0}
    drawing = layout(diagram, Symbols())
    heights = {
        label.plain: label.centre[1] for label in drawing.labels if label.plain in ("1", "3") and label.centre[0] < 0
    }
    lines = [p for p in drawing.paths if p.style in ("solid", "dashed") and not p.curved and p.points[0][0] < -1]
    upper = max(lines, key=lambda path: path.points[0][1])
    assert (upper.style == "dashed") == (heights["1"] > heights["3"])


def test_tensors_without_a_letter_are_in_the_legend() -> None:
    last = enumerate_diagrams(standard("K"), 2).diagrams[-1]
    assert layout(last, Symbols()).legend == (("C000", "C0C0C0@2"),)


def test_tensors_show_their_power_of_one_over_n() -> None:
    for diagram in enumerate_diagrams(standard("V"), 2).diagrams:
        texts = [label.plain for label in layout(diagram, Symbols()).labels]
        for order, text in ((1, "/n"), (2, "/n²")):
            assert texts.count(text) == sum(tensor.order == order for tensor in diagram.tensor_vertices)


def test_contractions_differ_in_line_style_and_colour() -> None:
    for name in ("T", "R", "A"):
        strokes = list(edge_strokes(standard(name)).values())
        assert len({style for style, _ in strokes}) == len({colour for _, colour in strokes}) == len(strokes)


def test_sketches_fit_their_terminal() -> None:
    drawings = [layout(diagram, Symbols()) for diagram in enumerate_diagrams(standard("T"), 1).diagrams]
    for width in (60, 100, 200):
        text = side_by_side(drawings, width)
        assert max(map(len, text.splitlines())) <= width
        assert all(drawing.title in text for drawing in drawings)
        assert text.count("Θ") == sum(label.plain == "Θ" for drawing in drawings for label in drawing.labels)
    assert side_by_side(drawings, 20) == ""
    assert side_by_side([], 80) == ""
