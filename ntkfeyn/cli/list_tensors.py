"""ntkfeyn list"""

from __future__ import annotations

import json

import click

from ntkfeyn.cli.options import order_option


@click.command("list")
@order_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(order: int | None, form: str) -> None:
    """Named tensors: legs, channel, leading order, symmetries.

    \b
    Example: ntkfeyn list --order 1
    """
    from ntkfeyn.cumulants import NAMED_TENSORS, standard
    from ntkfeyn.enumeration import check_order

    if order is not None:
        check_order(standard("K"), order)
    rows = []
    for row in NAMED_TENSORS:
        shape = standard(row.name)
        if order is None or shape.leading_order <= order:
            indices = "".join(map(str, shape.index_labels()))
            rows.append(
                {
                    "name": row.name,
                    "indices": indices,
                    "legs": shape.legs_text(),
                    "channel": shape.channel_text(),
                    "leading_order": shape.leading_order,
                    "symmetries": len(shape.symmetries),
                }
            )
    if form == "json":
        click.echo(json.dumps({"schema": "ntkfeyn.list/1", "tensors": rows}, indent=2))
        return
    click.echo(f"{'name':<7}{'tensor':<13}{'legs':<20}{'channel':<9}{'leading order':<15}symmetries")
    for entry in rows:
        tensor = f"{entry['name']}_{entry['indices']}"
        click.echo(
            f"{entry['name']:<7}{tensor:<13}{entry['legs']:<20}{entry['channel']:<9}"
            f"{entry['leading_order']:<15}{entry['symmetries']}"
        )
    click.echo("\nOthers: chains C_k and rings R_k of z and NTK (C0C1, R3, ..), or --legs and --channel.")
