"""The judge of orthogonal weights against matrices averaged by hand, inverse Gram matrices and conserved norms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import factorial, prod

import pytest
from oracles.haar import TWO_PAIRS, HaarNetwork, haar_moment, summed
from sympy import cancel, series, symbols
from test_exact import COUPLINGS, INPUTS, LINEAR, NO_BIAS, QUADRATIC, explicit_cumulant, setting

from ntkfeyn.judge.exact import ExactNetwork
from ntkfeyn.judge.kernel_graphs import HiddenNeuron, bare
from ntkfeyn.judge.networks import exact_network
from ntkfeyn.judge.orthogonal import OrthogonalNetwork, rewirings
from ntkfeyn.judge.setting import Setting
from ntkfeyn.judge.weingarten import single_loops, weingarten
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.verification.certify import slots_of

N = symbols("N")
KNOWN = {
    (1,): 1 / N,
    (2,): -1 / (N * (N - 1) * (N + 2)),
    (1, 1): (N + 1) / (N * (N - 1) * (N + 2)),
    (3,): 2 / (N * (N - 1) * (N - 2) * (N + 2) * (N + 4)),
    (2, 1): -1 / (N * (N - 1) * (N - 2) * (N + 4)),
    (1, 1, 1): (N**2 + 3 * N - 2) / (N * (N - 1) * (N - 2) * (N + 2) * (N + 4)),
}  # Collins and Sniady, math-ph/0402073


def matchings(slots: tuple[int, ...]) -> Iterator[tuple[tuple[int, int], ...]]:
    if not slots:
        yield ()
        return
    first, rest = slots[0], slots[1:]
    for i, other in enumerate(rest):
        for found in matchings((*rest[:i], *rest[i + 1 :])):
            yield ((first, other), *found)


def loops(m, n) -> tuple[int, ...]:  # type: ignore[no-untyped-def]
    """Half-lengths of the loops of two matchings together."""
    partner = [{a: b for pair in one for a, b in (pair, pair[::-1])} for one in (m, n)]
    left, found = set(partner[0]), []
    while left:
        at, size = min(left), 0
        while at in left:
            left -= {at, partner[0][at]}
            at, size = partner[1][partner[0][at]], size + 1
        found.append(size)
    return tuple(sorted(found, reverse=True))


@pytest.mark.parametrize("kind", KNOWN)
def test_known_rational_functions(kind: tuple[int, ...]) -> None:
    x = symbols("x")
    expanded = series(cancel(KNOWN[kind].subs(N, 1 / x)), x, 0, sum(kind) + 7).removeO()
    for power in range(7):
        assert weingarten(kind, power) == expanded.coeff(x, sum(kind) + power)


@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_inverse_of_the_gram_matrix(pairs: int) -> None:
    """sum over m' of Wg(m, m') N^loops(m', m'') = delta, power by power in 1/N."""
    every = list(matchings(tuple(range(2 * pairs))))
    for last in every:
        for power in range(5):
            total = 0
            for middle in every:
                lost = pairs - len(loops(middle, last))
                total += weingarten(loops(every[0], middle), power - lost)
            assert total == (power == 0 and last == every[0])


def test_single_loops_are_all_and_each_once() -> None:
    for pairs in (1, 2, 3, 4):
        slots = tuple((2 * i, 2 * i + 1) for i in range(pairs))
        found = {tuple(sorted(tuple(sorted(pair)) for pair in one)) for one in single_loops(slots)}
        expected = {m for m in matchings(tuple(range(2 * pairs))) if loops(slots, m) == (pairs,)}
        assert found == expected
        assert len(list(single_loops(slots))) == len(expected) == 2 ** (pairs - 1) * factorial(pairs - 1)


def test_every_matching_is_counted() -> None:
    """With free pairs of two kinds and tied ones: (2p - 1)!! in all, and sum of Wg = 1/(N (N + 2) ..)."""
    half = [HiddenNeuron(((sample, 0),), ()) for sample in (0, 1)]
    ends = [(HiddenNeuron(((0, 1),), (i,)), HiddenNeuron(((1, 1),), (i + 5,))) for i in range(2)]
    kinds = [(half[0], half[0]), (half[0], half[1])]
    for free, tied in ((0, 2), (1, 2), (2, 1), (4, 0)):
        counts = [(kinds[0], free - free // 2), (kinds[1], free // 2)]
        found = rewirings([(kind, count) for kind, count in counts if count], ends[:tied], 9)
        pairs = free + tied
        assert sum(found.values()) == prod(range(2 * pairs - 1, 0, -2))
        for (own, neurons), _ in found.items():
            assert sum(len(neuron.factors) * count for neuron, count in neurons) == 2 * pairs
            assert sum(own) <= pairs
        few = rewirings([(kind, count) for kind, count in counts if count], ends[:tied], 1)
        assert few == {key: ways for key, ways in found.items() if sum(n - 1 for n in key[0]) <= 1}


def test_haar_moments_of_the_oracle() -> None:
    """Rows and columns have unit length, and moments of two entries are Weingarten's."""
    for size in (2, 3):

        @cache
        def moment(*entries: tuple[int, int]) -> Fraction:
            powers = [[0] * size for _ in range(size)]  # noqa: B023
            for i, j in entries:
                powers[i][j] += 1
            return haar_moment(size, tuple(map(tuple, powers)))  # noqa: B023

        assert sum(moment((0, j), (0, j)) for j in range(size)) == 1
        assert moment((0, 0), (1, 1)) == moment((0, 0), (0, 1)) == 0
        values = {(1, 1): moment(*((0, 0), (0, 0), (1, 1), (1, 1))), (2,): moment((0, 0), (1, 1), (0, 1), (1, 0))}
        for kind, value in values.items():
            assert value == Fraction(str(KNOWN[kind].subs(N, size)))


# --- networks written out ---

SIZES = [(2, 2), (3, 3), (2, 3), (3, 2), (3, 1)]


def number(exact: OrthogonalNetwork, layer: int, slots, sizes: list[int]) -> Fraction:  # type: ignore[no-untyped-def]
    """A cumulant at n = 1, with Weingarten functions of two pairs at each of these sizes."""
    return summed(exact.cumulant(layer, slots), [(size, TWO_PAIRS) for size in sizes])


@pytest.mark.parametrize("name", NAMES)
def test_layer_two_written_out(name: str) -> None:
    """Biases, two samples, equal and unequal widths: not an expansion but the number itself."""
    shape = standard(name)
    samples = (0, 1, 0, 0)[: len(shape.labels)]
    pairs = len(shape.channel)
    for n, above in SIZES:
        if above < pairs:
            continue
        network = HaarNetwork([1, n, above], INPUTS, QUADRATIC, **COUPLINGS)
        exact = OrthogonalNetwork(setting(COUPLINGS, widths=(n, above)), 12)
        value = number(exact, 2, slots_of(shape, samples), [max(n, above)])
        assert value == explicit_cumulant(name, network, samples), (n, above)
        assert value


@pytest.mark.parametrize("name", ["K", "Theta"])
@pytest.mark.parametrize("widths", [(2, 2), (2, 3), (3, 2)])
def test_layer_three_written_out(name: str, widths: tuple[int, int]) -> None:
    """One orthogonal layer upon another, an activation between them."""
    network = HaarNetwork([1, *widths, 1], INPUTS, QUADRATIC, **NO_BIAS)
    exact = OrthogonalNetwork(setting(NO_BIAS, QUADRATIC, widths=(*widths, 1)), 16)
    value = number(exact, 3, slots_of(standard(name), (0, 1)), [max(widths)])
    assert value == explicit_cumulant(name, network, (0, 1))


@pytest.mark.parametrize("name", ["V", "D", "F", "A", "B", "P", "Q", "S", "T"])
def test_two_orthogonal_layers_written_out(name: str) -> None:
    """Fourth powers of both matrices: a quadratic layer below a linear one."""
    shape = standard(name)
    samples = (0, 1, 1, 0)
    network = HaarNetwork([1, 2, 2, 2], INPUTS, (QUADRATIC, LINEAR), **NO_BIAS)
    exact = OrthogonalNetwork(setting(NO_BIAS, QUADRATIC, LINEAR, widths=(2, 2, 2)), 24)
    value = number(exact, 3, slots_of(shape, samples), [2, 2])
    assert value == explicit_cumulant(name, network, samples)
    assert value


# --- what orthogonal matrices conserve ---


def test_linear_networks_of_equal_widths_conserve_the_norm() -> None:
    """Rotated Gaussian vectors stay Gaussian: E[z_i^2 z_j^2] = K^2 at every depth and width, not so for Gaussian W."""
    one = (((Fraction(3, 4),),),)
    linear = Setting(((Fraction(0), Fraction(1)),), one, one, weights="orthogonal")
    exact, gaussian = exact_network(linear, 6), exact_network(replace(linear, weights="gaussian"), 6)
    assert type(exact) is OrthogonalNetwork
    assert type(gaussian) is ExactNetwork
    for layer in (1, 2, 3, 4):
        for powers in (2, 3):
            series = exact.moment(layer, [bare(0, 0)] * powers)
            assert series == (Fraction(3, 4) ** powers, 0, 0, 0, 0, 0, 0)
            other = gaussian.moment(layer, [bare(0, 0)] * powers)
            assert (other == series) == (layer == 1)
            assert other[0] == series[0]


def test_linear_networks_that_widen_conserve_the_norm_too() -> None:
    one = (((Fraction(1),),),)
    linear = Setting(((Fraction(0), Fraction(1)),), one, one, widths=(2, 3, 5), weights="orthogonal")
    # |z|^2 of 5 n neurons is 5/2 of that of 2 n Gaussian ones: E[(z.z)^2] = (5 n)^2 (1 + 2/(2 n)) all in all
    exact = exact_network(linear, 5)
    apart, together = exact.moment(3, [bare(0, 0), bare(0, 0)]), (1, 1, 0, 0, 0, 0)
    whole = [5 * (a * 5 + 2 * b) for a, b in zip(apart, (0, *apart), strict=False)]
    assert whole == [25 * x for x in together]


def test_a_forgotten_corner_or_weight_would_be_seen() -> None:
    network = HaarNetwork([1, 2, 3], INPUTS, QUADRATIC, **COUPLINGS)
    slots = slots_of(standard("V"), (0, 1, 0, 0))
    value = explicit_cumulant("V", network, (0, 1, 0, 0))
    right = OrthogonalNetwork(setting(COUPLINGS, widths=(2, 3)), 12)
    narrow = OrthogonalNetwork(setting(COUPLINGS, widths=(2, 2)), 12)
    assert number(right, 2, slots, [3]) == value != number(narrow, 2, slots, [2])
    gaussian = ExactNetwork(setting(COUPLINGS, widths=(2, 3)), 12).cumulant(2, slots)
    assert sum(gaussian) != value


def test_truncation_keeps_every_coefficient_it_shows() -> None:
    couplings = setting(COUPLINGS, widths=(2, 3, 4))
    for name in ("V", "F"):
        slots = slots_of(standard(name), (0, 1, 0, 1))
        whole = OrthogonalNetwork(couplings, 5).cumulant(3, slots)
        for order in (1, 2):
            assert OrthogonalNetwork(couplings, order).cumulant(3, slots) == whole[: order + 1]
