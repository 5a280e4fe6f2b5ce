"""Networks with orthogonal weights, sampled: Haar corners, no bias at small widths, the same whoever does the work."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from oracles.haar import FOUR_PAIRS, TWO_PAIRS, summed

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.judge.orthogonal import OrthogonalNetwork
from ntkfeyn.judge.setting import Setting
from ntkfeyn.model.cumulants import standard
from ntkfeyn.sampling.comparison import compare
from ntkfeyn.sampling.corners import Below, averages, corners
from ntkfeyn.sampling.directional import derivative_block
from ntkfeyn.sampling.estimation import Sampling
from ntkfeyn.sampling.kernels import KERNELS, kernel_block
from ntkfeyn.sampling.law import Law, Rows
from ntkfeyn.solve.request import Request
from ntkfeyn.verification.certify import slots_of

QUADRATIC = (Fraction(0), Fraction(1), Fraction(1, 5))
EXACT = {"C_W": Fraction(1, 2), "C_b": Fraction(1, 8), "lambda_W": Fraction(5, 4), "lambda_b": Fraction(2, 7)}
GRAM = [[Fraction(1), Fraction(1, 3)], [Fraction(1, 3), Fraction(3, 4)]]


COUPLINGS = {"cw": 0.5, "cb": 0.125, "lambda_w": 1.25, "lambda_b": 2 / 7}
INPUTS = [[1.0, 0.5, 0.2], [0.3, -1.0, 0.4]]


def law(widths: tuple[int, int], second: str = "z + z**2/5") -> Law:
    network = nf.Network(3, widths, ("z + z**2/5", second), **COUPLINGS, weights="orthogonal")
    return Law(network.layers, np.array(GRAM, dtype=float))


# --- the matrices ---


@pytest.mark.parametrize(("rows", "columns", "size"), [(4, 4, 4), (2, 5, 5), (5, 3, 5), (2, 3, 6)])
def test_corners_are_haar(rows: int, columns: int, size: int) -> None:
    """Means of one, two and four entries; a QR without its signs has a mean."""
    drawn = corners([np.random.default_rng(seed) for seed in range(8_000)], rows, columns, size)
    assert drawn.shape == (8_000, rows, columns)
    if max(rows, columns) == size:
        shorter = drawn if rows <= columns else drawn.transpose(0, 2, 1)
        assert np.allclose(shorter @ shorter.transpose(0, 2, 1), np.eye(min(rows, columns)), atol=1e-12)
    volume = (size - 1) * size * (size + 2)
    a, b, c, d = drawn[:, 0, 0], drawn[:, 0, 1], drawn[:, 1, 0], drawn[:, 1, 1]
    expected = [
        (a, 0.0), (d, 0.0), (a * b, 0.0), (a * d, 0.0), (a**2, 1 / size), (d**2, 1 / size),
        (a**4, 3 / (size * (size + 2))), (a**2 * b**2, 1 / (size * (size + 2))), (a**2 * d**2, (size + 1) / volume),
        (b**2 * c**2, (size + 1) / volume), (a * b * c * d, -1 / volume),
    ]  # fmt: skip
    for values, mean in expected:
        assert abs(values.mean() - mean) < 4.5 * values.std() / np.sqrt(len(values))


def test_a_corner_depends_on_its_stream_alone() -> None:
    streams = [[np.random.default_rng(seed) for seed in range(5)] for _ in range(2)]
    together = corners(streams[0], 3, 4, 6)
    alone = np.concatenate([corners([stream], 3, 4, 6) for stream in streams[1]])
    assert np.array_equal(together, alone)


# --- no bias ---


@cache
def judge(widths: tuple[int, int], *activations: tuple[Fraction, ...]) -> OrthogonalNetwork:
    kernel = tuple(tuple((EXACT["C_b"] + EXACT["C_W"] * q,) for q in row) for row in GRAM)
    ntk = tuple(tuple((EXACT["lambda_b"] + EXACT["lambda_W"] * q,) for q in row) for row in GRAM)
    setting = Setting(activations, kernel, ntk, **EXACT, widths=(*widths, 1), weights="orthogonal")
    return OrthogonalNetwork(setting, 18)


def check(rows: list[list[Rows]], names: tuple[str, ...], network: OrthogonalNetwork, most: float) -> None:
    """Layers 2 and 3 of ``rows`` of blocks against exact values; errors at most this share of them."""
    widths = network.setting.widths
    for layer in (2, 3):
        below = FOUR_PAIRS + TWO_PAIRS if len(network.setting.activations) == 1 else TWO_PAIRS
        poles = [(max(widths[:2]), below if layer == 3 else TWO_PAIRS), (widths[1], TWO_PAIRS if layer == 3 else ())]
        for name in names:
            shape = standard(name)
            samples = (0, 1, 0, 1)[: len(shape.labels)]
            series = network.cumulant(layer, slots_of(shape, samples))
            exact = float(summed(series, poles) * widths[layer - 2] ** shape.leading_order)
            values = np.array([row[layer - 2][name][tuple(samples[slot] for slot in shape.index)] for row in rows])
            error = values.std() / np.sqrt(len(values))
            assert abs(values.mean() - exact) < 4.5 * error, (layer, name)
            assert error < most * abs(exact), (layer, name)


@pytest.mark.parametrize("widths", [(4, 4), (6, 4), (4, 6)])
def test_no_bias_at_small_widths(widths: tuple[int, int]) -> None:
    """Two inputs, biases: the whole of every tensor, not an expansion of it. V is half of Gaussian weights'."""
    names = KERNELS if widths == (4, 6) else ("K", "Theta", "V", "D", "F")
    rows = [kernel_block(law(widths), names, 5, block) for block in range(500)]
    check(rows, names, judge(widths, QUADRATIC), 0.12)


