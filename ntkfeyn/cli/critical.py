"""ntkfeyn critical"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntkfeyn.cli.completion import activation_names
from ntkfeyn.cli.network_options import show
from ntkfeyn.cli.notation_option import notation_option
from ntkfeyn.cli.number_types import FLOAT, INT
from ntkfeyn.cli.options import answer_no, end_with_answer, figures_option, json_option, weights_option
from ntkfeyn.cli.progress import AGAIN, progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntkfeyn.render.symbols import Symbols
    from ntkfeyn.views.critical import Critical


@click.command("critical", short_help="Find critical points and how tensors scale with depth.")
@click.option(
    "--activation",
    required=True,
    metavar="NAME",
    shell_complete=activation_names,
    help="A name (see evaluate), or an expression in z.",
)
@click.option("--depth", type=INT, default=256, show_default=True, metavar="L", help="Layers of the depth scaling.")
@click.option("--off", type=FLOAT, default=0.1, show_default=True, metavar="D", help="C_W times 1-D, 1+D off critical.")
@click.option("--lambda-w", type=FLOAT, default=1.0, show_default=True, metavar="X", help="lambda_W.")
@click.option("--lambda-b", type=FLOAT, default=0.0, show_default=True, metavar="X", help="lambda_b.")
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
    from ntkfeyn.criticality.depth import Scaling
    from ntkfeyn.errors import bad_request
    from ntkfeyn.views.critical import critical_record

    if no_scaling and output is not None:
        raise bad_request("-o was given with --no-scaling", "the figure shows the scaling", "--json FILE")
    settings = Scaling(depth, off, lambda_w, lambda_b, weights)
    settings.check()
    scaling = None if no_scaling else settings
    with ExitStack() as bars:

        def begin() -> Callable[[str], None]:
            return bars.enter_context(progress("critical", 6 * (depth - 1), AGAIN))

        found = critical_record(activation, scaling, symbols, begin)
    if found.main is None:
        answer_no()
    if output is not None:
        _write(found, output)
    show(found.to_json(), str(found), form, json_file)
    end_with_answer()


def _write(found: Critical, directory: Path) -> None:
    """Data and figure; their names on stderr."""
    from ntkfeyn.render.json import to_text
    from ntkfeyn.runtime.files import write_below

    for path in write_below(directory, {"critical.json": to_text(found.to_json())}):
        click.echo(path, err=True)
    if found.runs:
        from ntkfeyn.figures.style import save

        for path in save(found.figure(), directory, "critical"):
            click.echo(path, err=True)
