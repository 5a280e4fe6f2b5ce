"""ntkfeyn train"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ntkfeyn.cli.network_options import NetworkRequest, network_options, result_options, show
from ntkfeyn.cli.notation_option import notation_option
from ntkfeyn.cli.number_types import FLOAT, INT
from ntkfeyn.cli.options import figures_option, written_option
from ntkfeyn.cli.progress import AGAIN, progress
from ntkfeyn.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntkfeyn.render.symbols import Symbols
    from ntkfeyn.sampling.estimation import Sampling
    from ntkfeyn.training.request import TrainingRequest
    from ntkfeyn.training.results import Trained

_FILE = click.Path(dir_okay=False, path_type=Path)
CURVE = 61  # times of a curve


@click.command("train", short_help="Predictions of trained networks at order 1/n.")
@network_options
@click.option("--targets", type=_FILE, metavar="FILE", help="A row a training input, one number an output.")
@click.option(
    "--test", type=_FILE, metavar="FILE", help="Test inputs, as --inputs. With --gram: those without targets."
)
@click.option("--times", metavar="T,T,..", help="Gradient flow to these times, inf too.  [default: 0.5,1,2,5,inf]")
@click.option("--steps", metavar="N,N,..", help="Gradient descent after so many steps, with --rate.")
@click.option(
    "--rate", type=FLOAT, metavar="ETA", help="Step of gradient descent, below 2 over the largest eigenvalue."
)
@click.option(
    "--every-pair/--no-every-pair",
    default=True,
    show_default=True,
    help="Follow the kernel also between different test inputs; the time grows with their pairs.",
)
@click.option("--networks", type=INT, metavar="N", help="Train so many networks of each width beside the theory.")
@click.option("--seed", type=INT, default=1, show_default=True, help="The networks depend on it alone.")
@written_option("--checkpoint", help="Keep what is done in this file.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint, to the same numbers.")
@click.option("--tolerance", type=FLOAT, default=1e-6, show_default=True, help="Of the tensors, as for evaluate.")
@figures_option("Directory for training.json and figures (pdf, png).")
@notation_option
@result_options
def command(
    network: NetworkRequest,
    targets: Path | None,
    test: Path | None,
    output: Path | None,
    jobs: int,
    scheduler: str | None,
    form: str,
    json_file: Path | None,
    symbols: Symbols,
    tolerance: float,
    **rest: Any,
) -> None:
    """Mean prediction and kernel of trained networks, at orders 0 and 1 in 1/n and source by source.

    Loss 1/2 sum of (prediction - target)^2, gradient flow or gradient descent, any smooth activation. The prediction is
    order0 + order1/n, n the width of the last hidden layer. A pull is (sampled - theory)/error.

    \b
    Example: ntkfeyn train --activation tanh --inputs x.json --targets y.json --test t.json --depth 3 --width 64
             ntkfeyn train --activation gelu --inputs x.json --targets y.json --depth 3 --width 16 --networks 64 -o out
             ntkfeyn train --activation tanh --inputs x.json --targets y.json --depth 3 --width 8 --steps 50 --rate 0.1
    """
    from ntkfeyn.solve.inputs import read_array
    from ntkfeyn.training.request import Points, training_request
    from ntkfeyn.training.run import trained
    from ntkfeyn.views.training_tables import training_table

    networks = network.networks()
    paths = (targets, network.inputs, test, network.gram)
    points = Points(*(None if path is None else read_array(path) for path in paths))
    solving = {"tolerance": tolerance, "jobs": jobs, "scheduler": scheduler}
    request = training_request(networks, points, _schedule(rest), _sampling(rest), rest["every_pair"], **solving)
    request = request._replace(curve=0 if output is None else CURVE)
    with ExitStack() as bars:
        theory = bars.enter_context(progress("theory", 2 * len(networks) * (networks[0].depth - 1), AGAIN))

        def begin() -> Callable[[str], None]:
            bars.close()
            return bars.enter_context(progress("train", len(networks) * request.blocks))

        found = trained(_advancing(request, theory), begin)
    for line in found.warnings:
        click.echo(f"Warning: {line}", err=True)
    if output is not None:
        _write(found, output, symbols)
    show(found.to_json(), training_table(found), form, json_file)


def _schedule(given: dict[str, Any]) -> Any:
    from ntkfeyn.model.numbers import read_numbers
    from ntkfeyn.training.request import schedule_for

    times, steps = given["times"], given["steps"]
    return schedule_for(
        None if times is None else read_numbers("--times", times, float),
        None if steps is None else read_numbers("--steps", steps, int),
        given["rate"],
    )


def _sampling(given: dict[str, Any]) -> Sampling | None:
    from ntkfeyn.sampling.estimation import Sampling

    if given["networks"] is None:
        source = click.get_current_context().get_parameter_source
        for name in ("seed", "checkpoint", "resume"):
            if source(name) is not ParameterSource.DEFAULT:
                asked = f"--{name} was given without networks"
                raise bad_request(asked, "it is for networks trained beside the theory", "--networks 640")
        return None
    return Sampling(given["networks"], given["seed"], given["checkpoint"], given["resume"])


def _advancing(request: TrainingRequest, advance: Callable[[str], None]) -> TrainingRequest:
    return request._replace(numbers=request.numbers._replace(advance=advance))


def _write(found: Trained, directory: Path, symbols: Symbols) -> None:
    """Data and figures; their names on stderr."""
    from ntkfeyn.figures.training import training_figures
    from ntkfeyn.render.json import to_text
    from ntkfeyn.runtime.files import write_below

    data = write_below(directory, {"training.json": to_text(found.to_json())})
    for path in (*data, *training_figures(found, directory, "training", symbols)):
        click.echo(path, err=True)
