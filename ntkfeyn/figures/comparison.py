"""Pictures of a comparison: value against width and against depth, with the partial sums of the expansion,
and the pulls of all components.

Enters: a Comparison. Leaves: pdf and png files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ntkfeyn.errors import bad_request
from ntkfeyn.figures.style import BARS, COLOURS, DASHES, drawing, figure_notation, save
from ntkfeyn.model.cumulants import standard
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.sampling.comparison import Compared, Comparison
from ntkfeyn.solve.components import distinct

PANEL = (3.4, 2.7)  # inches
LEGEND = 3  # columns of a legend below a panel
MARKS = "osD^v"  # of widths
MOST_LABELS = 24  # of components at an axis
MOST_LEVEL = 6  # of them that are not turned
SPREAD = 0.7  # of the marks of one component, in distances of components
LEAST_PULL = 3.0  # that an axis shows, so that small ones look small


def comparison_figures(comparison: Comparison, directory: Path, stem: str, symbols: Symbols) -> list[Path]:
    """STEM-width: each target's largest component at the output layer against width; STEM-depth: against the layer,
    narrowest network; STEM-components: pulls of all components at the output layer."""
    kinds = [kind for kind, there in (
        ("width", len(comparison.settings) > 1), ("depth", len(comparison.settings[0].layers) > 1), ("components", True)
    ) if there]  # fmt: skip
    paths = []
    for kind in kinds:
        paths += save(comparison_drawing(comparison, kind, symbols), directory, f"{stem}-{kind}")
    return paths


def comparison_drawing(comparison: Comparison, against: str, symbols: Symbols) -> Any:
    """A panel a target, against width, depth or its components. Raises RequestError for anything else."""
    draw = {"width": _against_width, "depth": _against_depth, "components": _components}.get(against)
    if draw is None:
        raise bad_request(f"a figure against '{against}'", "width, depth, components are allowed", "width")
    targets = list(comparison.orders)
    columns = min(3, len(targets))
    rows = -(-len(targets) // columns)
    with drawing() as Figure:
        notation = figure_notation(symbols)
        figure = Figure(figsize=(PANEL[0] * columns, PANEL[1] * rows + 0.3), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        for place, target in enumerate(targets):
            draw(axes[divmod(place, columns)], comparison, target, notation)
        if against == "components":  # one for all panels, beside what they show
            marks, words = axes[0, 0].get_legend_handles_labels()
            figure.legend(marks, words, loc="outside lower center", ncols=min(LEGEND * columns, len(words)))
        figure.suptitle(str(comparison.meta["activation"]).replace("$", r"\$")[:90], fontsize=9)
        for place in range(len(targets), rows * columns):
            axes[divmod(place, columns)].set_visible(False)
        return figure


def _components(axis: Any, comparison: Comparison, target: str, notation: LatexNotation) -> None:
    """The pull of each component that no symmetry makes equal to another, a mark a width, side by side."""
    name, order = target.partition("@")[0], comparison.orders[target][-1]
    many, highest = len(comparison.settings), LEAST_PULL
    for k, setting in enumerate(comparison.settings):
        row = setting.output[target]
        places = distinct(name, row.indices)
        highest = max(highest, 1.1 * float(np.max(np.abs(row.pulls[places]))))
        beside = (k - (many - 1) / 2) * SPREAD / many
        axis.plot(
            np.arange(len(places)) + beside, row.pulls[places], MARKS[k % len(MARKS)], color=COLOURS[1 + k % 4],
            markersize=3.5, linestyle="none", label=f"width {setting.width}",
        )  # fmt: skip
    keys = [row.keys[i] for i in places]
    axis.axhspan(-1, 1, color="#999999", alpha=0.2, linewidth=0)
    step = -(-len(keys) // MOST_LABELS)
    turned = {"rotation": 90, "fontsize": 6} if len(keys) > MOST_LEVEL else {}
    axis.set_xticks(np.arange(0, len(keys), step), keys[::step], **turned)
    axis.set_xlim(-0.5, len(keys) - 0.5)
    axis.set_ylim(-highest, highest)
    axis.set_ylabel("(sampled - theory) / standard error")
    axis.set_title(f"{label(target, notation)}, theory to order {order}", fontsize=9)


def _against_width(axis: Any, comparison: Comparison, target: str, notation: LatexNotation) -> None:
    """Sampled points with error bars, and the partial sums as curves in n (for equal hidden widths)."""
    orders = comparison.orders[target]
    settings = sorted(comparison.settings, key=lambda setting: setting.hidden[-1])
    widths = np.array([setting.hidden[-1] for setting in settings], dtype=float)
    last = [setting.output[target] for setting in settings]
    place = last[0].largest
    same = all(len(set(setting.hidden)) == 1 for setting in settings)
    for i, order in enumerate(orders):
        style = _style(order)
        if same:
            n = np.geomspace(widths[0] * 0.92, widths[-1] * 1.08, 200)
            axis.plot(n, _curve(last[0], place, widths[0], i, n), **style)
        else:
            axis.plot(widths, [found.theory[i, place] for found in last], marker="x", **style)
    values = [found.sampled[place] for found in last]
    errors = [found.errors[place] for found in last]
    axis.errorbar(widths, values, errors, fmt="ko", markersize=3.5, capsize=2.5, linewidth=1, label="sampled")
    axis.set_xscale("log", base=2)
    axis.set_xticks(widths, [f"{n:.0f}" for n in widths])
    axis.minorticks_off()
    axis.set_xlabel(f"width ${notation.letters.width}$ ({BARS})")
    _finish(axis, target, notation, last[0], place, f"layer {len(settings[0].hidden) + 1}")


def _style(order: int) -> dict[str, Any]:
    """A curve of theory up to an absolute order."""
    kind = order % len(COLOURS)
    return {"color": COLOURS[kind], "linestyle": DASHES[kind], "label": f"theory, order {order}"}


def _curve(found: Compared, place: int, width: float, upto: int, n: Any) -> Any:
    """T_R + T_{R+1}/n + .. from the partial sums at one width."""
    steps = np.diff(found.theory[: upto + 1, place], prepend=0.0)
    return sum(step * (width / n) ** power for power, step in enumerate(steps))


def _against_depth(axis: Any, comparison: Comparison, target: str, notation: LatexNotation) -> None:
    """The narrowest network, layer by layer."""
    width, hidden, layers = min(comparison.settings, key=lambda setting: min(setting.hidden))
    place = layers[-1][target].largest
    numbers = np.arange(2, len(hidden) + 2)
    for i, order in enumerate(comparison.orders[target]):
        values = [row[target].theory[i, place] for row in layers]
        style = _style(order)
        axis.plot(numbers, values, marker=".", **style)
    sampled = [row[target].sampled[place] for row in layers]
    errors = [row[target].errors[place] for row in layers]
    axis.errorbar(numbers, sampled, errors, fmt="ko", markersize=3.5, capsize=2.5, linewidth=1, label="sampled")
    axis.set_xticks(numbers)
    axis.set_xlabel(f"layer ({BARS})")
    _finish(axis, target, notation, layers[-1][target], place, f"width {width}")


def _finish(axis: Any, target: str, notation: LatexNotation, found: Compared, place: int, where: str) -> None:
    index = "".join(map(str, found.indices[place]))
    if found.positions > 1:
        index = found.keys[place].replace(":", "{:}").replace("-", r",\,")
    axis.set_title(f"{label(target, notation, index)}, {where}", fontsize=9)
    axis.legend()
    axis.margins(x=0.05)


def label(target: str, notation: LatexNotation, index: str = "") -> str:
    """The quantity of a target, as n^R times a cumulant; indices are the numbers of inputs."""
    name, _, order = target.partition("@")
    tex = notation.letter(name)
    shown = f"{tex}_{{{index}}}" if index else tex
    if int(order) > standard(name).leading_order:  # n times (mean - leading order)
        return rf"${notation.letters.width}\,({notation.mean(shown)} - {shown})$"
    return f"${shown}$"
