"""TikZ picture of a Drawing: plain coordinates, no libraries, no layout at TeX time."""

from __future__ import annotations

from ntkfeyn.render.drawing.primitives import Drawing, Label, Mark, Path, Point

SCALE = 0.6
_STYLES = {
    "solid": "",
    "dotted": ",dash pattern=on 0.6pt off 1.3pt,line width=0.9pt",
    "sparse": ",dash pattern=on 0.6pt off 3pt,line width=1.1pt",
    "dashdot": ",dash pattern=on 3pt off 1.2pt on 0.6pt off 1.2pt,line width=0.7pt",
    "dashdotdot": ",dash pattern=on 3pt off 1.2pt on 0.6pt off 1.2pt on 0.6pt off 1.2pt,line width=0.7pt",
    "dashed": ",dash pattern=on 2.4pt off 1.8pt",
}


def tikz(drawing: Drawing) -> str:
    """A tikzpicture environment; its baseline is the middle of the picture."""
    rows = [*map(_path, drawing.paths), *map(_mark, drawing.marks), *map(_label, drawing.labels)]
    body = "\n".join(f"  {row}" for row in rows)
    return (
        f"\\begin{{tikzpicture}}[scale={SCALE},baseline=(current bounding box.center)]\n{body}\n\\end{{tikzpicture}}\n"
    )


def _at(point: Point) -> str:
    return f"({point[0]:g},{point[1]:g})"


def _colour(hexadecimal: str) -> str:
    red, green, blue = (int(hexadecimal[k : k + 2], 16) for k in (0, 2, 4))
    return f"{{rgb,255:red,{red};green,{green};blue,{blue}}}"


def _path(path: Path) -> str:
    options = f"draw={_colour(path.colour)}{_STYLES[path.style]}"
    if path.curved:
        a, first, second, b = map(_at, path.points)
        return f"\\path[{options}] {a} .. controls {first} and {second} .. {b};"
    return f"\\path[{options}] {' -- '.join(map(_at, path.points))};"


def _mark(mark: Mark) -> str:
    options = f"draw=black,fill={_colour(mark.fill)}"
    if mark.square:
        (x, y), r = mark.centre, mark.radius
        return f"\\path[{options}] {_at((x - r, y - r))} rectangle {_at((x + r, y + r))};"
    return f"\\path[{options}] {_at(mark.centre)} circle[radius={mark.radius:g}];"


def _label(label: Label) -> str:
    return f"\\node[inner sep=0pt,font=\\tiny] at {_at(label.centre)} {{${label.tex}$}};"
