"""Small pictures of the Feynman rules, keyed as ``translation.RULES``."""

from __future__ import annotations

from ntkfeyn.derivation.diagrams import NEW_EDGE, OMEGA, WEIGHT
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

Z_LINE = [("solid", BLACK)]
NTK_LINE = [("dotted", PALETTE[0])]
ORIGIN: Point = (0.0, 0.0)
NEURON: Point = (1.4, 0.0)


def rule_pictures() -> dict[str, Drawing]:
    """A picture for each rule that has one."""
    return {
        WEIGHT: _cubic(Z_LINE, NTK_LINE, new=False, omega=False),
        NEW_EDGE: _cubic(NTK_LINE, NTK_LINE, new=True, omega=False),
        OMEGA: _cubic(NTK_LINE, NTK_LINE, new=False, omega=True),
        "tensor": Drawing("tensor", (), (Mark(ORIGIN, 0.27, GREY),), (Label(ORIGIN, "T", "T", 0.26),)),
        "zz": _tensor([Z_LINE, Z_LINE]),
        "mixed": _tensor([NTK_LINE, Z_LINE]),
        "tied": _tensor([NTK_LINE, NTK_LINE]),
        "propagator": _propagator(),
    }


def _cubic(first: list[tuple[str, str]], second: list[tuple[str, str]], *, new: bool, omega: bool) -> Drawing:
    """Two external slots meet in a cubic vertex, its line ends on a neuron."""
    dots: tuple[Point, Point] = ((-0.75, 0.55), (-0.75, -0.55))
    paths = [*parallel(ORIGIN, dots[0], first, 0.09), *parallel(ORIGIN, dots[1], second, 0.09)]
    if omega or new:
        paths.append(wave(ORIGIN, NEURON))
    else:
        paths += parallel(ORIGIN, NEURON, [("solid", BLACK), ("dashed", BLACK)], 0.1)
    vertex = Mark(ORIGIN, 0.09, WHITE, square=True) if new else Mark(ORIGIN, 0.05, BLACK)
    marks = (*(Mark(dot, 0.065, BLACK) for dot in dots), vertex, Mark(NEURON, 0.19, WHITE))
    labels = [Label((-1.02, 0.7), "v", "v"), Label((-1.02, -0.7), "w", "w")]
    labels += [Label((0.6, -0.32), r"\Omega", "Ω", 0.26)] if omega else []
    return Drawing("cubic", tuple(paths), marks, tuple(labels))


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
