"""Numbers as tables for a terminal: tensors layer by layer, comparisons with sampled networks.

Enters: results. Leaves: text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ntkfeyn.sampling.chi_square import ChiSquare
    from ntkfeyn.sampling.comparison import Comparison
    from ntkfeyn.solve.results import Tensors

MOST_ROWS = 40


def tensors_table(result: Tensors) -> str:
    """A block a tensor: rows are components, columns layers.

    Of sampled networks: those that no symmetry makes equal to another, with their errors at the last layer.
    """
    from ntkfeyn.solve.components import distinct

    lines = []
    for setting in result.settings:
        law = f", {result.meta['weights']} weights" if "weights" in result.meta else ""
        numbers = [number for number, _ in setting.reported()]
        layers = f"layers 1 .. {numbers[-1]}" if len(numbers) > 1 or numbers == [1] else f"layer {numbers[-1]}"
        lines.append(f"width {setting.width}, {result.meta['activation']}, {layers}{law}")
        for name, last in setting.layers[-1].items():
            error = max(last.errors.tolist(), default=0.0)
            sampled = result.meta["command"] == "sample"
            kind = "standard error up to" if sampled else "error at most"
            none = "standard error 0: the same in every network" if sampled else "exact to rounding"
            lines.append(f"\n{name:<16} " + (f"{kind} {error:.1e} at the last layer" if error else none))
            keys = list(last.keys())
            columns = [layer[name].values.tolist() for _, layer in setting.reported()]
            places = distinct(name.partition("@")[0], last.indices).tolist() if sampled else list(range(len(keys)))
            for i in places[:MOST_ROWS]:
                row = f"  {keys[i]:<14}" + " ".join(f"{column[i]:>14.8g}" for column in columns)
                lines.append(row + (f"  +- {last.errors[i]:.1e}" if sampled else ""))
            if len(places) > MOST_ROWS:
                lines.append(f"  .. {len(places) - MOST_ROWS} more components: --format json")
        lines.append("")
    return "\n".join(lines)


def comparison_table(found: Comparison, *, every: bool = False) -> str:
    """The output layer: a block a width, a row a tensor with its largest component; then chi^2 over all widths.

    ``every``: a row for each component that no symmetry makes equal to another.
    """
    from ntkfeyn.solve.components import distinct

    lines = []
    for setting in found.settings:
        lines.append(f"width {setting.width}, layer {len(setting.hidden) + 1}")
        shown = {
            target: distinct(target.partition("@")[0], row.indices).tolist() if every else [row.largest]
            for target, row in setting.output.items()
        }
        wide = max(11, *(len(setting.output[target].keys[i]) + 2 for target, places in shown.items() for i in places))
        pull = "pull" if every else "max |pull|"
        head = f"  {'tensor':<9}{'component':<{wide}}{'sampled':>24}   {'theory, order by order':<36}{pull:>10}"
        lines.append(f"{head}  chi^2")
        for target, row in setting.output.items():
            for i in shown[target]:
                name = f"{target:<9}{row.keys[i]:<{wide}}"
                sampled = f"{row.sampled[i]:.6g} +- {row.errors[i]:.2g}"
                sums = ", ".join(f"{value:.6g}" for value in row.theory[:, i])
                size = float(row.pulls[i] if every else abs(row.pulls).max())
                total = f"  {chi_text(row.chi_square)}" if i == shown[target][0] else ""
                lines.append(f"  {name}{sampled:>24}   {sums:<36}{pull_text(size):>10}{total}")
        lines.append("")
    if len(found.settings) > 1:
        lines.append("all widths")
        lines += [f"  {target:<9}{chi_text(found.total(target))}" for target in found.orders]
    return "\n".join([*lines, *verdict_lines(found)]) + "\n"


def verdict_lines(found: Comparison) -> list[str]:
    """What a comparison comes to: the largest pull, and where it differs why, and what to try."""
    largest = f"largest |pull| over all layers {pull_text(found.largest_pull)}, allowed {found.max_pull:g}"
    reasons = [f"differs: {reason}" for reason in found.reasons()]
    return [largest, *reasons, *([found.advice()] if reasons else [])]


def pull_text(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 1e4 else f"{value:.0e}"


def chi_text(found: ChiSquare | None) -> str:
    return "(too few networks)" if found is None else f"{found.value:.1f}/{found.freedom}, p = {found.p:.2g}"
