"""Results of training: order by order, source by source, with sampled networks and their pulls (ntkfeyn.training/1).

Enters: expansions and sampled means of every width. Leaves: ``Trained``: arrays, pulls, JSON in stable order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import isinf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import bad_request
from ntkfeyn.sampling.comparison import Compared
from ntkfeyn.training.expansion import Curve, Expansion
from ntkfeyn.training.sampled import Sampled

Array = NDArray[np.float64]


class Pulls(NamedTuple):
    """(sampled - theory)/error up to orders 0 and 1, nan where every network has the same value."""

    order0: Array
    """Off order 0."""
    order1: Array
    """Off order 0 + order 1/n."""


@dataclass(frozen=True)
class TrainedSetting:
    """One network."""

    width: str
    """As text: 64, or 32:64:32."""
    expansion: Expansion
    """Coefficients of 1/n, source by source."""
    sampled: Sampled | None
    """Means over trained networks, where asked for."""
    times: tuple[float, ...]
    """In units of 1/rate."""

    @property
    def n(self) -> int:
        """The width of the last hidden layer, whose powers the expansion is in."""
        return self.expansion.width

    @property
    def curve(self) -> Curve:
        """Theory between the times, where it was asked for."""
        assert self.expansion.curve is not None
        return self.expansion.curve

    @property
    def prediction(self) -> Array:
        """order0 + order1/n, axes (times, points, outputs)."""
        return np.asarray(self.expansion.order0 + self.expansion.prediction1 / self.n)

    @property
    def kernel(self) -> Array:
        """The mean kernel, axes (times, points, points)."""
        found = self.expansion
        return np.asarray(found.kernel + (found.initial + found.change1) / self.n)

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """Training points at infinite time, which every network fits; shape (times, points)."""
        found = self.expansion
        trained = np.arange(found.order0.shape[1]) < len(found.modes.values)
        ended = np.array([isinf(t) for t in self.times]) & (not found.modes.null.any())
        return np.asarray(ended[:, None] & trained)

    def prediction_pulls(self) -> Pulls:
        """Axes (times, points, outputs). Needs sampled networks."""
        assert self.sampled is not None
        found, sampled = self.expansion, self.sampled
        known = ~self.fitted[:, :, None] & (np.array(self.times) > 0)[:, None, None]
        theory = (found.order0, found.prediction1 / self.n)
        errors = found.order0_errors + found.order1_errors / self.n
        return _pulls(sampled.prediction, sampled.prediction_errors, theory, errors, known, sampled.blocks)

    def change_pulls(self) -> Pulls:
        """Of n (H(t) - H(0)), axes (times, points, points), the upper triangle. Needs sampled networks."""
        assert self.sampled is not None
        found, sampled = self.expansion, self.sampled
        upper = np.triu(~np.isnan(found.change1)) & (np.array(self.times) > 0)[:, None, None]
        theory = (np.zeros_like(found.change1), found.change1)
        return _pulls(sampled.change, sampled.change_errors, theory, found.change_errors, upper, sampled.blocks)


def _pulls(
    sampled: Array, errors: Array, theory: tuple[Array, Array], off: Array, known: NDArray[np.bool_], blocks: int
) -> Pulls:
    where = np.broadcast_to(known, sampled.shape)
    sums = np.cumsum([part[where] for part in theory], axis=0)
    found = []
    for upto in (1, 2):
        one = Compared(
            np.zeros((0, 0), dtype=np.int64), sampled[where], errors[where], sums[:upto], off[where], None, blocks
        )
        full = np.full(sampled.shape, np.nan)
        full[where] = one.pulls
        found.append(full)
    return Pulls(*found)


@dataclass(frozen=True)
class Trained:
    """What ``train`` returns."""

    meta: dict[str, Any]
    """Every setting of the request."""
    labels: tuple[str, ...]
    """Of the times."""
    points: tuple[str, ...]
    """The inputs, training inputs first."""
    settings: tuple[TrainedSetting, ...]
    """One a width."""
    warnings: tuple[str, ...] = ()
    """What the command line says on stderr."""

    def setting(self, width: str | int | None = None) -> TrainedSetting:
        """That of a width; default: the first. Raises RequestError."""
        for setting in self.settings:
            if width is None or setting.width == str(width):
                return setting
        known = [setting.width for setting in self.settings]
        raise bad_request(f"width {width} was asked for", f"allowed are {', '.join(known)}", known[0])

    @property
    def order0(self) -> Array:
        """The mean prediction at infinite width, axes (times, points, outputs)."""
        return self.settings[0].expansion.order0

    @property
    def order1(self) -> Array:
        """The coefficient of 1/n of the mean prediction for the first width's ratios of widths, same axes."""
        return self.settings[0].expansion.prediction1

    def to_json(self) -> dict[str, Any]:
        """After the schema ntkfeyn.training/1."""
        data = {f"width-{setting.width}": self._setting(setting) for setting in self.settings}
        return {"schema": "ntkfeyn.training/1", "meta": self.meta, "data": data}

    def _setting(self, setting: TrainedSetting) -> dict[str, Any]:
        pairs = list(combinations_with_replacement(range(len(self.points)), 2))
        pulls = None if setting.sampled is None else (setting.prediction_pulls(), setting.change_pulls())
        times = {}
        for i, label in enumerate(self.labels):
            times[label] = {
                "prediction": {
                    point: [_prediction(setting, pulls, (i, a, o)) for o in range(setting.expansion.order0.shape[2])]
                    for a, point in enumerate(self.points)
                },
                "covariance": {f"{a + 1}-{b + 1}": float(setting.expansion.covariance[i, a, b]) for a, b in pairs},
                "kernel": {f"{a + 1}-{b + 1}": _kernel(setting, pulls, (i, a, b)) for a, b in pairs},
            }
        return times


