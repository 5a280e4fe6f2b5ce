"""PNG and PDF pictures of a Drawing, through matplotlib.

Enters: a Drawing. Leaves: the bytes of a file, the same on every machine with the same matplotlib: its own fonts, no
date, no version. Letters are of 8 pt, so a PDF can stand in a paper as it is.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from ntkfeyn.render.drawing.fonts import own_fonts
from ntkfeyn.render.drawing.legend import legended
from ntkfeyn.render.drawing.primitives import DASHES, LETTER, Drawing, prime

POINTS = 8 / LETTER  # a unit, in points
DOTS = 250  # an inch
STYLE = {
    "font.family": ["STIXGeneral", "DejaVu Sans"],
    "pdf.fonttype": 42,
    "pdf.compression": 9,
    "path.simplify": False,
}


def png(drawing: Drawing) -> bytes:
    """A PNG image at 250 dots per inch, the legend below."""
    with own_fonts(STYLE):
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        buffer = BytesIO()
        FigureCanvasAgg(_figure(legended(drawing))).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def pdf(drawing: Drawing) -> bytes:
    """A PDF page of the size of the picture, vector graphics with its fonts embedded, the legend below."""
    with own_fonts(STYLE):
        from matplotlib.backends.backend_pdf import FigureCanvasPdf

        buffer = BytesIO()
        nothing = {"Creator": None, "Producer": None, "CreationDate": None}
        FigureCanvasPdf(_figure(legended(drawing))).print_pdf(buffer, metadata={**nothing, "Title": drawing.title})
    return buffer.getvalue()


def _figure(drawing: Drawing) -> Any:
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle, PathPatch, Rectangle
    from matplotlib.path import Path as Curve

    x0, y0, x1, y1 = drawing.box()
    figure = Figure(figsize=(POINTS / 72 * (x1 - x0), POINTS / 72 * (y1 - y0)), dpi=DOTS)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(x0, x1), ylim=(y0, y1))
    axes.axis("off")
    for path in drawing.paths:
        codes = [Curve.MOVETO, *[Curve.CURVE4 if path.curved else Curve.LINETO] * (len(path.points) - 1)]
        width = 0.5 if path.style in ("solid", "dashed") else 0.9
        dashes = (0, tuple(0.4 * d / width for d in DASHES[path.style])) if path.style != "solid" else "solid"
        curve = Curve(path.points, codes)
        patch = PathPatch(curve, facecolor="none", edgecolor=f"#{path.colour}", linewidth=width, zorder=1)
        patch.set_linestyle(dashes)
        axes.add_patch(patch)
    for mark in drawing.marks:
        (x, y), r = mark.centre, mark.radius
        shape = Rectangle((x - r, y - r), 2 * r, 2 * r) if mark.square else Circle((x, y), r)
        shape.set(facecolor=f"#{mark.fill}", edgecolor="black", linewidth=0.5, zorder=2)
        axes.add_patch(shape)
    for label in drawing.labels:
        x, side = (label.centre[0] - label.extent()[0], "left") if label.line else (label.centre[0], "center")
        text, size = prime(label.plain), POINTS * label.size
        axes.text(x, label.centre[1], text, ha=side, va="center_baseline", fontsize=size, zorder=3)
    return figure
