"""Small pictures of the rules of ``derivation.rules``."""

from __future__ import annotations

from ntkfeyn.derivation.rules import PairRule
from ntkfeyn.render.drawing.primitives import (
    BLACK,
    GREY,
    PALETTE,
    WHITE,
    Drawing,
    Label,
    Mark,
    Path,
    Point,
    arcs,
    parallel,
    wave,
)
from ntkfeyn.render.symbols import Symbols

Z_LINE = [("solid", BLACK)]
NTK_LINE = [("dotted", PALETTE[0])]
ORIGIN: Point = (0.0, 0.0)
NEURON: Point = (1.4, 0.0)


def pair_picture(rule: PairRule, symbols: Symbols) -> Drawing:
    """Two external slots meet in a cubic vertex, its line ends on a neuron."""
    dots: tuple[Point, Point] = ((-0.75, 0.55), (-0.75, -0.55))
    inside_a_leg = bool(rule.consumes_edge or rule.merges)
    paths = [*parallel(ORIGIN, dots[0], NTK_LINE if inside_a_leg else Z_LINE, 0.09)]
    paths += parallel(ORIGIN, dots[1], NTK_LINE, 0.09)
    if inside_a_leg:
        paths.append(wave(ORIGIN, NEURON))
    else:
        paths += parallel(ORIGIN, NEURON, [("solid", BLACK), ("dashed", BLACK)], 0.1)
    vertex = Mark(ORIGIN, 0.09, WHITE, square=True) if rule.square else Mark(ORIGIN, 0.05, BLACK)
    marks = (*(Mark(dot, 0.065, BLACK) for dot in dots), vertex, Mark(NEURON, 0.19, WHITE))
    labels = [Label((-1.02, 0.7), "v", "v"), Label((-1.02, -0.7), "w", "w")]
    labels += [Label((0.6, -0.32), symbols.latex.omega, symbols.text.omega, 0.26)] if rule.merges else []
    return Drawing("cubic", tuple(paths), marks, tuple(labels))


def element_picture(name: str) -> Drawing:
    """The picture of one of ``ELEMENT_RULES``."""
    strokes = {"zz": [Z_LINE, Z_LINE], "mixed": [NTK_LINE, Z_LINE], "tied": [NTK_LINE, NTK_LINE]}
    if name in strokes:
        return _tensor(strokes[name])
    if name == "propagator":
        return _propagator()
    return Drawing("tensor", (), (Mark(ORIGIN, 0.27, GREY),), (Label(ORIGIN, "T", "T", 0.26),))


def _tensor(strokes: list[list[tuple[str, str]]]) -> Drawing:
    """A pair of a layer-l tensor on a neuron."""
    marks = (Mark(ORIGIN, 0.27, GREY), Mark(NEURON, 0.19, WHITE))
    return Drawing("pair", tuple(arcs(ORIGIN, NEURON, strokes, 1.1)), marks, (Label(ORIGIN, "T", "T", 0.26),))


def _propagator() -> Drawing:
    """Two functions on one neuron."""
    left, right = (-1.1, 0.0), (1.1, 0.0)
    paths: tuple[Path, ...] = (wave(left, ORIGIN), wave(right, ORIGIN))
    labels = (Label((-0.62, -0.3), "f_1", "f1", 0.26), Label((0.62, -0.3), "f_2", "f2", 0.26))
    return Drawing("propagator", paths, (Mark(ORIGIN, 0.19, WHITE),), labels)
