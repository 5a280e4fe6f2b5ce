"""The figure of ``critical``: tensors and ratios against depth, at, below and above criticality.

Enters: the runs of depth_scaling and their laws. Leaves: a figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ntkfeyn.asymptotics.predictions import Predicted
from ntkfeyn.criticality.depth import RATIOS, Law, Run, Scaling, Tuning, laws, ratio_values
from ntkfeyn.criticality.growth import Form, Growth
from ntkfeyn.figures.style import drawing, figure_notation
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.symbols import Symbols

STYLES = {  # kernels black and grey, cumulants of z and NTK solid, of the dNTK dashed, of the ddNTK dotted with marks
    "K@0": ("black", "-", ""), "Theta@0": ("#888888", "-", ""),
    "V@1": ("#0072B2", "-", ""), "D@1": ("#D55E00", "-", ""), "F@1": ("#009E73", "-", ""),
    "A@1": ("#CC79A7", "-", ""), "B@1": ("#56B4E9", "-", ""),
    "P@1": ("#6A3D9A", "--", ""), "Q@1": ("#7A5C00", "--", ""),
    "R@1": ("#B2182B", ":", "o"), "S@1": ("#2166AC", ":", "s"), "T@1": ("#1B7837", ":", "^"),
    "U@1": ("#E08214", ":", "v"),
    "K@1": ("black", "-.", ""), "Theta@1": ("#888888", "-.", ""),
}  # fmt: skip
MARKS = 7  # on a curve, staggered so that curves that lie over one another show
TITLES = {Tuning.CRITICAL: "at criticality", Tuning.BELOW: "below", Tuning.ABOVE: "above"}
READABLE = 0.1  # exponents less certain than this are left to the table
ROUNDED = 1e-12  # of the largest value of a derived curve: below it there are zeros
SMALLEST = 1e-30  # of the largest value in a panel: below it a curve says nothing


def critical_drawing(
    name: str, runs: dict[Tuning, Run], scaling: Scaling, symbols: Symbols, predicted: Mapping[str, Predicted]
) -> Any:
    """The figure; ``predicted`` is derived at criticality, by NAME@R."""
    with drawing() as Figure:
        return _figure(Figure, name, runs, scaling, figure_notation(symbols), predicted)


def _figure(
    Figure: Any,
    name: str,
    runs: dict[Tuning, Run],
    scaling: Scaling,
    notation: LatexNotation,
    predicted: Mapping[str, Predicted],
) -> Any:
    """Tensors in the upper row, ratios in the lower one, a column a run; the legend stands beside them.

    What is derived lies as a pale band under a curve.
    """
    figure = Figure(figsize=(11.5, 6.2))
    axes = figure.subplots(2, len(runs), sharex="col", squeeze=False)
    handles: dict[str, Any] = {}
    for column, (which, run) in enumerate(runs.items()):
        for row, divisor in enumerate(("", rf"\,/\,{symbol('K@0', notation)}^a\,{symbol('Theta@0', notation)}^b")):
            panel = axes[row][column]
            if which == Tuning.CRITICAL:
                _bands(panel, run, predicted, ratios=row == 1)
            handles |= _curves(panel, run, ratios=row == 1)
            panel.set_yscale("log")
            panel.set_xscale("log" if which == Tuning.CRITICAL else "linear")
            panel.grid(True, linewidth=0.3, color="#CCCCCC")
            panel.tick_params(which="both", direction="in", labelsize=8)
            if column == 0:
                panel.set_ylabel(rf"$|T^{{({notation.layer})}}|{divisor}$")
        axes[0][column].set_title(_title(which, run, scaling, notation), fontsize=9)
        axes[1][column].set_xlabel(f"layer ${notation.layer}$")
    found = laws(runs[Tuning.CRITICAL], True)
    shown = [tensor for tensor in STYLES if tensor in handles]
    powers = {tensor: _power(predicted.get(tensor), law, notation) for tensor, law in found.items()}
    labels = [f"${symbol(tensor, notation)}${powers.get(tensor, '')}" for tensor in shown]
    law = "" if scaling.weights == GAUSSIAN else f", {scaling.weights} weights"
    figure.suptitle(_plain(name) + law, fontsize=10, x=0.45, y=0.985)
    figure.subplots_adjust(left=0.06, right=0.855, top=0.9, bottom=0.08, wspace=0.22, hspace=0.08)
    figure.legend(
        [handles[tensor] for tensor in shown], labels, loc="center left", bbox_to_anchor=(0.86, 0.49), frameon=False,
        title="at criticality;\nbands: derived", title_fontsize=8, fontsize=9, handlelength=2.4, labelspacing=0.75,
    )  # fmt: skip
    return figure


def _curves(panel: Any, run: Run, *, ratios: bool) -> dict[str, Any]:
    """One line a tensor that is not zero; a gap where it vanishes."""
    columns = {tensor: ratio_values(run, tensor) if ratios else run.values[tensor] for tensor in run.values if not
               ratios or tensor in RATIOS}  # fmt: skip
    kept = {tensor: np.abs(values) for tensor, values in columns.items() if values is not None and np.any(values)}
    top = max((float(values.max()) for values in kept.values()), default=0.0)
    handles = {}
    for tensor, values in kept.items():
        shown = np.where(values > SMALLEST * top, values, np.nan)
        colour, dashes, mark = STYLES[tensor]
        first, step = "os^v".find(mark) * 0.25 / MARKS if mark else 0.0, 1 / MARKS
        (handles[tensor],) = panel.plot(
            np.arange(1, len(shown) + 1), shown, dashes, color=colour, linewidth=1.2,
            marker=mark or None, markersize=3.2, markevery=(first, step) if mark else None,
        )  # fmt: skip
    return handles


def _bands(panel: Any, run: Run, predicted: Mapping[str, Predicted], *, ratios: bool) -> None:
    """The closed forms, or the terms of the series, at all layers but the first, where logarithms vanish."""
    layers = np.arange(2, run.layers + 1)
    for tensor in run.values:
        if tensor not in predicted or tensor not in STYLES or (ratios and tensor not in RATIOS):
            continue
        means = [predicted[mean] for mean in ("K@0", "Theta@0")]
        powers = RATIOS[tensor] if ratios else (0, 0)
        curve = np.array([
            predicted[tensor].at(layer) / (means[0].at(layer) ** powers[0] * means[1].at(layer) ** powers[1])
            for layer in layers.tolist()
        ])  # fmt: skip
        if np.any(curve) and np.isfinite(curve).all():
            shown = np.where(np.abs(curve) > ROUNDED * np.abs(curve).max(), np.abs(curve), np.nan)
            panel.plot(layers, shown, "-", color=STYLES[tensor][0], linewidth=4.5, alpha=0.22, zorder=1)


def symbol(tensor: str, notation: LatexNotation) -> str:
    """The tensor in TeX maths."""
    name, _, order = tensor.partition("@")
    return notation.symbol(name, int(order) - standard(name).leading_order)


def _power(known: Predicted | None, law: Law, notation: LatexNotation) -> str:
    """The derived power and logarithms for the legend, else the fitted one."""
    if known is None or known.tensor.amplitude == 0:
        return exponent(law, notation)
    power, logs, _ = known.tensor
    parts = [rf"{notation.layer}^{{\,{power:.3g}}}" if power else ""]
    parts += [rf"\log^{{{logs}}}{notation.layer}" if logs > 1 else rf"\log {notation.layer}" if logs else ""]
    return rf"$\,\sim\,{''.join(parts) or '1'}$"


def exponent(law: Law, notation: LatexNotation) -> str:
    """~ l^p for the legend."""
    growth: Growth = law.tensor
    if growth.form == Form.SLOW:
        return r"$\,$(slow)"
    if growth.value is None or growth.uncertainty is None or growth.uncertainty > READABLE:
        return ""
    power = f"{growth.value:.0f}" if growth.form == Form.POLYNOMIAL else f"{growth.value:.2f}"
    power = power.replace("-0.00", "0.00")
    return rf"$\,\sim\,{notation.layer}^{{\,{power}}}$"


def _title(which: Tuning, run: Run, scaling: Scaling, notation: LatexNotation) -> str:
    off = {Tuning.CRITICAL: "", Tuning.BELOW: rf"{1 - scaling.off:g}\,", Tuning.ABOVE: rf"{1 + scaling.off:g}\,"}
    coupling = notation.power("C_W", 1)
    text = rf"{TITLES[which]}: ${coupling} = {off[which]}{coupling}^\ast$"
    return text + (f", {run.layers} layers" if run.stopped else "")


def _plain(name: str) -> str:
    """The activation as text: matplotlib would read maths between dollars."""
    return name.replace("$", r"\$")[:90]
