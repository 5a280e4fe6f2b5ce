"""ntkfeyn theory

Enters: nothing, or the number of a section of derivation/THEORY.md. Leaves: the text, paged on a terminal.
"""

from __future__ import annotations

import re
import sys

import click

from ntkfeyn.cli.completion import offering
from ntkfeyn.cli.encoding import SPELLING
from ntkfeyn.errors import bad_request

SECTIONS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12")
WIDEST = 120  # columns of prose


@click.command("theory", short_help="Read how the recursions are derived and why.")
@click.argument("section", required=False, metavar="[SECTION]", shell_complete=offering(*SECTIONS))
def command(section: str | None) -> None:
    """Read how the recursions are derived, why the rules hold, and what was checked: all, or one of sections 1 to 12.

    Section 5 follows F from the network to its formula. On a terminal the text is paged, else printed as it is.

    \b
    Example: ntkfeyn theory 4
    """
    text = theory_text() if section is None else section_text(section)
    if sys.stdout is not None and sys.stdout.isatty():
        click.echo_via_pager(_for_terminal(text))
    else:
        click.echo(text, nl=False)


def theory_text() -> str:
    """THEORY.md as it is."""
    from importlib.resources import files

    return files("ntkfeyn.derivation").joinpath("THEORY.md").read_text(encoding="utf-8")


def section_text(number: str) -> str:
    """One numbered section, from its heading on. Raises RequestError for a section that is not there."""
    if number not in SECTIONS:
        raise bad_request(
            f"section '{number}' of the theory was asked for",
            f"allowed are {', '.join(SECTIONS)}, or none for the whole text",
            "ntkfeyn theory 4",
        )
    parts = re.split(r"^(?=## )", theory_text(), flags=re.MULTILINE)
    [found] = [part for part in parts if part.startswith(f"## {number}. ")]
    return found.rstrip() + "\n"


def _for_terminal(text: str) -> str:
    """Headings and tables set for the width of the terminal; left as it is, and spelt, where signs do not fit."""
    if "utf" not in sys.stdout.encoding.lower():  # what a pager is given passes no stream that would spell it
        return text.encode("ascii", SPELLING).decode("ascii")
    import io
    import shutil

    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    stream = io.StringIO()
    width = min(shutil.get_terminal_size().columns, WIDEST)
    plain_code = Theme({"markdown.code": "bold"})  # rich's own is made for dark terminals
    console = Console(file=stream, width=width, force_terminal=True, theme=plain_code)
    console.print(Markdown(text, code_theme="ansi_dark"))
    return stream.getvalue()
