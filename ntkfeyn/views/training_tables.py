"""Training as a table for a terminal.

Enters: ``Trained``. Leaves: text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ntkfeyn.training.results import Pulls, Trained, TrainedSetting

MOST_LINES = 60


def training_table(found: Trained) -> str:
    """Predictions and kernels, a row a time and point; then what all pulls of a width come to."""
    lines: list[str] = []
    for setting in found.settings:
        lines += [f"width {setting.width}, {found.meta['activation']}, depth {found.meta['depth']}, n = {setting.n}"]
        lines += _rows(found, setting)
    if found.settings[0].sampled is not None:
        lines += ["pulls (rms and largest), a unit normal where theory is right:"]
        lines += [f"  {'width':<10}{'':<12}{'number':>7}{'order 0':>20}{'order 1':>20}"]
        for setting in found.settings:
            for kind, pulls in (("prediction", setting.prediction_pulls()), ("kernel", setting.change_pulls())):
                lines.append(f"  {setting.width:<10}{kind:<12}{_summary(pulls)}")
    return "\n".join(lines) + "\n"


def _rows(found: Trained, setting: TrainedSetting) -> list[str]:
    """The first line says what is listed: a prediction is order 0 + order 1/n."""
    from math import isnan

    theory, sampled = setting.expansion, setting.sampled
    beside = f"{'sampled':>24}" if sampled is not None else ""
    rows = [f"  {'':<12}{'point':<10}{'output':<7}{'order 0':>14}{'order 1':>14}{'0 + 1/n':>14}{beside}"]
    for i, label in enumerate(found.labels):
        for a, point in enumerate(found.points):
            for o in range(theory.order0.shape[2]):
                at = (i, a, o)
                numbers = (theory.order0[at], theory.prediction1[at], setting.prediction[at])
                row = f"  {label:<12}{point:<10}{o + 1:<7}" + "".join(f"{x:>14.8g}" for x in numbers)
                if sampled is not None:
                    row += f"{f'{sampled.prediction[at]:.6g} +- {sampled.prediction_errors[at]:.1g}':>24}"
                rows.append(row)
    rows = _shortened(rows)
    rows.append(f"  {'':<12}{'kernel':<17}{'order 0':>14}{'initial, 1':>14}{'change, 1':>14}{beside}")
    kernel = []
    for i, label in enumerate(found.labels):
        for a in range(len(found.points)):
            for b in range(a, len(found.points)):
                if isnan(theory.change1[i, a, b]):
                    continue
                numbers = (theory.kernel[a, b], theory.initial[a, b], theory.change1[i, a, b])
                row = f"  {label:<12}{f'{a + 1}-{b + 1}':<17}" + "".join(f"{x:>14.8g}" for x in numbers)
                if sampled is not None:
                    row += f"{f'{sampled.change[i, a, b]:.6g} +- {sampled.change_errors[i, a, b]:.1g}':>24}"
                kernel.append(row)
    return [*rows, *_shortened(kernel), ""]


def _shortened(rows: list[str]) -> list[str]:
    more = len(rows) - MOST_LINES
    return [*rows[:MOST_LINES], f"  .. {more} more rows: --format json"] if more > 0 else rows


def _summary(pulls: Pulls) -> str:
    from numpy import abs, isnan, mean, sqrt

    cells = []
    for part in pulls:
        known = part[~isnan(part)]
        cells.append(f"{f'{sqrt(mean(known**2)):.2f}, {abs(known).max():.1f}' if known.size else '-':>20}")
    return f"{int((~isnan(pulls.order1)).sum()):>7}" + "".join(cells)
