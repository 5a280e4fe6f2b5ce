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
@notation_option
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
@click.option("--pictures/--no-pictures", default=None, help="Sketch the diagram (default: on a terminal).")
def command(diagram_id: str, form: str, pictures: bool | None, symbols: Symbols) -> None:
    """Explain how a diagram becomes its term, step by step, and why its factor is what it is.

    The id, cumulant : order : number, is that of any drawing, LaTeX term, comment in emitted code or JSON; members of
    an Omega vertex (`diagrams --full`) have a letter.

    \b
    Example: ntkfeyn explain F:1:2
             ntkfeyn explain D:1:2a --format json
    """
    from ntkfeyn.derivation.identifiers import find_diagram
    from ntkfeyn.model.targets import Target
    from ntkfeyn.render.explain.steps import explanation_json, explanation_text
    from ntkfeyn.render.json import to_text
    from ntkfeyn.views import explanation

    diagram = find_diagram(diagram_id)
    readable = sys.stdout is not None and sys.stdout.isatty() and "utf" in sys.stdout.encoding.lower()
    picture = readable if pictures is None else pictures
    with waiting("deriving", [Target(diagram.cumulant, diagram.order)]):
        found = explanation(diagram, symbols)
        if form == "json":
            text = to_text(explanation_json(found))
        else:
            text = explanation_text(found, shutil.get_terminal_size().columns, picture=picture)
    click.echo(text, nl=False)
