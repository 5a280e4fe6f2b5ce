"""ntkfeyn emit"""

from __future__ import annotations

from pathlib import Path

import click

from ntkfeyn.cli.options import target_options


@click.command("emit")
@target_options
@click.option("--lang", required=True, metavar="latex|python", help="What to write.")
@click.option(
    "-o",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("outputs"),
    show_default=True,
    help="Directory for the files.",
)
def command(
    names: tuple[str, ...],
    cumulants: tuple[str, ...],
    legs: str | None,
    channel: str | None,
    order: int | None,
    lang: str,
    directory: Path,
) -> None:
    """Write recursions to files: a LaTeX document with the diagrams, or a Python module.

    Without a target: every named tensor at its leading order, and K^{1}, Theta^{1}. Prints the paths written.

    \b
    Example: ntkfeyn emit --lang latex
             ntkfeyn emit --lang python --cumulant Theta@1 -o code
    """
    from ntkfeyn.api import emit

    for path in emit([*names, *cumulants], order, lang=lang, directory=directory, legs=legs, channel=channel):
        click.echo(str(path))
