"""Pictures cannot be misread: measured over the named tensors at orders 1 and 2 and the six-slot channels."""

from __future__ import annotations

from dataclasses import replace

import pytest
from oracles.pictures import crossings, faults, tensor_at

from ntkfeyn.derivation.diagrams import Diagram, full_diagrams
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.rules import ELEMENT_RULES, RULE
from ntkfeyn.model.cumulants import identify, standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.drawing.layout import blob, edge_strokes, layout
from ntkfeyn.render.drawing.legend import legend_lines
from ntkfeyn.render.drawing.primitives import GREY, WHITE, Label, Mark, Path
from ntkfeyn.render.drawing.rules import element_picture, pair_picture
from ntkfeyn.render.drawing.sketch import side_by_side
from ntkfeyn.render.symbols import LATEX, TEXT, Symbols

SIX_SLOTS = ("C0C0C0", "C0C0R1", "C0C1", "C0R1R1", "C0R2", "C1R1", "C2", "R1R1R1", "R1R2", "R3")
CASES = [(name, order) for name in NAMES for order in (1, 2)] + [(name, 2) for name in SIX_SLOTS]


MEDIA = {"TeX": False, "plain text": True}  # in which labels are measured


def drawn(name: str, order: int) -> list[Diagram]:
    """The merged diagrams and, where they differ, their members."""
    merged = enumerate_diagrams(standard(name), order).diagrams
    return [*merged, *(diagram for diagram in full_diagrams(merged) if diagram not in merged)]


@pytest.mark.parametrize(("name", "order"), CASES)
def test_no_drawing_can_be_misread(name: str, order: int) -> None:
    for diagram in drawn(name, order):
        for plainly in MEDIA.values():
            drawing = layout(diagram, Symbols(), plainly=plainly)
            assert not list(faults(drawing)), diagram.id
            angles = crossings(drawing)
            assert len(angles) <= 2, diagram.id
            assert all(angle > 20 for angle in angles), (diagram.id, angles)


@pytest.mark.parametrize("name", [*NAMES, *SIX_SLOTS])
def test_the_blob_cannot_be_misread(name: str) -> None:
    for plainly in MEDIA.values():
        assert not list(faults(blob(standard(name), name, name, Symbols(), plainly=plainly)))


@pytest.mark.parametrize(
    "tex", [r"\mathcal{K}^{[\infty]}", r"\mathbf{\widehat{\Theta}}^{(\infty)}_{\!\!\star}", "ABCDEFGHIJKL"]
)
def test_discs_fit_the_letters_of_an_author(tex: str) -> None:
    own = dict.fromkeys(("K", "Theta", "V", "D", "F"), tex)
    symbols = Symbols(
        text=replace(TEXT, tensors=own), latex=replace(LATEX, tensors=own, samples=(r"\alpha_1", r"\beta_2"))
    )
    for name, order in (("Theta", 1), ("K", 2), ("Theta", 2), ("F", 1)):
        for diagram in drawn(name, order):
            for plainly in MEDIA.values():
                assert not list(faults(layout(diagram, symbols, plainly=plainly))), diagram.id


@pytest.mark.parametrize(("name", "order"), CASES)
def test_legs_and_channel_of_every_tensor_can_be_read_off(name: str, order: int) -> None:
    """From the lines at its ports alone: so no two tensors look alike."""
    for diagram in drawn(name, order):
        drawing = layout(diagram, Symbols())
        discs = [mark for mark in drawing.marks if mark.fill == GREY]
        read = [identify(*tensor_at(drawing, disc)).name for disc in discs]
        assert read == [vertex.name for vertex in diagram.tensor_vertices], diagram.id


@pytest.mark.parametrize("name", [*NAMES, *SIX_SLOTS])
def test_legs_and_channel_of_a_blob_can_be_read_off(name: str) -> None:
    drawing = blob(standard(name), name, name, Symbols())
    [disc] = [mark for mark in drawing.marks if mark.fill == GREY]
    assert identify(*tensor_at(drawing, disc)).name == name


