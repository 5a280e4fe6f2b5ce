"""Pictures of the paper's figures from the data of their runs, in the style of every figure of ntkfeyn.

Enters: a row of figures.toml and the data of its runs. Leaves: a matplotlib figure. Inputs are numbered from 0, as in
the paper. Points are sampled networks with one standard error, curves are partial sums of the expansion in 1/n.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ntkfeyn.figures.style import COLOURS, DASHES

from points import HOW, Array, Document, Panel, cw_of, over_layers, over_widths, panels_of, power_law

PANEL = (2.9, 2.3)  # inches
MARKS = "osD^vP"
INKS = ("#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5c00")  # of components, each with a mark of its own
SAMPLED = {"fmt": "ko", "markersize": 3.5, "capsize": 2.5, "linewidth": 1, "label": "sampled", "zorder": 5}


def _style(order: int) -> Document:
    return {"color": COLOURS[order], "linestyle": DASHES[order], "label": f"theory to order {order}"}


def draw(Figure: Any, figure: Document, documents: Sequence[Document]) -> Any:
    """The figure of a row of figures.toml."""
    return KINDS[figure["kind"]](Figure, figure, documents)


def _grid(Figure: Any, figure: Document, count: int, columns: int, high: float = 1.0) -> tuple[Any, list[Any]]:
    rows = -(-count // columns)
    made = Figure(figsize=(max(PANEL[0] * columns, 4.4), high * PANEL[1] * rows + 0.3), layout="constrained", dpi=90)
    axes = list(made.subplots(rows, columns, squeeze=False).ravel())
    made.suptitle(figure["title"], fontsize=9)
    for axis in axes[count:]:
        axis.set_visible(False)
    return made, axes[:count]


def _columns(count: int) -> int:
    return {1: 1, 2: 2, 4: 2}.get(count, 3)


def _width_axis(axis: Any, widths: Array) -> None:
    axis.set_xscale("log", base=2)
    axis.set_xticks(widths, [f"{n:.0f}" for n in widths], fontsize=7)
    axis.minorticks_off()
    axis.set_xlabel("width $n$")


def _against_width(Figure: Any, figure: Document, documents: Sequence[Document]) -> Any:
    """Figures 1, 4, 6 to 10: a component a panel; theory leaves the frame where widths are too small."""
    panels = panels_of(figure)
    made, axes = _grid(Figure, figure, len(panels), _columns(len(panels)), 1.2 if len(panels) < 3 else 1.0)
    for axis, panel in zip(axes, panels, strict=True):
        found = over_widths(documents, panel)
        n = np.geomspace(found.at[0] * 0.92, found.at[-1] * 1.08, 200)
        first = panel.order
        for k in range(len(found.coefficients)):
            axis.plot(n, found.curve(n, k), **_style(first + k))
        axis.errorbar(found.at, found.sampled, found.errors, **SAMPLED)
        ends = np.concatenate([found.sampled - found.errors, found.sampled + found.errors, found.theory[0]])
        pad = 0.12 * np.ptp(ends)
        axis.set_ylim(ends.min() - pad, ends.max() + pad)
        axis.set_title(f"${panel.letter}$", fontsize=9)
        axis.set_ylabel(panel.quantity, fontsize=8)
        _width_axis(axis, found.at)
    axes[0].legend(fontsize=7)
    return made


def _corrections(Figure: Any, figure: Document, documents: Sequence[Document]) -> Any:
    """Figure 5: n times what a mean is off infinite width."""
    panels = panels_of(figure)
    made, axes = _grid(Figure, figure, len(panels), 2, 1.2)
    for axis, panel in zip(axes, panels, strict=True):
        found = over_widths(documents, panel)
        n = np.geomspace(found.at[0] * 0.92, found.at[-1] * 1.08, 200)
        for k in range(1, len(found.coefficients)):
            axis.plot(n, n * (found.curve(n, k) - found.coefficients[0]), **_style(k))
        off, errors = found.at * (found.sampled - found.theory[0]), found.at * found.errors
        axis.errorbar(found.at, off, errors, **SAMPLED)
        ends = np.concatenate([off - errors, off + errors, found.coefficients[1:2]])
        axis.set_ylim(ends.min() - 0.1 * np.ptp(ends), ends.max() + 0.1 * np.ptp(ends))
        axis.set_title(rf"$n\,$(mean $-\;{panel.letter}$), goes to ${HOW.letter(panel.name)}^{{\{{1\}}}}$", fontsize=9)
        _width_axis(axis, found.at)
    axes[0].legend(fontsize=7)
    return made


def _deviation(Figure: Any, figure: Document, documents: Sequence[Document]) -> Any:
    """Figures 3, 22 to 25: how far means are off infinite width; triangles where no deviation is seen: one error."""
    panels = panels_of(figure)
    names = list(dict.fromkeys(panel.name for panel in panels))
    made, axes = _grid(Figure, figure, len(names), len(names), 1.25)
    for axis, name in zip(axes, names, strict=True):
        for i, panel in enumerate(one for one in panels if one.name == name):
            found = over_widths(documents, panel)
            n, size = np.geomspace(found.at[0], 1000, 200), abs(found.coefficients[0])
            for k in range(1, len(found.coefficients)):
                curve = np.abs(found.curve(n, k) - found.coefficients[0]) / size
                if curve.max() > 1e-9:
                    axis.plot(n, curve, color=INKS[i], linestyle=DASHES[k], linewidth=1)
            off, errors = np.abs(found.sampled - found.theory[0]) / size, found.errors / size
            seen = off > 2 * errors
            label = f"${panel.letter}$"
            axis.errorbar(found.at[seen], off[seen], errors[seen], fmt=MARKS[i], color=INKS[i], markersize=4, capsize=2,
                          linewidth=1, label=label if seen.any() else None)  # fmt: skip
            if not seen.all():
                label = f"{label}: none seen, its error"
                axis.plot(found.at[~seen], errors[~seen], "v", color=INKS[i], markersize=4, mfc="none", label=label)
        axis.set(xscale="log", yscale="log", xlabel="width $n$")
        axis.set_ylabel(rf"|mean $-\;{HOW.letter(name)}$| / $|{HOW.letter(name)}|$", fontsize=8)
        axis.set_ylim(bottom=axis.get_ylim()[0] / 5)  # room for the legend
        axis.legend(fontsize=6, loc="lower left")
    return made


def fixed_point(document: Document, panel: Panel) -> float:
    """K* of eq. (130), C_W |x||x'|/n_0."""
    lengths = np.linalg.norm(np.array(document["request"]["inputs"]), axis=1)
    a, b = (lengths[int(one)] for one in panel.index)
    return float(cw_of(document) * a * b / len(document["request"]["inputs"][0]))


