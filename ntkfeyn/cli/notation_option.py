"""--notation FILE|NAME: the letters of what a command writes, for any command by one decorator.

Enters: a file or the name of a notation that is shipped; or the table [notation] of a run file. Leaves: ``Symbols``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from ntkfeyn.render.symbols import Symbols

F = TypeVar("F", bound=Callable[..., Any])
NOTATION = "notation"


class Notation(NamedTuple):
    """The letters, and what they were read from: a file, a name, or tables."""

    source: str | Mapping[str, Any]
    symbols: Symbols


class NotationType(click.ParamType):  # type: ignore[type-arg]  # of click 8.1 it is none
    """Reads and checks a notation."""

    name = NOTATION

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Notation | None:
        if isinstance(value, Notation) or (ctx is not None and ctx.resilient_parsing):
            return value if isinstance(value, Notation) else None
        from ntkfeyn.render.notation_file import read_notation

        return Notation(value, read_notation(value))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Those that are shipped, and files."""
        from ntkfeyn.render.notation_file import SHIPPED

        shipped = [CompletionItem(name) for name in SHIPPED if name.startswith(incomplete)]
        return [*shipped, CompletionItem(incomplete, type="file")]


def notation_option(function: F) -> F:
    """The option; the command takes ``symbols``."""

    @wraps(function)
    def lettered(*arguments: Any, notation: Notation | None, **rest: Any) -> Any:
        from ntkfeyn.render.symbols import DEFAULT

        return function(*arguments, symbols=notation.symbols if notation else DEFAULT, **rest)

    return click.option(
        "--notation",
        type=NotationType(),
        metavar="FILE|NAME",
        help="Letters of your own: a TOML file, or a notation that is shipped (ntkfeyn, paper, pdlt).",
    )(lettered)  # type: ignore[return-value]


def notation_tables(document: Any, where: str) -> Notation:
    """The table [notation] of a run file. Raises RequestError."""
    from ntkfeyn.errors import bad_request
    from ntkfeyn.render.notation_file import notation_of

    if not isinstance(document, dict):
        raise bad_request(f"{where}: '{NOTATION}' is no table", "tables of letters are allowed", "[notation.letters]")
    return Notation(document, notation_of(document, f"{where}, [{NOTATION}]"))


def notation_lines(document: Mapping[str, Any]) -> list[str]:
    """The table [notation] as lines of TOML."""
    lines = []
    for table, entries in document.items():
        lines += ["", f"[{NOTATION}.{table}]"]
        lines += [f"{json.dumps(key)} = {json.dumps(value, ensure_ascii=False)}" for key, value in entries.items()]
    return lines