@pytest.mark.parametrize(("name", "order"), CASES)
def test_no_two_tensors_of_an_equation_have_one_label(name: str, order: int) -> None:
    meant: dict[str, set[tuple[str, int]]] = {}
    for diagram in drawn(name, order):
        drawing = layout(diagram, Symbols())
        discs = [mark.centre for mark in drawing.marks if mark.fill == GREY]
        labels = {label.centre: label for label in drawing.labels}
        for centre, vertex in zip(discs, diagram.tensor_vertices, strict=True):
            for text in (labels[centre].tex, labels[centre].plain):
                meant.setdefault(text, set()).add((vertex.name, vertex.order))
    assert [text for text, tensors in meant.items() if len(tensors) > 1] == []


def test_pictures_of_rules_cannot_be_misread() -> None:
    drawings = [pair_picture(rule, Symbols()) for rule in RULE.values()]
    drawings += [element_picture(rule.name, Symbols()) for rule in ELEMENT_RULES]
    assert [fault for drawing in drawings for fault in faults(drawing)] == []


def test_tags_are_in_the_letter_of_the_width() -> None:
    symbols = Symbols(text=replace(TEXT, width="N"), latex=replace(LATEX, width=r"\mathcal{N}"))
    drawing = layout(enumerate_diagrams(standard("F"), 1).diagrams[1], symbols)
    assert ("/N", r"/\mathcal{N}") in {(label.plain, label.tex) for label in drawing.labels}
    assert legend_lines([drawing]) == ["/N: power of 1/N that the tensor counts"]


def test_every_kind_of_fault_is_seen() -> None:
    """The measure itself: a good drawing, spoiled in one way at a time."""
    [diagram, *_] = enumerate_diagrams(standard("D"), 1).diagrams
    good = layout(diagram, Symbols())
    assert not list(faults(good))
    neuron = next(mark for mark in good.marks if mark.fill == WHITE and not mark.port)
    label = good.labels[0]
    other = layout(enumerate_diagrams(standard("Theta"), 1).diagrams[-1], Symbols())  # with an F on one neuron
    assert not list(faults(other))
    tag = next(label for label in other.labels if label.plain == "/n")
    disc = next(mark for mark in other.marks if mark.fill == GREY)
    name = next(label for label in other.labels if label.centre == disc.centre)
    port = next(mark for mark in other.marks if mark.port)
    apart = (disc.centre[0] - disc.radius - tag.extent()[0], disc.centre[1])
    spoiled = [
        replace(good, paths=(*good.paths, Path(((-3.0, 0.05), (3.0, 0.05))))),
        replace(good, marks=(*good.marks, Mark((neuron.centre[0] + 0.2, 0.0), 0.2, GREY))),
        replace(good, labels=(*good.labels, Label(label.centre, "x", "x"))),
        replace(good, labels=(*good.labels, Label((neuron.centre[0] + 0.15, 0.0), "x", "x"))),
        replace(good, labels=(*good.labels, Label((-0.8, 0.0), "x", "x"))),
        replace(other, labels=tuple(replace(x, tex="WWW") if x is name else x for x in other.labels)),
        replace(other, labels=tuple(x.at(apart) if x is tag else x for x in other.labels)),
        replace(other, marks=(*other.marks, Mark((port.centre[0], port.centre[1] + 0.1), 0.06, WHITE, port=True))),
        replace(other, paths=(*other.paths, Path((port.centre, (disc.centre[0] + 1.0, disc.centre[1]))))),
    ]
    assert [k for k, drawing in enumerate(spoiled) if not list(faults(drawing))] == []
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


def test_the_legend_explains_tags_and_tensors_without_a_letter() -> None:
    last = enumerate_diagrams(standard("K"), 2).diagrams[-1]
    drawing = layout(last, Symbols())
    assert legend_lines([drawing]) == [
        "C000: z1 z2 z3 z4 z5 z6, channel 12.34.56",
        "/n²: power of 1/n that the tensor counts",
    ]
    everything = [layout(diagram, Symbols()) for diagram in enumerate_diagrams(standard("Theta"), 2).diagrams]
    lines = legend_lines(everything)
    assert lines[0] == "/n, /n²: power of 1/n that the tensor counts"
    assert [line.split(":")[0] for line in lines[1:]] == ["C000", "C00R1", "C01"]
    assert layout(enumerate_diagrams(standard("Theta"), 0).diagrams[0], Symbols()).legend == ()


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
