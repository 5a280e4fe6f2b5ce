"""Full moments: closed products for linear and ReLU networks, variances from A and B, refusals."""

from __future__ import annotations

from math import comb

import pytest

import ntkfeyn as nf
from ntkfeyn.solve.evaluation import evaluate_moment
from ntkfeyn.solve.inputs import gram_matrix
from ntkfeyn.solve.moments import parse_moment
from ntkfeyn.solve.request import Request


def expansion(text: str, network: nf.Network, gram: list[list[float]], order: int) -> list[float]:
    moment = parse_moment(text, order)
    [layers] = evaluate_moment(Request((network,), gram_matrix(gram)), moment)
    return [value for value, _ in layers[-1]]


@pytest.mark.parametrize(("activation", "cw", "c"), [("linear", 1.0, 2), ("relu", 2.0, 5)])
def test_fourth_moment_is_a_product(activation: str, cw: float, c: int) -> None:
    """E[z_i^2 z_j^2] = K^2 (1 + c/n)^(L-1) exactly at every width: all its coefficients at depth 4."""
    found = expansion("z_i1 z_i1 z_j1 z_j1", nf.Network(4, 64, activation, cw=cw), [[1.0]], 3)
    kernel = found[0]
    assert found == pytest.approx([kernel * comb(3, r) * c**r for r in range(4)], rel=1e-12)
    same = expansion("z_i1 z_i1 z_i1 z_i1", nf.Network(4, 64, activation, cw=cw), [[1.0]], 3)
    assert same == pytest.approx([3 * value for value in found], rel=1e-12)


def test_gaussian_at_the_first_layer() -> None:
    gram = [[1.0, 0.5], [0.5, 2.0]]
    network = nf.Network(1, 64, "gelu")
    assert expansion("z_i1 z_i2 z_i2 z_i2", network, gram, 1) == pytest.approx([3 * 0.5 * 2.0, 0])
    assert expansion("z_i1 z_i1 z_j2 z_j2", network, gram, 0) == pytest.approx([2.0])
    assert expansion("z_i1 z_j2", network, gram, 2) == [0, 0, 0]
    assert expansion("z_i1", network, gram, 2) == [0, 0, 0]


def test_variances_of_ntk_entries() -> None:
    gram = [[1.0, 0.5], [0.5, 2.0]]
    network = nf.Network(4, 64, "tanh", cw=1.4, cb=0.1)
    tensors = nf.evaluate(network, gram=gram, names=["A", "B", "Theta", "Theta@1"])
    A, B = tensors.array("A"), tensors.array("B")
    off = expansion("Var(NTK_ij12)", network, gram, 1)
    assert off == pytest.approx([0, B[0, 0, 1, 1]], abs=1e-12)
    diagonal = expansion("Var(NTK_ii12)", network, gram, 1)
    assert diagonal == pytest.approx([0, A[0, 1, 0, 1] + B[0, 0, 1, 1] + B[0, 1, 1, 0]], rel=1e-9)
    mean = expansion("NTK_ii12", network, gram, 1)
    assert mean == pytest.approx([tensors.array("Theta")[0, 1], tensors.array("Theta@1")[0, 1]], rel=1e-9)
    mixed = expansion("z_i1 z_j2 NTK_ij12", network, gram, 1)
    F = nf.evaluate(network, gram=gram, names=["F"]).array("F")
    assert mixed == pytest.approx([0, F[0, 0, 1, 1]], rel=1e-9)


@pytest.mark.parametrize(
    "text", ["", "Var()", "z", "z_1", "z_i", "z_i0", "NTK_i12", "NTK_ij1", "w_i1", "z_i1z_j2", "Var(z_i1", "z_ij12"]
)
def test_refused(text: str) -> None:
    with pytest.raises(nf.NtkfeynError):
        parse_moment(text, 1)


def test_limits() -> None:
    with pytest.raises(nf.NtkfeynError, match="slots"):
        parse_moment("Var(NTK_ij12 NTK_ij12 NTK_ij12 NTK_ij12)", 1)
    with pytest.raises(nf.NtkfeynError, match="order -1"):
        parse_moment("z_i1 z_i1", -1)
    with pytest.raises(nf.NtkfeynError, match="sample 3"):
        evaluate_moment(Request((nf.Network(2, 8, "relu"),), gram_matrix([[1.0]])), parse_moment("z_i3 z_i3", 0))
