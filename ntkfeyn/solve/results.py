"""Numeric results: tensors by width, layer, name and component (schema ntkfeyn.tensors/1).

Enters: index tuples, values and errors. Leaves: JSON in stable order, the layout of the authors' package, lookups.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import bad_request
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.network import width_below

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def index_keys(indices: Ints, positions: int = 1) -> Iterator[str]:
    """Index tuples, shape (components, slots), as JSON names them: 1-1-2-2, or 1:1-1:2 where labels have positions.

    Labels from 1, input by input.
    """
    if positions == 1:
        return ("-".join(map(str, row)) for row in indices.tolist())
    places = np.divmod(indices - 1, positions)
    return (
        "-".join(f"{a + 1}:{p + 1}" for a, p in zip(*row, strict=True))
        for row in zip(*map(np.ndarray.tolist, places), strict=True)
    )


class TensorValues(NamedTuple):
    """Components of one tensor."""

    indices: Ints
    """Shape (components, slots): samples from 1 in index order; labels (input, position) where there are positions."""
    values: Array
    """Shape (components,)."""
    errors: Array
    """Of ``evaluate``: bounds of quadrature and rounding, 0 if exact; of ``sample``: one standard error."""
    positions: int = 1
    """Of the layer; labels are counted input by input."""

    def keys(self) -> Iterator[str]:
        """The components as JSON names them: 1-1-2-2, or 1:1-1:2 where labels have positions."""
        return index_keys(self.indices, self.positions)


@dataclass(frozen=True)
class Setting:
    """The tensors of one network."""

    width: str
    """As text: 64, or 32:64:32."""
    hidden: tuple[int, ...]
    """Widths n_1 .. n_(L-1)."""
    layers: tuple[dict[str, TensorValues], ...]
    """``layers[l - 1]["F@1"]``; those below the output are empty where they have labels of their own (section 10)."""

    def reported(self) -> list[tuple[int, dict[str, TensorValues]]]:
        """Layers by number, from 1, without those that hold nothing if another one does."""
        layers = list(enumerate(self.layers, 1))
        return [pair for pair in layers if pair[1]] or layers


@dataclass(frozen=True)
class Tensors:
    """What ``evaluate`` and ``sample`` return."""

    meta: dict[str, Any]
    """Every setting of the request."""
    settings: tuple[Setting, ...]
    """One a width."""

    def get(self, name: str, layer: int | None = None, width: str | int | None = None) -> TensorValues:
        """A tensor by NAME or NAME@R; default: the output layer of the first width. Raises RequestError."""
        setting = self._setting(width)
        row = setting.layers[-1 if layer is None else layer - 1] if layer is None or layer > 0 else {}
        full = name if "@" in name else f"{name}@{standard(name).leading_order}"
        if full not in row:
            known = list(setting.layers[-1])
            raise bad_request(
                f"tensor {full} was asked for", f"allowed are {', '.join(known)}", known[0] if known else ""
            )
        return row[full]

    def value(
        self, name: str, index: Sequence[int], layer: int | None = None, width: str | int | None = None
    ) -> tuple[float, float]:
        """One component (samples from 1, in index order) and its error. Raises RequestError."""
        tensor = self.get(name, layer, width)
        found = np.flatnonzero((tensor.indices == np.asarray(index)).all(axis=1))
        if not len(found):
            asked = f"component {'-'.join(map(str, index))} of {name} was asked for"
            known = "-".join(map(str, tensor.indices[0]))
            raise bad_request(asked, f"{len(tensor.indices)} others were solved for", f'{known}, or components="all"')
        return float(tensor.values[found[0]]), float(tensor.errors[found[0]])

    def array(self, name: str, layer: int | None = None, width: str | int | None = None) -> Array:
        """All components, shape (inputs,) * slots; nan where none was computed. Raises RequestError."""
        tensor = self.get(name, layer, width)
        full = np.full((self.meta["samples"] * tensor.positions,) * tensor.indices.shape[1], np.nan)
        full[tuple(tensor.indices.T - 1)] = tensor.values
        return full

    def _setting(self, width: str | int | None) -> Setting:
        for setting in self.settings:
            if width is None or setting.width == str(width):
                return setting
        known = [setting.width for setting in self.settings]
        raise bad_request(f"width {width} was asked for", f"allowed are {', '.join(known)}", known[0])

    def to_json(self) -> dict[str, Any]:
        """After the schema ntkfeyn.tensors/1."""
        data = {}
        for setting in self.settings:
            layers = {}
            for number, row in setting.reported():
                layers[f"layer-{number}"] = {name: _components(tensor) for name, tensor in row.items()}
            data[f"width-{setting.width}"] = layers
        return {"schema": "ntkfeyn.tensors/1", "meta": self.meta, "data": data}

    def to_csv(self) -> str:
        """A line a component: width, layer, tensor, component, value, error."""
        lines = ["width,layer,tensor,component,value,error"]
        for setting in self.settings:
            for number, row in setting.reported():
                for name, tensor in row.items():
                    lines += [
                        f"{setting.width},{number},{name},{key},{value!r},{error!r}"
                        for key, value, error in zip(
                            tensor.keys(), tensor.values.tolist(), tensor.errors.tolist(), strict=True
                        )
                    ]
        return "\n".join(lines) + "\n"

    def unlimited_files(self) -> dict[str, dict[str, Any]]:
        """The layout of the authors' package: one file a tensor, samples from 0, values alone."""
        files: dict[str, dict[str, Any]] = {}
        for setting in self.settings:
            for number, row in setting.reported():
                for name, tensor in row.items():
                    file = files.setdefault(f"{name}.json", {"meta": self.meta, "data": {}})
                    keys = index_keys(tensor.indices - 1, 1)
                    layers = file["data"].setdefault(f"width-{setting.width}", {})
                    layers[f"layer-{number}"] = dict(zip(keys, tensor.values.tolist(), strict=True))
        return files

    def warnings(self) -> list[str]:
        """One line for each tensor and setting whose error is far above the tolerance at some layer."""
        lines = []
        for setting in self.settings:
            for name in setting.layers[-1]:
                worst, where = max((_relative_error(row[name]), layer) for layer, row in setting.reported())
                if worst == float("inf"):
                    error = float(np.max(setting.layers[where - 1][name].errors))
                    lines.append(
                        f"{name} at layer {where} (width {setting.width}) is 0 with an error of up to {error:.0e}:"
                        " no digit is known; nearly parallel inputs"
                    )
                elif worst > max(10 * self.meta["tolerance"], 1e-6):
                    lines.append(
                        f"{name} at layer {where} (width {setting.width}) has an error of up to {worst:.0e} of its"
                        " largest component: nearly parallel inputs, or a quadrature that converges slowly"
                    )
        return lines

    def assembled(self) -> Self:
        """Orders of one tensor added up at each width: K@0..1 is K + K^{1}/n, n the width of the layer below."""
        settings = tuple(_assembled(setting) for setting in self.settings)
        return replace(self, meta={**self.meta, "assembled": True}, settings=settings)


