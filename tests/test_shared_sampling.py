"""Sampled networks whose weights are shared over positions: against networks written out, closed forms, theory."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import numpy as np
import pytest

import ntkfeyn as nf
import ntkfeyn.sampling.features as features
import ntkfeyn.sampling.law as law_module
from ntkfeyn.cli import main
from ntkfeyn.errors import LimitError
from ntkfeyn.expectations.activations import activation
from ntkfeyn.model.layers import Conv, Dense, Graph, LayerSpec
from ntkfeyn.model.network import Network
from ntkfeyn.sampling.directional import Sampled, derivative_tensors
from ntkfeyn.sampling.features import Drawn
from ntkfeyn.sampling.law import Law
from ntkfeyn.sampling.shared import given_network
from ntkfeyn.sampling.shared_directional import SharedJets
from ntkfeyn.solve.results import Tensors

SCHEMAS = Path(nf.__file__).parent / "schemas"
COMPARISON = json.loads((SCHEMAS / "comparison-1.schema.json").read_text())
Array = np.ndarray
Reads = list[list[list[tuple[int, float]]]]  # [t][position above] -> what is read: (position below, factor)
WIDTHS, CHANNELS, INPUTS = (3, 2, 4), 2, 2
ACTIVATIONS = ("tanh", "sin", "z + z**2/5")
COUPLINGS = {
    "cw": (1.5, 1.3, 1.2, 0.9), "cb": (0.1, 0.2, 0.1, 0.3),
    "lambda_w": (1.1, 0.9, 1.2, 0.8), "lambda_b": (0.2, 0.3, 0.15, 0.25),
}  # fmt: skip


# --- networks written out ---


def line(size: int, above: int, offsets: tuple[int, ...], stride: int = 1, around: bool = True) -> Reads:
    """A convolution on a line that reads p * stride + offset; outside it reads the other end, or zeros."""
    found: Reads = []
    for offset in offsets:
        at = [p * stride + offset for p in range(above)]
        found.append([[(b % size, 1.0)] if around or 0 <= b < size else [] for b in at])
    return found


def plane(sizes: tuple[int, int], above: tuple[int, int], offsets: tuple[Any, Any], stride: int, around: bool) -> Reads:
    found: Reads = []
    for down, right in product(*offsets):
        rows = []
        for p, q in product(*map(range, above)):
            b, c = p * stride + down, q * stride + right
            inside = 0 <= b < sizes[0] and 0 <= c < sizes[1]
            rows.append([((b % sizes[0]) * sizes[1] + c % sizes[1], 1.0)] if around or inside else [])
        found.append(rows)
    return found


def mean(size: int) -> Reads:
    return [[[(p, 1 / size) for p in range(size)]]]


def flat(size: int) -> Reads:
    return [[[(p, 1.0)]] for p in range(size)]


PATH = np.array([[1 / 2, 6**-0.5, 0], [6**-0.5, 1 / 3, 6**-0.5], [0, 6**-0.5, 1 / 2]])  # of three nodes in a row
PATH_READS: Reads = [[[(b, float(PATH[a, b])) for b in range(3) if PATH[a, b]] for a in range(3)]]
EDGES = [(0, 1), (1, 2)]
DENSE: Reads = [[[(0, 1.0)]]]


class Case(NamedTuple):
    """The layers as a user writes them, the positions of an input, and what each layer reads, by hand."""

    specs: list[LayerSpec]
    positions: tuple[int, ...]
    reads: list[Reads]

    def network(self, **changed: Any) -> Network:
        depth = len(self.specs)
        couplings: dict[str, Any] = {name: values[:depth] for name, values in COUPLINGS.items()}
        given = {"width": WIDTHS[: depth - 1], "activation": ACTIVATIONS[: depth - 1], **couplings, **changed}
        return Network(layers=self.specs, shape=(CHANNELS, *self.positions), **given)

    @property
    def inputs(self) -> Array:
        """As a user gives them, channels first."""
        return np.random.default_rng(5).normal(size=(INPUTS, CHANNELS, *self.positions))

    @property
    def vectors(self) -> Array:
        """(inputs, positions, channels)"""
        return self.inputs.reshape(INPUTS, CHANNELS, -1).transpose(0, 2, 1)

    @property
    def law(self) -> Law:
        flat = self.vectors.reshape(-1, CHANNELS)
        return Law(self.network().layers, flat @ flat.T / CHANNELS)


CASES = {
    "mean": Case(
        [Conv(kernel=3), Conv(kernel=2, padding="zero"), Dense(pool="mean")],
        (4,),
        [line(4, 4, (-1, 0, 1)), line(4, 4, (0, 1), around=False), mean(4)],
    ),
    "flatten": Case(
        [Conv(kernel=3, padding="valid"), Conv(kernel=3, padding="zero"), Dense(pool="flatten")],
        (5,),
        [line(5, 3, (0, 1, 2)), line(3, 3, (-1, 0, 1), around=False), flat(3)],
    ),
    "stride, positions left": Case(
        [Conv(kernel=3, stride=2, padding="zero"), Conv(kernel=2, dilation=2), Conv(kernel=3, padding="zero")],
        (6,),
        [line(6, 3, (0, 1, 2), 2, False), line(3, 3, (-1, 1)), line(3, 3, (-1, 0, 1), around=False)],
    ),
    "2d": Case(
        [Conv(kernel=(1, 3)), Conv(kernel=2, stride=2, padding="zero"), Dense(pool="mean")],
        (2, 3),
        [
            plane((2, 3), (2, 3), ((0,), (-1, 0, 1)), 1, True),
            plane((2, 3), (1, 2), ((0, 1), (0, 1)), 2, False),
            mean(2),
        ],
    ),
    "graph, positions left": Case([Graph(edges=EDGES)] * 3, (3,), [PATH_READS] * 3),
    "pooled below": Case(
        [Graph(edges=EDGES), Dense(pool="mean"), Dense(), Dense()], (3,), [PATH_READS, mean(3), DENSE, DENSE]
    ),
    "flattened below": Case(
        [Conv(kernel=3), Dense(pool="flatten"), Dense()], (4,), [line(4, 4, (-1, 0, 1)), flat(4), DENSE]
    ),
    "deep": Case(
        [Conv(kernel=3), Conv(kernel=2), Conv(kernel=2, stride=2), Dense(pool="mean")],
        (4,),
        [line(4, 4, (-1, 0, 1)), line(4, 4, (0, 1)), line(4, 2, (0, 1), 2), mean(2)],
    ),
}


def parameters(case: Case, outputs: int) -> list[tuple[Array, Array]]:
    """W (maps, n, n below) and b of each layer; without a bias of the output, which has mean zero."""
    rng = np.random.default_rng(3)
    sizes = [CHANNELS, *WIDTHS[: len(case.specs) - 1], outputs]
    made = []
    for p, reads in enumerate(case.reads):
        made.append((rng.normal(size=(len(reads), sizes[p + 1], sizes[p])), rng.normal(size=sizes[p + 1])))
    return [*made[:-1], (made[-1][0], np.zeros(outputs))]


def rates(case: Case, theta: list[tuple[Array, Array]]) -> list[tuple[Array, Array]]:
    """lambda of every parameter; all maps of a layer have the same share."""
    return [
        (np.full(W.shape, COUPLINGS["lambda_w"][p] / len(W) / W.shape[2]), np.full(b.shape, COUPLINGS["lambda_b"][p]))
        for p, (W, b) in enumerate(theta)
    ]


def matrices(reads: Reads, below: int) -> Array:
    """M, (t, above, below)"""
    M = np.zeros((len(reads), len(reads[0]), below))
    for t, rows in enumerate(reads):
        for a, row in enumerate(rows):
            for b, factor in row:
                M[t, a, b] += factor
    return M


def written_out(case: Case, theta: Any, functions: Any, xp: Any = np) -> list[Any]:
    """Preactivations of every layer, (.., inputs, positions, n); leading axes of theta are kept."""
    s = case.vectors
    layers = []
    for p, (W, b) in enumerate(theta):
        layers.append(xp.einsum("...tik,tab,...xbk->...xai", W, matrices(case.reads[p], s.shape[-2]), s))
        layers[-1] += b[..., None, None, :]
        if p < len(functions):
            s = functions[p](layers[-1])
    return layers


def split(case: Case, vector: Any, like: list[tuple[Array, Array]]) -> list[tuple[Any, Any]]:
    """Flat parameters (.., all) as those of layers."""
    found, first = [], 0
    for W, b in like:
        parts = []
        for part in (W, b):
            parts.append(vector[..., first : first + part.size].reshape(*vector.shape[:-1], *part.shape))
            first += part.size
        found.append((parts[0], parts[1]))
    return found


def flattened(theta: list[tuple[Array, Array]]) -> Array:
    return np.concatenate([part.ravel() for layer in theta for part in layer])


def tables(case: Case, theta: list[tuple[Array, Array]], order: int) -> list[tuple[Array, ...]]:
    """s, s', .. of hidden layers, (1, n, inputs, positions)"""
    found: list[tuple[Array, ...]] = [()]
    layers = written_out(case, theta, [lambda z, name=name: activation(name).table(z, 0)[0] for name in ACTIVATIONS])
    for name, z in zip(ACTIVATIONS, layers[:-1], strict=False):
        found.append(tuple(activation(name).table(z.transpose(2, 0, 1)[None], order)))
    return found


