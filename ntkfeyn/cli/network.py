"""ntkfeyn network"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntkfeyn.cli.network_options import NetworkRequest, network_argument, show
from ntkfeyn.cli.number_types import FLOAT, INT
from ntkfeyn.cli.options import TargetRequest, json_option, target_options
from ntkfeyn.cli.progress import progress

if TYPE_CHECKING:
    from ntkfeyn.model.network import Network
    from ntkfeyn.solve.forecast import Work
    from ntkfeyn.solve.request import Request

WORDS = {"conv": "convolution", "dense": "dense", "graph": "graph"}
WORTH_SAYING = 1.0  # seconds
MISSING = {"activation": "gelu", "width": "1"}  # of a file that leaves them open, where nothing was typed


@click.command("network", short_help="The layers of a network file, and what its numbers will cost.")
@network_argument
@target_options
@click.option(
    "--samples", type=INT, default=2, show_default=True, metavar="N", help="Random inputs, if none are given."
)
@click.option("--components", default="all", show_default=True, metavar="all|pairs|1-1-2-2,..", help="As of evaluate.")
@click.option("--tolerance", type=FLOAT, default=1e-8, show_default=True, help="As of evaluate.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@json_option
def command(
    request: TargetRequest,
    network: NetworkRequest,
    samples: int,
    components: str,
    tolerance: float,
    form: str,
    json_file: Path | None,
) -> None:
    """Print the layers of a network file, their shapes and parameters, and what `evaluate` would compute.

    Tensors are those that `evaluate` takes, with the same default. The time, on stderr, is measured on a few of the
    expectations. Activation and width may be left open.

    \b
    Example: ntkfeyn network net.toml
             ntkfeyn network net.toml Theta Theta@1 --inputs x.npy
    """
    from ntkfeyn.cli.evaluate import evaluated_targets
    from ntkfeyn.errors import LimitError, bad_request
    from ntkfeyn.solve.forecast import forecast
    from ntkfeyn.solve.inputs import MAX_INPUTS

    if not 1 <= samples <= MAX_INPUTS:
        raise bad_request(f"{samples} samples were asked for", f"1 to {MAX_INPUTS} are allowed", "--samples 2")
    open_ = _left_open(network)
    network = network._replace(**open_)
    made = network.networks()
    asked = _request(network, made, samples)._replace(tolerance=tolerance)
    asked.check()
    works: list[Work] = []
    reason = ""
    try:
        with progress("plan", 2 * (made[0].depth - 1)) as advance:
            works = forecast(asked._replace(advance=advance), evaluated_targets(request), components)
    except LimitError as error:
        reason = str(error)
    show(document(asked, works, reason, open_), text(asked, works, reason, open_), form, json_file)
    total = sum(work.seconds for work in works)
    if total >= WORTH_SAYING:  # measured: not part of what is the same each time
        times = ", ".join(f"layer {work.layer} {work.seconds:.1g} s" for work in works)
        click.echo(f"About {total:.1g} s on one processor ({times}), at a tolerance of {tolerance:g}.", err=True)


def _left_open(network: NetworkRequest) -> dict[str, Any]:
    """Stand-ins for what neither the file nor the user says."""
    from ntkfeyn.cli.network_options import network_of

    sets = network_of(network.file or Path(), network.given).sets
    return {name: value for name, value in MISSING.items() if name not in sets and getattr(network, name) is None}


def _request(network: NetworkRequest, made: tuple[Network, ...], samples: int) -> Request:
    """The inputs that are given, or random ones: nothing about them is printed but how many they are."""
    import numpy as np

    from ntkfeyn.solve.inputs import gram_of, label_vectors
    from ntkfeyn.solve.request import Request

    if network.inputs is not None or network.gram is not None:
        return Request(made, **network.samples())
    shape = made[0].shape or (1,)
    given = label_vectors(np.random.default_rng(1).normal(size=(samples, *shape)), shape)
    return Request(made, gram_of(given), inputs=given)


def layers_of(network: Network) -> list[dict[str, Any]]:
    """One row a layer: what it is, the positions that it leaves, parameters (weights, biases)."""
    specs = network.specs
    below, rows = (network.shape or (1,))[0], []
    for number, layer in enumerate(network.layers, 1):
        maps = 1 if layer.sharing is None else len(layer.sharing.maps)
        width = layer.width or 1
        rows.append(
            {
                "layer": number,
                **(specs[number - 1].settings() if specs else {"kind": "dense"}),
                "positions": network.positions[number],
                "width": layer.width,
                "activation": layer.activation,
                "weights": maps * below * width,
                "biases": width * bool(layer.C_b or layer.lambda_b),
            }
        )
        below = width
    return rows


def document(asked: Request, works: list[Work], reason: str, open_: dict[str, Any]) -> dict[str, Any]:
    """After the schema ntkfeyn.network/1."""
    from ntkfeyn.runtime.version import TOOL

    network = asked.networks[0]
    return {
        "schema": "ntkfeyn.network/1",
        "tool": TOOL,
        "shape": list(network.shape or ()),
        "inputs": len(asked.gram) // network.positions[0],
        "layers": layers_of(network),
        "work": [
            {"layer": w.layer, "labels": w.labels, "components": w.components, "sets": list(w.sets), "bytes": w.bytes}
            for w in works
        ],
        **({"stand_ins": open_} if open_ else {}),
        **({"refused": reason} if reason else {}),
    }


def text(asked: Request, works: list[Work], reason: str, open_: dict[str, Any]) -> str:
    """A table of layers, a table of work."""
    network = asked.networks[0]
    shape = " x ".join(map(str, network.shape or ()))
    rows = [("layer", "kind", "", "positions", "width", "activation", "weights", "biases")]
    for row in layers_of(network):
        more = {
            k: v for k, v in row.items() if k in ("kernel", "stride", "dilation", "padding", "pool", "normalisation")
        }
        words = ", ".join(f"{k} {v}" for k, v in more.items() if (k, v) not in (("stride", 1), ("dilation", 1)))
        kind, width = WORDS[row["kind"]], "output" if row["width"] is None else str(row["width"])
        numbers = str(row["positions"]), width, row["activation"] or "", str(row["weights"]), str(row["biases"])
        rows.append((str(row["layer"]), kind, words, *numbers))
    lines = [f"input: {shape} ({len(asked.gram) // network.positions[0]} inputs)", *_aligned(rows)]
    total = sum(row["weights"] + row["biases"] for row in layers_of(network))
    lines.append(f"{total} parameters, of one output neuron")
    if open_:
        standing = ", ".join(f"{name} {value}" for name, value in open_.items())
        lines.append(f"stand-ins, as neither the file nor an option sets them: {standing}")
    lines.append("")
    if reason:
        return "\n".join([*lines, f"evaluate would refuse: {reason}", ""])
    steps = [("step to layer", "labels", "components", "sets of 1, 2, .. labels", "memory")]
    for work in works:
        sets = ", ".join(map(str, work.sets)) or "none"
        steps.append((str(work.layer), str(work.labels), str(work.components), sets, f"{work.bytes / 1e6:.3g} MB"))
    lines += _aligned(steps)
    return "\n".join(lines) + "\n"


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
