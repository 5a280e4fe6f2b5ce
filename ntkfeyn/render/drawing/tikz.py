"""TikZ picture of a Drawing: plain coordinates in multiples of the size of \\scriptsize; no libraries of TikZ.

Enters: a Drawing. Leaves: one tikzpicture environment whose labels, lines and discs grow with the font of the document.
A disc is a node around its label: in fonts wider than Computer Modern it grows with it. The bounding box is the
drawing's own: its size is known before TeX runs. The neurons of all pictures lie at the height of the maths axis, where
the signs between them are.
"""

from __future__ import annotations

from collections.abc import Iterable

from ntkfeyn.render.drawing.primitives import BLACK, GREY, LETTER, WHITE, Drawing, Label, Mark, Path, Point

UNIT = 1 / LETTER  # in sizes of the font
AXIS = 0.25  # height of a minus sign, in the same
HEAD = (
    r"\begin{tikzpicture}[/utils/exec={\scriptsize\def\lettersize{\csname f@size\endcsname pt}},"
    rf"x={UNIT:g}*\lettersize,y={UNIT:g}*\lettersize,baseline=(axis)]"
)
_STYLES = {
    "solid": "",
    "dotted": "dash pattern=on 0.6pt off 1.3pt,line width=0.9pt",
    "sparse": "dash pattern=on 0.6pt off 3pt,line width=1.1pt",
    "dashdot": "dash pattern=on 3pt off 1.2pt on 0.6pt off 1.2pt,line width=0.7pt",
    "dashdotdot": "dash pattern=on 3pt off 1.2pt on 0.6pt off 1.2pt on 0.6pt off 1.2pt,line width=0.7pt",
    "dashed": "dash pattern=on 2.4pt off 1.8pt",
}


_NAMED = {BLACK: "black", WHITE: "white", GREY: "black!15"}


def tikz(drawing: Drawing) -> str:
    """A tikzpicture environment; what stands in the text beside it is level with its neurons.

    What looks alike is drawn by one command: TeX reads its options once.
    """
    named = {label.centre: label for label in drawing.labels}
    discs = [mark for mark in drawing.marks if mark.centre in named]
    held = {mark.centre for mark in discs}
    x0, y0, x1, y1 = drawing.box()
    rows = [rf"\useasboundingbox {_at((x0, y0))} rectangle {_at((x1, y1))} (0,{-AXIS * LETTER:g}) coordinate (axis);"]
    rows += _gathered((_line_options(path), _route(path)) for path in drawing.paths)
    rows += [_disc(mark, named[mark.centre]) for mark in discs]
    rows += _gathered(
        (f"\\filldraw[fill={_colour(mark.fill)}]", _outline(mark)) for mark in drawing.marks if mark not in discs
    )
    rows += [_label(label) for label in drawing.labels if label.centre not in held]
    body = "\n".join(f"  {row}" for row in rows)
    return f"{HEAD}\n{body}\n\\end{{tikzpicture}}\n"


def _gathered(items: Iterable[tuple[str, str]]) -> list[str]:
    """One command a way to draw, in the order in which they occur first."""
    found: dict[str, list[str]] = {}
    for command, route in items:
        found.setdefault(command, []).append(route)
    return [f"{command} {' '.join(routes)};" for command, routes in found.items()]


def _at(point: Point) -> str:
    return f"({round(point[0], 4):g},{round(point[1], 4):g})"


def _colour(hexadecimal: str) -> str:
    if hexadecimal in _NAMED:
        return _NAMED[hexadecimal]
    red, green, blue = (int(hexadecimal[k : k + 2], 16) for k in (0, 2, 4))
    return f"{{rgb,255:red,{red};green,{green};blue,{blue}}}"


def _line_options(path: Path) -> str:
    colour = "" if path.colour == BLACK else f"color={_colour(path.colour)}"
    options = ",".join(filter(None, (colour, _STYLES[path.style])))
    return rf"\draw[{options}]" if options else r"\draw"


def _route(path: Path) -> str:
    if path.curved:
        a, first, second, b = map(_at, path.points)
        return f"{a} .. controls {first} and {second} .. {b}"
    return " -- ".join(map(_at, path.points))


def _outline(mark: Mark) -> str:
    if mark.square:
        (x, y), r = mark.centre, mark.radius
        return f"{_at((x - r, y - r))} rectangle {_at((x + r, y + r))}"
    return f"{_at(mark.centre)} circle[radius={mark.radius:g}]"


def _disc(mark: Mark, label: Label) -> str:
    size = f"{2 * UNIT * mark.radius:.4g}*\\lettersize"
    options = f"circle,draw,fill={_colour(mark.fill)},inner sep=0.5pt,minimum size={size}"
    return f"\\node[{options}] at {_at(mark.centre)} {{${label.tex}$}};"


def _label(label: Label) -> str:
    return f"\\node[inner sep=0pt] at {_at(label.centre)} {{${label.tex}$}};"
