"""ntkfeyn depth"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntkfeyn.cli.completion import activation_names, offering
from ntkfeyn.cli.notation_option import notation_option
from ntkfeyn.cli.options import TargetRequest, json_option, target_options, weights_option
from ntkfeyn.cli.progress import waiting

if TYPE_CHECKING:
    from ntkfeyn.render.symbols import Symbols


def _activations(context: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Those of every command, and odd."""
    return [*activation_names(context, param, typed), *offering("odd")(context, param, typed)]


@click.command("depth", short_help="How tensors depend on the depth: closed forms, series.")
@target_options
@click.option(
    "--activation",
    required=True,
    metavar="NAME",
    shell_complete=_activations,
    help="A name (see evaluate) or an expression in z; leaky_relu(a) with a letter; odd, for any odd one.",
)
@click.option("--cw", default="critical", show_default=True, metavar="X|critical|any", help="C_W; any: a letter chi.")
@click.option("--cb", metavar="X", help="C_b (default: critical).")
@click.option("--lambda-w", default="1", show_default=True, metavar="X", help="lambda_W.")
@click.option("--lambda-b", default="0", show_default=True, metavar="X", help="lambda_b.")
@weights_option("Law of the weights of all layers but the first.")
@click.option(
    "--widths",
    default="equal",
    show_default=True,
    metavar="equal|any",
    shell_complete=offering("equal", "any"),
    help="any: sums over the widths of layers are left.",
)
@click.option(
    "--start",
    default="fixed",
    show_default=True,
    metavar="fixed|near",
    shell_complete=offering("fixed", "near"),
    help="Where K* > 0: K^(1) = K*, or K that falls to it.",
)
@notation_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "latex", "json"]),
    default="text",
    show_default=True,
    help="What to print.",
)
@json_option
def command(
    request: TargetRequest, activation: str, symbols: Symbols, form: str, json_file: Path | None, **settings: Any
) -> None:
    """How tensors depend on the number of layers, derived from their recursions, for one input.

    Exact at every depth for linear, relu and leaky_relu(a), with any couplings and widths, and for networks that start
    at the fixed point K* > 0 of gelu, silu and the like. A series in 1/l and log(l) at large depth for tanh, erf, sin
    and others whose K falls to 0: the terms that do not depend on where the network starts. Without a
    target: every named tensor that exists, and K^{1}, Theta^{1}.

    \b
    Example: ntkfeyn depth --activation relu
             ntkfeyn depth V@2 C0C1 --activation "leaky_relu(a)" --format latex
             ntkfeyn depth V F --activation relu --widths any
             ntkfeyn depth --activation odd --weights orthogonal
    """
    from ntkfeyn.api import depth

    with waiting("deriving", []):
        found = depth(
            request.names,
            request.order,
            activation=activation,
            legs=request.legs,
            channel=request.channel,
            notation=symbols,
            **settings,
        )
        text = {"text": found.__str__, "latex": found.latex, "json": found.to_json}[form]()
    if json_file is not None:
        from ntkfeyn.runtime.files import write_file

        write_file(json_file, found.to_json())
    click.echo(text, nl=False)
