"""SVG and PNG pictures of a Drawing. SVG is written directly; PNG goes through matplotlib."""

from __future__ import annotations

from html import escape
from io import BytesIO

from ntkfeyn.render.drawing.primitives import Drawing, Label, Mark, Path, Point, legended

SCALE = 48.0
_DASHES = {
    "solid": (),
    "dashed": (6, 4),
    "dotted": (1.5, 3),
    "sparse": (1.5, 7),
    "dashdot": (8, 3, 1.5, 3),
    "dashdotdot": (8, 3, 1.5, 3, 1.5, 3),
}


def svg(drawing: Drawing) -> str:
    """A self-contained SVG document, the legend below."""
    drawing = legended(drawing)
    x0, y0, x1, y1 = drawing.box()
    width, height = SCALE * (x1 - x0), SCALE * (y1 - y0)

    def at(point: Point) -> tuple[str, str]:
        return f"{SCALE * (point[0] - x0):.1f}", f"{SCALE * (y1 - point[1]):.1f}"

    def path(item: Path) -> str:
        points = [" ".join(at(p)) for p in item.points]
        body = f"M{points[0]} C{', '.join(points[1:])}" if item.curved else "M" + " L".join(points)
        pattern = " ".join(map(str, _DASHES[item.style]))
        dashes = f' stroke-dasharray="{pattern}"' if pattern else ""
        width = 1 if item.style in ("solid", "dashed") else 1.8
        return f'<path d="{body}" fill="none" stroke="#{item.colour}" stroke-width="{width}"{dashes}/>'

    def mark(item: Mark) -> str:
        (x, y), r = at(item.centre), SCALE * item.radius
        if item.square:
            corner = at((item.centre[0] - item.radius, item.centre[1] + item.radius))
            size = f'width="{2 * r:.1f}" height="{2 * r:.1f}"'
            return f'<rect x="{corner[0]}" y="{corner[1]}" {size} fill="#{item.fill}" stroke="black"/>'
        return f'<circle cx="{x}" cy="{y}" r="{r:.1f}" fill="#{item.fill}" stroke="black"/>'

    def label(item: Label) -> str:
        x, y = at(item.centre)
        style = f'font-size="{SCALE * item.size:.1f}" text-anchor="middle" dominant-baseline="central"'
        return f'<text x="{x}" y="{y}" {style} font-family="serif">{escape(item.plain)}</text>'

    rows = [*map(path, drawing.paths), *map(mark, drawing.marks), *map(label, drawing.labels)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.1f} {height:.1f}">'
    )
    background = '<rect width="100%" height="100%" fill="white"/>'
    return "\n".join([head, f"<title>{escape(drawing.title)}</title>", background, *rows, "</svg>"]) + "\n"


def load_matplotlib() -> None:
    """Import it without its notices: where the home directory cannot be written to it makes a cache of its own."""
    import logging

    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        import matplotlib.font_manager  # noqa: F401
    finally:
        logger.setLevel(level)


def png(drawing: Drawing) -> bytes:
    """A PNG image at 150 dots per inch, the legend below."""
    drawing = legended(drawing)
    load_matplotlib()
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
        dashes = (0, tuple(d / 1.8 for d in _DASHES[path.style])) if path.style != "solid" else "solid"
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