Place = tuple[int, int, int]


def _prediction(setting: TrainedSetting, pulls: Sequence[Pulls] | None, at: Place) -> dict[str, Any]:
    found = setting.expansion
    entry: dict[str, Any] = {
        "order0": float(found.order0[at]),
        "order0_error": float(found.order0_errors[at]),
        "order1": float(found.prediction1[at]),
        "order1_error": float(found.order1_errors[at]),
        "sources": {source.value: float(values[at]) for source, values in found.order1.items()},
    }
    if setting.sampled is not None and pulls is not None:
        entry |= {
            "sampled": float(setting.sampled.prediction[at]),
            "error": float(setting.sampled.prediction_errors[at]),
        }
        entry |= _pull(pulls[0], at)
    return entry


def _kernel(setting: TrainedSetting, pulls: Sequence[Pulls] | None, at: Place) -> dict[str, Any]:
    found, pair, sampled = setting.expansion, at[1:], setting.sampled
    entry: dict[str, Any] = {
        "order0": float(found.kernel[pair]),
        "initial1": float(found.initial[pair]),
        "initial1_error": float(found.initial_errors[pair]),
    }
    if not np.isnan(found.change1[at]):
        entry |= {"change1": float(found.change1[at]), "change1_error": float(found.change_errors[at])}
        entry["sources"] = {source.value: float(values[at]) for source, values in found.change.items()}
    if sampled is not None and pulls is not None:
        error = np.hypot(sampled.initial_errors[pair], sampled.change_errors[at] / setting.n)
        entry |= {"sampled": float(sampled.initial[pair] + sampled.change[at] / setting.n), "error": float(error)}
        entry |= {"sampled_change": float(sampled.change[at]), "change_error": float(sampled.change_errors[at])}
        entry |= _pull(pulls[1], at)
    return entry


def _pull(pulls: Pulls, at: Place) -> dict[str, float]:
    if np.isnan(pulls.order1[at]):
        return {}
    return {"pull0": float(pulls.order0[at]), "pull1": float(pulls.order1[at])}
