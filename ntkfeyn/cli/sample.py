"""ntkfeyn sample"""

from __future__ import annotations

from pathlib import Path

import click

from ntkfeyn.cli.network_options import NetworkRequest, network_options, result_options, show
from ntkfeyn.cli.options import Request, target_options
from ntkfeyn.cli.progress import progress


@click.command("sample")
@target_options
@network_options
@click.option("--networks", type=int, default=3200, show_default=True, metavar="N", help="Networks of each width.")
@click.option("--seed", type=int, default=1, show_default=True, help="The numbers depend on it alone.")
@click.option("--checkpoint", type=click.Path(dir_okay=False, path_type=Path), help="Keep what is done in this file.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint, to the same numbers.")
@result_options
def command(
    request: Request,
    network: NetworkRequest,
    networks: int,
    seed: int,
    jobs: int,
    checkpoint: Path | None,
    resume: bool,
    form: str,
    json_file: Path | None,
) -> None:
    """Estimate tensors from sampled networks: unbiased, with one standard error.

    K, Theta, V, D, F, A, B (n times the cumulant at that width) and K@1, Theta@1 (n times what the mean is off K,
    Theta). Without tensors: all of these.

    \b
    Example: ntkfeyn sample --activation gelu --inputs x.json --depth 3 --width 16 --networks 512 V Theta@1
    """
    from ntkfeyn.cli.evaluate import evaluated_targets, table
    from ntkfeyn.numerics import estimation, evaluation

    settings = network.networks()
    targets = evaluated_targets(request)
    asked = evaluation.Request(settings, network.gram_matrix(), jobs=jobs)
    sampling = estimation.Sampling(networks, seed, checkpoint, resume)
    with progress("sample", len(settings) * sampling.tasks) as advance:
        result = estimation.sample_tensors(asked._replace(advance=advance), targets, sampling)
    show(result.to_json(), table(result), form, json_file)
