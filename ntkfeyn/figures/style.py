"""Figures: one style, and one way to save a picture: as vector pdf and as png, the same bytes for the same data.

Enters: a matplotlib figure. Leaves: two files.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.drawing.fonts import own_fonts
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.symbols import Symbols
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
BARS = "bars: one standard error"
DASHES = (":", "--", "-", "-.", (0, (5, 1, 1, 1, 1, 1)))


@contextmanager
def drawing() -> Iterator[Any]:
    """The class Figure, in the style of every figure here; nothing needs a screen."""
    with own_fonts(STYLE):
        from matplotlib.figure import Figure

        yield Figure


def figure_notation(symbols: Symbols) -> LatexNotation:
    """LaTeX as matplotlib understands it: a letter that it does not know is replaced by that of the terminal."""
    latex, text = symbols.latex, symbols.text
    shown = {name: _shown(latex.tensor(name), text.tensor(name)) for name in (*NAMES, *latex.tensors)}
    couplings = {name: _shown(latex.coupling(name), text.coupling(name)) for name in ("C_W", *latex.couplings)}
    left, right = (re.sub(r"\\(left|right|([bB]igg?)[lrm]?)(?![A-Za-z])", "", side) for side in latex.expectation)
    return LatexNotation(
        replace(
            latex,
            tensors=shown,
            couplings=couplings,
            width=_shown(latex.width, text.width),
            layer=_shown(latex.layer, text.layer),
            expectation=(left, right) if _parsed(f"{left} x{right}") else text.expectation,
        )
    )


def _shown(tex: str, plain: str) -> str:
    escaped = re.sub(r"([$%#&])", r"\\\1", plain)
    return tex if _parsed(tex) else rf"\mathrm{{{escaped}}}"


def _parsed(tex: str) -> bool:
    """Whether matplotlib, which knows less than TeX, understands it."""
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(f"${tex}$")
    except ValueError:
        return False
    return True


def figure_bytes(figure: Any, kind: str) -> bytes:
    """A pdf or a png; no date in either."""
    stream = io.BytesIO()
    with own_fonts(STYLE):
        figure.savefig(stream, format=kind, metadata={"CreationDate": None} if kind == "pdf" else {"Software": None})
    return stream.getvalue()


def save(figure: Any, directory: Path, stem: str) -> list[Path]:
    """Write STEM.pdf and STEM.png."""
    return list(write_below(directory, {f"{stem}.{kind}": figure_bytes(figure, kind) for kind in ("pdf", "png")}))
