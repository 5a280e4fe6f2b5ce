"""Derived systems solved on linear and ReLU networks against the numbers of theory section 6."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from oracles.networks import PolynomialNetwork, ReluOnOneSample, elementary_symmetric

from ntkfeyn.model.cumulants import cumulant, standard

INPUTS = [[Fraction(v) for v in x] for x in ([1, 2], [3, -1], [0, 1], [2, 2])]
Q = [[sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0)) / 2 for b in INPUTS] for a in INPUTS]
q12, q34 = Q[0][1], Q[2][3]
v = Q[0][2] * Q[1][3] + Q[0][3] * Q[1][2]
LAYERS = (1, 2, 3, 4)


def leading(L: int) -> dict[str, Fraction]:
    """Order 1, four inputs, samples 1, 2, 3, 4 on the slots 1..4 (0..3 for P, Q, R)."""
    third = Fraction((L - 1) * L * (2 * L - 1), 6)
    half = Fraction(L * (L - 1), 2)
    path = Fraction(L * L * (L * L - 1), 12)
    return {
        "V": (L - 1) * v,
        "D": half * v,
        "A": third * v,
        "F": half * q12 * q34,
        "B": third * q12 * q34,
        "P": Fraction(0),
        "R": Fraction(0),
        "U": Fraction(0),
        "Q": Fraction((L - 1) * L * (L + 1), 6) * Q[0][2] * Q[1][3],
        "S": path * Q[0][2] * Q[1][3],
        "T": path * q12 * q34,
    }


def order_two(L: int) -> dict[str, Fraction]:
    """Order 2, one input with q = 1."""
    m = L * (L - 1) * (L - 2)
    S = Fraction(m * (L + 1) * (2 * L - 1), 30)
    return {
        "V": Fraction(2 * (L - 1) * (L - 2)),
        "D": Fraction(m),
        "F": Fraction(m, 2),
        "A": Fraction(m * (2 * L - 1), 3),
        "B": Fraction(m * (L - 1), 4),
        "P": Fraction(m * (L + 1), 12),
        "Q": Fraction(m * (L + 1), 6),
        "R": Fraction(m * (L + 1) * (L + 2), 60),
        "S": S,
        "U": S / 2,
        "T": Fraction(m * L * (L + 1), 12),
        "C0C0C0": Fraction(4 * (L - 1) * (3 * L - 4)),
        "C0C0R1": Fraction(4 * L * (L - 1) * (4 * L - 5), 3),
        "C0C1": Fraction(L * (L - 1) * (5 * L - 7), 3),
        "C0R1R1": Fraction(4 * L * (L - 1) ** 2 * (2 * L - 1), 3),
        "C0R2": Fraction(m * (3 * L - 1), 6),
        "C1R1": Fraction(L * L * (L - 1) * (5 * L - 7), 6),
        "C2": Fraction(L * (L - 1) ** 2 * (2 * L - 1), 6),
        "R1R1R1": Fraction(L * (L - 1) * (8 * L**3 - 17 * L**2 + 13 * L - 2), 5),
        "R3": Fraction(L * (L - 1) * (8 * L**3 - 17 * L**2 + 13 * L - 2), 40),
        "R1R2": Fraction(m * (11 * L * L - 7 * L + 2), 30),
    }


@pytest.fixture(scope="module")
def linear() -> PolynomialNetwork:
    return PolynomialNetwork([0, 1], INPUTS)


@pytest.mark.parametrize("name", leading(1))
def test_linear_order_one_any_inputs(name: str, linear: PolynomialNetwork) -> None:
    shape = standard(name)
    first = min(shape.labels)
    for L in LAYERS:
        value = linear.tensor(name, 1, L, tuple(label - first for label in shape.labels))
        assert value == leading(L)[name], L


@pytest.mark.parametrize("name", ["K", "Theta"])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_linear_means_have_no_correction(name: str, order: int, linear: PolynomialNetwork) -> None:
    assert all(linear.value(name, order, L, (0, 1)) == 0 for L in LAYERS)


def test_linear_order_two_any_inputs(linear: PolynomialNetwork) -> None:
    for L in (2, 3, 4):
        assert linear.value("V", 2, L, (0, 1, 2, 3)) == comb(L - 1, 2) * (v + 2 * q12 * q34)


@pytest.mark.parametrize("name", order_two(1))
def test_linear_order_two_single_input(name: str) -> None:
    network = PolynomialNetwork([0, 1], [[Fraction(1)]])
    for L in (1, 2, 3, 4, 5):
        assert network.value(name, 2, L, (0,) * len(standard(name).labels)) == order_two(L)[name], L


@pytest.mark.parametrize(("channel", "polynomial"), [("01.23.45", True), ("02.13.45", False)])
def test_linear_five_node_tree(channel: str, polynomial: bool) -> None:
    name = cumulant("tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5", channel).name
    network = PolynomialNetwork([0, 1], [[Fraction(1)]])
    for L in (1, 2, 3, 4):
        expected = Fraction(L * (L - 1) ** 2 * (L + 1) * (11 * L * L + 5 * L + 6), 360) if polynomial else 0
        assert network.value(name, 2, L, (0,) * 6) == expected


@pytest.mark.parametrize(("coefficients", "c", "C_W"), [([0, 1], 2, 1), (None, 5, 2)])
def test_products_of_squares_at_unequal_widths(coefficients: list[int] | None, c: int, C_W: int) -> None:
    """E[z_i^2 z_j^2]/K^2 = prod (1 + c/n_l): V at order s+1 is c^(s+1) e_(s+1) K^2, in powers of n_(L-1)."""
    widths = [3, 5, 2, 7]
    settings = {"C_W": Fraction(C_W), "widths": widths}
    one = [[Fraction(1)]]
    network = (
        ReluOnOneSample(one, **settings) if coefficients is None else PolynomialNetwork(coefficients, one, **settings)
    )
    for L in (2, 3, 4, 5):
        kernel = network.value("K", 0, L, (0, 0))
        ratios = [Fraction(widths[L - 2], n) for n in widths[: L - 1]]
        for order in (1, 2, 3):
            expected = c**order * elementary_symmetric(order, ratios) * kernel**2
            assert network.value("V", order, L, (0,) * 4) == expected


def test_relu_order_one() -> None:
    network = ReluOnOneSample([[Fraction(1)]], C_W=Fraction(2))
    for L in (1, 2, 3, 4, 5):
        expected = {
            ("K", 0): 2,
            ("Theta", 0): L,
            ("V", 1): 20 * (L - 1),
            ("F", 1): 2 * L * (L - 1),
            ("D", 1): 6 * L * (L - 1),
            ("A", 1): Fraction(L * (L - 1) * (7 * L - 2), 3),
            ("B", 1): Fraction(L * (L - 1) * (2 * L - 1), 3),
            ("K", 1): 0,
            ("Theta", 1): 0,
            ("K", 2): 0,
            ("Theta", 2): 0,
        }
        for (name, order), value in expected.items():
            assert network.value(name, order, L, (0,) * len(standard(name).labels)) == value, (name, order, L)


def test_relu_order_two() -> None:
    network = ReluOnOneSample([[Fraction(1)]], C_W=Fraction(2))
    table = {"D": (78, 312, 780), "F": (36, 144, 360), "A": (69, 384, 1230), "B": (22, 128, 420)}
    for name, values in table.items():
        for L, value in zip((3, 4, 5), values, strict=True):
            assert network.value(name, 2, L, (0,) * 4) == value
