"""Data of the paper's figures by component: over widths, or over the layers of one network.

Enters: the data of a run. Leaves: sampled values with errors, and partial sums of the expansion in 1/n. Inputs are
numbered from 0, as in the paper.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ntkfeyn.figures.style import figure_notation
from ntkfeyn.model.cumulants import standard
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.sampling.law import BLOCK
from numpy.typing import NDArray
from scipy.stats import norm, t

Array = NDArray[np.float64]
Document = dict[str, Any]
DATA = Path(__file__).resolve().parent / "data"
HOW = figure_notation(Symbols())


def documents_of(figure: Document) -> list[Document]:
    """The data of a figure's runs, which may lie in other folders of outputs/."""
    return [json.loads((DATA / f"{run}.json").read_text()) for run in figure["runs"]]


def panels_of(figure: Document) -> list[Panel]:
    """The components that a figure shows."""
    return [panel_of(text) for text in figure["panels"]]


def first_order(figure: Document) -> int:
    """The order of 1/n at which the figure's tensors start."""
    return panels_of(figure)[0].order


class Panel(NamedTuple):
    """One component of a tensor: ``target`` names it in the data, ``key`` the component, inputs from 1."""

    name: str
    target: str
    index: str

    @property
    def order(self) -> int:
        """The leading one."""
        return standard(self.name).leading_order

    @property
    def key(self) -> str:
        return "-".join(str(int(one) + 1) for one in self.index)

    @property
    def letter(self) -> str:
        return f"{HOW.letter(self.name)}_{{{self.index}}}"

    @property
    def quantity(self) -> str:
        """With the power of n: V is n times a cumulant, K is a mean."""
        if self.order:
            return "$n$ times the cumulant"
        return "mean of $z z$" if self.name == "K" else "mean of NTK"


def panel_of(text: str) -> Panel:
    """`V 0011` as figures.toml writes it."""
    name, index = text.split()
    return Panel(name, f"{name}@{standard(name).leading_order}", index)


class Points(NamedTuple):
    """One component over widths or layers: ``at`` (points,), ``theory`` (orders, points), partial sums of orders.

    ``theory_errors`` (points,) are of the highest order.
    """

    at: Array
    sampled: Array
    errors: Array
    theory: Array
    theory_errors: Array
    widths: Array
    blocks: Array  # of 32 networks, whose spread gives the errors

    @property
    def known(self) -> Array:
        """Whether the highest order is known to a tenth: ReLU makes inputs parallel, where digits cancel."""
        return self.theory_errors <= 0.1 * np.abs(self.theory[-1])

    @property
    def best(self) -> Array:
        """The highest order where it is known."""
        return np.where(self.known, self.theory[-1], np.nan)

    @property
    def pulls(self) -> Array:
        """(sampled - theory)/error (orders, points); nan where the highest order is not known.

        With few blocks the error is uncertain: a pull is that of a unit normal as improbable, as `compare` has it.
        """
        with np.errstate(invalid="ignore"):  # 0/0 where nothing fluctuates
            off = (self.sampled - self.theory) / np.hypot(self.errors, np.where(self.known, self.theory_errors, 0.0))
        chance = t.sf(np.abs(off), self.blocks - 1)
        off = np.where(chance > 0, np.sign(off) * norm.isf(chance), off)
        return np.vstack([off[:-1], np.where(self.known, off[-1], np.nan)])

    @property
    def coefficients(self) -> Array:
        """T_R, T_{R+1}, ..: shape (orders,), of a layer at which all widths agree."""
        steps = np.diff(self.theory[:, 0], prepend=0.0)
        return np.asarray(steps * self.widths[0] ** np.arange(len(steps)))

    def curve(self, n: Array, order: int) -> Array:
        """The partial sum up to ``order`` terms beyond the leading one, at widths n."""
        return np.asarray(sum(c * n**-k for k, c in enumerate(self.coefficients[: order + 1])))


def _points(rows: Sequence[tuple[float, float, int, Document]]) -> Points:
    at, widths, networks = (np.array([row[k] for row in rows]) for k in range(3))
    sampled, errors, known = (np.array([row[3][key] for row in rows]) for key in ("sampled", "error", "theory_error"))
    theory = np.array([row[3]["theory"] for row in rows]).T
    return Points(at, sampled, errors, theory, known, widths, networks // BLOCK)


def over_widths(documents: Sequence[Document], panel: Panel) -> Points:
    """The output layer of every width of the runs."""
    rows = []
    for document in documents:
        for (width, layers), networks in zip(document["data"].items(), networks_of(document), strict=True):
            row = list(layers.values())[-1][panel.target]
            n = float(width.removeprefix("width-"))
            rows.append((n, n, networks, row.get("components", row)[panel.key]))
    return _points(sorted(rows, key=lambda row: row[0]))


def over_layers(document: Document, panel: Panel) -> Points:
    """Every layer of a run's one width."""
    (width, layers), *_ = document["data"].items()
    n = float(width.removeprefix("width-"))
    (networks,) = networks_of(document)
    at = {float(name.removeprefix("layer-")): row[panel.target][panel.key] for name, row in layers.items()}
    return _points([(layer, n, networks, row) for layer, row in at.items()])


def networks_of(document: Document) -> list[int]:
    """How many networks were sampled, a width."""
    return list(document["networks"] if "networks" in document else document["meta"]["networks"])


def cw_of(document: Document) -> float:
    return float(document["request"]["cw"])


def power_law(points: Points, first: float, values: Array) -> tuple[float, float]:
    """a and p of a l^p through the logarithms of values from the layer ``first`` up."""
    kept = (points.at >= first) & ~np.isnan(values)
    p, log_a = np.polyfit(np.log(points.at[kept]), np.log(np.abs(values[kept])), 1)
    return float(np.exp(log_a)), float(p)
