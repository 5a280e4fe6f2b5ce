"""Types of options that are one number: read as those in lists are."""

from __future__ import annotations

from typing import Any

import click

from ntkfeyn.model.numbers import read_number


class _Integer(click.types.IntParamType):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return _plain(self, value, int, param, ctx)


class _Number(click.types.FloatParamType):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return _plain(self, value, float, param, ctx)


def _plain(
    kind: _Integer | _Number, value: Any, number: type[float] | type[int], param: Any, context: click.Context | None
) -> Any:
    try:
        return read_number(value, number) if isinstance(value, str) else number(value)
    except (ValueError, OverflowError):
        return kind.fail(f"{str(value)[:60]!r} is not a valid {kind.name}.", param, context)


INT, FLOAT = _Integer(), _Number()
