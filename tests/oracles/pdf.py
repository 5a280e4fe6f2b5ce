"""What stands on the pages of a PDF that pdflatex wrote without compression: glyphs, filled discs, drawn lines.

Knows nothing of TeX's sources, nor of how a picture was laid out: it reads page contents, fonts' widths and matrices.
Compile with ``\\pdfcompresslevel=0 \\pdfobjcompresslevel=0`` in front of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, cos, hypot, pi, sin
from pathlib import Path
from typing import Any

import numpy as np

Point = tuple[float, float]
Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
ROUND = [(cos(pi * k / 24), sin(pi * k / 24)) for k in range(48)]
ASCENT = 0.6  # of the size of a font: where the ink of most glyphs ends; their boxes hold more
TOKEN = re.compile(rb"\((?:\\.|[^\\()])*\)|<<|>>|<[0-9A-Fa-f]*>|\[|\]|/[^\s/\[\]()<>]+|[^\s/\[\]()<>]+", re.DOTALL)


@dataclass(frozen=True)
class Glyph:
    """A character code, the box of its ink (about), and the size of its font."""

    code: int
    box: tuple[float, float, float, float]
    size: float

    @property
    def corners(self) -> list[Point]:
        x0, y0, x1, y1 = self.box
        return [(x, y) for x in (x0, x1) for y in (y0, y1)]


@dataclass(frozen=True)
class Disc:
    centre: Point
    radius: float
    grey: float


@dataclass
class Page:
    """Discs, points along drawn lines, glyphs."""

    discs: list[Disc] = field(default_factory=list)
    lines: list[Point] = field(default_factory=list)
    glyphs: list[Glyph] = field(default_factory=list)


def pages(path: Path) -> list[Page]:
    """Every page of a document."""
    objects = _objects(path.read_bytes())
    found = []
    for body in objects.values():
        if re.search(rb"/Type\s*/Page\b(?!s)", body):
            contents = objects[int(_group(rb"/Contents (\d+) 0 R", body))]
            stream = contents[contents.index(b"stream") + 6 : contents.rindex(b"endstream")]
            resources = objects[int(_group(rb"/Resources (\d+) 0 R", body))]
            found.append(_Reader(_fonts(resources, objects)).read(stream))
    return found


def _group(pattern: bytes, text: bytes) -> bytes:
    match = re.search(pattern, text)
    assert match, pattern
    return match[1]


def _objects(data: bytes) -> dict[int, bytes]:
    """Objects by number, from the table at the end of the file."""
    table = data[int(_group(rb"startxref\s+(\d+)\s+%%EOF\s*$", data)) :]
    assert table.startswith(b"xref"), "compressed: \\pdfobjcompresslevel=0"
    entries = re.findall(rb"(\d{10}) \d{5} ([nf])", table)
    starts = sorted(int(offset) for offset, kind in entries if kind == b"n")
    ends = dict(zip(starts, [*starts[1:], len(data)], strict=True))
    used = ((n, int(offset)) for n, (offset, kind) in enumerate(entries) if kind == b"n")
    return {n: data[start : ends[start]] for n, start in used}


def _fonts(resources: bytes, objects: dict[int, bytes]) -> dict[bytes, tuple[int, list[float]]]:
    """First character and widths, in thousandths, of each font of a page."""
    fonts = {}
    inside = re.search(rb"/Font\s*<<(.*?)>>", resources, re.DOTALL)
    for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", inside[1] if inside else b""):
        font = objects[int(number)]
        widths = objects[int(_group(rb"/Widths (\d+) 0 R", font))]
        numbers = [float(w) for w in _group(rb"\[(.*?)\]", widths.replace(b"\n", b" ")).split()]
        fonts[b"/" + name] = (int(_group(rb"/FirstChar (\d+)", font)), numbers)
    return fonts


class _Reader:
    """The operators of a page that TeX and TikZ use."""

    def __init__(self, fonts: dict[bytes, tuple[int, list[float]]]) -> None:
        self.fonts, self.page = fonts, Page()
        self.matrix, self.fill = IDENTITY, 0.0
        self.saved: list[tuple[Matrix, float]] = []
        self.text = self.line = IDENTITY
        self.font: tuple[int, list[float]] = (0, [])
        self.size = 0.0
        self.path: list[list[Point]] = []  # sampled pieces
        self.curves = 0

    def read(self, stream: bytes) -> Page:
        operands: list[Any] = []
        array: list[Any] | None = None
        for token in TOKEN.findall(stream):
            if token == b"[":
                array = []
            elif token == b"]":
                operands.append(array)
                array = None
            elif token[:1] in b"(/" or re.fullmatch(rb"[-+.0-9]+", token):
                value = token if token[:1] in b"(/" else float(token)
                (operands if array is None else array).append(value)
            else:
                self._operator(token.decode("latin-1"), operands)
                operands = []
        return self.page

    def _operator(self, name: str, given: list[Any]) -> None:
        if name == "q":
            self.saved.append((self.matrix, self.fill))
        elif name == "Q":
            self.matrix, self.fill = self.saved.pop()
        elif name == "cm":
            self.matrix = _times(tuple(given), self.matrix)  # type: ignore[arg-type]
        elif name in ("g", "rg", "k"):
            self.fill = {"g": given[0], "rg": sum(given) / 3, "k": 1 - given[-1]}[name]
        elif name in ("m", "l", "c", "h", "re"):
            self._construct(name, given)
        elif name in ("S", "s", "f", "B", "b", "n", "f*", "B*"):
            self._paint(name)
        else:
            self._write(name, given)

    def _construct(self, name: str, given: list[float]) -> None:
        points = [_apply(self.matrix, (x, y)) for x, y in zip(given[::2], given[1::2], strict=True)]
        if name == "m":
            self.path.append(points)
        elif name == "l":
            (x, y), (u, v) = self.path[-1][-1], points[0]
            steps = max(1, ceil(hypot(u - x, v - y) / 0.4))
            self.path[-1] += [(x + (u - x) * k / steps, y + (v - y) * k / steps) for k in range(1, steps + 1)]
        elif name == "c":
            self.curves += 1
            a, (b, c, d) = self.path[-1][-1], points
            for k in range(1, 25):
                t, s = k / 24, 1 - k / 24
                weights = (s**3, 3 * s * s * t, 3 * s * t * t, t**3)
                at = [sum(w * p[i] for w, p in zip(weights, (a, b, c, d), strict=True)) for i in (0, 1)]
                self.path[-1].append((at[0], at[1]))

    def _paint(self, name: str) -> None:
        filled = name in ("f", "B", "b", "f*", "B*")
        for piece in self.path:
            xs, ys = [p[0] for p in piece], [p[1] for p in piece]
            wide, high = max(xs) - min(xs), max(ys) - min(ys)
            if filled and self.curves and abs(wide - high) < 0.1 and wide > 0:
                centre = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
                self.page.discs.append(Disc(centre, wide / 2, self.fill))
            elif not filled and name != "n":
                self.page.lines += piece
        self.path, self.curves = [], 0

    def _write(self, name: str, given: list[Any]) -> None:
        if name == "BT":
            self.text = self.line = IDENTITY
        elif name == "Tf":
            self.font, self.size = self.fonts[given[0]], given[1]
        elif name == "Tm":
            self.text = self.line = tuple(given)  # type: ignore[assignment]
        elif name in ("Td", "TD"):
            self.text = self.line = _times((1, 0, 0, 1, given[0], given[1]), self.line)
        elif name in ("Tj", "TJ"):
            for piece in given[0] if name == "TJ" else given:
                if isinstance(piece, float):
                    self.text = _times((1, 0, 0, 1, -piece * self.size / 1000, 0), self.text)
                else:
                    for code in _codes(piece):
                        self._glyph(code)

    def _glyph(self, code: int) -> None:
        first, widths = self.font
        width = widths[code - first] * self.size / 1000
        whole = _times(self.text, self.matrix)
        (x0, y0), (x1, y1) = (_apply(whole, p) for p in ((0.1 * width, 0.0), (0.9 * width, ASCENT * self.size)))
        self.page.glyphs.append(Glyph(code, (x0, y0, x1, y1), self.size))
        self.text = _times((1, 0, 0, 1, width, 0), self.text)


def _codes(text: bytes) -> Iterator[int]:
    """The characters of a string in brackets."""
    for match in re.finditer(rb"\\([0-7]{1,3})|\\(.)|(.)", text[1:-1], re.DOTALL):
        yield int(match[1], 8) if match[1] else ord(match[2] or match[3])


def _times(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)


def _apply(matrix: Matrix, point: Point) -> Point:
    a, b, c, d, e, f = matrix
    return (a * point[0] + c * point[1] + e, b * point[0] + d * point[1] + f)


# --- what is wrong with them ---


def labels(page: Page) -> list[tuple[Disc, list[Glyph]]]:
    """Each grey disc of some size, and the glyphs that begin or end in it."""
    grey = [disc for disc in page.discs if 0.5 < disc.grey < 0.99 and disc.radius > 3]
    return [(disc, [g for g in page.glyphs if _least(disc, g) < disc.radius]) for disc in grey]


def faults(page: Page) -> Iterator[str]:
    """A label that sticks out of its disc, a glyph on a line, or on the rim of what it is not in."""
    inside = set()
    for disc, glyphs in labels(page):
        if not glyphs:
            yield f"no label in the disc at {disc.centre}"
        for glyph in glyphs:
            inside.add(id(glyph))
            if max(hypot(x - disc.centre[0], y - disc.centre[1]) for x, y in glyph.corners) > disc.radius:
                yield f"glyph {glyph.code} sticks out of the disc at {disc.centre}"
    free, rims = np.array(page.lines).reshape(-1, 2), []
    for disc in page.discs:
        free = free[np.hypot(*(free - disc.centre).T) >= disc.radius]
        rims += [(disc.centre[0] + disc.radius * u, disc.centre[1] + disc.radius * v) for u, v in ROUND]
    round_ = np.array(rims).reshape(-1, 2)
    for glyph in page.glyphs:
        if _holds(glyph, free):
            yield f"a line crosses glyph {glyph.code} at {glyph.box}"
        if id(glyph) not in inside and _holds(glyph, round_):
            yield f"glyph {glyph.code} lies on a rim at {glyph.box}"


def _holds(glyph: Glyph, points: Any) -> bool:
    x0, y0, x1, y1 = glyph.box
    return bool(((points > (x0, y0)) & (points < (x1, y1))).all(axis=1).any())


def _least(disc: Disc, glyph: Glyph) -> float:
    """The distance of a disc's centre from a glyph's box."""
    (x, y), (x0, y0, x1, y1) = disc.centre, glyph.box
    return hypot(max(x0 - x, 0.0, x - x1), max(y0 - y, 0.0, y - y1))
