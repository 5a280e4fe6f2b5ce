"""ntkfeyn list"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ntkfeyn.cli.number_types import INT

if TYPE_CHECKING:
    from ntkfeyn.model.cumulants import Cumulant

WIDTH = 90  # of the table


@click.command("list", short_help="List the named tensors.")
@click.option("--order", type=INT, metavar="R", help="Only tensors whose leading order in 1/n is at most R.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
def command(order: int | None, form: str) -> None:
    """List the named tensors, drawn: legs, channel, leading order, symmetries.

    In a drawing the slots stand in a row; dotted arcs above are the parameter contractions of a leg, arcs below the
    pairs of the channel (slots of one neuron).

    \b
    Example: ntkfeyn list --order 1
    """
    from ntkfeyn.model.cumulants import check_order, standard
    from ntkfeyn.model.tensors import NAMED_TENSORS

    if order is not None:
        check_order(standard("K"), order)
    shapes = {row.name: standard(row.name) for row in NAMED_TENSORS}
    rows = {name: _row(name, shape) for name, shape in shapes.items() if order is None or shape.leading_order <= order}
    if form == "json":
        click.echo(json.dumps({"schema": "ntkfeyn.list/1", "tensors": list(rows.values())}, indent=2))
    else:
        click.echo(_table({name: (shapes[name], row) for name, row in rows.items()}), nl=False)


def _row(name: str, shape: Cumulant) -> dict[str, Any]:
    return {
        "name": name,
        "indices": "".join(map(str, shape.index_labels())),
        "legs": shape.legs_text(),
        "channel": shape.channel_text(),
        "leading_order": shape.leading_order,
        "symmetries": len(shape.symmetries),
    }


def _table(entries: dict[str, tuple[Cumulant, dict[str, Any]]]) -> str:
    """A table, or one block a tensor where the terminal is too narrow for it; drawings are never cut."""
    import shutil
    import sys

    from ntkfeyn.render.drawing.arcs import arcs

    plain = "utf" not in (getattr(sys.stdout, "encoding", None) or "").lower()
    narrow = sys.stdout is not None and sys.stdout.isatty() and shutil.get_terminal_size().columns < WIDTH
    drawings = {name: arcs(shape, ascii_only=plain) for name, (shape, _) in entries.items()}
    rows = {name: row for name, (_, row) in entries.items()}
    lines = _blocks(rows, drawings) if narrow else _columns(rows, drawings, plain)
    return "\n".join(
        [*lines, "Others: chains C_k and rings R_k of z and NTK (C0C1, R3, ..), or --legs and --channel.\n"]
    )


def _blocks(rows: dict[str, dict[str, Any]], drawings: dict[str, list[str]]) -> list[str]:
    lines = []
    for name, row in rows.items():
        lines += [
            f"{name}_{row['indices']}: {row['legs']}",
            f"  channel {row['channel']}, order {row['leading_order']}",
        ]
        lines += [f"  {line.rstrip()}" for line in drawings[name]] + [""]
    return lines


def _columns(rows: dict[str, dict[str, Any]], drawings: dict[str, list[str]], plain: bool) -> list[str]:
    import io

    from rich.box import ASCII, SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=ASCII if plain else SIMPLE, pad_edge=False)
    for title in ("tensor", "legs above, channel below", "legs", "channel", "order", "symmetries"):
        table.add_column(title, justify="right" if title in ("order", "symmetries") else "left", no_wrap=True)
    for name, row in rows.items():
        drawing = "\n".join([*(line.rstrip() for line in drawings[name]), ""])
        cells = (row["legs"], row["channel"], str(row["leading_order"]), str(row["symmetries"]))
        table.add_row(f"{name}_{row['indices']}", drawing, *cells)
    stream = io.StringIO()
    Console(file=stream, width=WIDTH, color_system=None, highlight=False, markup=False).print(table)
    return [line.rstrip() for line in stream.getvalue().splitlines()]
