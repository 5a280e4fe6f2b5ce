"""Numbers of networks that share weights over positions (theory section 10), from closed loops written by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from math import asin, pi, sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ntkfeyn as nf
from ntkfeyn.judge.networks import exact_network
from ntkfeyn.judge.setting import Setting
from ntkfeyn.model.cumulants import standard
from ntkfeyn.solve import averaging, evaluation, labels
from ntkfeyn.verification.certify import slots_of

Array = NDArray[np.float64]
X = np.random.default_rng(3).normal(size=(2, 3, 4))
MEANS = ("K", "Theta")
COUPLINGS = {"cw": 1.4, "cb": 0.1, "lambda_w": 0.8, "lambda_b": 0.3}


def erf_means(K: Array) -> tuple[Array, Array]:
    """<s s> and <s' s'> of s = erf for all pairs, in closed form (arcsine kernel)."""
    size = np.diag(K)
    ss, dd = np.zeros_like(K), np.zeros_like(K)
    for a, b in product(range(len(K)), repeat=2):
        norm = (1 + 2 * size[a]) * (1 + 2 * size[b])
        ss[a, b] = 2 / pi * asin(2 * K[a, b] / sqrt(norm))
        dd[a, b] = 4 / pi / sqrt(norm - 4 * K[a, b] ** 2)
    return ss, dd


def by_hand(reads: list[Callable[[int], list[list[tuple[int, float]]]]], positions: list[int]) -> tuple[Array, Array]:
    """K and Theta at the output of a network of erf, from loops over pairs of (input, position).

    ``reads[l](p)``: for each W^t what position p of layer l + 1 reads: (position below, factor), shares all equal.
    """
    inputs, P = len(X), positions[0]
    labels = [(a, p) for a in range(inputs) for p in range(P)]
    ss = np.array([[X[a, :, p] @ X[b, :, q] / X.shape[1] for b, q in labels] for a, p in labels])
    dd, theta = np.zeros_like(ss), np.zeros_like(ss)
    for read, above in zip(reads, positions[1:], strict=True):
        K, H = np.zeros((2, inputs * above, inputs * above))
        for (a, p), (b, q) in product(product(range(inputs), range(above)), repeat=2):
            k = h = 0.0
            shares = list(zip(read(p), read(q), strict=True))
            for left, right in shares:
                for (i, x), (j, y) in product(left, right):
                    k += x * y * ss[a * P + i, b * P + j] / len(shares)
                    h += x * y * dd[a * P + i, b * P + j] * theta[a * P + i, b * P + j] / len(shares)
            K[a * above + p, b * above + q] = COUPLINGS["cb"] + COUPLINGS["cw"] * k
            H[a * above + p, b * above + q] = COUPLINGS["lambda_b"] + COUPLINGS["lambda_w"] * k + COUPLINGS["cw"] * h
        theta, P = H, above
        ss, dd = erf_means(K)
    return K, theta


def circular(p: int) -> list[list[tuple[int, float]]]:
    return [[((p + t) % 4, 1.0)] for t in (-1, 0, 1)]


def zero(p: int) -> list[list[tuple[int, float]]]:
    """Kernel 3, stride 2 over four positions: as XLA pads, one zero at the right end alone."""
    return [[(2 * p + t, 1.0)] if 2 * p + t < 4 else [] for t in (0, 1, 2)]


def mean(size: int) -> Callable[[int], list[list[tuple[int, float]]]]:
    return lambda _: [[(p, 1 / size) for p in range(size)]]


def flat(size: int) -> Callable[[int], list[list[tuple[int, float]]]]:
    return lambda _: [[(p, 1.0)] for p in range(size)]


def path(p: int) -> list[list[tuple[int, float]]]:
    """Row-normalised path of four nodes with loops."""
    near = [q for q in (p - 1, p, p + 1) if 0 <= q < 4]
    return [[(q, 1 / len(near)) for q in near]]


NETWORKS = {
    "circular, mean": ([nf.Conv(), nf.Conv(), nf.Dense(pool="mean")], [circular, circular, mean(4)], [4, 4, 4, 1]),
    "stride, flatten": (
        [nf.Conv(padding="zero", stride=2), nf.Dense(pool="flatten"), nf.Dense()],
        [zero, flat(2), flat(1)],
        [4, 2, 1, 1],
    ),
    "valid, output with positions": (
        [nf.Conv(kernel=2, padding="valid"), nf.Conv(kernel=1)],
        [lambda p: [[(p, 1.0)], [(p + 1, 1.0)]], lambda p: [[(p, 1.0)]]],
        [4, 3, 3],
    ),
    "graph, mean": (
        [nf.Graph(edges=[(0, 1), (1, 2), (2, 3)], normalisation="row"), nf.Conv(kernel=1), nf.Dense(pool="mean")],
        [path, lambda p: [[(p, 1.0)]], mean(4)],
        [4, 4, 4, 1],
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_means(name: str) -> None:
    layers, reads, positions = NETWORKS[name]
    network = nf.Network(layers=layers, shape=(3, 4), width=8, activation="erf", **COUPLINGS)
    assert list(network.positions) == positions
    found = nf.evaluate(network, X, MEANS)
    for mean, exact in zip(MEANS, by_hand(reads, positions), strict=True):
        assert found.array(mean) == pytest.approx(exact, rel=1e-7)
    assert (f"1:1-2:{positions[-1]}" in list(found.get("K").keys())) == (positions[-1] > 1)


# --- every tensor against exact moments ---

RATIONAL = np.array([[[0.5, -1.0, 0.25]], [[1.5, 0.5, -0.75]]])  # two inputs, one channel, three positions
EXACT_LAYERS = {
    "mean": [nf.Conv(kernel=2), nf.Conv(kernel=2), nf.Dense(pool="mean")],
    "flatten": [nf.Conv(kernel=2, padding="valid"), nf.Conv(kernel=2, padding="zero"), nf.Dense(pool="flatten")],
    "graph": [nf.Conv(kernel=1), nf.Graph(matrix=[[0.5, 0.25, 0], [0, 1, -0.5], [0.25, 0, 1]]), nf.Dense(pool="mean")],
}
AT: dict[str, list[tuple[int, ...]]] = {  # samples by slot
    "K@1": [(0, 0), (0, 1)], "Theta@1": [(0, 1)], "V@1": [(0, 0, 1, 1), (0, 1, 0, 1)], "D@1": [(0, 1, 0, 1)],
    "F@1": [(0, 1, 0, 1)], "A@1": [(0, 1, 1, 1)], "B@1": [(0, 1, 0, 1)], "P@1": [(0, 1, 0, 1)], "Q@1": [(0, 1, 0, 1)],
    "T@1": [(0, 0, 0, 1)], "U@1": [(0, 1, 0, 0)], "V@2": [(0, 0, 1, 1)], "K@2": [(0, 1)],
}  # fmt: skip


FEWER = {"mean": ("K@1", "V@1", "F@1", "B@1"), "graph": ("K@1", "Theta@1", "D@1")}  # the exact side takes long


def exact(network: nf.Network, name: str, order: int, samples: Sequence[int]) -> float:
    """The coefficient of n^-order of a cumulant at the output, from exact moments alone."""
    first = network.layers[0]
    labels = [(a, p) for a in range(len(RATIONAL)) for p in range(network.positions[0])]
    gram = [[Fraction(RATIONAL[a, 0, p]) * Fraction(RATIONAL[b, 0, q]) for b, q in labels] for a, p in labels]
    assert first.sharing is not None
    maps = first.sharing.over(len(RATIONAL)).maps
    read = [
        [
            sum((w * x * y * gram[i][j] for w, rows in maps for i, x in rows[a] for j, y in rows[b]), Fraction(0))
            for b in range(len(maps[0].rows))
        ]
        for a in range(len(maps[0].rows))
    ]
    kernel, ntk = (
        tuple(tuple((Fraction(constant) + Fraction(slope) * one,) for one in row) for row in read)
        for constant, slope in ((first.C_b, first.C_W), (first.lambda_b, first.lambda_W))
    )
    sharing = tuple(layer.sharing.over(len(RATIONAL)).maps for layer in network.layers[1:] if layer.sharing)
    couplings = {name: Fraction(value) for name, value in first.couplings.items()}
    setting = Setting((POLYNOMIAL,), kernel, ntk, **couplings, sharing=sharing)
    return float(exact_network(setting, order).cumulant(3, slots_of(standard(name), samples))[order])


POLYNOMIAL = (Fraction(1, 4), Fraction(1), Fraction(1, 2))


@pytest.mark.parametrize("name", EXACT_LAYERS)
def test_tensors_against_exact_moments(name: str) -> None:
    network = nf.Network(
        layers=EXACT_LAYERS[name], shape=(1, 3), width=8, activation="1/4 + z + z**2/2",
        cw=1.25, cb=0.5, lambda_w=0.75, lambda_b=0.25,
    )  # fmt: skip
    wanted = {full: several for full, several in AT.items() if full in FEWER.get(name, AT)}
    found = nf.evaluate(network, RATIONAL, list(wanted))
    for full, several in wanted.items():
        tensor, order = full.split("@")
        shape = standard(tensor)
        for samples in several:
            index = [samples[slot] + 1 for slot in shape.index]
            value, error = found.value(full, index)
            expected = exact(network, tensor, int(order), samples)
            assert value == pytest.approx(expected, rel=1e-9, abs=1e-9), (full, samples)
            assert abs(value - expected) <= error + 1e-12 * abs(expected)


def test_translation_invariance_changes_no_tensor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Gram matrix of a stationary ensemble on a circle: one position modulo shifts, the same numbers."""
    apart = np.minimum(np.arange(4), 4 - np.arange(4))
    circle = np.array([np.roll(np.exp(-apart / 2.0), p) for p in range(4)])
    gram = np.kron([[1.0, 0.3], [0.3, 0.8]], circle)
    network = nf.Network(
        layers=[nf.Conv(), nf.Conv(), nf.Dense(pool="mean")],
        shape=(1, 4),
        width=8,
        activation="1/4 + z + z**2/2",
        cw=1.5,
    )
    names = ["Theta", "V", "Theta@1"]
    planned: list[labels.Labels] = []

    def seen(*arguments: Any) -> labels.Labels:
        planned.append(labels.labels_of(*arguments))
        return planned[-1]

    monkeypatch.setattr(evaluation, "labels_of", seen)
    invariant = nf.evaluate(network, gram=gram, names=names, tolerance=1e-4)
    assert [len(moves) for moves in planned[0].moves] == [4, 4, 1]
    gram[0, 1] = gram[1, 0] = gram[0, 1] * (1 + 1e-13)  # no longer exactly
    plain = nf.evaluate(network, gram=gram, names=names, tolerance=1e-4)
    assert [len(moves) for moves in planned[1].moves] == [1, 1, 1]
    for name in names:
        assert invariant.array(name) == pytest.approx(plain.array(name), rel=1e-4)


