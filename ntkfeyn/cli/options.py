"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from ntkfeyn.cli.completion import offering, tensor_names
from ntkfeyn.cli.number_types import INT
from ntkfeyn.model.ensembles import ENSEMBLES, GAUSSIAN, check_ensemble

if TYPE_CHECKING:
    from ntkfeyn.model.targets import Target

ANSWER = "ntkfeyn.answer"
F = TypeVar("F", bound=Callable[..., Any])


def writable(context: click.Context, option: click.Parameter, value: Path | None) -> Path | None:
    """Refuses, before long work, a file or a directory (where the option takes one) that cannot be written."""
    if value is not None and not context.resilient_parsing:
        from ntkfeyn.runtime.files import check_writable

        check_writable(value, directory=isinstance(option.type, click.Path) and option.type.dir_okay)
    return value


def written_option(*names: str, directory: bool = False, **rest: Any) -> Callable[[F], F]:
    """An option that names a file, or a directory for files, to write: every one is made here.

    What cannot be written is refused before long work, and what a run file that nobody asked for may not name is known.
    """
    path = click.Path(file_okay=not directory, dir_okay=directory, path_type=Path)
    return click.option(*names, type=path, callback=writable, **rest)


def trusting(option: click.Parameter) -> bool:
    """Whether the option names a machine whose answers are believed: Dask's messages can run code."""
    return option.name == "scheduler"


json_option = written_option("--json", "json_file", help="Also write the JSON here.")


def figures_option(text: str) -> Callable[[F], F]:
    """-o DIR for commands that draw."""
    return written_option("-o", "--output", directory=True, help=text)


def answer_no() -> None:
    """The answer is no (exit code 1), whatever becomes of what is still to be printed."""
    click.get_current_context().meta[ANSWER] = 1


def answer_code(context: click.Context | None) -> int:
    """0, or 1 where the answer is known and is no."""
    return int(context.meta.get(ANSWER, 0)) if context is not None else 0


def end_with_answer() -> None:
    """Ends the command with the exit code of its answer."""
    context = click.get_current_context()
    if answer_code(context):
        context.exit(answer_code(context))


class TargetRequest(NamedTuple):
    """What the user asks for, as typed."""

    names: tuple[str, ...]
    legs: str | None
    channel: str | None
    order: int | None

    def targets(self) -> list[Target]:
        """The cumulants at their orders. Raises NtkfeynError."""
        from ntkfeyn.model.targets import resolve

        return resolve(*self)


def target_options(function: Callable[..., Any], order_text: str = "") -> Callable[..., Any]:
    """NAME.., --cumulant, --legs, --channel, --order: what to derive, passed on first, a TargetRequest."""

    @wraps(function)
    def gathered(
        names: tuple[str, ...],
        cumulants: tuple[str, ...],
        legs: str | None,
        channel: str | None,
        order: int | None,
        **rest: Any,
    ) -> Any:
        return function(TargetRequest((*names, *cumulants), legs, channel, order), **rest)

    decorated: Callable[..., Any] = gathered
    for decorate in reversed(
        (
            click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=tensor_names),
            click.option(
                "--cumulant",
                "cumulants",
                multiple=True,
                metavar="NAME[@R]",
                shell_complete=tensor_names,
                help="A named tensor (see `list`), with its own order as NAME@R; `all` for every one. Repeatable.",
            ),
            click.option(
                "--legs", metavar="TEXT", help='External legs, e.g. "z1 z2 NTK34" or "tree:0-1,1-2(1,2,3) z4".'
            ),
            click.option("--channel", metavar="TEXT", help="Pairs of slots, e.g. 13.24 (default: every class)."),
            partial(order_option, text=order_text or ORDER),
        )
    ):
        decorated = decorate(decorated)
    return decorated


def _ensemble(context: click.Context, option: click.Parameter, value: str) -> str:
    return value if context.resilient_parsing else check_ensemble(value)


def weights_option(text: str = "Law of the weights of layer l+1.") -> Callable[[F], F]:
    """--weights, one name: the law that recursions, diagrams or code are for."""
    return click.option(
        "--weights",
        default=GAUSSIAN,
        show_default=True,
        metavar="|".join(ENSEMBLES),
        shell_complete=offering(*ENSEMBLES),
        callback=_ensemble,
        help=text,
    )


def shared_option(text: str = "Weights shared over labels: convolutions, pooling, graphs.") -> Callable[[F], F]:
    """--shared: recursions with the averaging operator."""
    return click.option("--shared", is_flag=True, help=text)


COMPONENTS = (
    "Which index tuples: all; pairs, at most two different inputs at once; or a list, inputs from 1. Each tuple has as"
    " many indices as a tensor asked for; tensors with another number show all over the inputs listed."
)
ORDER = "Absolute power of 1/n (default: the leading order; `--cumulant K --order 1` is K^{1})."


def order_option(function: F, text: str = ORDER) -> F:
    """--order; ``text`` where it says more than which tensor is meant."""
    return click.option(
        "--order",
        type=INT,
        metavar="R",
        help=text,
    )(function)
