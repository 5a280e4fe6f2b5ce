"""The command line: one file a command, each thin: parse, call, print. Commands are imported only when used."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from ntkfeyn.cli.options import answer_code
from ntkfeyn.cli.progress import said_off_terminals
from ntkfeyn.cli.run_file import RUN_FILE, run_file_values, with_save_run
from ntkfeyn.errors import NtkfeynError, closest
from ntkfeyn.runtime.version import __version__

# many small matrix products: threads of one product wait for each other, the more so on a busy machine
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
HELP = ["-h", "--help"]
SETTINGS = {"help_option_names": HELP, "max_content_width": 100}
MISPLACED = {
    "--run": "--run stands before the command. Try: ntkfeyn --run FILE COMMAND",
    "--no-run": "--no-run stands before the command. Try: ntkfeyn --no-run COMMAND",
    "--save-run": "--save-run stands after the command. Try: ntkfeyn COMMAND --save-run FILE",
}
COMMANDS = {
    "list": "list_tensors",
    "diagrams": "diagrams",
    "derive": "derive",
    "explain": "explain",
    "theory": "theory",
    "emit": "emit",
    "verify": "verify",
    "check": "check",
    "network": "network",
    "evaluate": "evaluate",
    "sample": "sample",
    "compare": "compare",
    "train": "train",
    "critical": "critical",
    "depth": "depth",
}


class ReaderGone(Exception):
    """Who reads our output closed it. Click ends with 1 on a BrokenPipeError, which here is an answer: no.

    ``code`` is the exit code of the answer, which somebody who only looks at that still wants.
    """

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


@contextmanager
def _reader_watched(context: click.Context | None = None) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone(answer_code(context)) from error


class Commands(click.Group):
    """A group whose commands are imported on first use."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _reader_watched():  # --help and --version print here
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _reader_watched(ctx), said_off_terminals():
            return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.epilog = details("ntkfeyn")
        super().format_epilog(ctx, formatter)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            if ctx.resilient_parsing:  # the shell completes: no message
                return None
            meant = closest(cmd_name, COMMANDS)
            raise click.UsageError(
                f"no command '{cmd_name}'; allowed are {', '.join(COMMANDS)}"
                + (f". Try: ntkfeyn {meant}" if meant else "")
            )
        command: click.Command = import_module(f"ntkfeyn.cli.{COMMANDS[cmd_name]}").command
        return with_save_run(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, with the run file's values as its defaults; help is shown whatever the file holds."""
        name, command, rest = super().resolve_command(ctx, args)
        if name and command and set(HELP) & set(rest):
            command.epilog = details(name)
        elif name and command and not ctx.resilient_parsing:
            given, ignored = ctx.params["run"], ctx.params["no_run"]
            ctx.default_map = {name: run_file_values(given, ignored, command, name, COMMANDS)}
        return name, command, rest


def details(name: str) -> str | None:
    """What --help says below the options: the reference of a command, where it has one; indented lines as they are."""
    file = Path(__file__).with_name("details") / f"{name}.txt"
    if not file.is_file():
        return None
    paragraphs = file.read_text(encoding="utf-8").split("\n\n")
    return "\n\n".join(f"\b\n{one}" if one.startswith(" ") else one for one in paragraphs)


@click.group(cls=Commands, context_settings=SETTINGS)
@click.option(
    "--run",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Take options from this TOML file (default: {RUN_FILE} of the current directory, if there is one).",
)
@click.option("--no-run", is_flag=True, help=f"Do not read {RUN_FILE}.")
@click.version_option(__version__, prog_name="ntkfeyn", message="%(prog)s %(version)s")
def cli(**_: Any) -> None:
    """Derive finite-width (1/n) corrections of neural tangent kernels from Feynman diagrams.

    \b
    Example: ntkfeyn derive --order 1 --cumulant F
             ntkfeyn emit --lang latex

    A run file holds a table a command. Its keys are the long options; `names` lists what is typed without an option.
    Options on the command line win. Paths are relative to the current directory. --save-run FILE writes a run file.

    \b
    [derive]
    names = ["F", "Theta@1"]
    format = "latex"

    Exit codes: 0 done, 1 the answer is no, 2 bad request, 130 interrupted.
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; exit code 0 done, 1 the answer is no, 2 bad request, 130 interrupted."""
    for name in THREADS:
        os.environ.setdefault(name, "1")  # before NumPy is loaded; --jobs is the way to use more cores
    given = sys.argv[1:] if arguments is None else arguments
    code: Any = 0
    try:
        _prepare_streams()
        code = cli.main(args=given or ["--help"], prog_name="ntkfeyn", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except NtkfeynError as error:
        code = _fail(f"Error: {error}", 2)
    except click.ClickException as error:
        code = _fail(f"Error: {_advised(error)}", error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        code = _fail("Interrupted.", 130)
    except (BrokenPipeError, ReaderGone) as error:  # the reader closed early (head)
        code = error.code if isinstance(error, ReaderGone) else code
        _close_output()
    except OSError as error:
        code = _fail(f"Error: cannot write the output: {error.strerror}", 2)
        _close_output()
    sys.exit(code if isinstance(code, int) else 0)


def _prepare_streams() -> None:
    """Closed ones are opened, so that no file we write gets their numbers; signs that do not fit are spelt."""
    from ntkfeyn.cli.encoding import spell_what_does_not_fit

    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, closefd=False)
    spell_what_does_not_fit()


def _advised(error: click.ClickException) -> str:
    """What click found wrong, and what to try, which click's own messages leave out."""
    told = error.format_message()
    if isinstance(error, click.NoSuchOption) and error.option_name in MISPLACED:
        return MISPLACED[error.option_name]
    if isinstance(error, click.MissingParameter) and isinstance(error.param, click.Option) and error.param.metavar:
        told = f"{told.rstrip('.')}, {error.param.opts[0]} {error.param.metavar}"
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None or "Try: " in told:
        return told
    return f"{told.rstrip('.')}. Try: {context.command_path} --help"


def _fail(message: str, code: int) -> int:
    readable = "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)  # one line, whatever was typed
    with suppress(OSError):
        click.echo(readable, err=True)
    return code


def _close_output() -> None:
    """Nothing more can be written: what is left goes nowhere when the interpreter ends."""
    with suppress(OSError, ValueError):  # no file below it: nothing to mend
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
