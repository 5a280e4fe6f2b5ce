"""Homogeneous activations at one input: the rule against exact moments, what vanishes, and the solved recursions."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import prod
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from scipy.special import ndtr

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.derivation import homogeneity
from ntkfeyn.derivation.homogeneity import Mean, diagonal_recursions, on_diagonal, vanishing_set, without_derivatives
from ntkfeyn.derivation.recursion import derive_recursion, derive_system
from ntkfeyn.derivation.reduction import split_omega
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import TensorId

SCHEMAS = Path(nf.__file__).parent / "schemas"
EVALUATED = [("K", 0), ("Theta", 0), *((name, r) for r in (1, 2) for name in ("K", "Theta", "V", "D", "F", "A", "B"))]
LEAKY = (Fraction(1), Fraction(3, 10))
RELU = (Fraction(1), Fraction(0))
LINEAR = (Fraction(1), Fraction(1))

# --- the rule, judged by exact half-line moments ----------------------------------------------------------------


def hermite(k: int) -> dict[int, int]:
    """He_k as {power: coefficient}: He_(k+1) = x He_k - k He_(k-1)."""
    before: dict[int, int] = {}
    here = {0: 1}
    for n in range(k):
        following = {p + 1: c for p, c in here.items()}
        for p, c in before.items():
            following[p] = following.get(p, 0) - n * c
        before, here = here, following
    return here


def half_moment(p: int) -> Fraction:
    """<x^p> over x > 0, for odd p in units of 1 / sqrt(2 pi)."""
    odd_numbers = prod(range(p - 1, 0, -2))
    return Fraction(odd_numbers, 2) if p % 2 == 0 else Fraction(odd_numbers)


def oracle(a: int, factors: int, k: int, slopes: tuple[Fraction, Fraction]) -> Fraction:
    """<He_k(x) x^a g(sign x)> with g = slope^factors, in the units of ``half_moment``: all its powers are alike."""
    right = sum(c * half_moment(p + a) for p, c in hermite(k).items())
    return slopes[0] ** factors * right + (-1) ** (k + a) * slopes[1] ** factors * right


@pytest.mark.parametrize("slopes", [LEAKY, RELU, (Fraction(2), Fraction(-1, 3))], ids=str)
def test_the_rule_equals_exact_gaussian_moments(slopes: tuple[Fraction, Fraction]) -> None:
    settled = {"zero": 0, "equal": 0, "unsettled": 0}
    for a, b, k in product(range(9), range(4), range(9)):
        if a + b == 0:
            continue
        exact = oracle(a, a + b, k, slopes)
        found = without_derivatives(Mean((0,) * a + (1,) * b, k))
        if found is None:  # the half-line moments stay
            assert (k > a, (k + a) % 2, exact != 0) == (True, 1, True)
            settled["unsettled"] += 1
        elif not found[0]:
            assert exact == 0
            settled["zero"] += 1
        else:
            number, orders = found
            assert len(orders) == a + b
            assert number * oracle(orders.count(0), a + b, 0, slopes) == exact != 0
            settled["equal"] += 1
    assert min(settled.values()) > 50


def smoothed(orders: tuple[int, ...], k: int, width: float) -> float:
    """<He_k f> for f a product of derivatives of leaky_relu(0.3), its kink smeared by a Gaussian off centre."""
    y = np.linspace(-14.0, 14.0, 280_001)  # the kink, in units of its width; outside, f is 0 if one order is > 1
    u = y - 0.4
    density = np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)
    jump = 0.7
    derivatives = [0.3 * u + jump * (u * ndtr(u) + density), 0.3 + jump * ndtr(u), jump * density, -jump * u * density]
    x = width * y
    weight = np.polynomial.hermite_e.hermeval(x, [0] * k + [1]) * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    f = np.prod([derivatives[m] * width ** (1 - m) for m in orders], axis=0)
    return float(np.sum(f * weight) * (x[1] - x[0]))


@pytest.mark.parametrize("k", range(5))
@pytest.mark.parametrize(
    "orders", [(0, 2), (0, 0, 1, 2), (0, 0, 2, 2), (0, 0, 0, 3), (1, 2), (1, 1, 1, 2), (0, 1, 2, 2), (0, 3), (2, 2)]
)
def test_the_rule_at_the_kink_is_the_limit_of_a_smooth_one(orders: tuple[int, ...], k: int) -> None:
    at, half = abs(smoothed(orders, k, 1e-4)), abs(smoothed(orders, k, 5e-5))
    found = without_derivatives(Mean(orders, k))
    if found is None:
        assert Mean(orders, k).degree <= -1
        assert at > 1e-3 or Mean(orders, k).degree < -1
    else:
        assert found[0] == 0
        assert at < 1e-3
        assert half < 0.6 * at or at < 1e-9


def test_products_of_delta_functions_diverge_and_are_left_unsettled() -> None:
    for orders in [(2, 2), (1, 3), (1, 1, 2, 2)]:
        assert all(without_derivatives(Mean(orders, k)) is None for k in range(6))
    assert abs(smoothed((2, 2), 0, 5e-5)) > 1.9 * abs(smoothed((2, 2), 0, 1e-4)) > 100


@pytest.mark.parametrize(
    "tensor", [("C0C0C1", 3), ("C2", 2), ("R3", 2), ("P", 2), ("Q", 2), ("S", 2), ("R", 2)], ids=str
)
def test_derivatives_have_the_parity_of_the_degree(tensor: TensorId) -> None:
    """So that no half-line moment is ever left over."""
    for recursion in derive_system([tensor]).recursions:
        for part in (p for term in recursion.terms for p in split_omega(term)):
            for g, group in enumerate(part.groups):
                degree = Mean(tuple(m for _, m, _ in group.factors), 0).degree
                assert (part.derivatives(g) - degree) % 2 == 0


# --- what vanishes ----------------------------------------------------------------------------------------------

NAMED = [(name, r) for r in (1, 2) for name in ("K", "Theta", "V", "D", "F", "A", "B", "P", "Q")]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_corrections_of_k_and_theta_vanish(order: int) -> None:
    kernel, ntk = diagonal_recursions([("K", order), ("Theta", order)])
    assert kernel.vanishing == (("K", order),)
    assert ntk.vanishing == (("K", order), ("Theta", order))
    assert min(map(len, (kernel.terms, ntk.terms, kernel.dropped, ntk.dropped))) > 0


def test_nothing_else_vanishes_but_p() -> None:
    system = derive_system([*NAMED, ("K", 3), ("Theta", 3)])
    zero = vanishing_set([on_diagonal(recursion) for recursion in system.recursions])
    alike = ("z1+z2+z3+dNTK456/12.34.56", 2)  # P beside a pair of z
    assert zero == {("P", 1), alike, *((name, r) for name in ("K", "Theta") for r in (1, 2, 3))}
    for recursion in diagonal_recursions([("K", 0), ("Theta", 0), *NAMED]):
        assert bool(recursion.vanishing) == (recursion.id in zero)


def test_every_diagram_is_kept_or_accounted_for() -> None:
    for recursion in derive_system(NAMED).recursions:
        reduced = on_diagonal(recursion)
        parts = [part for term in recursion.terms for part in split_omega(term)]
        assert len(parts) == reduced.product_effects[-1].before
        terms = [*reduced.terms, *(term for term, _ in reduced.dropped)]
        assert {i for term in terms for i in term.diagrams} == {diagram.id for diagram in recursion.diagrams}
        assert {i for term in reduced.terms for i in term.diagrams} == {diagram.id for diagram in reduced.diagrams}
        assert sum(reason.terms for reason in reduced.reasons) == len(reduced.dropped)
        for term, mean in reduced.dropped:
            groups = [tuple(m for _, m, _ in group.factors) for group in term.groups]
            assert mean in [Mean(orders, term.derivatives(g)) for g, orders in enumerate(groups)]
            assert {s for group in term.groups for s in group.samples} == {1}
            assert all(label == 1 or label < 0 for tensor in term.tensors for label in tensor.labels)


def test_reduced_terms_differentiate_nothing() -> None:
    for recursion in diagonal_recursions(NAMED):
        for term in recursion.terms:
            assert all(set(tensor.labels) == {1} for tensor in term.tensors)
            assert all(m <= 1 for group in term.groups for _, m, _ in group.factors)
        assert len(recursion.expanded) == len(recursion.terms)


def test_what_is_not_zero_at_layer_1_never_vanishes() -> None:
    """The mean NTK feeds on itself alone if lambda_W = lambda_b = 0, but starts from 1."""
    ntk = on_diagonal(derive_recursion(standard("Theta"), 0))
    fed = replace(ntk, terms=tuple(term for term in ntk.terms if term.tensors))
    assert fed.terms
    assert not vanishing_set([fed])


@pytest.mark.parametrize(
    ("lost", "zero"), [(Mean((0, 0), 4), ((), ())), (Mean((1, 1), 2), ((("K", 1),), ()))], ids=["ss", "s's'"]
)
def test_a_weaker_rule_does_not_show_it(lost: Mean, zero: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        homogeneity,
        "without_derivatives",
        lambda mean: (1, mean.orders) if mean == lost else without_derivatives(mean),
    )
    kernel, ntk = diagonal_recursions([("K", 1), ("Theta", 1)])
    assert (kernel.vanishing, ntk.vanishing) == zero


def test_no_statement_about_tensors_that_a_kink_makes_diverge() -> None:
    for name in "RSTU":
        with pytest.raises(NtkfeynError, match="products of delta functions"):
            nf.derive(name, homogeneous=True)
    with pytest.raises(NtkfeynError, match="omega"):
        nf.derive("K", order=1, homogeneous=True, without="omega")


# --- the reduced recursions, solved -----------------------------------------------------------------------------


def moment(orders: tuple[int, ...], slopes: tuple[Fraction, Fraction], kernel: Fraction) -> Fraction:
    """<s^a s'^b>_K, a even."""
    a = orders.count(0)
    sides = slopes[0] ** len(orders) + slopes[1] ** len(orders)
    return sides * half_moment(a) * kernel ** (a // 2)


COUPLINGS = ("C_W", "lambda_W", "C_b", "lambda_b", "width_ratio")


def solved(
    targets: list[TensorId],
    slopes: tuple[Fraction, Fraction],
    couplings: tuple[Fraction, ...],
    ratios: list[Fraction],
    square: Fraction,
) -> list[dict[TensorId, Fraction]]:
    """Every tensor at every layer, exactly; ``couplings`` are C_W, lambda_W, C_b, lambda_b."""
    recursions = diagonal_recursions([recursion.id for recursion in derive_system(targets).recursions])
    start = {("K", 0): couplings[2] + couplings[0] * square, ("Theta", 0): couplings[3] + couplings[1] * square}
    layers = [{recursion.id: start.get(recursion.id, Fraction(0)) for recursion in recursions}]
    for ratio in ratios:
        here = layers[-1]
        factors = dict(zip(COUPLINGS, (*couplings, ratio), strict=True))
        layers.append(
            {
                recursion.id: sum(
                    (
                        term.coefficient
                        * prod(factors[name] ** n for name, n in term.couplings)
                        * prod(here[tensor.name, tensor.order] for tensor in term.tensors)
                        * prod(moment(tuple(m for _, m, _ in g.factors), slopes, here["K", 0]) for g in term.groups)
                        for term in recursion.terms
                    ),
                    Fraction(0),
                )
                for recursion in recursions
            }
        )
    return layers


@pytest.mark.parametrize(
    ("activation", "slopes"),
    [("relu", RELU), ("leaky_relu(0.3)", LEAKY), ("linear", LINEAR), ("leaky_relu(-1)", (Fraction(1), Fraction(-1)))],
)
@pytest.mark.parametrize("biases", [(0.0, 0.0), (0.3, 0.2)], ids=["no-bias", "bias"])
def test_the_solved_recursions_equal_evaluate(
    activation: str, slopes: tuple[Fraction, Fraction], biases: tuple[float, float]
) -> None:
    """Dropped terms are zero: ``evaluate`` keeps them all."""
    widths = (32, 64, 16)
    network = nf.Network(4, widths, activation, cw=1.7, cb=biases[0], lambda_w=0.8, lambda_b=biases[1])
    found = nf.evaluate(network, [[1.0, 0.5]], [f"{name}@{r}" for name, r in EVALUATED])
    couplings = tuple(Fraction(str(c)) for c in (1.7, 0.8, *biases))
    ratios = [Fraction(1), Fraction(widths[1], widths[0]), Fraction(widths[2], widths[1])]
    layers = solved(EVALUATED, slopes, couplings, ratios, Fraction(5, 8))
    for layer, exact in enumerate(layers, 1):
        for name, r in EVALUATED:
            value, _ = found.value(f"{name}@{r}", [1] * len(standard(name).labels), layer)
            assert value == pytest.approx(float(exact[name, r]), rel=1e-10, abs=1e-12), (name, r, layer)


def test_relu_numbers_of_theory_section_6() -> None:
    two, one, none = Fraction(2), Fraction(1), Fraction(0)
    targets = [*EVALUATED, ("P", 1), ("Q", 1)]
    layers = solved(targets, RELU, (two, one, none, none), [one] * 4, one)
    for L, exact in enumerate(layers, 1):
        expected = {"K": 2, "Theta": L, "V": 20 * (L - 1), "F": 2 * L * (L - 1), "D": 6 * L * (L - 1), "P": 0}
        expected |= {"A": Fraction(L * (L - 1) * (7 * L - 2), 3), "B": Fraction(L * (L - 1) * (2 * L - 1), 3)}
        expected["Q"] = Fraction((L - 1) * L * (L + 1), 3)
        assert {name: exact[name, standard(name).leading_order] for name in expected} == expected
    second = {name: [layers[L - 1][name, 2] for L in (3, 4, 5)] for name in "DFAB"}
    assert second == {"D": [78, 312, 780], "F": [36, 144, 360], "A": [69, 384, 1230], "B": [22, 128, 420]}


def test_a_rule_that_drops_too_much_gives_other_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ([("V", 1)], RELU, (Fraction(2), Fraction(1), Fraction(0), Fraction(0)), [Fraction(1)] * 2, Fraction(1))
    right = solved(*arguments)[-1]["V", 1]
    monkeypatch.setattr(
        homogeneity,
        "without_derivatives",
        lambda mean: (0, mean.orders) if mean == Mean((0, 0), 2) else without_derivatives(mean),
    )
    assert solved(*arguments)[-1]["V", 1] != right == 40


@pytest.mark.parametrize("tensor", [("Theta", 2), ("V", 2), ("A", 2), ("B", 2), ("P", 2), ("Q", 2)], ids=str)
def test_leibniz_with_equal_labels_gives_the_same_for_linear(tensor: TensorId) -> None:
    """The whole expansion at s = z, where nothing is singular, with random tensors at layer l."""
    name, order = tensor
    recursion = derive_recursion(standard(name), order)
    rng = np.random.default_rng(1)
    values = {t: Fraction(int(rng.integers(1, 99)), 7) for t in recursion.dependencies}
    factors = {name: Fraction(int(c), 5) for name, c in zip(COUPLINGS, rng.integers(1, 99, 5), strict=True)}

    def total(terms: object) -> Fraction:
        added = Fraction(0)
        for term in terms:  # type: ignore[attr-defined]
            means = [tuple(m for _, m in mean) for mean in term.expectations]
            if all(m <= 1 for orders in means for m in orders):
                one = term.coefficient * prod(factors[name] ** n for name, n in term.couplings)
                one *= prod(values[t.name, t.order] for t in term.tensors)
                added += one * prod(moment(orders, LINEAR, values["K", 0]) for orders in means)
        return added

    assert total(on_diagonal(recursion).expanded) == total(recursion.expanded) != 0


def test_only_homogeneous_activations_and_equal_inputs_show_it() -> None:
    names = ["K@1", "Theta@1", "K@2", "Theta@2"]
    for activation in ("relu", "leaky_relu(0.3)", "gelu", "tanh"):
        for cb, lambda_b in ((0.0, 0.0), (0.3, 0.2)):
            network = nf.Network(3, 1, activation, cw=2.0, cb=cb, lambda_b=lambda_b)
            found = nf.evaluate(network, [[1.0, 0.5], [-0.2, 1.3]], names)
            for name in names:
                size = abs(found.value(name, (1, 2))[0])
                diagonal = max(abs(found.value(name, (a, a))[0]) for a in (1, 2))
                assert size > 1e-3
                assert (diagonal < 1e-10) == ("relu" in activation), (activation, name)


# --- command line, JSON, Python ---------------------------------------------------------------------------------


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run("derive", "K@1", "Theta@1", "V", "--homogeneous", capsys=capsys)
    assert (code, err) == (0, "")
    for line in (
        "  K:1:1   ρ C_W K^{1}_11 ⟨σ'_1 σ'_1⟩",
        "  ⟨∂^4(σ_1 σ_1)⟩ = 0   1 term of K:1:2",
        "K^{1}_11 = 0 at every layer: so it is at layer 1, and each remaining term carries it",
        "  ⟨∂^2(σ'_1 σ'_1)⟩ = 0   3 terms of Theta:1:1, Theta:1:4, Theta:1:5",
        "Θ^{1}_11 = 0 at every layer, and K^{1}_11 with it: so they are at layer 1, and each remaining term of their"
        " recursions carries one of them",
        "  V:1:2   + ρ C_W^2 V_1111 ⟨σ'_1 σ'_1⟩ ⟨σ'_1 σ'_1⟩",
        "V_1111 need not vanish",
    ):
        assert line in out.splitlines()
    assert out == "\n".join(str(nf.derive(name, homogeneous=True)) for name in ("K@1", "Theta@1", "V"))


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("derive", "Theta@2", "--homogeneous", "--format", "json", capsys=capsys)
    data = json.loads(out)
    assert code == 0
    schema = json.loads((SCHEMAS / "recursion-1.schema.json").read_text())
    jsonschema.validate(data, schema)
    assert data["homogeneous"]["vanishing"] == ["K@2", "Theta@2"]
    assert sum(reason["terms"] for reason in data["homogeneous"]["dropped"]) == 21
    assert data["cumulant"]["legs"] == [["NTK", [1, 1]]]
    assert [(t["coefficient"], t["C_W"], t["lambda_W"], t["expectations"]) for t in data["terms"]] == [
        ("1", 0, 1, [[[1, 1], [1, 1]]]),
        ("1", 1, 0, [[[1, 1], [1, 1]]]),
    ]
    listed = {diagram["id"] for diagram in data["diagrams"]}
    assert listed == {diagram for term in data["terms"] for diagram in term["diagrams"]}
    assert out == nf.derive("Theta", order=2, homogeneous=True).to_json()
    assert "homogeneous" not in json.loads(nf.derive("Theta", order=2).to_json())
    del data["homogeneous"]["vanishing"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema)


def test_other_formats_and_labels(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("derive", "K@1", "--homogeneous", "--format", "sympy", capsys=capsys)[1] == (
        'C_W*WIDTH*Expectation(Activation(1, 1), Activation(1, 1))*tensor_symbol("K", 1, (1, 1))/WIDTH_BELOW\n'
    )
    latex = run("derive", "F", "--homogeneous", "--format", "latex", capsys=capsys)[1]
    assert r"\rho\,C_W^{2}\,F_{1111}\,\langle \sigma'_{1}\,\sigma'_{1}\rangle" in latex
    asked = ["derive", "--legs", "z5 z6 NTK78", "--channel", "57.68", "--homogeneous"]
    assert run(*asked, capsys=capsys)[1] == run("derive", "F", "--homogeneous", capsys=capsys)[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["R"], "products of delta functions"), (["K@1", "--without", "omega"], "all are applied there")],
)
def test_wrong_requests(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run("derive", *arguments, "--homogeneous", capsys=capsys)
    assert (code, out) == (2, "")
    assert message in err
