"""The tables of README.md from the data of the runs, the certificates and the commands: no number is typed in.

Enters: figures.toml, data/, outputs/certificates.json. Leaves: README.md with the text between its markers
`<!-- table NAME -->` and `<!-- end -->` made anew.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import ntkfeyn as nf
import numpy as np
from ntkfeyn.model.cumulants import standard

from points import documents_of, first_order, networks_of, over_layers, over_widths, panels_of, power_law

HERE = Path(__file__).resolve().parent
Document = dict[str, Any]
FACTORS = {"chi_par": "χ_par", "chi_perp": "χ_perp"}
ALL = {"4.1": ("D", "F", "A", "B"), "4.2": ("P", "Q", "R", "S", "T", "U"), "5": ("K", "Theta", "V")}


def table(head: str, rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; ``head`` holds the columns."""
    columns = [name.strip() for name in head.split("|")]
    lines = ["| " + " | ".join(row) + " |" for row in (columns, ["---"] * len(columns), *rows)]
    return "\n".join(lines)


def pulls(figure: Document, most: float = np.inf, least: float = 0.0) -> list[tuple[float, float, int]]:
    """Root mean square and largest (sampled - theory)/error at each order, and how many, over widths in a range."""
    found = []
    for panel in panels_of(figure):
        points = over_widths(documents_of(figure), panel)
        kept = (points.at >= least) & (points.at <= most)
        found.append(points.pulls[:, kept])
    return _summary(found)


def _summary(found: Sequence[Any]) -> list[tuple[float, float, int]]:
    both = [row[~np.isnan(row)] for row in np.concatenate(found, axis=1)]
    return [(float(np.sqrt(np.mean(row**2))), float(np.abs(row).max()), row.size) for row in both if row.size]


def depth_pulls(figure: Document) -> list[tuple[float, float, int]]:
    """The same over all layers of a depth scan."""
    found = []
    for document in documents_of(figure):
        for panel in panels_of(figure):
            points = over_layers(document, panel)
            found.append(points.pulls)
    return _summary(found)


def _shown(found: Sequence[tuple[float, float, int]]) -> str:
    return ", ".join(f"{rms:.2f}" for rms, _, _ in found)


def _sentence(figure: Document) -> str:
    """What we get, in a line."""
    kind = figure["kind"]
    if kind in ("width", "correction"):
        wide = 16 if kind == "correction" or first_order(figure) == 0 else 32
        rows = pulls(figure, least=wide)
        first = first_order(figure)
        orders = ", ".join(str(first + k) for k in range(len(rows)))
        return f"pulls from width {wide} up at orders {orders}: {_shown(rows)}"
    if kind == "deviation":
        return _deviation(figure)
    if kind == "trained":
        return _trained(figure)
    rows = depth_pulls(figure)
    first = first_order(figure)
    return f"pulls at all layers, orders {', '.join(str(first + k) for k in range(len(rows)))}: {_shown(rows)}"


def _trained(figure: Document) -> str:
    """Predictions of the widest networks; pulls stand in the data, at infinite time those of training points do not."""
    (document,) = documents_of(figure)
    width, times = list(document["data"].items())[-1]
    shown = [times[time]["prediction"] for time in figure["panels"]]
    rows = [row for points in shown for outputs in points.values() for row in outputs if row.get("pull1") is not None]
    both = [float(np.sqrt(np.mean([row[f"pull{order}"] ** 2 for row in rows]))) for order in (0, 1)]
    return f"pulls at {width.replace('-', ' ')} at orders 0, 1: {both[0]:.2f}, {both[1]:.2f}"


def _deviation(figure: Document) -> str:
    """Whether the mean at one input is off infinite width, and how far the samples exclude that it is."""
    parts = []
    for panel in panels_of(figure):
        points = over_widths(documents_of(figure), panel)
        off = np.abs(points.sampled - points.theory[0]) / points.errors
        size = abs(points.coefficients[0])
        if np.abs(points.coefficients[1:]).max() < 1e-9 * size:
            parts.append(f"{panel.name}_{panel.index} 0 in theory, {off.max():.1f} errors at most, where an error is "
                         f"{(points.errors / size).min():.1e} at best")  # fmt: skip
        else:
            parts.append(f"{panel.name}_{panel.index} {points.coefficients[1] / points.coefficients[0]:+.3g}/n")
    return "; ".join(parts)


def _seconds(figure: Document) -> str:
    spent = [document["core_seconds"] for document in documents_of(figure)]
    return "not kept" if None in spent else f"{sum(spent):.0f} s"  # of a run that was interrupted


