"""The cumulant itself: a grey disc with its external slots, each pair of its channel at a port of its own."""

from __future__ import annotations

from math import pi

from ntkfeyn.model.cumulants import Cumulant
from ntkfeyn.render.drawing.layout import EXTERNAL, ORIGIN, PORT, Canvas, downwards, edge_strokes
from ntkfeyn.render.drawing.primitives import GREY, WHITE, Drawing, Mark, polar
from ntkfeyn.render.symbols import Symbols

LEAST = 0.5  # radius
SPREAD = 0.5  # half the angle between the slots of a pair


def blob(cumulant: Cumulant, tex: str, plain: str, symbols: Symbols, *, plainly: bool = False) -> Drawing:
    """The left-hand side of an equation of diagrams."""
    canvas, strokes = Canvas(symbols, plainly), edge_strokes(cumulant)
    label = canvas.label((tex, plain))
    radius = max(LEAST, label.radius())
    canvas.marks.append(Mark(ORIGIN, radius, GREY))
    for i, (a, b) in enumerate(cumulant.channel):
        outward = pi - 2 * pi * i / len(cumulant.channel)
        port = polar(ORIGIN, radius, outward)
        directions = downwards(outward, SPREAD)
        for slot, direction in zip((cumulant.labels[a], cumulant.labels[b]), directions, strict=True):
            canvas.slot(slot, port, polar(port, EXTERNAL, direction), strokes)
        canvas.marks.append(Mark(port, PORT, WHITE, port=True))
    canvas.labels.append(label)
    return canvas.drawing(cumulant.name)
