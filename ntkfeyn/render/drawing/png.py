"""PNG pictures of a Drawing, through matplotlib.

Enters: a Drawing. Leaves: the bytes of an image, the same on every machine with the same matplotlib.
"""

from __future__ import annotations

from io import BytesIO

from ntkfeyn.render.drawing.fonts import own_fonts
from ntkfeyn.render.drawing.primitives import DASHES, Drawing, legended


def png(drawing: Drawing) -> bytes:
    """A PNG image at 150 dots per inch, the legend below."""
    drawing = legended(drawing)
    with own_fonts():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.patches import Circle, PathPatch, Rectangle
        from matplotlib.path import Path as Curve

        x0, y0, x1, y1 = drawing.box()
        figure = Figure(figsize=(0.6 * (x1 - x0), 0.6 * (y1 - y0)), dpi=150)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(x0, x1), ylim=(y0, y1))
        axes.axis("off")
        for path in drawing.paths:
            codes = [Curve.MOVETO, *[Curve.CURVE4 if path.curved else Curve.LINETO] * (len(path.points) - 1)]
            curve = Curve(path.points, codes)
            dashes = (0, tuple(d / 1.8 for d in DASHES[path.style])) if path.style != "solid" else "solid"
            patch = PathPatch(curve, facecolor="none", edgecolor=f"#{path.colour}", linewidth=1.2, zorder=1)
            patch.set_linestyle(dashes)
            axes.add_patch(patch)
        for mark in drawing.marks:
            (x, y), r = mark.centre, mark.radius
            shape = Rectangle((x - r, y - r), 2 * r, 2 * r) if mark.square else Circle((x, y), r)
            shape.set(facecolor=f"#{mark.fill}", edgecolor="black", zorder=2)
            axes.add_patch(shape)
        for label in drawing.labels:
            axes.text(*label.centre, label.plain, ha="center", va="center", fontsize=36 * label.size, zorder=3)
        buffer = BytesIO()
        FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()