def figure_table(figures: dict[str, Document]) -> str:
    """figure | command | what the paper shows | what we get | time."""
    rows = []
    for name, figure in figures.items():
        own = all("/" not in run for run in figure["runs"])
        shown = f"[{name.replace('figure-0', 'figure-').replace('-', ' ')}]({name}.pdf)"
        rows.append((shown, f"`make.py {name}`", figure["shows"], _sentence(figure), _seconds(figure) if own else "-"))
    return table("figure | command | what the paper shows | what we get | core time", rows)


def pull_table(figures: dict[str, Document]) -> str:
    """Root mean square and largest pulls by width."""
    rows = []
    for name, figure in figures.items():
        if figure["kind"] != "width" or any("/" in run for run in figure["runs"]):
            continue
        first = first_order(figure)
        widths = sorted({n for panel in panels_of(figure) for n in over_widths(documents_of(figure), panel).at})
        for n in widths:
            found = pulls(figure, n, n)
            cells = [f"{rms:.2f}, {most:.1f}" for rms, most, _ in found]
            cells = [""] * first + cells + [""] * (3 - first - len(cells))
            rows.append((name.replace("figure-0", "").replace("figure-", ""), f"{n:.0f}", *cells))
    return table("figure | n | order 0 | order 1 | order 2", rows)


def value_table(figures: dict[str, Document]) -> str:
    """The lines of theory in Figures 1, 4 to 10 as numbers: coefficients of the expansion in 1/n at layer 4."""
    rows = []
    for name in ("figure-05", "figure-06", "figure-07", "figure-08", "figure-09", "figure-10"):
        for panel in panels_of(figures[name]):
            found = over_widths(documents_of(figures[name]), panel).coefficients
            first = panel.order
            cells = [""] * first + [f"{value:.7g}" for value in found]
            rows.append((f"{panel.name}_{panel.index}", *cells))
    return table("component | order 0 | order 1 | order 2", rows)


# networks of the paper's Figure 4, whose estimates (107) and (108) are of one neuron of each
PAPER = {"K": 1e6, "Theta": 1e5}


def error_table(figures: dict[str, Document]) -> str:
    """Our standard errors of the diagonal in Figures 4 and 5, and those that its estimators have, from V, A, B."""
    kernels = figures["figure-04"]
    means = {panel.name: over_widths(documents_of(kernels), panel) for panel in panels_of(kernels)}
    tensors = {}
    for figure in figures.values():
        if figure["kind"] == "width" and (panel := panels_of(figure)[0]).name in "VAB":
            tensors[panel.name] = over_widths(documents_of(figure), panel)
    rows = []
    for i, n in enumerate(means["K"].at):
        if n < 16:  # beyond order 2
            continue
        V, A, B = (float(tensors[name].curve(np.array([n]), 1)[0]) for name in "VAB")
        variances = {"K": 2 * means["K"].theory[-1][i] ** 2 + 3 * V / n, "Theta": (A + 2 * B) / n}
        networks = [count for document in documents_of(kernels) for count in networks_of(document)][i]
        cells = [f"{(variances[name] / PAPER[name]) ** 0.5:.2g} | {means[name].errors[i]:.2g}" for name in PAPER]
        rows.append((f"{n:.0f}", f"{networks}", *" | ".join(cells).split(" | ")))
    return table("n | networks here | K_00, paper | K_00, here | Theta_00, paper | Theta_00, here", rows)


def fit_table(figures: dict[str, Document]) -> str:
    """The power laws printed in Figures 12, 14, .., 20 and ours."""
    rows = []
    for name, figure in figures.items():
        if figure["kind"] != "growth":
            continue
        (document,) = documents_of(figure)
        for panel, (a, p, first) in zip(panels_of(figure), figure["fits"], strict=True):
            points = over_layers(document, panel)
            last = points.at[points.known][-1]
            laws = [power_law(points, first, points.sampled), power_law(points, first, points.best)]
            cells = [f"{x:.3g} l^{y:.2f}" for x, y in laws] + [f"{last:.0f}"]
            off, ratio = points.pulls[-1][points.known][-1], a * last**p / points.best[points.known][-1]
            printed = f"{ratio:.2f}" if a >= 0.1 else ""  # two decimals of a say too little
            shown = name.removeprefix("figure-"), f"{panel.name}_{panel.index}", f"{first:g}", f"{a:.2f} l^{p:.2f}"
            rows.append((*shown, *cells, f"{off:+.1f}", printed))
    head = "figure | component | from layer | paper | sampled here | theory to order 2 | known to layer L | pull at L"
    head += " | paper/theory at L"
    return table(head, rows)


