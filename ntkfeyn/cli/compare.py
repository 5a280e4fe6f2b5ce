"""ntkfeyn compare"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntkfeyn.cli.network_options import NetworkRequest, network_options, result_options, sampling_options, show
from ntkfeyn.cli.notation_option import notation_option
from ntkfeyn.cli.options import TargetRequest, answer_no, end_with_answer, figures_option, target_options
from ntkfeyn.cli.progress import AGAIN, progress

if TYPE_CHECKING:
    from ntkfeyn.render.symbols import Symbols
    from ntkfeyn.sampling.comparison import ChiSquare, Comparison
    from ntkfeyn.sampling.estimation import Sampling
    from ntkfeyn.solve.request import Request


@click.command("compare", short_help="Compare theory with sampled networks.")
@target_options
@network_options
@click.option("--components", default="all", show_default=True, metavar="all|pairs|1-1-2-2,..", help="Which indices.")
@sampling_options
@click.option("--max-pull", type=float, default=5.0, show_default=True, help="Exit code 1 if any |pull| is above.")
@figures_option("Directory for figures (pdf, png) and data.")
@notation_option
@result_options
def command(
    request: TargetRequest,
    network: NetworkRequest,
    components: str,
    sampling: Sampling,
    max_pull: float,
    output: Path | None,
    jobs: int,
    scheduler: str | None,
    form: str,
    json_file: Path | None,
    symbols: Symbols,
) -> None:
    """Compare theory with sampled networks: values, pulls, chi^2, figures; exit code 1 if they disagree.

    --order is the highest power of 1/n of theory (default 1): Theta is compared with Theta + Theta^{1}/n + .., V (n
    times its cumulant) with V + V^{1}/n + ... Without tensors: K, Theta, V, D, F, A, B and K@1, Theta@1. A pull is
    (sampled - theory)/error; theory leaves out higher orders, which show at small widths. With weights shared over
    positions (--network) the output layer alone is compared.

    \b
    Example: ntkfeyn compare Theta --order 2 --activation gelu --inputs x.json --depth 3 --width 8,16 -o figures/
    """
    from ntkfeyn.cli.evaluate import evaluated_targets
    from ntkfeyn.sampling import comparison
    from ntkfeyn.solve.request import Request
    from ntkfeyn.solve.trust import trust_warnings

    settings = network.networks()
    targets = evaluated_targets(request._replace(order=None))
    asked = Request(settings, **network.samples(), jobs=jobs, scheduler=scheduler)
    order = 1 if request.order is None else request.order
    for line in trust_warnings(asked, targets, True):
        click.echo(f"Warning: {line}", err=True)
    with ExitStack() as bars:
        theory = bars.enter_context(progress("theory", 2 * len(settings) * (settings[0].depth - 1), AGAIN))

        def begin() -> Request:
            bars.close()
            advance = bars.enter_context(progress("sample", len(settings) * sampling.blocks))
            return asked._replace(advance=advance)

        found = comparison.compare(
            asked._replace(advance=theory), targets, order, sampling, components, max_pull, begin
        )
    if not found.passed:
        answer_no()
    for line in found.warnings():
        click.echo(f"Warning: {line}", err=True)
    if output is not None:
        _write(found, output, symbols)
    show(found.to_json(), _table(found), form, json_file)
    if not found.passed:
        click.echo(_verdict(found, order), err=True)
    end_with_answer()


def _write(found: Comparison, directory: Path, symbols: Symbols) -> None:
    """Data and figures; their names on stderr."""
    from ntkfeyn.figures.comparison import comparison_figures
    from ntkfeyn.render.json import to_text
    from ntkfeyn.runtime.files import write_below

    data = write_below(directory, {"comparison.json": to_text(found.to_json())})
    for path in (*data, *comparison_figures(found, directory, "comparison", symbols)):
        click.echo(path, err=True)


def _table(found: Comparison) -> str:
    """The output layer: a block a width, a row a tensor with its largest component; then chi^2 over all widths."""
    lines = []
    for setting in found.settings:
        lines.append(f"width {setting.width}, layer {len(setting.hidden) + 1}")
        wide = max(11, *(len(row.keys[row.largest]) + 2 for row in setting.output.values()))
        head = f"  {'tensor':<9}{'component':<{wide}}{'sampled':>24}   {'theory, order by order':<36}{'max |pull|':>10}"
        lines.append(f"{head}  chi^2")
        for target, row in setting.output.items():
            i = row.largest
            name = f"{target:<9}{row.keys[i]:<{wide}}"
            sampled = f"{row.sampled[i]:.6g} +- {row.errors[i]:.2g}"
            sums = ", ".join(f"{value:.6g}" for value in row.theory[:, i])
            pull = float(abs(row.pulls).max())
            lines.append(f"  {name}{sampled:>24}   {sums:<36}{_pull(pull):>10}  {_chi(row.chi_square)}")
        lines.append("")
    if len(found.settings) > 1:
        lines.append("all widths")
        lines += [f"  {target:<9}{_chi(found.total(target))}" for target in found.orders]
    lines.append(f"largest |pull| over all layers {_pull(found.largest_pull)}, allowed {found.max_pull:g}")
    return "\n".join(lines) + "\n"


def _pull(value: float) -> str:
    return f"{value:.2f}" if value < 1e4 else f"{value:.0e}"


def _chi(found: ChiSquare | None) -> str:
    return "(too few networks)" if found is None else f"{found.value:.1f}/{found.freedom}, p = {found.p:.2g}"


def _verdict(found: Comparison, order: int) -> str:
    return (
        f"theory up to order {order} and the sampled networks differ: a pull of {_pull(found.largest_pull)}, allowed is"
        f" {found.max_pull:g}; higher orders may matter: try --order {order + 1}, or larger widths"
    )
