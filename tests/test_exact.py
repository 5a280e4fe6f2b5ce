"""The exact judge against networks written out weight by weight, and its independence from the derivation."""

from __future__ import annotations

import ast
from fractions import Fraction
from math import prod
from pathlib import Path

import pytest
from oracles.explicit import ExplicitNetwork

import ntkfeyn.judge.exact
from ntkfeyn.judge.coincidences import coincidences, isserlis
from ntkfeyn.judge.exact import ExactNetwork
from ntkfeyn.judge.kernel_graphs import HiddenNeuron, bare, canonical, openings, split
from ntkfeyn.judge.setting import Setting
from ntkfeyn.model.cumulants import cumulant, standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.verification.certify import slots_of

QUADRATIC = (Fraction(1, 3), Fraction(1), Fraction(1, 2))
COUPLINGS = {"C_W": Fraction(3, 2), "C_b": Fraction(1, 3), "lambda_W": Fraction(5, 4), "lambda_b": Fraction(2, 7)}
LINEAR, SQUARE = (Fraction(1, 5), Fraction(3, 2)), (Fraction(0), Fraction(2, 3), Fraction(1))
NO_BIAS = COUPLINGS | {"C_b": Fraction(0), "lambda_b": Fraction(0)}
INPUTS = [[Fraction(1)], [Fraction(-2, 3)]]


def setting(couplings: dict[str, Fraction], *activations: tuple[Fraction, ...], **rest: object) -> Setting:
    def kernel(constant: str, slope: str) -> tuple:
        rows = [[couplings[constant] + couplings[slope] * a[0] * b[0] for b in INPUTS] for a in INPUTS]
        return tuple(tuple((value,) for value in row) for row in rows)

    return Setting(
        activations or (QUADRATIC,), kernel("C_b", "C_W"), kernel("lambda_b", "lambda_W"), **couplings, **rest
    )


def at_width(series: tuple[Fraction, ...], width: int) -> Fraction:
    assert not any(series[-3:]), "the series must have ended"
    return sum((c / Fraction(width) ** k for k, c in enumerate(series)), Fraction(0))


def explicit_cumulant(name: str, network: ExplicitNetwork, samples: tuple[int, ...]) -> Fraction:
    shape = standard(name)
    neuron = {v: i for i, pair in enumerate(shape.channel) for v in pair}
    observables, start = [], 0
    for leg in shape.legs:
        nodes = range(start, start + len(leg.labels))
        observables.append(network.tree(leg.edges, [(neuron[v], samples[v]) for v in nodes]))
        start += len(leg.labels)
    return network.cumulant(observables)


@pytest.mark.parametrize("name", NAMES)
def test_two_hidden_neurons_written_out(name: str) -> None:
    """Layer 2, width 2, biases, two samples: not an expansion but the number itself."""
    network = ExplicitNetwork([1, 2, 2], INPUTS, QUADRATIC, **COUPLINGS)
    shape = standard(name)
    samples = (0, 1, 0, 0)[: len(shape.labels)]
    exact = ExactNetwork(setting(COUPLINGS), 9).cumulant(2, slots_of(shape, samples))
    value = at_width(exact, 2)
    assert value == explicit_cumulant(name, network, samples)
    assert value


@pytest.mark.parametrize("name", ["K", "Theta", "V", "D", "F", "A", "B", "P", "Q", "R", "S", "T", "U"])
def test_three_layers_of_one_neuron_written_out(name: str) -> None:
    """Layer 3 on hidden widths 1 and 1: all hidden neurons coincide."""
    network = ExplicitNetwork([1, 1, 1, 2], INPUTS, QUADRATIC, **NO_BIAS)
    shape = standard(name)
    samples = (0, 1, 1, 0)[: len(shape.labels)]
    exact = ExactNetwork(setting(NO_BIAS), 24).cumulant(3, slots_of(shape, samples))
    assert at_width(exact, 1) == explicit_cumulant(name, network, samples)


@pytest.mark.parametrize("name", ["K", "Theta", "V", "D", "F", "A", "B", "P", "Q", "R", "S", "T", "U"])
def test_an_activation_a_layer_written_out(name: str) -> None:
    """Layer 3 on hidden widths 1 and 1, another polynomial after each layer, in both orders."""
    samples = (0, 1, 1, 0)[: len(standard(name).labels)]
    values = []
    for activations in ((QUADRATIC, LINEAR), (LINEAR, QUADRATIC), (SQUARE, LINEAR)):
        network = ExplicitNetwork([1, 1, 1, 2], INPUTS, activations, **NO_BIAS)
        exact = ExactNetwork(setting(NO_BIAS, *activations), 24).cumulant(3, slots_of(standard(name), samples))
        values.append(at_width(exact, 1))
        assert values[-1] == explicit_cumulant(name, network, samples)
    assert values[0] != values[1] or values[0] == 0


UNEQUAL = [("V", (2, 1)), ("F", (1, 2)), ("B", (2, 1)), ("K", (2, 3)), ("Theta", (2, 2))]


