"""Critical points and depth scaling as tables for a terminal (theory section 8).

Enters: critical points, runs and their laws, what is derived. Leaves: text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ntkfeyn.asymptotics.predictions import Leading, Predicted
    from ntkfeyn.criticality.depth import Law, Run, Scaling, Tuning
    from ntkfeyn.criticality.growth import Growth
    from ntkfeyn.criticality.points import Criticality, CriticalPoint


def points_table(found: Criticality) -> str:
    """One row a critical point, the one to use first; or why there is none."""
    main = found.main
    lines = [] if main else [f"{found.activation}: no critical point: {found.reason}"]
    if found.points:
        lines.append(
            f"{found.activation:<16} {'C_W':>14} {'C_b':>14} {'K*':>14} {'chi_par':>9} {'chi_perp':>9}  "
            f"{'class':<16} attracts"
        )
    lines += [_point_row(point, point is main) for point in found.points]
    return "\n".join(lines) + "\n"


def _point_row(point: CriticalPoint, main: bool) -> str:
    kernel = "any" if point.kernel is None else f"{point.kernel:.10g}"
    return (
        f"{'critical' if main else 'also':<16} {point.cw:>14.10g} {point.cb:>14.10g} {kernel:>14}"
        f" {point.chi_parallel:>9.6g} {point.chi_perpendicular:>9.6g}  {point.kind:<16} {point.attracts}"
    )


def scaling_table(runs: dict[Tuning, Run], scaling: Scaling, predicted: Mapping[str, Predicted]) -> str:
    """One row a tensor: at criticality its exponent and that of its ratio, fitted and derived; the rates off it."""
    from ntkfeyn.asymptotics.predictions import compared
    from ntkfeyn.criticality.depth import Tuning, laws, ratio_name

    found = {which: laws(run, which == Tuning.CRITICAL) for which, run in runs.items()}
    lines = [
        "",
        f"Depth scaling: one input, equal widths, lambda_W = {scaling.lambda_w:g}, lambda_b = {scaling.lambda_b:g};"
        f" C_W times {1 - scaling.off:g}, {1 + scaling.off:g} below and above"
        + ("" if scaling.weights == "gaussian" else f"; {scaling.weights} weights"),
    ]
    for which, run in runs.items():
        lines.append(f"  {which}: layers 1 .. {run.layers}" + (f"; stopped: {run.stopped}" if run.stopped else ""))
    heads = ["", "critical: l^p", "derived", "ratio", "l^p", "derived", "below: e^(r l)", "above: e^(r l)"]
    rows = []
    for tensor in dict.fromkeys(tensor for part in found.values() for tensor in part):
        here: Law | None = found[Tuning.CRITICAL].get(tensor)
        ratio = here.ratio if here else None
        known = predicted.get(tensor)
        cells = [tensor, growth_text(here.tensor if here else None), leading_text(known.tensor if known else None)]
        cells += [ratio_name(tensor) if ratio else "", growth_text(ratio)]
        cells += [leading_text(known.ratio if known and ratio else None)]
        cells += [growth_text(part[tensor].tensor if tensor in part else None) for part in list(found.values())[1:]]
        rows.append(cells)
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    table = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in [heads, *rows]]
    notes = _notes(found[Tuning.CRITICAL], found)
    return "\n".join([*lines, "", *table, "", *notes, *compared(found[Tuning.CRITICAL], predicted)]) + "\n"


def leading_text(leading: Leading | None) -> str:
    """The leading term that is derived; c is a constant that depends on the first layer."""
    return "" if leading is None else str(leading)


def growth_text(growth: Growth | None) -> str:
    """A law in a few characters: 3 (polynomial), 1.0002 +- 0.0004, -1.10 +- 0.28 (slow), 0 (vanishes), ?."""
    from ntkfeyn.criticality.growth import Form

    if growth is None:
        return ""
    if growth.form == Form.ZERO:
        return "0 (vanishes)"
    if growth.value is None or growth.uncertainty is None:
        return "?"
    if growth.form == Form.POLYNOMIAL:
        return f"{growth.value:g} (polynomial)"
    value, spread = rounded(growth.value, growth.uncertainty)
    return f"{value} +- {spread}" + (" (slow)" if growth.form == Form.SLOW else "")


def rounded(value: float, uncertainty: float) -> tuple[str, str]:
    """The uncertainty to two digits and the value to the same place."""
    from math import floor, log10

    places = min(max(1 - floor(log10(uncertainty)), 0), 10)
    text = f"{value:.{places}f}"
    return (text if float(text) else "0"), f"{uncertainty:.2g}"


def _notes(critical: dict[str, Law], found: dict[Tuning, dict[str, Law]]) -> list[str]:
    """What the numbers mean, and what could not be read off."""
    from ntkfeyn.criticality.growth import Form

    lines = []
    if critical:
        growing = [tensor for tensor, law in critical.items() if law.polynomial is False]
        unknown = any(law.polynomial is None for law in critical.values())
        if growing:
            lines.append(f"At criticality not seen to stay polynomial: {', '.join(growing)}; try a larger --depth.")
        elif not unknown:
            lines.append("At criticality every tensor grows only polynomially with depth.")
    for which, rows in found.items():
        notes: dict[str, list[str]] = {}
        for tensor, law in rows.items():
            if law.tensor.note:
                notes.setdefault(law.tensor.note, []).append(tensor)
        lines += [f"? {which}, {', '.join(tensors)}: {note}" for note, tensors in notes.items()]
    if any(law.tensor.form == Form.SLOW for law in critical.values()):
        lines.append(
            "(slow): corrections die slower than 1/l, as powers of log l do; the exponent is extrapolated in 1/log l."
        )
    return lines
