"""Saturation with depth: tanh networks at criticality, Gaussian and orthogonal weights, theory and sampled networks.

    python tests/benchmarks/saturation.py

makes outputs/orthogonal/saturation.json, .pdf and .png: one input with K = 1 at layer 1, C_W = 1, C_b = 0, lambda_W =
1, layers 2 to 40, widths 30 to 200. Theory: orders 1 and 2 in 1/n. Sampled: n^R times each cumulant with its standard
error, and pulls (sampled - T_1 - T_2/n)/error. About five minutes of one core; the same bytes with the same libraries.
"""

# ruff: noqa: E402
from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # matrices here are too small for several threads; before NumPy is loaded

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ntkfeyn as nf
from ntkfeyn.figures.style import COLOURS, drawing, save
from ntkfeyn.render.json import to_text
from ntkfeyn.runtime.files import write_file
from ntkfeyn.runtime.version import TOOL

OUTPUTS = Path(__file__).resolve().parents[2] / "outputs" / "orthogonal"
DEPTH, SEED, INPUT = 40, 7, [[1.0]]
NETWORKS = {30: 9600, 60: 4800, 100: 2560, 200: 800}
ENSEMBLES = {"gaussian": COLOURS[1], "orthogonal": COLOURS[2]}
TENSORS = ("V", "D", "F", "A", "B", "K@1", "Theta@1")
UNIT = {"V": "KK", "D": "KT", "F": "KT", "A": "TT", "B": "TT", "K@1": "K", "Theta@1": "T"}
TITLE = {
    "V": r"$V/K^2$", "D": r"$D/(K\Theta)$", "F": r"$F/(K\Theta)$", "A": r"$A/\Theta^2$", "B": r"$B/\Theta^2$",
    "K@1": r"$K^{\{1\}}/K$", "Theta@1": r"$\Theta^{\{1\}}/\Theta$",
}  # fmt: skip
MARKERS = dict(zip(NETWORKS, ("o", "s", "^", "D"), strict=True))
LAYERS = np.arange(2, DEPTH + 1)
Array = NDArray[np.float64]


def network(width: int, weights: str) -> nf.Network:
    return nf.Network(DEPTH, width, "tanh", weights=weights)


def along_depth(found: nf.records.Tensors, tensor: str) -> tuple[Array, Array]:
    """Values and errors of the only component at layers 2 .. DEPTH."""
    rows = [found.get(tensor, layer) for layer in LAYERS]
    return np.array([row.values[0] for row in rows]), np.array([row.errors[0] for row in rows])


