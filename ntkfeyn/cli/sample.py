"""ntkfeyn sample"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntkfeyn.cli.network_options import NetworkRequest, network_options, result_options, sampling_options, show
from ntkfeyn.cli.number_types import FLOAT, INT
from ntkfeyn.cli.options import TargetRequest, target_options
from ntkfeyn.cli.progress import progress

if TYPE_CHECKING:
    from ntkfeyn.sampling.estimation import Sampling


@click.command("sample", short_help="Estimate tensors from sampled networks.")
@target_options
@network_options
@sampling_options
@click.option("--outputs", type=INT, default=2, show_default=True, help="Output neurons that show P, Q, R, S, T, U.")
@click.option("--target-error", type=FLOAT, metavar="X", help="Stop once errors are below X of each tensor's largest.")
@result_options
def command(
    request: TargetRequest,
    network: NetworkRequest,
    sampling: Sampling,
    outputs: int,
    target_error: float | None,
    jobs: int,
    scheduler: str | None,
    form: str,
    json_file: Path | None,
) -> None:
    """Estimate tensors from sampled networks: unbiased, with one standard error.

    K, Theta, V, D, F, A, B, P, Q, R, S, T, U (n^R times the cumulant at that width, R the leading order) and K@1,
    Theta@1 (n times what the mean is off K, Theta). Without tensors: K, Theta, V, D, F, A, B, K@1, Theta@1. With
    weights shared over positions (--network): of the output layer alone.

    \b
    Example: ntkfeyn sample --activation gelu --inputs x.json --depth 3 --width 16 --networks 512 V Theta@1
    """
    from ntkfeyn.api import sample_request
    from ntkfeyn.cli.evaluate import evaluated_targets
    from ntkfeyn.solve.request import Request
    from ntkfeyn.views.tables import tensors_table

    settings = network.networks()
    targets = evaluated_targets(request)
    asked = Request(settings, **network.samples(), jobs=jobs, scheduler=scheduler)
    sampling = sampling._replace(outputs=outputs, target_error=target_error)
    with progress("sample", len(settings) * sampling.blocks) as advance:
        result = sample_request(asked._replace(advance=advance), targets, sampling)
    show(result.to_json(), tensors_table(result), form, json_file)
