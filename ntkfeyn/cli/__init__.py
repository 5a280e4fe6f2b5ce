"""The command line: one file a command, each thin: parse, call, print. Commands are imported only when used."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from ntkfeyn import __version__
from ntkfeyn.errors import NtkfeynError, closest

# many small matrix products: threads of one product wait for each other, the more so on a busy machine
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
COMMANDS = {
    "list": "list_tensors",
    "diagrams": "diagrams",
    "derive": "derive",
    "emit": "emit",
    "verify": "verify",
    "evaluate": "evaluate",
    "sample": "sample",
    "compare": "compare",
    "critical": "critical",
}


class Commands(click.Group):
    """A group whose commands are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            meant = closest(cmd_name, COMMANDS)
            raise click.UsageError(
                f"no command '{cmd_name}'; allowed are {', '.join(COMMANDS)}"
                + (f". Try: ntkfeyn {meant}" if meant else "")
            )
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
    """Run the command line; exit code 0 done, 1 the answer is no, 2 bad request, 130 interrupted."""
    for name in THREADS:
        os.environ.setdefault(name, "1")  # before NumPy is loaded; --jobs is the way to use more cores
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(args=arguments, prog_name="ntkfeyn", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except NtkfeynError as error:
        code = _fail(f"Error: {error}", 2)
    except click.ClickException as error:
        code = _fail(f"Error: {error.format_message()}", error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        code = _fail("Interrupted.", 130)
    except BrokenPipeError:
        code = 0  # the reader closed early (head)
        _close_output()
    except OSError as error:
        code = _fail(f"Error: cannot write the output: {error.strerror}", 2)
        _close_output()
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> int:
    readable = "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)  # one line, whatever was typed
    with suppress(OSError):
        click.echo(readable, err=True)
    return code


def _close_output() -> None:
    """Nothing more can be written: keep the interpreter from trying at exit."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115