def certificate_table() -> str:
    """Theorems 4.1 to 4.3: diagrams, and to which layer and order certificates reach."""
    held = json.loads((HERE.parent / "certificates.json").read_text())["certificates"]
    groups: dict[tuple[str, int], list[Document]] = {}
    for one in held:
        groups.setdefault((one["cumulant"]["name"], one["order"]), []).append(one)
    rows = []
    for (name, order), found in sorted(groups.items(), key=lambda item: (_theorem(*item[0]), item[0])):
        compared = [row for one in found for row in one["comparisons"]]
        count = len(nf.diagrams(**_asked(name), order=order))
        orders = {row["order"] for row in compared}
        equal = sum(row["equal"] for row in compared)
        curved, linear = (_last([one for one in found if _linear(one) == which]) for which in (False, True))
        reach = f"layer {curved}" + (f", linear {linear}" if linear else "")
        rows.append((_theorem(name, order), f"`{name}@{order}`", str(count), reach, f"{min(orders)} to {max(orders)}",
                     f"{equal} of {len(compared)} equal"))  # fmt: skip
    return table("theorem | recursion | diagrams | certified to | orders in 1/n | coefficients", rows)


def _linear(certificate: Document) -> bool:
    return bool(certificate["parameters"]["activation"] == ["0", "1"])


def _last(certificates: Sequence[Document]) -> int:
    return max((row["layer"] for one in certificates for row in one["comparisons"]), default=0)


def _asked(name: str) -> Document:
    if "/" not in name:
        return {"name": name}
    legs, channel = name.split("/")
    return {"legs": legs.replace("+", " "), "channel": channel}


def _theorem(name: str, order: int) -> str:
    first = order == 1
    return (
        "4.1"
        if first and name in ALL["4.1"]
        else "4.2"
        if first and name in ALL["4.2"]
        else "4.3"
        if order > 1
        else "-"
    )


def _answer(*arguments: str) -> list[Document]:
    """The JSON documents that a command prints."""
    from ntkfeyn.cli import main as ntkfeyn

    with redirect_stdout(io.StringIO()) as printed:
        try:
            ntkfeyn([*arguments, "--format", "json"])
        except SystemExit as ended:
            if ended.code:
                raise
    read = json.loads(printed.getvalue())
    return read if isinstance(read, list) else read.get("recursions", [read])


def susceptibility_table() -> str:
    """Theorem 5.1: what each tensor feeds on itself with, at its leading order and the next one."""
    rows = []
    for name in [*ALL["5"], *ALL["4.1"], *ALL["4.2"]]:
        first = standard(name).leading_order
        for order in (first, first + 1):
            (found,) = _answer("derive", f"{name}@{order}", "--susceptibilities")
            part = found["susceptibilities"]
            factors = " ".join(FACTORS[pair["factor"]] for pair in part["pairs"])
            rows.append((f"`{name}@{order}`", factors, ", ".join(part["diagrams"]), str(len(part["sources"]))))
    return table("tensor | it feeds on itself with | by diagram | diagrams that are sources", rows)


def homogeneous_table() -> str:
    """Theorem 5.2: what is left of the recursions at one input for z s'(z) = s(z)."""
    rows = []
    for name in ("K", "Theta"):
        for order in (1, 2, 3):
            (found,) = _answer("derive", f"{name}@{order}", "--homogeneous")
            count = len(nf.diagrams(name, order=order))
            left = [f"{diagram} with {_named(term)}" for term in found["terms"] for diagram in term["diagrams"]]
            verdict = "yes" if f"{name}@{order}" in found["homogeneous"]["vanishing"] else "no"
            rows.append((f"`{name}@{order}`", str(count), "; ".join(left), verdict))
    return table("tensor | diagrams | what is left at one input | zero at every layer", rows)


def _named(term: Document) -> str:
    return ", ".join(f"{tensor['name']}@{tensor['order']}" for tensor in term["tensors"])


def readme(figures: dict[str, Document]) -> str:
    """README.md with its tables made anew."""
    made = {
        "figures": lambda: figure_table(figures),
        "pulls": lambda: pull_table(figures),
        "errors": lambda: error_table(figures),
        "values": lambda: value_table(figures),
        "fits": lambda: fit_table(figures),
        "certificates": certificate_table,
        "susceptibilities": susceptibility_table,
        "homogeneous": homogeneous_table,
    }

    def again(found: re.Match[str]) -> str:
        return f"<!-- table {found[1]} -->\n{made[found[1]]()}\n<!-- end -->"

    text = (HERE / "README.md").read_text()
    return re.sub(r"<!-- table (\w+) -->\n.*?<!-- end -->", again, text, flags=re.DOTALL)
