"""ntkfeyn critical"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntkfeyn.cli.completion import activation_names
from ntkfeyn.cli.network_options import show
from ntkfeyn.cli.notation_option import notation_option
from ntkfeyn.cli.options import answer_no, end_with_answer, figures_option, json_option, weights_option
from ntkfeyn.cli.progress import AGAIN, progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ntkfeyn.asymptotics.predictions import Leading, Predicted
    from ntkfeyn.criticality.depth import Law, Run, Scaling, Tuning
    from ntkfeyn.criticality.growth import Growth
    from ntkfeyn.criticality.points import Criticality, CriticalPoint
    from ntkfeyn.render.symbols import Symbols


@click.command("critical", short_help="Find critical points and how tensors scale with depth.")
@click.option(
    "--activation",
    required=True,
    metavar="NAME",
    shell_complete=activation_names,
    help="A name (see evaluate), or an expression in z.",
)
@click.option("--depth", type=int, default=256, show_default=True, metavar="L", help="Layers of the depth scaling.")
@click.option("--off", type=float, default=0.1, show_default=True, metavar="D", help="C_W times 1-D, 1+D off critical.")
@click.option("--lambda-w", type=float, default=1.0, show_default=True, metavar="X", help="lambda_W.")
@click.option("--lambda-b", type=float, default=0.0, show_default=True, metavar="X", help="lambda_b.")
@weights_option("Law of the weights of all layers but the first.")
@click.option("--no-scaling", is_flag=True, help="Only the critical points.")
@figures_option("Directory for critical.pdf, .png and .json.")
@notation_option
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="What to print."
)
@json_option
def command(
    activation: str,
    depth: int,
    off: float,
    lambda_w: float,
    lambda_b: float,
    weights: str,
    no_scaling: bool,
    output: Path | None,
    form: str,
    json_file: Path | None,
    symbols: Symbols,
) -> None:
    """Find the critical (C_W, C_b) of an activation, and how every tensor scales with depth there and off it.

    One input, equal widths. The network starts at K^(1) = K*, or near 1 where K* is 0 or any. At criticality tensors
    go as l^p, below and above as e^(r l): p and r with uncertainties, and beside p the leading term that follows from
    the recursions (`ntkfeyn depth` has all of it). Exit code 1: no critical point attracts.

    \b
    Example: ntkfeyn critical --activation gelu --depth 64
             ntkfeyn critical --activation "z*tanh(z)" --no-scaling
             ntkfeyn critical --activation tanh --weights orthogonal --depth 64
    """
    from ntkfeyn.criticality.points import critical_points, points_json
    from ntkfeyn.errors import bad_request

    if no_scaling and output is not None:
        raise bad_request("-o was given with --no-scaling", "the figure shows the scaling", "--json FILE")
    found = critical_points(activation)
    if found.main is None:
        answer_no()
    if no_scaling:
        show(points_json(found), points_table(found), form, json_file)
    else:
        from ntkfeyn.asymptotics.predictions import add_predictions
        from ntkfeyn.criticality.depth import Scaling, critical_json

        scaling = Scaling(depth, off, lambda_w, lambda_b, weights)
        scaling.check()
        text, runs, predicted = _scaling(activation, found, scaling)
        document = critical_json(found, scaling, runs)
        add_predictions(document, predicted)
        if output is not None:
            _write(output, found.activation, document, runs, scaling, symbols, predicted)
        show(document, text, form, json_file)
    end_with_answer()


def _scaling(
    name: str, found: Criticality, scaling: Scaling
) -> tuple[str, dict[Tuning, Run] | None, Mapping[str, Predicted]]:
    """The points and the depth scaling as tables, and its runs and what is derived where there is a critical point."""
    from ntkfeyn.asymptotics.predictions import predictions
    from ntkfeyn.criticality.depth import depth_scaling

    runs: dict[Tuning, Run] | None = None
    text, predicted = points_table(found), dict[str, "Predicted"]()
    if found.main is not None:
        with progress("critical", 6 * (scaling.depth - 1), AGAIN) as advance:
            runs = depth_scaling(name, found.main, scaling, advance)
        predicted = dict(predictions(name, found.main, scaling))
        text += scaling_table(runs, scaling, predicted)
    return text, runs, predicted


def _write(
    directory: Path,
    name: str,
    document: dict[str, Any],
    runs: dict[Tuning, Run] | None,
    scaling: Scaling,
    symbols: Symbols,
    predicted: Mapping[str, Predicted],
) -> None:
    """Data and figure; their names on stderr."""
    from ntkfeyn.render.json import to_text
    from ntkfeyn.runtime.files import write_below

    [data] = write_below(directory, {"critical.json": to_text(document)})
    click.echo(data, err=True)
    if runs is not None:
        from ntkfeyn.figures.critical import critical_figure

        for path in critical_figure(name, runs, scaling, directory, "critical", symbols, predicted):
            click.echo(path, err=True)


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