@pytest.mark.parametrize("widths", [(6, 4), (4, 6)])
def test_no_bias_of_derivative_tensors(widths: tuple[int, int]) -> None:
    names = ("P", "Q", "T", "S") if widths == (6, 4) else ("Q", "R", "U")
    rows = [derivative_block(law(widths, "linear"), names, 5, block) for block in range(250)]
    check(rows, names, judge(widths, QUADRATIC, (Fraction(0), Fraction(1))), 0.15)


def test_which_tensors_are_asked_for_does_not_matter() -> None:
    """D and A need chains and rings here, V and the means do not: asked for alone or together, the same numbers."""
    every = kernel_block(law((5, 3)), KERNELS, 3, 0)
    for names in (("D",), ("A",), ("V", "K"), ("Theta", "F"), ("B", "D")):
        for some, whole in zip(kernel_block(law((5, 3)), names, 3, 0), every, strict=True):
            for name in names:
                assert np.allclose(some[name], whole[name], rtol=1e-12, atol=1e-14), name


def test_linear_networks_conserve_the_norm() -> None:
    """Equal widths: what a layer adds to the sampling error of layer 1 is nothing at all, and V is zero."""
    linear = Law(nf.Network(4, 6, "linear", weights="orthogonal").layers, np.eye(1))
    rows = [kernel_block(linear, ("K", "V"), 2, b) for b in range(300)]
    for layer in (1, 2):
        for name, mean in (("K", 1.0), ("V", 0.0)):
            first, here = (np.array([row[at][name].ravel()[0] for row in rows]) for at in (0, layer))
            assert np.allclose(first, here, atol=1e-12)
            assert abs(here.mean() - mean) < 4.5 * here.std() / np.sqrt(300)


def haar_rule(size: int) -> np.ndarray:
    """Matrices whose mean is Haar's for polynomials of degree 4: O(2) and O(3) by angles."""
    turns = 2 * np.pi * np.arange(8) / 8
    c, s, zero, one = np.cos(turns), np.sin(turns), np.zeros(8), np.ones(8)
    if size == 2:
        found = np.moveaxis(np.array([[c, -s], [s, c]]), 2, 0)
        return np.concatenate([found, found * [1, -1]])
    about = np.moveaxis(np.array([[c, -s, zero], [s, c, zero], [zero, zero, one]]), 2, 0)
    points, weights = np.polynomial.legendre.leggauss(5)
    sines = np.sqrt(1 - points**2)
    tilted = np.moveaxis(np.array([[points, 0 * points, sines], [0 * points, 1 + 0 * points, 0 * points],
                                   [-sines, 0 * points, points]]), 2, 0)  # fmt: skip
    found = np.einsum("xij,yjk,zkl->xyzil", about, tilted, about)
    return (found * (2.5 * weights[None, :, None, None, None]) ** 0.25).reshape(-1, 3, 3)  # of degree 4 alone