@pytest.mark.parametrize(("name", "widths"), UNEQUAL)
def test_three_layers_of_unequal_widths_written_out(name: str, widths: tuple[int, int]) -> None:
    """A cubic polynomial would be out of reach here; a plain square is enough to tell widths apart."""
    square = (Fraction(0), Fraction(name in ("K", "Theta"), 2), Fraction(1))
    network = ExplicitNetwork([1, *widths, 2], INPUTS[:1], square, **NO_BIAS)
    shape = standard(name)
    samples = (0,) * len(shape.labels)
    exact = ExactNetwork(setting(NO_BIAS, square, widths=widths), 24).cumulant(3, slots_of(shape, samples))
    assert at_width(exact, 1) == explicit_cumulant(name, network, samples)


@pytest.mark.parametrize("c", [2])
def test_product_formula_for_the_linear_network(c: int) -> None:
    """E[z_i^2 z_j^2]/K^2 = prod (1 + 2/n_l), the whole polynomial, at unequal widths."""
    one = (((Fraction(1),),),)
    network = ExactNetwork(Setting(((Fraction(0), Fraction(1)),), one, one, widths=(2, 3, 5)), 8)
    for layer in (1, 2, 3, 4):
        expected = [Fraction(1)]
        for width in (2, 3, 5)[: layer - 1]:
            shifted = [Fraction(0), *(Fraction(c, width) * x for x in expected)]
            expected = [a + b for a, b in zip([*expected, Fraction(0)], shifted, strict=True)]
        series = network.moment(layer, [bare(0, 0), bare(0, 0)])
        assert list(series[: len(expected)]) == expected
        assert not any(series[len(expected) :])


def test_a_wrong_coefficient_would_be_seen() -> None:
    """The same comparison fails for another activation: the test above can fail."""
    network = ExplicitNetwork([1, 2, 2], INPUTS, QUADRATIC, **COUPLINGS)
    other = setting(COUPLINGS, (Fraction(1, 3), Fraction(1), Fraction(1, 3)))
    exact = ExactNetwork(other, 9).cumulant(2, slots_of(standard("F"), (0, 1, 0, 0)))
    assert at_width(exact, 2) != explicit_cumulant("F", network, (0, 1, 0, 0))


def test_truncation_keeps_every_coefficient_it_shows() -> None:
    for name in ("V", "B", "P"):
        slots = slots_of(standard(name), (0, 1, 0, 1))
        whole = ExactNetwork(setting(COUPLINGS), 12).cumulant(3, slots)
        for order in (1, 2, 3):
            assert ExactNetwork(setting(COUPLINGS), order).cumulant(3, slots) == whole[: order + 1]


def test_coincidences_are_all_set_partitions() -> None:
    bell = [1, 1, 2, 5, 15, 52, 203]
    plain, tied = HiddenNeuron(((0, 0), (0, 0)), ()), HiddenNeuron(((1, 1),), (0,))
    for free in range(4):
        for held in range(3):
            found = list(coincidences([(plain, free)] if free else [], [tied] * held, 9))
            assert sum(ways for _, ways in found) == bell[free + held]
            for blocks, _ in found:
                assert sum(len(block.factors) * count for block, count in blocks) == 2 * free + held


def test_isserlis_counts_all_pairings() -> None:
    for powers in [(2,), (4,), (6,), (1, 1), (2, 2), (3, 1), (4, 2), (2, 2, 2), (1, 2, 3)]:
        exponents = tuple(((a, 0), p) for a, p in enumerate(powers))
        total = sum(powers)
        assert sum(ways for _, ways in isserlis(exponents)) == prod(range(total - 1, 0, -2))
        for pairs, _ in isserlis(exponents):
            for a, p in enumerate(powers):
                assert sum(((a == i) + (a == j)) * count for (i, j), count in pairs) == p
    assert isserlis((((0, 0), 3),)) == ()


def test_kernel_graphs_meet_in_canonical_form() -> None:
    forward = canonical(((0, 2, ()), (1, 3, ()), (2, 0, (3,)), (3, 1, (2,))))
    backward = canonical(((1, 3, ()), (0, 2, ()), (2, 1, (3,)), (3, 0, (2,))))
    assert forward == backward
    assert forward != canonical(((0, 3, ()), (1, 2, ()), (2, 1, (3,)), (3, 0, (2,))))
    assert len(split([*forward, *((s, p + 4, tuple(n + 4 for n in ns)) for s, p, ns in forward)])) == 2
    assert len(openings(((0, 1, (1,)), (1, 0, (0,))))) == 2


def test_the_judge_imports_nothing_of_the_derivation() -> None:
    folder = Path(ntkfeyn.judge.exact.__file__).parent
    for name in ("exact", "kernel_graphs", "coincidences", "setting", "orthogonal", "weingarten"):
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text())):
            if isinstance(node, ast.ImportFrom):
                module = node.module or ""
                assert module.startswith("ntkfeyn.judge.") or not module.startswith("ntkfeyn"), (
                    f"{name} imports {module}"
                )


def test_a_five_node_tree_has_an_exact_cumulant() -> None:
    shape = cumulant("tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5", "01.23.45")
    linear = (Fraction(0), Fraction(1))
    one = (((Fraction(1),),),)
    network = ExactNetwork(Setting((linear,), one, one), 2)
    for L in (1, 2, 3, 4):
        expected = Fraction(L * (L - 1) ** 2 * (L + 1) * (11 * L * L + 5 * L + 6), 360)
        assert network.cumulant(L, slots_of(shape, (0,) * 6))[2] == expected
