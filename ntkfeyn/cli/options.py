"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def target_options(function: F) -> F:
    """NAME.., --cumulant, --legs, --channel, --order: what to derive."""
    for decorate in reversed(
        (
            click.argument("names", nargs=-1, metavar="[NAME]..."),
            click.option(
                "--cumulant",
                "cumulants",
                multiple=True,
                metavar="NAME[@R]",
                help="A named tensor (see `list`), with its own order as NAME@R; `all` for every one. Repeatable.",
            ),
            click.option(
                "--legs", metavar="TEXT", help='External legs, e.g. "z1 z2 NTK34" or "tree:0-1,1-2(1,2,3) z4".'
            ),
            click.option("--channel", metavar="TEXT", help="Pairs of slots, e.g. 13.24 (default: every class)."),
            order_option,
        )
    ):
        function = decorate(function)
    return function


def order_option(function: F) -> F:
    return click.option(
        "--order",
        type=int,
        metavar="R",
        help="Absolute power of 1/n (default: the leading order; `--cumulant K --order 1` is K^{1}).",
    )(function)