def _relative_error(tensor: TensorValues) -> float:
    size = float(np.max(np.abs(tensor.values), initial=0.0))
    error = float(np.max(tensor.errors, initial=0.0))
    return error / size if size else (float("inf") if error else 0.0)


def _components(tensor: TensorValues) -> dict[str, dict[str, float]]:
    rows = zip(tensor.keys(), tensor.values.tolist(), tensor.errors.tolist(), strict=True)
    return {key: {"value": value, "error": error} for key, value, error in rows}


def _assembled(setting: Setting) -> Setting:
    layers = []
    for number, row in enumerate(setting.layers, 1):
        below = width_below(setting.hidden, number)
        orders: dict[str, list[int]] = {}
        for full in row:
            name, _, order = full.rpartition("@")
            orders.setdefault(name, []).append(int(order))
        added = {}
        for name, found in orders.items():
            first, last = min(found), max(found)
            missing = set(range(first, last + 1)) - set(found)
            if missing or first != standard(name).leading_order:
                raise bad_request(
                    f"{name} was to be assembled from orders {sorted(found)}",
                    "every order from the leading one up is needed",
                    f"--cumulant {name}@{min(missing, default=standard(name).leading_order)} as well",
                )
            parts = [row[f"{name}@{r}"] for r in range(first, last + 1)]
            powers = [float(below) ** -k for k in range(len(parts))]
            values = sum(part.values * power for part, power in zip(parts, powers, strict=True))
            errors = sum(part.errors * power for part, power in zip(parts, powers, strict=True))
            label = f"{name}@{first}" + (f"..{last}" if last > first else "")
            added[label] = parts[0]._replace(values=np.asarray(values), errors=np.asarray(errors))
        layers.append(added)
    return Setting(setting.width, setting.hidden, tuple(layers))