def test_equal_labels_are_one() -> None:
    """Constant inputs: every position is the same, and a circular convolution is a dense layer."""
    x = np.array([[1.0, -0.5], [0.3, 0.9]])
    conv = nf.Network(
        layers=[nf.Conv(), nf.Conv(), nf.Dense(pool="mean")], shape=(2, 6), width=8, activation="gelu", cw=1.5, cb=0.1
    )
    dense = nf.Network(3, 8, "gelu", cw=1.5, cb=0.1)
    names = ["K", "Theta", "V", "D", "F", "A", "B", "Theta@1"]
    found = nf.evaluate(conv, np.repeat(x[:, :, None], 6, axis=2), names)
    plain = nf.evaluate(dense, x, names)
    for name in names:
        assert found.array(name) == pytest.approx(plain.array(name), rel=1e-12)


@pytest.mark.parametrize("name", ["relu", "gelu"])
def test_a_layer_that_reads_nothing(name: str) -> None:
    nothing = nf.Graph(matrix=np.zeros((4, 4)), width=8, cb=0.5, lambda_b=0.25)
    network = nf.Network(layers=[nf.Conv(width=8), nothing, nf.Dense(pool="mean")], shape=(3, 4), activation=name)
    dense = nf.Network(depth=2, width=8, activation=name, cb=(0.5, 0), lambda_b=(0.25, 0))
    got, expected = nf.evaluate(network, X, ["Theta", "V"]), nf.evaluate(dense, np.zeros((2, 1)), ["Theta", "V"])
    for one in ("Theta", "V"):
        assert got.array(one) == pytest.approx(expected.array(one), rel=1e-7)


