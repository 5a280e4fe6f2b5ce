"""ntkfeyn check"""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntkfeyn.cli.completion import tensor_names
from ntkfeyn.cli.notation_option import notation_option
from ntkfeyn.cli.options import (
    answer_no,
    end_with_answer,
    json_option,
    order_option,
    shared_option,
    weights_option,
    written_option,
)
from ntkfeyn.cli.progress import Steps, progress

if TYPE_CHECKING:
    from ntkfeyn.model.targets import Target
    from ntkfeyn.referee.source import Source
    from ntkfeyn.referee.survey import Survey
    from ntkfeyn.referee.verdict import Verdict
    from ntkfeyn.render.symbols import Symbols


@click.command("check", short_help="Is this recursion right? Somebody's LaTeX against ours, term by term.")
@click.argument("file", metavar="FILE")
@click.argument("target", required=False, metavar="[TARGET]", shell_complete=tensor_names)
@order_option
@weights_option("Law of the weights that recursions are for; JSON says it itself.")
@shared_option("Recursions of weights shared over labels, with averaging operators; JSON says it itself.")
@notation_option
@click.option(
    "--from",
    "kind",
    type=click.Choice(["tex", "json", "sympy"]),
    help="What FILE holds (default: by its ending; needed for -).",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
@json_option
@written_option("--fix", help="Write the corrected LaTeX here (FILE itself or another), if it passes.")
def command(
    file: str,
    target: str | None,
    order: int | None,
    weights: str,
    shared: bool,
    symbols: Symbols,
    kind: str | None,
    form: str,
    json_file: Path | None,
    fix: Path | None,
) -> None:
    """Check recursions that somebody wrote: a paper or one equation in LaTeX, recursion/1 JSON, or SymPy.

    FILE is .tex, .json, .py, or - for standard input. Recursions are found by their left-hand side; a sum is right
    if it equals ours in exact numbers at random points, in whatever form it is written. Exit code 0: every recursion
    is right. 1: one is not. 2: not understood.

    \b
    Example: ntkfeyn check paper.tex
             ntkfeyn check paper.tex F --format json
    """
    from ntkfeyn.referee.report import check_json, check_text
    from ntkfeyn.referee.verdict import check_source
    from ntkfeyn.render.json import to_text

    wanted = _target(target, order)
    chosen = _kind(file, kind)
    if chosen != "tex":
        from ntkfeyn.referee.formats import check_format

        if fix is not None:
            raise click.UsageError("--fix was given; it is for LaTeX. Try it with a .tex file")
        name = "" if file == "-" else file
        source, verdicts = check_format(_read(file), chosen, wanted, symbols, name, weights, shared)
    else:
        source = _source(file)
        with ExitStack() as shown:
            verdicts = check_source(source, symbols, wanted, _Follower(shown), weights, shared)
    if not all(verdict.equal for verdict in verdicts):
        answer_no()
    document = to_text(check_json(verdicts, source))
    if fix is not None:
        _fix(fix, verdicts, source, "" if file == "-" else file, symbols, wanted)
    if json_file is not None:
        from ntkfeyn.runtime.files import write_file

        write_file(json_file, document)
    click.echo(document if form == "json" else check_text(verdicts, source, _columns()), nl=False)
    end_with_answer()


def _fix(
    path: Path, verdicts: list[Verdict], source: Source, file: str, symbols: Symbols, target: Target | None
) -> None:
    """Writes the corrected text, if the referee calls it right; says what was changed."""
    from ntkfeyn.referee.fixing import fix
    from ntkfeyn.runtime.files import write_file

    fixed = fix(verdicts, source, file, symbols, target)
    for line in fixed.lines:
        click.echo(f"fix: {line}", err=True)
    if fixed.refused:
        click.echo(f"{fixed.refused}; '{path}' was not written", err=True)
        return
    write_file(path, fixed.text)
    of = f", which is '{fixed.file}' corrected" if fixed.file != file else ""
    click.echo(f"written: '{path}'{of}", err=True)


class _Follower:
    """Says on stderr what was read and what was left out, and shows how far the judging is."""

    def __init__(self, shown: ExitStack) -> None:
        self.shown = shown
        self.advance: Steps | None = None

    def read(self, survey: Survey, source: Source) -> None:
        for line in survey.told(source):
            click.echo(f"ntkfeyn: {line}", err=True)
        if survey.claims:
            self.advance = self.shown.enter_context(progress("check", len(survey.claims), "comparing"))

    def judged(self, done: int, total: int) -> None:
        if self.advance is not None:
            self.advance(f"check: {done} of {total} recursions")


def _columns() -> int:
    """The width of the terminal; 0 where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else 0


def _target(name: str | None, order: int | None) -> Target | None:
    from ntkfeyn.errors import bad_request
    from ntkfeyn.model.targets import named_target

    if name is None:
        if order is not None:
            raise bad_request(f"order {order} was given without a target", "both or none are allowed", "check FILE F@1")
        return None
    found = named_target(name, order)
    if len(found) != 1:
        raise bad_request(f"'{name}' was asked for", "one tensor is allowed", "check FILE F")
    return found[0]


def _kind(file: str, kind: str | None) -> str:
    from ntkfeyn.errors import bad_request

    found = kind or {".tex": "tex", ".json": "json", ".py": "sympy"}.get(Path(file).suffix.lower(), "")
    if not found:
        raise bad_request(f"what '{file}' holds is not known", "tex, json and sympy are allowed", "--from tex")
    return found


def _source(file: str) -> Source:
    from ntkfeyn.referee.source import file_source, stream_source

    return stream_source(sys.stdin.read) if file == "-" else file_source(Path(file))


def _read(file: str) -> str:
    from ntkfeyn.errors import bad_request
    from ntkfeyn.referee.source import MAX_BYTES, stream_source
    from ntkfeyn.runtime.files import read_file

    if file == "-":
        return stream_source(sys.stdin.read).originals[""]
    try:
        return read_file(Path(file), MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise bad_request(f"'{file}' is not UTF-8", "a text is allowed", "the file saved as UTF-8") from error