@pytest.mark.parametrize(("n", "size"), [(2, 2), (3, 3), (2, 3)])
def test_averages_are_those_over_all_matrices(n: int, size: int) -> None:
    """A layer with any s, and any M that an NTK can give: V, D, F, A, B written out at neurons 0 and 1, no sampling."""
    rng = np.random.default_rng(n + size)
    s, M = rng.normal(size=(n, 2)), rng.normal(size=(n, n, 2, 2))
    M += M.transpose(1, 0, 3, 2)  # M_kk';ab = M_k'k;ba
    W = haar_rule(size)[:, :2, :n] * np.sqrt(size / n)
    z = np.einsum("oik,ka->oia", W, s)
    ntk = np.einsum("oik,ojl,klab->oijab", W, W, M)
    G, T = s.T @ s / n, np.einsum("kkab->ab", M) / n
    below = Below(G, T, np.einsum("ka,klcd,lb->acbd", s, M, s) / n**2, np.einsum("klab,klcd->acbd", M, M) / n**2)
    found = averages(KERNELS, Below(*(part[None] for part in below)), size)  # type: ignore[index]
    count = len(W)
    expected = {
        "V": np.einsum("oa,ob,oc,od->abcd", z[:, 0], z[:, 0], z[:, 1], z[:, 1]) / count - np.multiply.outer(G, G),
        "D": np.einsum("oa,ob,ocd->abcd", z[:, 0], z[:, 0], ntk[:, 1, 1]) / count - np.multiply.outer(G, T),
        "F": np.einsum("oa,ob,ocd->acbd", z[:, 0], z[:, 1], ntk[:, 0, 1]) / count,
        "A": np.einsum("oab,ocd->abcd", ntk[:, 0, 0], ntk[:, 1, 1]) / count - np.multiply.outer(T, T),
        "B": np.einsum("oab,ocd->acbd", ntk[:, 0, 1], ntk[:, 0, 1]) / count,
    }
    for name, values in expected.items():
        assert np.allclose(found[name][0], values, atol=1e-12), name


# --- the command ---


def test_numbers_depend_on_the_seed_alone() -> None:
    """Whoever does the work; other than Gaussian ones of the same seed; the law is told."""
    network = nf.Network(3, (6, 5), "tanh", weights="orthogonal")
    names = ["V", "A", "P", "Theta@1"]
    runs = [nf.sample(network, INPUTS, names, networks=1000, seed=s, jobs=j) for s, j in ((1, 1), (1, 2), (2, 1))]
    texts = [json.dumps(run.to_json()) for run in runs]
    assert texts[0] == texts[1] != texts[2]
    assert runs[0].meta["weights"] == "orthogonal"
    gaussian = nf.sample(nf.Network(3, (6, 5), "tanh"), INPUTS, names, networks=1000)
    assert "weights" not in gaussian.meta
    assert gaussian.value("V", (1, 1, 1, 1)) != runs[0].value("V", (1, 1, 1, 1))


def test_resume_goes_on_with_the_same_weights_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.json").write_text(json.dumps(INPUTS))
    command = ["sample", "V", "Q", "--activation", "tanh", "--inputs", "x.json", "--depth", "3", "--width", "5"]
    command += ["--format", "json"]

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main([*command, *arguments])
        return (int(caught.value.code or 0), *capsys.readouterr())

    orthogonal = ("--weights", "orthogonal")
    whole = call(*orthogonal, "--networks", "512")
    assert call(*orthogonal, "--networks", "256", "--checkpoint", "run.npz")[0] == 0
    resumed = ("--networks", "512", "--checkpoint", "run.npz", "--resume")
    code, out, err = call(*resumed)
    assert (code, out) == (2, "")
    assert "another request" in err
    assert call(*orthogonal, *resumed) == whole
    assert json.loads(whole[1])["meta"]["weights"] == "orthogonal"


def test_mixed_layers_and_orders_one_and_two_together() -> None:
    """tanh, biases, a Gaussian layer upon an orthogonal one: every tensor at every layer against the recursions."""
    network = nf.Network(
        4, (24, 40, 30), "tanh", cw=1.5, cb=0.1, lambda_w=1.1, lambda_b=0.2,
        weights=("gaussian", "orthogonal", "gaussian", "orthogonal"),
    )  # fmt: skip
    targets = [nf.derive(name).record.id for name in ("K@1", "Theta@1", "V", "D", "F", "A", "B")]
    inputs = np.array(INPUTS)
    found = compare(Request((network,), inputs @ inputs.T / 3, inputs=inputs), targets, 2, Sampling(4800, seed=4))
    assert found.passed, found.reasons()


@pytest.mark.parametrize(
    ("width", "names", "outputs", "message"),
    [(1, ["V"], 2, "2 neurons"), (1, ["K", "D"], 2, "2 neurons"), (3, ["P"], 4, "4 neurons")],
)
def test_more_neurons_than_rows_of_the_matrix(width: int, names: list[str], outputs: int, message: str) -> None:
    network = nf.Network(3, width, "tanh", weights="orthogonal")
    with pytest.raises(NtkfeynError, match=message):
        nf.sample(network, INPUTS, names, networks=64, outputs=outputs)
    assert nf.sample(network, INPUTS, ["K", "Theta"], networks=64).meta["networks"] == 64