def _kernel_depth(Figure: Any, figure: Document, documents: Sequence[Document]) -> Any:
    """Figures 2 and 11: a panel a C_W; in the middle of Figure 11 the distance from the fixed point."""
    made, axes = _grid(Figure, figure, len(documents), len(documents), 1.2)
    for axis, document in zip(axes, documents, strict=True):
        critical = cw_of(document) == 2
        for i, panel in enumerate(panels_of(figure)):
            found = over_layers(document, panel)
            base = fixed_point(document, panel) if critical and panel.name == "K" else 0.0
            order = len(found.theory) - 1
            theory, sampled = np.abs(found.best - base), np.abs(found.sampled - base)
            if np.nanmax(theory) > 1e-6 * abs(base):  # at one input K is K*: zero has no place here
                axis.plot(found.at, theory, color=INKS[i], linestyle=DASHES[order], linewidth=1)
            axis.errorbar(found.at, sampled, found.errors, fmt=MARKS[i], color=INKS[i], markersize=2.5, capsize=1.5,
                          linewidth=0.7, label=f"${panel.letter}$")  # fmt: skip
        linear = critical and panels_of(figure)[0].name == "Theta"
        axis.set(xscale="linear" if linear else "log", yscale="linear" if linear else "log")
        _layer_axis(axis, found.at)
        if base:
            axis.set_ylim(bottom=found.errors.min() / 3)
        letter = HOW.letter(panels_of(figure)[0].name)
        axis.set_ylabel(rf"$|{letter} - {letter}^*|$" if critical and letter == "K" else rf"$|{letter}|$", fontsize=8)
        axis.set_title(rf"$C_W = {cw_of(document):g}$", fontsize=9)
    axes[0].legend(fontsize=7, title="curves: theory to order 2", title_fontsize=7)
    return made


