"""Saturation of tanh networks with depth: python tests/benchmarks/saturation.py [DIRECTORY] [SHARE]

Order-1 tensors over powers of K and Theta, at criticality, for Gaussian and for orthogonal weights: theory at orders 1
and 2 and sampled networks, layer by layer. Writes saturation.json, .pdf and .png (to outputs/orthogonal) and prints the
pulls. SHARE scales the number of networks.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ntkfeyn as nf
from ntkfeyn.figures.style import COLOURS, drawing, figure_notation, save
from ntkfeyn.render.json import to_text
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.runtime.files import write_below
from ntkfeyn.runtime.version import TOOL

OUTPUTS = Path(__file__).parent.parent.parent / "outputs" / "orthogonal"
DEPTH, GRAM = 40, 0.5
NETWORKS = {30: 12_000, 100: 3_000, 200: 600}
RATIOS = {  # tensor: powers of K and Theta with its dimension, its next order
    "V@1": (2, 0, "V@2"), "F@1": (1, 1, "F@2"), "K@1": (1, 0, "K@2"), "Theta@1": (0, 1, "Theta@2"),
}  # fmt: skip
SHOWN = range(4, DEPTH + 1, 4)  # layers with sampled points
Row = NDArray[np.float64]


def diagonal(tensors: Any, name: str) -> tuple[Row, Row]:
    """Values and errors of the one component, by layer."""
    layers = [row[name] for row in tensors.settings[0].layers]
    return np.array([x.values[0] for x in layers]), np.array([x.errors[0] for x in layers])


def study(weights: str, share: float) -> dict[str, Any]:
    """Theory and samples of one ensemble, as ratios."""
    networks = {width: nf.Network(DEPTH, width, "tanh", weights=weights) for width in NETWORKS}
    names = ["K", "Theta", *RATIOS, *(following for *_, following in RATIOS.values())]
    solved = nf.evaluate(networks[30], gram=[[GRAM]], names=names)  # equal widths: one solution for all
    kernel, tangent = (diagonal(solved, name)[0] for name in ("K@0", "Theta@0"))
    found: dict[str, Any] = {"order1": {}, "order2": {}, "sampled": {}}
    unit = {name: kernel**a * tangent**b for name, (a, b, _) in RATIOS.items()}
    for name, (*_, following) in RATIOS.items():
        found["order1"][name] = (diagonal(solved, name)[0] / unit[name]).tolist()
        found["order2"][name] = (diagonal(solved, following)[0] / unit[name]).tolist()
    for width, network in networks.items():
        count = max(64, int(NETWORKS[width] * share))
        sampled = nf.sample(network, [[GRAM**0.5]], list(RATIOS), networks=count)
        rows = {}
        for name in RATIOS:
            value, error = (part / unit[name] for part in diagonal(sampled, name))
            theory = np.array(found["order1"][name]) + np.array(found["order2"][name]) / width
            with np.errstate(divide="ignore", invalid="ignore"):
                pulls = np.where(error > 0, (value - theory) / error, 0.0)
            rows[name] = {"value": value.tolist(), "error": error.tolist(), "pull": pulls.tolist()}
        found["sampled"][str(width)] = {"networks": count, "tensors": rows}
    return found


def figure(data: dict[str, Any], directory: Path) -> list[Path]:
    """A panel a ratio: order 1 solid, with order 2 at each width dashed, sampled points."""
    layers = np.arange(1, DEPTH + 1)
    with drawing() as Figure:
        notation = figure_notation(Symbols())
        picture = Figure(figsize=(8.6, 6.0), layout="constrained")
        axes = picture.subplots(2, 2, sharex=True)
        for axis, (name, (a, b, _)) in zip(axes.flat, RATIOS.items(), strict=True):
            letter, _, _ = name.partition("@")
            below = [
                rf"{notation.letter(x)}^{p}" if p > 1 else notation.letter(x) for x, p in (("K", a), ("Theta", b)) if p
            ]
            axis.set_title(
                rf"${notation.symbol(letter, 1 if letter in ('K', 'Theta') else 0)}/{''.join(below)}$", fontsize=10
            )
            for colour, (weights, found) in zip(COLOURS[1:], data.items(), strict=False):
                first = np.array(found["order1"][name])
                axis.plot(layers, first, color=colour, label=f"{weights}, order 1")
                for marker, (width, sampled) in zip("os^", found["sampled"].items(), strict=True):
                    both = first + np.array(found["order2"][name]) / int(width)
                    axis.plot(layers, both, color=colour, linestyle="--", linewidth=0.7)
                    at = [layer - 1 for layer in SHOWN]
                    rows = sampled["tensors"][name]
                    value, error = np.array(rows["value"])[at], np.array(rows["error"])[at]
                    style = {"color": colour, "fmt": marker, "markersize": 3, "capsize": 2, "linewidth": 0.8}
                    axis.errorbar(layers[at], value, error, label=f"{weights}, sampled, n = {width}", **style)
        for axis in axes[1]:
            axis.set_xlabel(rf"layer ${notation.layer}$")
        handles, labels = axes[0][0].get_legend_handles_labels()
        picture.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7)
        picture.suptitle("tanh at criticality, equal widths, one input; dashed: with order 2 at each width", fontsize=9)
        return save(picture, directory, "saturation")


def main(directory: Path = OUTPUTS, share: float = 1.0) -> None:
    data = {weights: study(weights, share) for weights in ("gaussian", "orthogonal")}
    meta = {"tool": TOOL, "activation": "tanh", "cw": 1.0, "depth": DEPTH, "gram": GRAM, "ratios": list(RATIOS)}
    [path] = write_below(directory, {"saturation.json": to_text({"meta": meta, "data": data})})
    for written in (path, *figure(data, directory)):
        print(written)
    for weights, found in data.items():
        for width, sampled in found["sampled"].items():
            pulls = {name: max(map(abs, rows["pull"][1:])) for name, rows in sampled["tensors"].items()}
            shown = ", ".join(f"{name} {pull:.1f}" for name, pull in pulls.items())
            print(f"{weights:<11} n = {width:<4} {sampled['networks']:>6} networks, largest |pull|: {shown}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUTS, float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
