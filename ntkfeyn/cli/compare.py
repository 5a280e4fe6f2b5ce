"""ntkfeyn compare"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntkfeyn.cli.network_options import NetworkRequest, network_options, result_options, sampling_options, show
from ntkfeyn.cli.notation_option import notation_option
from ntkfeyn.cli.number_types import FLOAT
from ntkfeyn.cli.options import COMPONENTS, TargetRequest, answer_no, end_with_answer, figures_option, target_options
from ntkfeyn.cli.progress import AGAIN, progress

if TYPE_CHECKING:
    from ntkfeyn.render.symbols import Symbols
    from ntkfeyn.sampling.comparison import Comparison
    from ntkfeyn.sampling.estimation import Sampling
    from ntkfeyn.solve.request import Request


@click.command("compare", short_help="Compare theory with sampled networks.")
@partial(target_options, order_text="Highest absolute power of 1/n of theory (default: 1).")
@network_options
@click.option("--components", default="all", show_default=True, metavar="all|pairs|1-1-2-2,..", help=COMPONENTS)
@sampling_options
@click.option("--max-pull", type=FLOAT, default=5.0, show_default=True, help="Exit code 1 if any |pull| is above.")
@click.option("--all-components", is_flag=True, help="A row for each component, not the largest alone.")
@figures_option("Directory for figures (pdf, png) and data.")
@notation_option
@result_options
def command(
    request: TargetRequest,
    network: NetworkRequest,
    components: str,
    sampling: Sampling,
    max_pull: float,
    all_components: bool,
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
    (sampled - theory)/error; theory leaves out higher orders, which show at small widths. They disagree if a |pull| is
    above --max-pull, or chi^2 of all components of a tensor has p < 1e-6. Then the next orders, up to 3 and for few
    inputs, are held against the same networks, and the last line says which of them agrees. With weights shared over
    positions (--network) the output layer alone is compared.

    \b
    Example: ntkfeyn compare Theta --order 2 --activation gelu --inputs x.json --depth 3 --width 8,16 -o figures/
    """
    from ntkfeyn.views.tables import comparison_table

    asked = (network.networks(), network.samples(), {"jobs": jobs, "scheduler": scheduler})
    order = 1 if request.order is None else request.order
    found = _compared(request, asked, order, sampling, components, max_pull)
    if not found.passed:
        answer_no()
    if output is not None:
        _write(found, output, symbols)
    show(found.to_json(), comparison_table(found, every=all_components), form, json_file)
    if not found.passed:
        reasons = "; ".join(found.reasons())
        click.echo(f"theory up to order {order} and the sampled networks differ: {reasons}; {found.advice()}", err=True)
    end_with_answer()


def _compared(
    request: TargetRequest, asked: tuple[Any, ...], order: int, sampling: Sampling, components: str, max_pull: float
) -> Comparison:
    """The comparison, with bars; ``asked``: networks, their inputs, who does the work."""
    from ntkfeyn.cli.evaluate import evaluated_targets
    from ntkfeyn.sampling import comparison
    from ntkfeyn.solve.request import Request
    from ntkfeyn.solve.trust import trust_warnings

    settings, samples, workers = asked
    targets = evaluated_targets(request._replace(order=None))
    numbers = Request(settings, **samples, **workers)
    for line in trust_warnings(numbers, targets, True):
        click.echo(f"Warning: {line}", err=True)
    with ExitStack() as bars:
        theory = bars.enter_context(progress("theory", 2 * len(settings) * (settings[0].depth - 1), AGAIN))

        def begin() -> Request:
            bars.close()
            advance = bars.enter_context(progress("sample", len(settings) * sampling.blocks))
            return numbers._replace(advance=advance)

        def further(power: int) -> Callable[[str], None]:
            bars.close()
            text = f"theory of order {power}, which was not asked for"
            return bars.enter_context(progress(text, 2 * len(settings) * (settings[0].depth - 1), AGAIN))

        theoretical = numbers._replace(advance=theory)
        return comparison.compare(theoretical, targets, order, sampling, components, max_pull, begin, further)


def _write(found: Comparison, directory: Path, symbols: Symbols) -> None:
    """Data and figures; their names on stderr."""
    from ntkfeyn.figures.comparison import comparison_figures
    from ntkfeyn.render.json import to_text
    from ntkfeyn.runtime.files import write_below

    data = write_below(directory, {"comparison.json": to_text(found.to_json())})
    for path in (*data, *comparison_figures(found, directory, "comparison", symbols)):
        click.echo(path, err=True)
