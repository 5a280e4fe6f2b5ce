"""SVG pictures of a Drawing, written directly.

Enters: a Drawing. Leaves: the text of a document.
"""

from __future__ import annotations

from html import escape

from ntkfeyn.render.drawing.legend import legended
from ntkfeyn.render.drawing.primitives import DASHES, Drawing, Label, Mark, Path, Point, prime

SCALE = 40.0
MIDDLE = 0.34  # of the size of letters: their middle is above their baseline (not every viewer centres them)
FONTS = "'STIX Two Text', 'STIXGeneral', 'Times New Roman', serif"


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
        pattern = " ".join(map(str, DASHES[item.style]))
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
        x, y = at((item.centre[0] - item.extent()[0], item.centre[1]) if item.line else item.centre)
        baseline = float(y) + MIDDLE * SCALE * item.size
        style = f'font-size="{SCALE * item.size:.1f}" text-anchor="{"start" if item.line else "middle"}"'
        return f'<text x="{x}" y="{baseline:.1f}" {style} font-family="{FONTS}">{escape(prime(item.plain))}</text>'

    rows = [*map(path, drawing.paths), *map(mark, drawing.marks), *map(label, drawing.labels)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.1f} {height:.1f}">'
    )
    background = '<rect width="100%" height="100%" fill="white"/>'
    return "\n".join([head, f"<title>{escape(drawing.title)}</title>", background, *rows, "</svg>"]) + "\n"