def test_sums_are_added_up_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [nf.Conv(kernel=2, padding="zero"), nf.Conv(kernel=2, stride=2), nf.Dense(pool="mean")]
    network = nf.Network(layers=layers, shape=(3, 4), width=8, activation="erf", cb=0.1)
    whole = nf.evaluate(network, X[:1], ["K", "F"]).to_json()["data"]
    monkeypatch.setattr(averaging, "BLOCK", 5)
    parts = nf.evaluate(network, X[:1], ["K", "F"]).to_json()["data"]
    assert list(parts["width-8"]["layer-3"]) == list(whole["width-8"]["layer-3"])
    for name, tensor in parts["width-8"]["layer-3"].items():
        for index, found in tensor.items():
            assert found["value"] == pytest.approx(whole["width-8"]["layer-3"][name][index]["value"], rel=1e-9)


def test_one_sum_over_too_many_labels_is_refused_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(averaging, "_expanded", None)
    network = nf.Network(layers=[nf.Conv(), nf.Dense(pool="mean")], shape=(1, 100), width=8)
    with pytest.raises(nf.NtkfeynError, match=r"V needs 12500000 components .* or more; at most 4000000"):
        nf.evaluate(network, np.random.default_rng(0).normal(size=(1, 1, 100)), "V")


def test_too_many_components_are_counted_first() -> None:
    network = nf.Network(layers=[nf.Conv(), nf.Conv(), nf.Dense(pool="mean")], shape=(1, 64), width=8)
    with pytest.raises(nf.NtkfeynError, match=r"V at .* sum of .* try fewer inputs or positions"):
        nf.evaluate(network, np.random.default_rng(0).normal(size=(4, 1, 64)), "V")
