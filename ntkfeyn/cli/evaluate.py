"""ntkfeyn evaluate"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntkfeyn.cli.network_options import NetworkRequest, network_options, result_options, show
from ntkfeyn.cli.number_types import FLOAT
from ntkfeyn.cli.options import COMPONENTS, ORDER, TargetRequest, target_options, written_option
from ntkfeyn.cli.progress import AGAIN, progress

if TYPE_CHECKING:
    from ntkfeyn.model.tensors import TensorId
    from ntkfeyn.solve.request import Request
    from ntkfeyn.solve.results import Tensors


@click.command("evaluate", short_help="Solve the recursions: every tensor at every layer.")
@partial(target_options, order_text=ORDER + " With --assembled or --moment: the highest one.")
@network_options
@click.option("--components", default="all", show_default=True, metavar="all|pairs|1-1-2-2,..", help=COMPONENTS)
@click.option("--tolerance", type=FLOAT, default=1e-8, show_default=True, help="Relative to each tensor's largest one.")
@click.option("--moment", metavar="TEXT", help='Full moment for given neurons: "z_i1 z_i2 z_j3 z_j4", "Var(NTK_ij12)".')
@click.option("--assembled", is_flag=True, help="Add up orders at each width: K + K^{1}/n + .., all up to --order.")
@click.option(
    "--layout",
    type=click.Choice(["ntkfeyn", "ntk-unlimited"]),
    default="ntkfeyn",
    show_default=True,
    help="One document, or a file a tensor as the authors' package has it.",
)
@written_option("-o", "--output", directory=True, help="Directory for the files of --layout.")
@partial(result_options, formats=("table", "csv", "json"))
def command(
    request: TargetRequest,
    network: NetworkRequest,
    components: str,
    tolerance: float,
    moment: str | None,
    assembled: bool,
    layout: str,
    output: Path | None,
    jobs: int,
    scheduler: str | None,
    form: str,
    json_file: Path | None,
) -> None:
    """Solve the recursions for a real activation: every tensor at every layer, with error estimates.

    Without tensors: K, Theta, V, D, F, A, B and K@1, Theta@1. A moment takes --order R as its highest power of 1/n.

    \b
    Example: ntkfeyn evaluate --activation gelu --inputs x.json --depth 4 --width 64 K Theta@1
             ntkfeyn evaluate --activation relu --inputs x.json --depth 3 --width 32 --moment "Var(NTK_ii11)"
    """
    from ntkfeyn.errors import bad_request
    from ntkfeyn.render.json import to_text
    from ntkfeyn.runtime.files import write_below
    from ntkfeyn.solve.request import Request
    from ntkfeyn.views.tables import tensors_table

    if layout == "ntk-unlimited" and (output is None or moment or json_file or form == "json"):
        raise bad_request("--layout ntk-unlimited", "it writes one file a tensor into a directory", "-o results/")
    if output is not None and layout != "ntk-unlimited":
        raise bad_request("-o was given", "it goes with --layout ntk-unlimited", "--json FILE")
    networks = network.networks()
    asked = Request(networks, **network.samples(), tolerance=tolerance, jobs=jobs, scheduler=scheduler)
    asked.check()
    if moment is not None:
        if assembled or components != "all" or form == "csv":
            raise bad_request(
                "--assembled, --components or csv was given with --moment", "they are for tensors", "--moment alone"
            )
        document, text = _moment(asked, request, moment)
    else:
        result = _solved(asked, evaluated_targets(request, up_to=assembled), components, assembled)
        if output is not None:
            for path in write_below(output, {name: to_text(data) for name, data in result.unlimited_files().items()}):
                click.echo(path)
            return
        document, text = result.to_json(), result.to_csv() if form == "csv" else tensors_table(result)
    show(document, text, form, json_file)


def _solved(asked: Request, targets: list[TensorId], components: str, assembled: bool) -> Tensors:
    """The tensors, their orders added up if asked for; warnings on stderr."""
    from ntkfeyn.solve.evaluation import evaluate_tensors
    from ntkfeyn.solve.trust import trust_warnings

    with progress("evaluate", asked.steps, AGAIN) as advance:
        result = evaluate_tensors(asked._replace(advance=advance), targets, components)
    for line in [*result.warnings(), *trust_warnings(asked, targets, assembled)]:
        click.echo(f"Warning: {line}", err=True)
    return result.assembled() if assembled else result


def evaluated_targets(request: TargetRequest, *, up_to: bool = False) -> list[TensorId]:
    """What was asked for, or K, Theta, V, D, F, A, B, K@1 and Theta@1.

    ``up_to``: --order asks for every order of each tensor up to it.
    """
    from ntkfeyn.model.cumulants import standard
    from ntkfeyn.model.targets import DEFAULT_EVALUATED, resolve
    from ntkfeyn.model.tensors import TensorId

    asked = request.names or request.legs is not None or request.channel is not None
    if request.order is None or (not asked and up_to):
        found = request._replace(order=None).targets() if asked else resolve(DEFAULT_EVALUATED)
    else:
        found = request.targets()
    targets = [target.id for target in found]
    if up_to and request.order is not None:
        names = dict.fromkeys(target.name for target in targets)
        targets = [TensorId(name, r) for name in names for r in range(standard(name).leading_order, request.order + 1)]
    return list(dict.fromkeys(targets))


def _moment(asked: Request, request: TargetRequest, text: str) -> tuple[dict[str, Any], str]:
    """The JSON document and the lines of a moment."""
    from ntkfeyn.errors import bad_request
    from ntkfeyn.solve.evaluation import evaluate_moment, moment_json
    from ntkfeyn.solve.moments import parse_moment

    if request.names or request.legs is not None or request.channel is not None:
        raise bad_request("tensors and --moment were given together", "one of them is allowed", "--moment alone")
    moment = parse_moment(text, 1 if request.order is None else request.order)
    document = moment_json(asked, moment, evaluate_moment(asked, moment))
    lines = []
    for setting, layers in document["data"].items():
        for layer, row in layers.items():
            powers = [f"{c['value']:.10g}" + (f" n^-{r}" if r else "") for r, c in enumerate(row["coefficients"])]
            lines.append(
                f"{setting} {layer}: {moment.text} = {' + '.join(powers)} = {row['value']:.10g} at n = {row['n']}"
            )
    return document, "\n".join(lines).replace("+ -", "- ") + "\n"
