"""Comparison: theory at each order in 1/n against sampled networks, over widths and layers.

Enters: networks, targets, the highest order of theory, how to sample. Leaves: partial sums of the expansion, sampled
values, pulls, and chi^2 of each tensor. A target NAME@R compares n^R times the cumulant, less its orders below R, with
T_R + T_{R+1}/n + .. + T_r n^{R-r}; n is the width of the layer below.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm
from scipy.stats import t as student_t

from ntkfeyn.errors import bad_request
from ntkfeyn.model.cumulants import check_order, standard
from ntkfeyn.model.network import width_below
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.runtime.version import TOOL
from ntkfeyn.sampling.chi_square import ChiSquare, hotelling
from ntkfeyn.sampling.estimation import MEANS, Estimate, Sampling, check_targets, estimate, leading_means, setting
from ntkfeyn.sampling.higher_orders import further_theory
from ntkfeyn.sampling.law import BLOCK
from ntkfeyn.solve.evaluation import evaluate_tuples, wanted_components
from ntkfeyn.solve.request import Request, settings_json
from ntkfeyn.solve.results import Setting, Tensors, index_keys

Array = NDArray[np.float64]
TOLERANCE = 1e-6  # of theory, far below what sampling sees; it enters the pulls
MOST = 1e9  # of a pull
MANY = 200  # blocks, from which on their spread is as good as known
IMPROBABLE = 1e-6  # p of a chi^2 that does not pass
LIKELY = 0.01  # p of a higher order after which none is tried


class Compared(NamedTuple):
    """One target NAME@R at one layer, n the width of the layer below."""

    indices: NDArray[np.int64]
    """Shape (components, slots), from 1; labels (input, position) where the output has several positions."""
    sampled: Array
    """n^R times the cumulant, shape (components,)."""
    errors: Array
    """One standard error each."""
    theory: Array
    """Partial sums T_R + T_{R+1}/n + .., shape (orders, components)."""
    theory_errors: Array
    """Of the last of them."""
    chi_square: ChiSquare | None
    """None with too few networks for so many components."""
    blocks: int
    """Blocks of networks whose spread the errors are from."""
    positions: int = 1
    """Of the output layer."""

    @property
    def keys(self) -> list[str]:
        """Components as results name them."""
        return list(index_keys(self.indices, self.positions))

    @property
    def pulls(self) -> Array:
        """(sampled - theory)/error at the highest order; 0 where both agree to the last digit.

        With few blocks the error is itself uncertain: a pull is then the one of a unit normal that is as improbable.
        """
        off = self.sampled - self.theory[-1]
        error = np.hypot(self.errors, self.theory_errors)
        settled = np.abs(off) <= 1e-12 * np.maximum(np.abs(self.sampled), np.abs(self.theory[-1]))
        with np.errstate(all="ignore"):
            pulls = np.where(settled, 0.0, np.clip(np.nan_to_num(off / error, nan=MOST), -MOST, MOST))
            if self.blocks < MANY:
                chance = student_t.sf(np.abs(pulls), self.blocks - 1)
                pulls = np.where(chance > 0, np.sign(pulls) * norm.isf(chance), pulls)
        return np.asarray(pulls)

    @property
    def largest(self) -> int:
        """The component that is largest in size."""
        return int(np.argmax(np.abs(self.theory[0])))


class ComparedSetting(NamedTuple):
    """One network: the targets at each layer."""

    width: str
    """As text: 64, or 32:64:32."""
    hidden: tuple[int, ...]
    """Widths n_1 .. n_(L-1)."""
    layers: tuple[dict[str, Compared], ...]
    """The targets, by NAME@R, at layers 2 .. L or the last ones of these."""

    @property
    def numbered(self) -> dict[int, dict[str, Compared]]:
        """The targets by number of the layer."""
        return dict(enumerate(self.layers, len(self.hidden) + 2 - len(self.layers)))

    @property
    def output(self) -> dict[str, Compared]:
        """The targets at the output layer."""
        return self.layers[-1]


class HigherOrder(NamedTuple):
    """What the targets that failed are at a higher order."""

    order: int
    p: float | None
    """The least one of their chi^2; None with too few networks."""
    largest_pull: float
    passed: bool
    """Whether they all agree."""

    @property
    def text(self) -> str:
        if self.p is None:
            return f"order {self.order} has a largest pull of {self.largest_pull:.2g}"
        pull = "" if self.passed or self.p < IMPROBABLE else f" and a largest pull of {self.largest_pull:.2g}"
        return f"order {self.order} has p = {self.p:.2g}{pull}"


@dataclass(frozen=True)
class Comparison:
    """What ``compare`` returns: theory and sampled networks."""

    meta: dict[str, Any]
    """Every setting of the request."""
    orders: dict[str, tuple[int, ...]]
    """Of each target's partial sums."""
    settings: tuple[ComparedSetting, ...]
    """One a width."""
    max_pull: float
    """The largest pull that passes."""
    higher_orders: tuple[HigherOrder, ...] = ()
    """Those tried on the same samples, where it did not pass; none where theory takes more than a moment."""

    @property
    def largest_pull(self) -> float:
        """In size, over all widths, layers and components."""
        return max(
            float(np.max(np.abs(found.pulls), initial=0.0))
            for one in self.settings
            for row in one.layers
            for found in row.values()
        )

    @property
    def improbable(self) -> dict[str, ChiSquare]:
        """Targets whose components together are improbable, though no pull may be out of tolerance."""
        found = {target: self.total(target) for target in self.orders}
        return {target: total for target, total in found.items() if total is not None and total.p < IMPROBABLE}

    @property
    def passed(self) -> bool:
        """Whether no pull is out of tolerance, and no chi^2 at the output layer is improbable."""
        return self.largest_pull <= self.max_pull and not self.improbable

    def reasons(self) -> list[str]:
        """Why it did not pass."""
        found = []
        if self.largest_pull > self.max_pull:
            pull = f"{self.largest_pull:.2f}" if self.largest_pull < 1e4 else f"{self.largest_pull:.0e}"
            found.append(f"a pull of {pull}, allowed is {self.max_pull:g}")
        found += [
            f"chi^2 of {target} at the output layer is {total.value:.1f} for {total.freedom} degrees of freedom"
            f" (p = {total.p:.1g}, allowed is {IMPROBABLE:g})"
            for target, total in self.improbable.items()
        ]
        return found

    @property
    def failed(self) -> list[str]:
        """The targets with a pull out of tolerance at any layer, or an improbable chi^2."""
        rows, improbable = [row for one in self.settings for row in one.layers], self.improbable
        return [
            target
            for target in self.orders
            if target in improbable or any(np.abs(row[target].pulls).max() > self.max_pull for row in rows)
        ]

    def as_higher(self, order: int) -> HigherOrder:
        """The summary of a comparison up to this order."""
        known = [total.p for total in map(self.total, self.orders) if total is not None]
        return HigherOrder(order, min(known, default=None), self.largest_pull, self.passed)

    def advice(self) -> str:
        """What to try where it did not pass, from the higher orders if any were tried; nothing where it passed."""
        if self.passed:
            return ""
        order = int(self.meta["order"])
        if not self.higher_orders:
            return f"higher orders may matter: try --order {order + 1}, or larger widths"
        agree = [one for one in self.higher_orders if one.passed]
        if agree:
            best = max(agree, key=lambda one: one.p or 0.0)
            return f"{best.text}: try --order {best.order}"
        last = self.higher_orders[-1]
        return f"no order up to {last.order} helps: {last.text}; try larger widths"

    def total(self, target: str) -> ChiSquare | None:
        """chi^2 of a target at the output layer over all widths, which are sampled independently."""
        parts = [one.output[target].chi_square for one in self.settings]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        value, freedom = sum(part.value for part in known), sum(part.freedom for part in known)
        return ChiSquare(value, freedom, float(chi2.sf(value, freedom)) if freedom else 1.0)

    def to_json(self) -> dict[str, Any]:
        """After the schema ntkfeyn.comparison/1."""
        data = {}
        for one in self.settings:
            data[f"width-{one.width}"] = {
                f"layer-{number}": {target: _compared_json(found) for target, found in row.items()}
                for number, row in one.numbered.items()
            }
        totals = {target: _chi_json(self.total(target)) for target in self.orders}
        return {
            "schema": "ntkfeyn.comparison/1",
            "meta": self.meta,
            "orders": {target: list(orders) for target, orders in self.orders.items()},
            "chi_square": totals,
            "largest_pull": self.largest_pull,
            "passed": self.passed,
            **({"higher_orders": [one._asdict() for one in self.higher_orders]} if self.higher_orders else {}),
            "data": data,
        }