NUMPY = (np.tanh, np.sin, lambda z: z + z**2 / 5)


def averaged_by_hand(case: Case) -> dict[str, Array]:
    """G, H, F, B of the output given the layers below: gradients of every hidden neuron by a complex step.

    The output reads weight (t, k) at label a with u_a[t, k]; E[W W] of one output neuron is C_W/(n maps) for each.
    """
    theta = parameters(case, 1)[:-1]
    flat_theta, rate = flattened(theta), flattened(rates(case, theta))
    steps = flat_theta + 1e-30j * np.eye(len(flat_theta))
    below = case._replace(reads=case.reads[:-1])
    layers = written_out(below, split(case, steps, theta), NUMPY)
    s = NUMPY[len(theta) - 1](layers[-1])  # (mu, x, p, k)
    value, gradient = s[0].real, s.imag / 1e-30
    kernel = np.einsum("mxpk,m,myql->xpkyql", gradient, rate, gradient)
    last, p = case.reads[-1], len(theta)
    many, n = len(last[0]), value.shape[2]
    u = np.zeros((INPUTS * many, len(last), n))
    J = np.zeros((INPUTS * many, len(last), n, INPUTS * many, len(last), n))
    every = [(x, a, t, b, f) for x in range(INPUTS) for t, rows in enumerate(last) for a in range(many)
             for b, f in rows[a]]  # fmt: skip
    for x, a, t, b, f in every:
        u[x * many + a, t] += f * value[x, b]
        for y, c, v, d, g in every:
            J[x * many + a, t, :, y * many + c, v] += f * g * kernel[x, b, :, y, d]
    cw, cb, lw, lb = (COUPLINGS[name][p] for name in ("cw", "cb", "lambda_w", "lambda_b"))
    share = 1 / n / len(last)
    uu = np.einsum("atk,btk->ab", u, u)
    return {
        "K": cb + cw * share * uu,
        "Theta": lb + lw * share * uu + cw * share * np.einsum("atkbtk->ab", J),
        "F": n * (cw * share) ** 2 * np.einsum("atk,bvl,ctkdvl->acbd", u, u, J),
        "B": n * (cw * share) ** 2 * np.einsum("atkbvl,ctkdvl->acbd", J, J),
    }


