"""Small pictures of the rules of ``derivation.rules``."""

from __future__ import annotations

from ntkfeyn.derivation.rules import PairRule
from ntkfeyn.render.drawing.blocks import BLOCK
from ntkfeyn.render.drawing.layout import CUBIC, DOT, LINES, ORIGIN, PORT, SQUARE, Z_LINE, Strokes
from ntkfeyn.render.drawing.names import power_names
from ntkfeyn.render.drawing.places import INTERNAL, NEURON
from ntkfeyn.render.drawing.primitives import (
    BLACK,
    GREY,
    PALETTE,
    WHITE,
    Drawing,
    Label,
    Mark,
    Point,
    lens,
    parallel,
    wave,
)
from ntkfeyn.render.symbols import Symbols

NTK_LINE: Strokes = [("dotted", PALETTE[0])]
ON: Point = (INTERNAL, 0.0)
ANY = Label(ORIGIN, "T", "T")  # tensor
DISC = ANY.radius()


def pair_picture(rule: PairRule, symbols: Symbols) -> Drawing:
    """Two external slots meet in a cubic vertex, its line ends on a neuron; of a weight block all slots in one."""
    if rule.names_slots:
        return _block()
    dots: tuple[Point, Point] = ((-0.7, 0.5), (-0.7, -0.5))
    inside_a_leg = bool(rule.consumes_edge or rule.merges)
    paths = [*parallel(ORIGIN, dots[0], NTK_LINE if inside_a_leg else Z_LINE, 0.09)]
    paths += parallel(ORIGIN, dots[1], NTK_LINE, 0.09)
    if inside_a_leg:
        paths.append(wave(ORIGIN, ON))
    else:
        paths += parallel(ORIGIN, ON, [("solid", BLACK), ("dashed", BLACK)], 0.1)
    vertex = Mark(ORIGIN, SQUARE, WHITE, square=True) if rule.square else Mark(ORIGIN, CUBIC, BLACK)
    marks = (*(Mark(dot, DOT, BLACK) for dot in dots), vertex, Mark(ON, NEURON, WHITE))
    labels = [Label((-0.98, 0.5), "v", "v"), Label((-0.98, -0.5), "w", "w")]
    labels += [Label((0.65, -0.32), symbols.latex.omega, symbols.text.omega)] if rule.merges else []
    return Drawing("cubic", tuple(paths), marks, tuple(labels))


def _block() -> Drawing:
    """The slots of two pairs meet in one vertex, from which two lines leave."""
    left, right = (-INTERNAL, 0.0), (INTERNAL, 0.0)
    paths = [wave(ORIGIN, left), wave(ORIGIN, right)]
    marks = [Mark(left, NEURON, WHITE), Mark(right, NEURON, WHITE)]
    labels = []
    for k, x in enumerate((-1.05, -0.45, 0.45, 1.05)):
        dot = (x, 0.85)
        paths += parallel(ORIGIN, dot, Z_LINE if k % 2 else NTK_LINE, LINES)
        marks.append(Mark(dot, DOT, BLACK))
        labels.append(Label((x, 1.16), f"{'vw'[k % 2]}_{k // 2 + 1}", f"{'vw'[k % 2]}{k // 2 + 1}"))
    return Drawing("block", tuple(paths), (*marks, Mark(ORIGIN, BLOCK, BLACK)), tuple(labels))


def element_picture(name: str, symbols: Symbols) -> Drawing:
    """The picture of one of ``ELEMENT_RULES``."""
    ends = {"zz": [Z_LINE, Z_LINE], "mixed": [NTK_LINE, Z_LINE], "tied": [NTK_LINE, NTK_LINE]}
    if name in ends:
        return _pair(ends[name])
    if name == "propagator":
        return _propagator()
    labels = (ANY, Label((DISC + 0.36, 0.22), *power_names(1, symbols)))
    return Drawing("tensor", (), (Mark(ORIGIN, DISC, GREY),), labels)


def _pair(ends: list[Strokes]) -> Drawing:
    """A pair of a layer-l tensor on a neuron."""
    port = (DISC, 0.0)
    marks = (Mark(ORIGIN, DISC, GREY), Mark(ON, NEURON, WHITE), Mark(port, PORT, WHITE, port=True))
    return Drawing("pair", tuple(lens(port, ON, 0.0, ends)), marks, (ANY,))


def _propagator() -> Drawing:
    """Two functions on one neuron."""
    left, right = (-1.1, 0.0), (1.1, 0.0)
    labels = (Label((-0.65, -0.33), "f_1", "f1"), Label((0.65, -0.33), "f_2", "f2"))
    return Drawing("propagator", (wave(left, ORIGIN), wave(right, ORIGIN)), (Mark(ORIGIN, NEURON, WHITE),), labels)
