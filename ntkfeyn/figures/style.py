"""Figures: one style, and one way to save a picture: as vector pdf and as png, the same bytes for the same data.

Enters: a matplotlib figure. Leaves: two files.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ntkfeyn.render.drawing.fonts import own_fonts
from ntkfeyn.runtime.files import write_below

STYLE = {
    "figure.dpi": 150,
    "font.size": 9,
    "font.family": "serif",
    "path.simplify": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.fontsize": 8,
    "legend.framealpha": 0.9,
    "mathtext.fontset": "cm",
    "axes.formatter.useoffset": False,
}
COLOURS = ("#999999", "#0072b2", "#d55e00", "#009e73", "#cc79a7")  # by order; told apart by colour-blind readers
DASHES = (":", "--", "-", "-.", (0, (5, 1, 1, 1, 1, 1)))


@contextmanager
def drawing() -> Iterator[Any]:
    """The class Figure, in the style of every figure here; nothing needs a screen."""
    with own_fonts(STYLE):
        from matplotlib.figure import Figure

        yield Figure


def maths(tex: str, plain: str) -> str:
    """A formula for matplotlib, which knows less than TeX: in plain text where it does not understand it."""
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(f"${tex}$")
    except ValueError:
        return plain.replace("$", r"\$")
    return f"${tex}$"


def save(figure: Any, directory: Path, stem: str) -> list[Path]:
    """Write STEM.pdf and STEM.png; no date in either."""
    files = {}
    for kind, metadata in (("pdf", {"CreationDate": None}), ("png", {"Software": None})):
        stream = io.BytesIO()
        figure.savefig(stream, format=kind, metadata=metadata)
        files[f"{stem}.{kind}"] = stream.getvalue()
    return list(write_below(directory, files))
