"""ntkfeyn explain"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from ntkfeyn.cli.notation_option import notation_option
from ntkfeyn.cli.progress import waiting

if TYPE_CHECKING:
    from ntkfeyn.render.symbols import Symbols


@click.command("explain", short_help="Explain how a diagram becomes its term.")
@click.argument("diagram_id", metavar="DIAGRAM-ID")
@click.option("--legs", metavar="TEXT", help="With labels of your own, as given to derive: z5 z6 NTK78.")
@click.option("--channel", metavar="TEXT", help="Pairs of these labels, as given to derive: 57.68.")
@notation_option
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
@click.option("--pictures/--no-pictures", default=None, help="Sketch the diagram (default: on a terminal).")
def command(
    diagram_id: str, legs: str | None, channel: str | None, form: str, pictures: bool | None, symbols: Symbols
) -> None:
    """Explain how a diagram becomes its term, step by step, and why its factor is what it is.

    The id, cumulant : order : number, is that of any drawing, LaTeX term, comment in emitted code or JSON; members of
    an Omega vertex (`diagrams --full`) have a letter.

    \b
    Example: ntkfeyn explain F:1:2
             ntkfeyn explain D:1:2a --format json
             ntkfeyn explain F:1:2 --legs "z5 z6 NTK78" --channel 57.68
    """
    from ntkfeyn.derivation.identifiers import find_diagram
    from ntkfeyn.model.targets import Target, one_labelled
    from ntkfeyn.render.explain.steps import explanation_json, explanation_text
    from ntkfeyn.render.json import to_text
    from ntkfeyn.views import explanation

    labelled = None if legs is None and channel is None else one_labelled(legs, channel)
    diagram = find_diagram(diagram_id, labelled)
    readable = sys.stdout is not None and sys.stdout.isatty() and "utf" in sys.stdout.encoding.lower()
    picture = readable if pictures is None else pictures
    with waiting("deriving", [Target(diagram.cumulant, diagram.order)]):
        found = explanation(diagram, symbols)
        if form == "json":
            text = to_text(explanation_json(found))
        else:
            text = explanation_text(found, shutil.get_terminal_size().columns, picture=picture)
    click.echo(text, nl=False)