def computed(weights: str) -> dict[str, Any]:
    """Theory and samples of an ensemble."""
    second = {name: f"{name.split('@')[0]}@2" for name in TENSORS}
    theory = nf.evaluate(network(30, weights), INPUT, ["K", "Theta", *TENSORS, *second.values()], tolerance=1e-8)
    orders = {name: [along_depth(theory, name)[0], along_depth(theory, second[name])[0]] for name in TENSORS}
    sampled: dict[str, Any] = {}
    for width, count in NETWORKS.items():
        start = time.monotonic()
        found = nf.sample(network(width, weights), INPUT, list(TENSORS), networks=count, seed=SEED)
        rows = {}
        for name in TENSORS:
            values, errors = along_depth(found, name)
            first, next_ = orders[name]
            with np.errstate(all="ignore"):  # K@1, Theta@1 vanish at layer 2, V of some ensembles anywhere
                pulls = np.where(errors > 0, (values - first - next_ / width) / errors, 0.0)
            rows[name] = {"value": values.tolist(), "error": errors.tolist(), "pull": pulls.tolist()}
        sampled[str(width)] = {"networks": found.meta["networks"], "tensors": rows}
        print(f"{weights}, width {width}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    leading = {name: along_depth(theory, name)[0].tolist() for name in ("K", "Theta")}
    listed = {name: {"order 1": a.tolist(), "order 2": b.tolist()} for name, (a, b) in orders.items()}
    return {"leading": leading, "theory": listed, "sampled": sampled, "pulls": summary(sampled)}


def summary(sampled: dict[str, Any]) -> dict[str, Any]:
    """Of each width: the root mean square and the largest pull over layers and tensors, and where that one is."""
    found = {}
    for width, held in sampled.items():
        pulls = {name: np.array(row["pull"]) for name, row in held["tensors"].items()}
        name = max(pulls, key=lambda one: float(np.max(np.abs(pulls[one]))))
        at = int(np.argmax(np.abs(pulls[name])))
        moving = np.concatenate([values[1:] for values in pulls.values()])
        found[width] = {
            "root_mean_square": round(float(np.sqrt(np.mean(moving**2))), 3),
            "largest": round(float(pulls[name][at]), 3),
            "tensor": name,
            "layer": int(LAYERS[at]),
            "output_layer": {one: round(float(values[-1]), 3) for one, values in pulls.items()},
        }
    return found


def unit(data: dict[str, Any], name: str) -> Array:
    """What a tensor is divided by at each layer."""
    kernel, ntk = (np.array(data["leading"][one]) for one in ("K", "Theta"))
    return np.asarray(np.prod([kernel if letter == "K" else ntk for letter in UNIT[name]], axis=0))


def both(axis: Any, ensembles: dict[str, Any], name: str) -> None:
    """Order 1 of both ensembles, orders 1 and 2 and sampled networks of the largest width."""
    width = max(NETWORKS)
    for weights, colour in ENSEMBLES.items():
        data = ensembles[weights]
        scale = unit(data, name)
        first, second = (np.array(data["theory"][name][f"order {order}"]) / scale for order in (1, 2))
        axis.plot(LAYERS, first, color=colour)
        axis.plot(LAYERS, first + second / width, color=colour, linestyle="--", linewidth=1)
        row = data["sampled"][str(width)]["tensors"][name]
        some = slice(1 if weights == "gaussian" else 2, None, 3)
        values, errors = (np.array(row[key])[some] / scale[some] for key in ("value", "error"))
        axis.errorbar(LAYERS[some], values, errors, fmt=MARKERS[width], color=colour, markersize=3, linewidth=1)
    axis.set_title(f"{TITLE[name]}, both", fontsize=9)


def alone(axis: Any, data: dict[str, Any], name: str) -> None:
    """Orthogonal weights: order 1, orders 1 and 2 of the smallest width, sampled networks of every width."""
    scale, least = unit(data, name), min(NETWORKS)
    first, second = (np.array(data["theory"][name][f"order {order}"]) for order in (1, 2))
    axis.plot(LAYERS, first / scale, color=ENSEMBLES["orthogonal"])
    axis.plot(LAYERS, (first + second / least) / scale, color="black", linestyle="--", linewidth=1)
    shades = dict(zip(NETWORKS, ("black", COLOURS[3], COLOURS[4], ENSEMBLES["orthogonal"]), strict=True))
    for offset, width in enumerate(NETWORKS):
        row = data["sampled"][str(width)]["tensors"][name]
        some = slice(1 + offset, None, 4)
        values, errors = (np.array(row[key])[some] / scale[some] for key in ("value", "error"))
        axis.errorbar(LAYERS[some], values, errors, fmt=MARKERS[width], color=shades[width], markersize=3, linewidth=1)
    axis.set_title(f"{TITLE[name]}, orthogonal alone", fontsize=9)


def figure(ensembles: dict[str, Any]) -> None:
    """For each tensor a panel with both ensembles, and below it one of orthogonal weights alone."""
    with drawing() as Figure:
        drawn = Figure(figsize=(12.5, 10.5), layout="constrained")
        axes = drawn.subplots(4, 4)
        for place, name in enumerate(TENSORS):
            row, column = divmod(place, 4)
            both(axes[2 * row][column], ensembles, name)
            alone(axes[2 * row + 1][column], ensembles["orthogonal"], name)
        for axis in axes.flat:
            axis.set_xlabel("layer")
        for axis in (axes[2][3], axes[3][3]):
            axis.set_axis_off()
        axes[2][3].legend(*legend_of_both(axes[0][0]), loc="upper left", title="both: Gaussian and orthogonal")
        axes[3][3].legend(*legend_alone(axes[1][0]), loc="upper left", title="orthogonal alone")
        drawn.suptitle(r"tanh, $C_W = 1$, $C_b = 0$, one input: tensors at order 1 in units of $K$ and $\Theta$")
        save(drawn, OUTPUTS, "saturation")


def legend_of_both(axis: Any) -> tuple[list[Any], list[str]]:
    return _told(axis, [f"{weights.capitalize()}, {{}}" for weights in ENSEMBLES], [max(NETWORKS)] * 2, max(NETWORKS))


def legend_alone(axis: Any) -> tuple[list[Any], list[str]]:
    return _told(axis, ["{}"], list(NETWORKS), min(NETWORKS))


def _told(axis: Any, texts: list[str], widths: list[int], dashed: int) -> tuple[list[Any], list[str]]:
    """What lines (solid, dashed, solid, ..) and points of a panel are."""
    solid, dashes = ([line for line in axis.lines if line.get_linestyle() == style] for style in ("-", "--"))
    points = [container[0] for container in axis.containers]
    names = [text.format("order 1") for text in texts]
    names += [text.format(f"orders 1 and 2, n = {dashed}") for text in texts]
    whose = texts if len(texts) == len(points) else texts * len(points)
    names += [text.format(f"sampled, n = {width}") for text, width in zip(whose, widths, strict=True)]
    return [*solid, *dashes, *points], names


def main() -> int:
    found = {weights: computed(weights) for weights in ENSEMBLES}
    document = {
        "tool": TOOL,
        "network": {"activation": "tanh", "depth": DEPTH, "cw": 1.0, "cb": 0.0, "lambda_w": 1.0, "lambda_b": 0.0},
        "inputs": INPUT,
        "seed": SEED,
        "layers": LAYERS.tolist(),
        "ensembles": found,
    }
    write_file(OUTPUTS / "saturation.json", to_text(document))
    figure(found)
    for weights, held in found.items():
        for width, pulls in held["pulls"].items():
            print(f"{weights}, width {width}: rms pull {pulls['root_mean_square']}, largest {pulls['largest']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