def _growth(Figure: Any, figure: Document, documents: Sequence[Document]) -> Any:
    """Figures 12, 14, .., 20: a component a panel, with a power law through the sampled values, as in the paper."""
    panels = panels_of(figure)
    made, axes = _grid(Figure, figure, len(panels), 3)
    for axis, panel, (_, _, first) in zip(axes, panels, figure["fits"], strict=True):
        found = over_layers(documents[0], panel)
        lead = panel.order
        for k, row in enumerate([*found.theory[:-1], found.best]):
            axis.plot(found.at, np.abs(row), **_style(lead + k))
        a, p = power_law(found, first, found.sampled)
        axis.plot(found.at, a * found.at**p, color="#7a5c00", linewidth=0.8, label=rf"${a:.2g}\,\ell^{{{p:.2f}}}$, "
                  rf"$\ell \geq {first:g}$")  # fmt: skip
        axis.errorbar(found.at, np.abs(found.sampled), found.errors, **{**SAMPLED, "markersize": 2, "capsize": 1.5})
        axis.set(xscale="log", yscale="log")
        axis.set_ylabel(rf"$|{panel.letter}|$", fontsize=8)
        _framed(axis, np.abs(np.concatenate([found.sampled, found.theory[0]])))
        _layer_axis(axis, found.at)
        axis.legend(fontsize=6)
    return made


def _layer_axis(axis: Any, layers: Array) -> None:
    ticks = [layer for layer in (2, 3, 5, 10, 20, 30) if layers[0] <= layer <= layers[-1]]
    axis.set_xticks(ticks, [str(layer) for layer in ticks], fontsize=7)
    axis.minorticks_off()
    axis.set_xlabel(r"layer $\ell$")


def _framed(axis: Any, values: Array) -> None:
    """A logarithmic axis that error bars down to zero do not stretch."""
    shown = values[values > 0]
    axis.set_ylim(max(shown.min() / 3, shown.max() * 1e-60), shown.max() * 3)


def _off_critical(Figure: Any, figure: Document, documents: Sequence[Document]) -> Any:
    """Figures 13, 15, .., 21: all components, below and above criticality."""
    made, axes = _grid(Figure, figure, len(documents), len(documents), 1.4)
    for axis, document in zip(axes, documents, strict=True):
        values = []
        for i, panel in enumerate(panels_of(figure)):
            found = over_layers(document, panel)
            axis.plot(found.at, np.abs(found.theory[0]), color=INKS[i], linestyle=DASHES[1], linewidth=0.6)
            axis.plot(found.at, np.abs(found.best), color=INKS[i], linestyle=DASHES[2], linewidth=0.9)
            axis.errorbar(found.at, np.abs(found.sampled), found.errors, fmt=MARKS[i], color=INKS[i], markersize=2.8,
                          capsize=1.5, linewidth=0.7, label=f"${panel.letter}$")  # fmt: skip
            values += [np.abs(found.sampled), np.abs(found.theory[0])]
        axis.set(xscale="log", yscale="log")
        _layer_axis(axis, found.at)
        axis.set_ylabel("$n$ times the cumulant, size", fontsize=8)
        axis.set_title(rf"$C_W = {cw_of(document):g}$", fontsize=9)
        _framed(axis, np.concatenate(values))
    axes[0].legend(fontsize=7, title="curves: theory to order 2", title_fontsize=7)
    return made


def _trained(Figure: Any, figure: Document, documents: Sequence[Document]) -> Any:
    """n (prediction - order 0) goes to order 1 as 1/n goes to zero; at infinite time training points are fitted."""
    made, axes = _grid(Figure, figure, len(figure["panels"]), len(figure["panels"]), 1.2)
    data = documents[0]["data"]
    widths = np.array([float(width.removeprefix("width-")) for width in data])
    for axis, time in zip(axes, figure["panels"], strict=True):
        for i, point in enumerate(next(iter(data.values()))[time]["prediction"]):
            rows = [data[width][time]["prediction"][point][0] for width in data]
            off = np.array([row["sampled"] - row["order0"] for row in rows])
            errors = np.array([row["error"] for row in rows])
            if time == "time-inf" and point.startswith("train"):
                continue
            axis.plot([0, 1 / widths.min()], [rows[0]["order1"]] * 2, color=INKS[i], linestyle=DASHES[1], linewidth=1)
            axis.errorbar(1 / widths, widths * off, widths * errors, fmt=MARKS[i], color=INKS[i], markersize=4,
                          capsize=2, linewidth=1, label=point)  # fmt: skip
        axis.axhline(0, color="black", linewidth=0.6, linestyle=":")
        axis.set_title(time.replace("-", " ").replace("inf", r"$\infty$"), fontsize=9)
        axis.set_xlabel("$1/n$")
        axis.set_ylabel("$n$ (prediction $-$ order 0)", fontsize=8)
        axis.legend(fontsize=7, title="dashes: order 1", title_fontsize=7)
    return made


KINDS = {
    "width": _against_width,
    "correction": _corrections,
    "deviation": _deviation,
    "kernel-depth": _kernel_depth,
    "growth": _growth,
    "off-critical": _off_critical,
    "trained": _trained,
}