@pytest.mark.parametrize("name", CASES)
def test_kernels_given_a_network(name: str) -> None:
    """The same weights, the same averages: with the trace alone, and with the whole NTK between neurons."""
    case = CASES[name]
    theta = parameters(case, 1)
    net = Drawn(case.law, case.law.ntk, tables(case, theta, 1), [np.zeros(0)] * 2 + [W[None] for W, _ in theta[1:-1]])
    expected = averaged_by_hand(case)
    for names in (("Theta",), ("K", "F", "B")):
        found = given_network(np, net, names)
        assert {"K", "Theta", *names} == set(found)
        for one, value in found.items():
            assert np.allclose(value[0], expected[one], rtol=1e-10, atol=1e-12), one


@pytest.mark.parametrize("name", ["mean", "stride, positions left"])
def test_derivative_tensors_given_a_network(name: str) -> None:
    """The network with all its parameters, differentiated three times."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    case, outputs = CASES[name], 2
    theta = parameters(case, outputs)
    functions = (jax.numpy.tanh, jax.numpy.sin, lambda z: z + z**2 / 5)

    def output(vector: Any) -> Any:
        z = written_out(case, split(case, vector, theta), functions[: len(theta) - 1], jax.numpy)[-1]
        return z.reshape(-1, outputs).T.reshape(-1)  # neuron, label

    derivatives = [output]
    for _ in range(3):
        derivatives.append(jax.jacfwd(derivatives[-1]))
    values, jacobian, hessian, third = (np.array(jax.jit(one)(flattened(theta))) for one in derivatives)
    rate = flattened(rates(case, theta))
    V = jacobian * rate
    bent = np.einsum("zmn,an->zam", hessian, V)
    labels = len(values) // outputs
    axes = (outputs, labels)
    d = np.einsum("zam,bm->zab", bent, V).reshape(axes * 3)
    dd = np.einsum("zmnk,am,bn,ck->zabc", third, V, V, V, optimize=True).reshape(axes * 4)
    path = np.einsum("xcm,m,ydm->xcyd", bent, rate, bent, optimize=True).reshape(axes * 4)
    z = values.reshape(axes)
    expected: dict[str, Any] = dict.fromkeys("PQRSTU", 0.0)
    for i, j in ((0, 1), (1, 0)):  # dNTK_012 z_3, ddNTK1_0123, and ddNTK2 by (1, 3, 2, 4)
        expected["P"] += np.einsum("abc,d->abcd", d[i, :, j, :, j], z[i]) / 2
        expected["Q"] += np.einsum("abc,d->abcd", d[i, :, i, :, j], z[j]) / 2
        expected["R"] += dd[i, :, i, :, j, :, j] / 2
        expected["S"] += np.einsum("acbd->abcd", path[i, :, j, :, i, :, j]) / 2
        expected["T"] += path[i, :, i, :, j, :, j] / 2
        expected["U"] += np.einsum("acbd->adbc", path[i, :, j, :, j, :, i]) / 2
    kept = [tuple(part.reshape(*part.shape[:2], -1) for part in table) for table in tables(case, theta, 3)]
    weights = [np.zeros(0)] * 2 + [W[None] for W, _ in theta[1:]]
    jets = SharedJets(Sampled(case.law, weights, kept, z[None]), outputs)
    found = derivative_tensors(jets, tuple("PQRSTU"), outputs)
    for name, value in found.items():
        scale = np.abs(expected[name]).max()
        assert scale > 0
        assert np.allclose(value[0], expected[name], atol=1e-10 * scale), name


# --- drawn networks ---


def over_labels(reads: Reads, below: int) -> Array:
    """sqrt(w_t) M^t over labels (input, position), (t, above, below)"""
    found = [np.kron(np.eye(INPUTS), M) for M in matrices(reads, below)]
    return np.array(found) / np.sqrt(len(found))


def pulls(sampled: Tensors, expected: dict[str, Array]) -> float:
    """The largest."""
    worst = 0.0
    for name, values in expected.items():
        tensor = sampled.get(name)
        off = tensor.values - values[tuple(tensor.indices.T - 1)]
        worst = max(worst, float(np.max(np.abs(off) / np.maximum(tensor.errors, 1e-12 * np.abs(values).max()))))
    return worst


def test_linear_networks_in_closed_form() -> None:
    """Width 3, depth 3, zero padding, a stride: K and Theta have no corrections; V has every order in 1/n.

    z^(2) is Gaussian given layer 1, with kernel G: n Cov of two averages of products over its neurons is
    A A (E[G_13 G_24] + E[G_14 G_23]) and n Cov(G, G), and E[G G] = K K + V/n.
    """
    n = 3
    case = Case(
        [Conv(kernel=3, padding="zero"), Conv(kernel=2, stride=2, padding="zero"), Conv(kernel=2)],
        (4,),
        [line(4, 4, (-1, 0, 1), around=False), line(4, 2, (0, 1), 2, False), line(2, 2, (0, 1))],
    )
    flat_ = case.vectors.reshape(-1, CHANNELS)
    K: Array = flat_ @ flat_.T / CHANNELS
    H, V = np.zeros_like(K), np.zeros((len(K),) * 4)
    for p, reads in enumerate(case.reads):
        M = over_labels(reads, len(K) // INPUTS)
        cw, cb, lw, lb = (COUPLINGS[name][p] for name in ("cw", "cb", "lambda_w", "lambda_b"))
        if p:
            crossed = np.einsum("ac,bd->abcd", K, K) + V.transpose(0, 2, 1, 3) / n
            moved = V + crossed + crossed.transpose(0, 1, 3, 2)
            V = cw**2 * np.einsum("tai,tbj,ijkl,uck,udl->abcd", M, M, moved, M, M, optimize=True)
        else:
            V = np.zeros((M.shape[1],) * 4)
        H = lb + np.einsum("tai,ij,tbj->ab", M, lw * K + cw * H, M)
        K = cb + cw * np.einsum("tai,ij,tbj->ab", M, K, M)
    network = case.network(width=n, activation="linear")
    sampled = nf.sample(network, case.inputs, ["K", "Theta", "V"], networks=20_000, seed=2)
    assert pulls(sampled, {"K": K, "Theta": H, "V": V}) < 4.5
    assert pulls(sampled, {"V": V * 1.2}) > 4.5


SEVEN = ["K", "Theta", "V", "D", "F", "A", "B"]


def test_one_hidden_layer_is_its_leading_order() -> None:
    """At layer 2 theory is exact at every width; a mean over positions is not a flattened one."""
    inputs = np.random.default_rng(1).normal(size=(2, 2, 3))
    couplings: dict[str, Any] = {"cw": 1.5, "cb": 0.1, "lambda_w": 1.2, "lambda_b": 0.3}
    found = {}
    for pool in ("mean", "flatten"):
        layers = [Conv(kernel=2, padding="zero"), Dense(pool=pool)]
        network = Network(width=4, activation="tanh", layers=layers, shape=(2, 3), **couplings)
        sampled = nf.sample(network, inputs, [*SEVEN, "K@1", "Theta@1"], networks=10_000)
        theory = nf.evaluate(network, inputs, SEVEN)
        found[pool] = {name: theory.array(name) for name in SEVEN}
        assert pulls(sampled, found[pool]) < 4.5
        assert pulls(sampled, {name: np.zeros((2, 2)) for name in ("K@1", "Theta@1")}) < 4.5
    assert all(pulls(sampled, {name: found["mean"][name]}) > 5 for name in SEVEN)


def test_derivative_tensors_of_one_hidden_layer() -> None:
    inputs = np.random.default_rng(1).normal(size=(2, 2, 3))
    layers = [Conv(kernel=2), Dense(pool="mean")]
    network = Network(width=4, activation="tanh", layers=layers, shape=(2, 3), cw=1.5, cb=0.1, lambda_b=0.3)
    names = list("PQRSTU")
    sampled = nf.sample(network, inputs, names, networks=4_000)
    theory = nf.evaluate(network, inputs, names)
    assert pulls(sampled, {name: theory.array(name) for name in names}) < 4.5


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
def test_one_position_is_a_dense_network(weights: str) -> None:
    """The same random numbers, the same estimates, by gradients here and layer by layer there."""
    layers = [Conv(kernel=1), Conv(kernel=1), Dense(pool="mean"), Dense(weights=weights)]
    some: dict[str, Any] = {"width": (3, 5, 4), "activation": ("tanh", "sin", "gelu"), "cw": 1.5, "cb": 0.1}
    inputs = np.random.default_rng(1).normal(size=(3, 2))
    shared = nf.sample(Network(layers=layers, shape=(2, 1), **some), inputs[:, :, None], SEVEN, networks=128)
    dense = Network(4, weights=["gaussian"] * 3 + [weights], **some)
    plain = nf.sample(dense, inputs, SEVEN, networks=128)
    for name in SEVEN:
        assert np.allclose(shared.get(name).values, plain.get(name).values, rtol=1e-9, atol=1e-12), name


def test_who_does_the_work_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers: to the last bit. How many networks, and neurons, are held at a time; jax: to rounding."""
    case = CASES["deep"]
    names = ["V", "A", "B", "F", "P", "S"]
    runs = [nf.sample(case.network(), case.inputs, names, networks=128, jobs=jobs) for jobs in (1, 2)]
    traced = nf.sample(case.network(), case.inputs, ["A"], networks=64)
    assert json.dumps(runs[0].to_json()) == json.dumps(runs[1].to_json())
    monkeypatch.setattr(law_module, "BATCH_BYTES", 1)
    monkeypatch.setattr(features, "BATCH_BYTES", 1)
    alone = nf.sample(case.network(), case.inputs, names, networks=128)
    traced_alone = nf.sample(case.network(), case.inputs, ["A"], networks=64)
    for name in names:
        assert np.allclose(runs[0].get(name).values, alone.get(name).values, rtol=1e-10, atol=1e-13)
    assert np.allclose(traced.get("A").values, traced_alone.get("A").values, rtol=1e-10, atol=1e-13)


