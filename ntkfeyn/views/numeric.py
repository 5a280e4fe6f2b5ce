"""Numbers that ``evaluate``, ``sample``, ``compare`` and ``train`` return, with tables, figures and files.

Enters: the frozen records of solving, sampling and training. Leaves: the same records, which show themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from ntkfeyn.render.records import Formats, html_table, html_text
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.sampling.comparison import Comparison
from ntkfeyn.solve.results import Tensors
from ntkfeyn.training.results import Trained
from ntkfeyn.views.drawn import DrawnRecord
from ntkfeyn.views.tables import chi_text, comparison_table, pull_text, tensors_table, verdict_lines
from ntkfeyn.views.training_tables import training_table

MOST_ROWS = 60  # of a table in a notebook
V = TypeVar("V", bound="ShownTensors | ShownComparison | ShownTraining")


def shown(view: type[V], record: Any, symbols: Symbols | None = None) -> V:
    """A record as its view."""
    known: dict[str, Any] = {one.name: getattr(record, one.name) for one in fields(record)}
    return view(**known, symbols=symbols or Symbols())


@dataclass(frozen=True, repr=False)
class ShownTensors(Tensors, DrawnRecord):
    """What ``evaluate`` and ``sample`` return; ``str()`` is the table of `ntkfeyn evaluate`."""

    symbols: Symbols = field(default_factory=Symbols)

    def figure(self) -> Any:
        """Every component against the layer, a panel a tensor: a matplotlib Figure."""
        from ntkfeyn.figures.tensors import tensors_drawing

        return tensors_drawing(self, self.symbols)

    def formats(self) -> Formats:
        known = super().formats()
        return {".json": known[".json"], ".csv": self.to_csv, **known}

    def __str__(self) -> str:
        return tensors_table(self)

    def __repr__(self) -> str:
        names = ", ".join(self.settings[0].layers[-1])
        widths = ", ".join(setting.width for setting in self.settings)
        return f"<Tensors {names}: {self.meta['samples']} inputs, {self.meta['depth']} layers, width {widths}>"

    def _repr_html_(self) -> str:
        text = []
        for setting in self.settings:
            reported = setting.reported()
            rows = [
                (f"{name} {key}", *(f"{row[name].values[i]:.8g}" for _, row in reported), f"{tensor.errors[i]:.1e}")
                for name, tensor in setting.layers[-1].items()
                for i, key in enumerate(tensor.keys())
            ]
            heads = ["", *(f"layer {number}" for number, _ in reported), "error"]
            more = f", {MOST_ROWS} of {len(rows)} components" if len(rows) > MOST_ROWS else ""
            caption = f"{self.meta['activation']}, width {setting.width}{more}"
            text.append(html_table(caption, heads, rows[:MOST_ROWS]))
        return "".join(text)


@dataclass(frozen=True, repr=False)
class ShownComparison(Comparison, DrawnRecord):
    """What ``compare`` returns: ``.passed`` says whether theory agrees, ``str()`` is the table of `ntkfeyn compare`."""

    symbols: Symbols = field(default_factory=Symbols)

    def figure(self, against: str = "") -> Any:
        """Sampled values and partial sums: a matplotlib Figure, against "width" or "depth", or of all "components".

        Default: width, if there are several. Raises NtkfeynError for anything else.
        """
        from ntkfeyn.figures.comparison import comparison_drawing

        return comparison_drawing(self, against or ("width" if len(self.settings) > 1 else "depth"), self.symbols)

    def __str__(self) -> str:
        return comparison_table(self)

    def __repr__(self) -> str:
        verdict = "agrees" if self.passed else "DIFFERS"
        return f"<Comparison {', '.join(self.orders)}: {verdict}, largest |pull| {pull_text(self.largest_pull)}>"

    def _repr_html_(self) -> str:
        heads = ["", "sampled", "error", "theory, order by order", "pull", "chi^2"]
        text = []
        for setting in self.settings:
            rows = []
            for target, row in setting.output.items():
                i = row.largest
                sums = ", ".join(f"{value:.6g}" for value in row.theory[:, i])
                numbers = (f"{row.sampled[i]:.6g}", f"{row.errors[i]:.2g}", sums, f"{row.pulls[i]:.2f}")
                rows.append((f"{target} {row.keys[i]}", *numbers, chi_text(row.chi_square)))
            caption = f"{self.meta['activation']}, width {setting.width}, layer {len(setting.hidden) + 1}"
            text.append(html_table(caption, heads, rows))
        return "".join([*text, html_text("\n".join(verdict_lines(self)))])


@dataclass(frozen=True, repr=False)
class ShownTraining(Trained, DrawnRecord):
    """What ``train`` returns: predictions and kernels, order by order; ``str()`` is the table of `ntkfeyn train`."""

    symbols: Symbols = field(default_factory=Symbols)

    def figure(self) -> Any:
        """Prediction and kernel against time, by order and source: a matplotlib Figure."""
        from ntkfeyn.figures.training import training_drawing

        return training_drawing(self, self.symbols)

    def __str__(self) -> str:
        return training_table(self)

    def __repr__(self) -> str:
        widths = ", ".join(setting.width for setting in self.settings)
        return f"<Trained {', '.join(self.labels)}: {len(self.points)} points, width {widths}>"

    def _repr_html_(self) -> str:
        text = []
        for setting in self.settings:
            found, sampled = setting.expansion, setting.sampled
            parts = [(found.order0, ".8g"), (found.prediction1, ".8g"), (setting.prediction, ".8g")]
            if sampled is not None:
                parts += [(sampled.prediction, ".6g"), (sampled.prediction_errors, ".1g")]
            rows = [
                (f"{label}, {point}, output {o + 1}", *(format(part[i, a, o], digits) for part, digits in parts))
                for i, label in enumerate(self.labels)
                for a, point in enumerate(self.points)
                for o in range(found.order0.shape[2])
            ]
            heads = ["", "order 0", "order 1", "order 0 + order 1/n", *(["trained", "error"] if sampled else [])]
            caption = f"{self.meta['activation']}, mean prediction at width {setting.width}"
            text.append(html_table(caption, heads, rows[:MOST_ROWS]))
        return "".join(text)
