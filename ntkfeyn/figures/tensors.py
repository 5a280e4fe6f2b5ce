"""Tensors against the layer, a panel a tensor, a curve a component and width.

Enters: ``Tensors``. Leaves: a figure.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ntkfeyn.figures.style import COLOURS, DASHES, drawing, figure_notation
from ntkfeyn.model.cumulants import standard
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.solve.components import distinct
from ntkfeyn.solve.results import Tensors

PANEL = (3.4, 2.7)  # inches
MOST_TICKS = 10
MOST = 6  # components with a curve


def tensors_drawing(found: Tensors, symbols: Symbols) -> Any:
    """The largest components that no symmetry makes equal, with their errors."""
    names = list(found.settings[0].layers[-1])
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    with drawing() as Figure:
        notation = figure_notation(symbols)
        figure = Figure(figsize=(PANEL[0] * columns, PANEL[1] * rows + 0.3), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        for place, full in enumerate(names):
            axis = axes[divmod(place, columns)]
            _panel(axis, found, full)
            name, _, orders = full.partition("@")
            first = int(orders.partition("..")[0]) - standard(name).leading_order
            axis.set_title(f"${notation.symbol(name, first)}$" + (" and higher orders" if ".." in orders else ""))
            axis.set_xlabel(f"layer ${notation.layer}$")
        for place in range(len(names), rows * columns):
            axes[divmod(place, columns)].set_visible(False)
        return figure


def _panel(axis: Any, found: Tensors, full: str) -> None:
    for k, setting in enumerate(found.settings):
        layers = setting.reported()
        last = setting.layers[-1][full]
        places = distinct(full.partition("@")[0], last.indices)
        places = places[np.argsort(-np.abs(last.values[places]), kind="stable")][:MOST]
        keys = list(last.keys())
        for i, place in enumerate(sorted(places.tolist())):
            values = [row[full].values[place] for _, row in layers]
            errors = [row[full].errors[place] for _, row in layers]
            axis.errorbar(
                [number for number, _ in layers], values, errors, color=COLOURS[i % len(COLOURS)], marker=".",
                linestyle=DASHES[(2 + k) % len(DASHES)], label=f"{keys[place]}, width {setting.width}",
            )  # fmt: skip
    numbers = [number for number, _ in found.settings[0].reported()]
    axis.set_xticks(numbers[:: -(-len(numbers) // MOST_TICKS)])
    axis.legend(fontsize=6)
