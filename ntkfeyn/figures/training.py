"""Pictures of training: prediction and kernel against time and against width, theory by order and source, and samples.

Enters: Trained. Leaves: pdf and png files. Infinite time stands at the right of every panel, behind a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import inf, isinf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.training import Source
from ntkfeyn.figures.style import BARS, DASHES, drawing, figure_notation, save
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.training.results import Trained, TrainedSetting

Array = NDArray[np.float64]
PANEL = (3.5, 2.8)  # inches
POINTS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5c00", "#6a3d9a", "#444444")
MARKERS = "osD^vPX*"  # of widths
MOST_POINTS, MOST_OUTPUTS = 6, 3  # shown
NAMES = {
    Source.INITIAL: "initial kernel",
    Source.FLUCTUATION: "its fluctuation",
    Source.FIRST: "first-order motion",
    Source.SECOND: "second-order motion",
}


def training_figures(found: Trained, directory: Path, stem: str, symbols: Symbols) -> list[Path]:
    """STEM-time, and STEM-width where there are several widths with samples."""
    with drawing() as Figure:
        notation = figure_notation(symbols)
        paths = save(training_drawing(found, symbols), directory, f"{stem}-time")
        if len(found.settings) > 1 and found.settings[0].sampled is not None:
            paths += save(_against_width(Figure, found, notation), directory, f"{stem}-width")
    return paths


def training_drawing(found: Trained, symbols: Symbols) -> Any:
    """STEM-time as a figure."""
    with drawing() as Figure:
        return _against_time(Figure, found, figure_notation(symbols))


class _Times:
    """Where times stand on an axis, in units of ``unit``: infinity behind a line."""

    def __init__(self, times: Sequence[float], unit: float) -> None:
        self.times, self.unit = times, unit
        self.last = max((t for t in times if not isinf(t)), default=unit) / unit or 1.0
        self.end = 1.14 * self.last

    def places(self, times: Sequence[float]) -> Array:
        return np.array([self.end if isinf(t) else t / self.unit for t in times])

    def finish(self, axis: Any, label: str) -> None:
        axis.set_xlabel(label)
        if inf in self.times:
            axis.axvline(1.07 * self.last, color="black", linewidth=0.8, linestyle=(0, (2, 2)))
            ticks = [t for t in axis.get_xticks() if 0 <= t <= self.last]
            axis.set_xticks([*ticks, self.end], [*(f"{t:g}" for t in ticks), r"$\infty$"])
            axis.set_xlim(0, 1.19 * self.last)


def _against_time(Figure: Any, found: Trained, notation: LatexNotation) -> Any:
    """Above: predictions at the smallest width, an output a panel, and the kernel. Below: order 1 and its sources."""
    setting = min(found.settings, key=lambda one: one.n)
    rate = found.meta.get("rate")  # of descent: n steps are the time n * rate
    times = _Times(setting.times, rate or 1.0)
    outputs = min(setting.expansion.order0.shape[2], MOST_OUTPUTS)
    figure = Figure(figsize=(PANEL[0] * (outputs + 1), PANEL[1] * 2 + 0.3), layout="constrained")
    axes = figure.subplots(2, outputs + 1, squeeze=False)
    n = notation.letters.width
    last = [i for i, point in enumerate(found.points) if point.startswith("test")] or [0]
    for o in range(outputs):
        _predictions(axes[0][o], found, setting, times, o)
        axes[0][o].set_title(f"output {o + 1}: mean prediction, ${n} = {setting.n}$", fontsize=9)
        _order_one(axes[1][o], found, times, o)
        axes[1][o].set_title(rf"${n}$ (prediction $-$ order 0)", fontsize=9)
    _kernel(axes[0][-1], found, times)
    letter = notation.symbol("Theta", 0)
    hat = rf"\widehat{{{letter}}}"
    axes[0][-1].set_title(rf"${n}\,(E[{hat}(t)] - E[{hat}(0)])$, $E[{hat}] = {letter} + \ldots$", fontsize=9)
    _sources(axes[1][-1], setting, times, last[0])
    axes[1][-1].set_title(f"order 1 of {found.points[last[0]]}, output 1, by source", fontsize=9)
    label = "step" if rate else "time"
    for axis in axes.flat:
        barred = setting.sampled is not None and axis is not axes[1][-1]
        times.finish(axis, f"{label} ({BARS})" if barred else label)
    figure.suptitle(str(found.meta["activation"]).replace("$", r"\$")[:90], fontsize=9)
    return figure


def _shown(found: Trained) -> list[int]:
    """Points with a colour of their own: the last ones are test points."""
    many = len(found.points)
    return list(range(many)) if many <= MOST_POINTS else [*range(MOST_POINTS - 1), many - 1]


def _curve(axis: Any, setting: TrainedSetting, times: _Times, values: Array, ends: Array, **style: Any) -> None:
    """A curve over the finite times, and a dash at infinity; ``ends`` are values at the times asked for."""
    axis.plot(times.places(setting.curve.times), values, **style)
    if inf in times.times:
        place = list(times.times).index(inf)
        short = {name: style[name] for name in ("color", "linestyle", "linewidth") if name in style}
        axis.plot([times.end - 0.03 * times.last, times.end + 0.03 * times.last], [ends[place]] * 2, **short)


def _dots(axis: Any, places: Array, values: Array, errors: Array, colour: str, marker: str, label: str = "") -> None:
    axis.errorbar(places, values, errors, fmt=marker, color=colour, markersize=3.2, capsize=2, linewidth=0.9,
                  label=label or None)  # fmt: skip


def _predictions(axis: Any, found: Trained, setting: TrainedSetting, times: _Times, o: int) -> None:
    places, curve = times.places(setting.times), setting.curve
    for k, a in enumerate(_shown(found)):
        colour = POINTS[k % len(POINTS)]
        ends = setting.expansion.order0[:, a, o]
        _curve(axis, setting, times, curve.order0[:, a, o], ends, color=colour, linestyle=":", linewidth=1.2,
               label="order 0" if k == 0 else None)  # fmt: skip
        whole = curve.order0[:, a, o] + curve.order1[:, a, o] / setting.n
        _curve(axis, setting, times, whole, setting.prediction[:, a, o], color=colour, linewidth=1.2,
               label=found.points[a])  # fmt: skip
        if setting.sampled is not None:
            sampled = setting.sampled
            _dots(axis, places, sampled.prediction[:, a, o], sampled.prediction_errors[:, a, o], colour, "o")
    axis.legend(fontsize=7)


def _order_one(axis: Any, found: Trained, times: _Times, o: int) -> None:
    """n times what a prediction is off order 0; training points at infinity are left out, where all fit exactly."""
    setting = found.settings[0]
    for k, a in enumerate(_shown(found)):
        colour = POINTS[k % len(POINTS)]
        ends = setting.expansion.prediction1[:, a, o]
        _curve(axis, setting, times, setting.curve.order1[:, a, o], ends, color=colour, linewidth=1.2)
        for m, one in enumerate(found.settings):
            if one.sampled is None:
                continue
            kept = ~one.fitted[:, a]
            off = one.n * (one.sampled.prediction - one.expansion.order0)[kept, a, o]
            shift = 0.012 * times.last * (m - (len(found.settings) - 1) / 2)
            _dots(axis, times.places(one.times)[kept] + shift, off, one.n * one.sampled.prediction_errors[kept, a, o],
                  colour, MARKERS[m % len(MARKERS)], f"width {one.width}" if k == 0 else "")  # fmt: skip
    if found.settings[0].sampled is not None:
        axis.legend(fontsize=7)


def _kernel(axis: Any, found: Trained, times: _Times) -> None:
    setting = found.settings[0]
    known = ~np.isnan(setting.expansion.change1[0])
    pairs = [pair for pair in combinations_with_replacement(_shown(found), 2) if known[pair]][: len(POINTS)]
    for k, (a, b) in enumerate(pairs):
        colour, dash = POINTS[k], DASHES[1] if a != b else "-"
        ends = setting.expansion.change1[:, a, b]
        _curve(axis, setting, times, setting.curve.change1[:, a, b], ends, color=colour, linestyle=dash, linewidth=1.2,
               label=f"{a + 1}-{b + 1}")  # fmt: skip
        for m, one in enumerate(found.settings):
            if one.sampled is not None:
                shift = 0.012 * times.last * (m - (len(found.settings) - 1) / 2)
                _dots(axis, times.places(one.times) + shift, one.sampled.change[:, a, b],
                      one.sampled.change_errors[:, a, b], colour, MARKERS[m % len(MARKERS)])  # fmt: skip
    axis.legend(fontsize=7, ncols=2)


def _sources(axis: Any, setting: TrainedSetting, times: _Times, a: int) -> None:
    for k, source in enumerate(Source):
        ends = setting.expansion.order1[source][:, a, 0]
        _curve(axis, setting, times, setting.curve.sources[source][:, a, 0], ends, color=POINTS[k],
               linestyle=DASHES[k + 1], linewidth=1.2, label=NAMES[source])  # fmt: skip
    _curve(axis, setting, times, setting.curve.order1[:, a, 0], setting.expansion.prediction1[:, a, 0], color="black",
           linewidth=1.4, label="sum")  # fmt: skip
    axis.legend(fontsize=7)


def _against_width(Figure: Any, found: Trained, notation: LatexNotation) -> Any:
    """n (prediction - order 0) against 1/n at every time, an output a row: it goes to order 1 as n goes to infinity."""
    outputs, letter = min(found.order0.shape[2], MOST_OUTPUTS), notation.letters.width
    columns = len(found.labels)
    figure = Figure(figsize=(2.5 * columns, 2.4 * outputs + 0.3), layout="constrained")
    axes = figure.subplots(outputs, columns, squeeze=False, sharex=True)
    inverse = np.array([1 / one.n for one in found.settings])
    for o in range(outputs):
        for i, label in enumerate(found.labels):
            axis = axes[o][i]
            for k, a in enumerate(_shown(found)):
                if found.settings[0].fitted[i, a]:
                    continue
                colour = POINTS[k % len(POINTS)]
                order1 = [one.expansion.prediction1[i, a, o] for one in found.settings]
                axis.plot(*_joined(inverse, order1), color=colour, linewidth=1.2, label=found.points[a])
                parts = [one.sampled for one in found.settings if one.sampled is not None]
                off = [
                    p.prediction[i, a, o] - s.expansion.order0[i, a, o]
                    for p, s in zip(parts, found.settings, strict=True)
                ]
                errors = [part.prediction_errors[i, a, o] for part in parts]
                _dots(axis, inverse, np.array(off) / inverse, np.array(errors) / inverse, colour, "o")
            shown = label.replace("-", " ").replace("inf", r"$\infty$")
            axis.set_title(f"{shown}, output {o + 1}", fontsize=9)
            axis.axhline(0, color="black", linewidth=0.6, linestyle=":")
            axis.set_xlim(0, 1.1 * inverse.max())
            axis.set_xticks(inverse, [f"1/{one.n}" for one in found.settings], fontsize=6)
            axis.legend(fontsize=5.5, loc="best")
        axes[o][0].set_ylabel(rf"${letter}$ (prediction $-$ order 0)", fontsize=8)
    for axis in axes[-1]:
        axis.set_xlabel(f"$1/{letter}$ ({BARS})")
    figure.suptitle(str(found.meta["activation"]).replace("$", r"\$")[:90], fontsize=9)
    return figure


def _joined(inverse: Array, order1: Sequence[float]) -> tuple[Array, Array]:
    """Order 1 from 1/n = 0 on: a horizontal line for equal hidden widths."""
    order = np.argsort(inverse)
    values = np.array(order1)[order]
    return np.concatenate([[0.0], inverse[order]]), np.concatenate([values[:1], values])
