"""What ``critical`` returns: critical points, depth scaling and what is derived of it, as table, JSON and figure.

Enters: an activation and how to run (theory section 8). Leaves: ``Critical``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ntkfeyn.errors import bad_request
from ntkfeyn.render.records import html_text
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.views.critical_tables import points_table, scaling_table
from ntkfeyn.views.drawn import DrawnRecord

if TYPE_CHECKING:
    from ntkfeyn.asymptotics.predictions import Predicted
    from ntkfeyn.criticality.depth import Run, Scaling, Tuning
    from ntkfeyn.criticality.points import Criticality, CriticalPoint


@dataclass(frozen=True, repr=False)
class Critical(DrawnRecord):
    """What ``critical`` returns; ``str()`` is the text of `ntkfeyn critical`."""

    record: Criticality
    scaling: Scaling | None = None
    runs: Mapping[Tuning, Run] = field(default_factory=dict)
    """The values, by tuning, where scaling was asked for and a point attracts."""
    predicted: Mapping[str, Predicted] = field(default_factory=dict)
    """What is derived, by NAME@R; likewise."""
    symbols: Symbols = field(default_factory=Symbols)

    @property
    def points(self) -> tuple[CriticalPoint, ...]:
        """(C_W, C_b, K*) with susceptibilities and class, the one to use first."""
        return self.record.points

    @property
    def main(self) -> CriticalPoint | None:
        """The point to tune a network to; None where none attracts."""
        return self.record.main

    def figure(self) -> Any:
        """Tensors and ratios against depth: a matplotlib Figure. Raises NtkfeynError without scaling."""
        from ntkfeyn.figures.critical import critical_drawing

        if self.scaling is None or not self.runs:
            raise bad_request("a figure without depth scaling", "it shows the scaling", 'critical("gelu")')
        return critical_drawing(self.record.activation, dict(self.runs), self.scaling, self.symbols, self.predicted)

    def to_json(self) -> dict[str, Any]:
        """After the schema ntkfeyn.critical/1."""
        from ntkfeyn.asymptotics.predictions import add_predictions
        from ntkfeyn.criticality.depth import critical_json
        from ntkfeyn.criticality.points import points_json

        if self.scaling is None:
            return points_json(self.record)
        document = critical_json(self.record, self.scaling, dict(self.runs) or None)
        add_predictions(document, self.predicted)
        return document

    def __str__(self) -> str:
        text = points_table(self.record)
        if self.scaling is not None and self.runs:
            text += scaling_table(dict(self.runs), self.scaling, self.predicted)
        return text

    def __repr__(self) -> str:
        main = self.main
        where = "no point attracts" if main is None else f"C_W = {main.cw:.10g}, C_b = {main.cb:.10g}, {main.kind}"
        return f"<Critical {self.record.activation}: {where}>"

    def _repr_html_(self) -> str:
        return html_text(str(self))


def critical_record(
    activation: str,
    scaling: Scaling | None,
    symbols: Symbols,
    begin: Callable[[], Callable[[str], None]] = lambda: lambda _: None,
) -> Critical:
    """The points of an activation and, with ``scaling``, the runs at and off the main one.

    ``begin`` is called where there is something to run, and tells of its progress since. Raises NtkfeynError.
    """
    from ntkfeyn.asymptotics.predictions import predictions
    from ntkfeyn.criticality.depth import depth_scaling
    from ntkfeyn.criticality.points import critical_points

    found = critical_points(activation)
    if scaling is None or found.main is None:
        return Critical(found, scaling, symbols=symbols)
    runs = depth_scaling(activation, found.main, scaling, begin())
    return Critical(found, scaling, runs, dict(predictions(activation, found.main, scaling)), symbols)
