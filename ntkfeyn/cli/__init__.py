"""The command line: one file a command, each thin: parse, call, print. Commands are imported only when used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from ntkfeyn import __version__
from ntkfeyn.errors import NtkfeynError

COMMANDS = {
    "list": "list_tensors",
    "diagrams": "diagrams",
    "derive": "derive",
    "emit": "emit",
    "verify": "verify",
}


class Commands(click.Group):
    """A group whose commands are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"ntkfeyn.cli.{COMMANDS[cmd_name]}").command
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ntkfeyn", message="%(prog)s %(version)s")
def cli() -> None:
    """Derive finite-width (1/n) corrections of neural tangent kernels from Feynman diagrams.

    \b
    ntkfeyn derive --order 1 --cumulant F
    ntkfeyn emit --lang latex
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; exit code 0 done, 2 bad request, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(args=arguments, prog_name="ntkfeyn", standalone_mode=False)
        sys.stdout.flush()
    except NtkfeynError as error:
        click.echo(f"Error: {error}", err=True)
        code = 2
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        code = 130
    except BrokenPipeError:
        # the reader closed early (head): silence the flush at interpreter exit
        sys.stdout = open("/dev/null", "w") if sys.platform != "win32" else None  # noqa: SIM115
        code = 0
    sys.exit(code if isinstance(code, int) else 0)