def test_jax_gives_the_same() -> None:
    pytest.importorskip("jax")
    case = CASES["deep"]
    runs = [nf.sample(case.network(), case.inputs, ["A", "F", "B"], networks=64, backend=b) for b in ("numpy", "jax")]
    for tensor in ("A", "F", "B"):
        assert np.allclose(*(run.get(tensor).values for run in runs), rtol=1e-9, atol=1e-12)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of a convolution on three positions, pooled or not, and of a plain network."""
    monkeypatch.chdir(tmp_path)
    Path("x.json").write_text(json.dumps(np.random.default_rng(1).normal(size=(2, 2, 3)).tolist()))
    conv = '[[layer]]\nkind = "conv"\nkernel = 2\n'
    Path("pooled.toml").write_text(f'[input]\nshape = [2, 3]\n{conv}[[layer]]\nkind = "dense"\npool = "mean"\n')
    Path("left.toml").write_text(f"[input]\nshape = [2, 3]\n{conv}{conv}")
    Path("v.json").write_text("[[1, 0.5], [0.3, 1]]")
    dense = '[[layer]]\nkind = "dense"\n'
    Path("dense.toml").write_text(f"[input]\nshape = [2]\n{dense * 3}")
    return tmp_path


ASKED = ("--activation", "tanh", "--width", "4", "--networks", "640", "--cw", "1.5")


def test_compare_and_sample_take_network_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pull of each component, the layers that have labels of their own left out; figures; labels have positions."""
    files = ("--network", "pooled.toml", "--inputs", "x.json")
    code, out, _ = told(capsys, "compare", *files, *ASKED, "--width", "4,8", "-o", "figures")
    assert code == 0
    assert "width 4, layer 2" in out
    assert {path.suffix for path in Path("figures").iterdir()} == {".json", ".pdf", ".png"}
    found = json.loads(Path("figures/comparison.json").read_text())
    jsonschema.validate(found, COMPARISON)
    assert list(found["data"]["width-4"]) == ["layer-2"]
    files = ("--network", "left.toml", "--inputs", "x.json")
    code, out, _ = told(capsys, "sample", "V", *files, *ASKED, "--format", "json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads((SCHEMAS / "tensors-1.schema.json").read_text()))
    layers = document["data"]["width-4"]
    assert code == 0
    assert list(layers) == ["layer-2"]
    assert len(layers["layer-2"]["V@1"]) == 6**4
    assert "1:3-2:1-1:1-2:2" in layers["layer-2"]["V@1"]
    some = ("--components", "1:1-1:2,1:1-1:1-2:3-2:3")
    code, out, _ = told(capsys, "compare", "Theta@1", "V", *files, *ASKED, *some, "--width", "4,8", "-o", "left")
    assert code == 0
    assert "1:1-1:1-2:3-2:3" in out
    jsonschema.validate(json.loads(Path("left/comparison.json").read_text()), COMPARISON)


def test_dense_files_are_plain_networks(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same random numbers, and no byte differs."""
    for asked in (("sample", "V", "S", "Theta@1"), ("compare", "V", "K")):
        rest = (*asked, "--inputs", "v.json", *ASKED, "--format", "json")
        one, two = told(capsys, *rest, "--network", "dense.toml"), told(capsys, *rest, "--depth", "3")
        assert one == two
        assert one[0] == 0
        assert len(one[1]) > 1000


def test_another_network_has_another_checkpoint(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = ("sample", "V", "--inputs", "x.json", *ASKED, "--checkpoint", "run.npz")
    assert told(capsys, *kept, "--network", "pooled.toml")[0] == 0
    assert told(capsys, *kept, "--network", "pooled.toml", "--resume")[0] == 0
    Path("pooled.toml").write_text(Path("pooled.toml").read_text().replace("mean", "flatten"))
    code, out, err = told(capsys, *kept, "--network", "pooled.toml", "--resume")
    assert (code, out) == (2, "")
    assert "of another request" in err


def test_what_is_too_large_is_refused() -> None:
    layers = [Conv(kernel=3), Conv(kernel=3)]
    network = Network(width=4, activation="tanh", layers=layers, shape=(1, 40))
    with pytest.raises(LimitError, match=r"V of 80 labels \(input, position\) have .*try fewer inputs, pool"):
        nf.sample(network, np.ones((2, 1, 40)), ["V"], networks=64)
    wide = Network(width=4096, activation="tanh", layers=[Conv(), Conv(), Dense(pool="mean")], shape=(1, 40))
    with pytest.raises(LimitError, match=r"width 4096 with 2 inputs needs .* bytes.*a stride, pool = 'mean'"):
        nf.sample(wide, np.ones((2, 1, 40)), ["B"], networks=64)