def _chi_json(found: ChiSquare | None) -> dict[str, Any] | None:
    return None if found is None else {"value": found.value, "freedom": found.freedom, "p": found.p}


def _compared_json(found: Compared) -> dict[str, Any]:
    columns = (found.sampled, found.errors, found.theory.T, found.theory_errors, found.pulls)
    names = ("sampled", "error", "theory", "theory_error", "pull")
    rows = zip(*(column.tolist() for column in columns), strict=True)
    components = {key: dict(zip(names, row, strict=True)) for key, row in zip(found.keys, rows, strict=True)}
    return {"chi_square": _chi_json(found.chi_square), "components": components}


def compare(
    request: Request,
    targets: Sequence[TensorId],
    order: int,
    sampling: Sampling,
    components: str = "all",
    max_pull: float = 5.0,
    begin: Callable[[], Request] | None = None,
    further: Callable[[int], Callable[[str], None]] = lambda _: lambda _: None,
) -> Comparison:
    """Theory up to ``order`` (at least each target's own) and sampled networks, side by side.

    Where they differ, the next orders of the targets that do are held against the same samples, if theory takes but a
    moment. ``begin`` is called between theory and sampling, and gives the request to sample with (for its progress),
    ``further`` with each order that is tried, and gives what its progress is told. Raises NtkfeynError for what cannot
    be sampled or evaluated, or a ``max_pull`` that is not positive.
    """
    check_targets(targets)
    sampling.check()
    for name, _ in targets:
        check_order(standard(name), max(order, standard(name).leading_order) if order >= 0 else order)
    if not 0 < max_pull < np.inf:
        raise bad_request(f"a largest pull of {max_pull}", "a positive number is allowed", "--max-pull 5")
    orders = {target: tuple(range(target.order, max(order, target.order) + 1)) for target in targets}
    samples, positions = request.labels, request.networks[0].positions[-1]
    powers = [TensorId(target.name, r) for target, summed in orders.items() for r in summed]
    wanted = wanted_components(powers, components, samples, positions)
    wanted |= wanted_components(leading_means(targets), "all", samples)
    theoretical = request._replace(tolerance=TOLERANCE)
    theory = evaluate_tuples(theoretical, wanted)
    means = Tensors({"samples": samples // positions}, theory)
    asked = request if begin is None else begin()
    estimates = estimate(asked, targets, sampling._replace(grouped=True), means)
    settings = _settings(estimates, targets, means, theory, orders)
    sampled = [one.tally.blocks * BLOCK for one in estimates]
    meta = {"tool": TOOL, "command": "compare", **settings_json(request), "networks": sampled, "seed": sampling.seed}
    meta |= {"order": order, "components": components, "max_pull": max_pull}
    found = Comparison(meta, _by_name(orders), settings, float(max_pull))
    if found.passed:
        return found
    names = found.failed
    failed = {target: orders[target] for target in targets if str(target) in names}
    tried: list[HigherOrder] = []
    for at, sums, numbers in further_theory(theoretical, failed, wanted, theory, further):
        one = replace(found, orders=_by_name(sums), settings=_settings(estimates, list(sums), means, numbers, sums))
        tried.append(one.as_higher(at))
        if tried[-1].passed and (tried[-1].p is None or tried[-1].p > LIKELY):
            break
    return replace(found, higher_orders=tuple(tried))


def _by_name(orders: dict[TensorId, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {str(target): powers for target, powers in orders.items()}


def _settings(
    estimates: Sequence[Estimate],
    targets: Sequence[TensorId],
    means: Tensors,
    theory: Sequence[Setting],
    orders: dict[TensorId, tuple[int, ...]],
) -> tuple[ComparedSetting, ...]:
    """Every network's rows; ``theory`` holds all ``orders`` of the targets."""
    settings = []
    for one, predicted in zip(estimates, theory, strict=True):
        found = setting(one, targets, means)
        groups = one.tally.group_means()
        layers = [_row(one, groups, layer, found, predicted, orders) for layer in one.task.law.reported]
        settings.append(ComparedSetting(one.network.width_text, one.network.hidden, tuple(layers)))
    return tuple(settings)


def _row(
    one: Estimate,
    groups: tuple[Array, float],
    layer: int,
    found: Setting,
    predicted: Setting,
    orders: dict[TensorId, tuple[int, ...]],
) -> dict[str, Compared]:
    """Every target at one layer; ``groups`` are the tally's group means and what they are worth."""
    below = width_below(one.network.hidden, layer)
    samples, from_last = one.task.law.labels, layer - one.network.depth - 1
    places = {name: place for at, name, _, place in one.task.layout() if at == layer}
    means, worth = groups
    row = {}
    for (name, first), powers in orders.items():
        terms = [predicted.layers[from_last][f"{name}@{r}"] for r in powers]
        scales = [float(below) ** (first - r) for r in powers]
        kept = np.ravel_multi_index(tuple(terms[0].indices.T - 1), (samples,) * terms[0].indices.shape[1])
        sums = np.cumsum([term.values * scale for term, scale in zip(terms, scales, strict=True)], axis=0)
        errors = np.sum([term.errors * scale for term, scale in zip(terms, scales, strict=True)], axis=0)
        values = found.layers[from_last][f"{name}@{first}"]
        unit = below if (name, first) in MEANS else 1
        off = values.values[kept] - sums[-1]
        chi_square = hotelling(off, unit * means[:, places[name]][:, kept], worth, errors)
        sampled = values.values[kept], values.errors[kept]
        row[f"{name}@{first}"] = Compared(
            terms[0].indices, *sampled, sums, errors, chi_square, one.tally.blocks, values.positions
        )
    return row
