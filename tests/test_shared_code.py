"""Emitted Python and JAX for weights shared over positions: the averaging operator, and modules of one network."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from oracles import averaged
from oracles.averaged import Array

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.model.layers import Conv, Dense, Graph, LayerSpec
from ntkfeyn.model.network import Network

COUPLINGS = {
    "C_W": [1.3, 0.9, 1.2], "lambda_W": [1.1, 0.8, 1.4], "C_b": [0.2, 0.3, 0.1], "lambda_b": [0.3, 0.1, 0.2],
}  # fmt: skip
KEYS = {"K@0": "K", "Theta@0": "Theta", "V@1": "V", "D@1": "D", "F@1": "F", "K@1": "K1", "Theta@1": "Theta1"}
ZERO_PADDED = Conv(kernel=3, padding="zero")
PATH = Graph(edges=[(0, 1), (1, 2)], normalisation="row")
SIGNED = Graph(matrix=[[0.5, -1.0, 0.0], [0.2, 0.4, 0.0], [0.0, 0.3, -0.6]])
NETWORKS: dict[str, list[LayerSpec]] = {
    "convolutions, mean": [ZERO_PADDED, Conv(kernel=2), Dense(pool="mean")],
    "stride, flatten": [Conv(kernel=2), Conv(kernel=2, stride=2), Dense(pool="flatten")],
    "graph": [SIGNED, PATH, Dense(pool="mean")],
}
RNG = np.random.default_rng(18)
INPUTS = RNG.normal(size=(2, 2, 3))  # inputs, channels, positions


def polynomial(z: Array) -> list[Array]:
    """0.2 + z + z^2/2"""
    return [0.2 + z + z * z / 2, 1 + z, np.ones_like(z), *(np.zeros_like(z) for _ in range(4))]


def table(z: Any, top: int) -> list[Any]:
    return [0.2 + z + z * z / 2, 1 + z, 1 + 0 * z, *(0 * z for _ in range(top))][: top + 1]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def network(layers: list[LayerSpec], **given: Any) -> Network:
    rest = {"width": (8, 5), "activation": "0.2 + z + z**2/2", **given}
    names = {"cw": "C_W", "lambda_w": "lambda_W", "cb": "C_b", "lambda_b": "lambda_b"}
    return Network(layers=layers, shape=(2, 3), **{n: COUPLINGS[c] for n, c in names.items()}, **rest)


def dense_maps(layers: list[LayerSpec], inputs: int) -> list[list[tuple[float, Array]]]:
    """(w_t, M^t) over labels of so many inputs, for every layer."""
    found = []
    for layer in network(layers).layers:
        assert layer.sharing is not None
        sharing, maps = layer.sharing.over(inputs), []
        for one in sharing.maps:
            matrix = np.zeros((sharing.above, sharing.below))
            for a, row in enumerate(one.rows):
                for b, m in row:
                    matrix[a, b] = m
            maps.append((float(one.weight), matrix))
        found.append(maps)
    return found


def by_hand(layers: list[LayerSpec]) -> list[dict[str, Array]]:
    vectors = np.moveaxis(INPUTS, 1, 2).reshape(6, 2)
    operators = [averaged.operator(maps) for maps in dense_maps(layers, 2)]
    return averaged.solve(vectors @ vectors.T / 2, [polynomial] * 2, operators, [8, 5], COUPLINGS)


def difference(ours: list[dict[str, Any]], exact: list[dict[str, Array]]) -> float:
    """The largest, relative to each tensor's largest component at its layer."""
    off = 0.0
    for a, b in zip(ours, exact, strict=True):
        for key, name in KEYS.items():
            found = np.asarray(a[key])
            assert found.shape == b[name].shape
            off = max(off, float(np.max(np.abs(found - b[name])) / max(np.max(np.abs(b[name])), 1e-3)))
    return off


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    [path] = nf.emit(["Theta@1"], lang="python", directory=tmp_path_factory.mktemp("shared"), shared=True)
    assert path.name == "shared_Theta_1.py"
    return load(path)


def rule(nodes: int = 5) -> tuple[Array, Array]:
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    return x, w / w.sum()


def solved(module: ModuleType, layers: list[LayerSpec], **given: Any) -> list[dict[str, Any]]:
    arguments = {"depth": 3, "widths": [8, 5], "activation": table, "rule": rule(), **COUPLINGS, **given}
    found: list[dict[str, Any]] = module.solve(INPUTS, averaging=dense_maps(layers, 1), **arguments)
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_emitted_python_equals_recursions_by_hand(name: str, module: ModuleType) -> None:
    layers = NETWORKS[name]
    exact = by_hand(layers)
    assert difference(solved(module, layers), exact) < 1e-10
    gram = np.einsum("xap,yaq->xpyq", INPUTS, INPUTS).reshape(6, 6) / 2
    arguments = {"depth": 3, "widths": [8, 5], "activation": table, "rule": rule(), **COUPLINGS}
    whole = module.solve(gram=gram, averaging=dense_maps(layers, 2), **arguments)  # the maps of all labels
    assert difference(whole, exact) < 1e-10
    assert min(np.max(np.abs(exact[-1][one])) for one in KEYS.values()) > 1e-3


@pytest.mark.parametrize("name", NETWORKS)
def test_every_tensor_equals_what_evaluate_gives(name: str, tmp_path: Path) -> None:
    given = network(NETWORKS[name])
    [path] = nf.emit(lang="python", directory=tmp_path, network=given)
    found = load(path).solve(INPUTS, rule=rule())[-1]
    theirs = nf.evaluate(given, INPUTS, list(found))
    assert len(found) == 15
    for key, tensor in found.items():
        values = [theirs.value(key, [a + 1 for a in index])[0] for index in np.ndindex(tensor.shape)]
        assert np.max(np.abs(tensor.ravel() - values)) < 1e-10 * np.max(np.abs(tensor)), key


def test_averaging_one_pair_only_is_noticed(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    right, layers = module.averaged, [ZERO_PADDED, Conv(kernel=2), PATH]  # as many labels everywhere
    assert difference(solved(module, layers), by_hand(layers)) < 1e-10
    monkeypatch.setattr(module, "averaged", lambda tensor, channel, maps: right(tensor, channel[:1], maps))
    assert difference(solved(module, layers), by_hand(layers)) > 1e-3


def test_without_averaging_it_is_the_plain_module(module: ModuleType, tmp_path: Path) -> None:
    [path] = nf.emit(["Theta@1"], lang="python", directory=tmp_path)
    plain, arguments = load(path), {"depth": 3, "widths": [8, 5], "activation": ["gelu", "tanh"], **COUPLINGS}
    inputs = INPUTS[0].T[:2]
    ours, errors = module.solve_with_errors(inputs, tolerance=1e-5, **arguments)
    theirs, _ = plain.solve_with_errors(inputs, tolerance=1e-5, **arguments)
    for a, b in zip(ours, theirs, strict=True):
        assert all(np.allclose(a[key], b[key], rtol=1e-13, atol=1e-15) for key in KEYS)
    assert 0 < errors[-1]["Theta@1"] < 1e-5


def test_a_module_of_one_network(module: ModuleType, tmp_path: Path) -> None:
    """The command line has everything but the inputs, and says by how much it may be off."""
    layers: list[LayerSpec] = [
        Conv(kernel=2, width=8, activation="tanh", cw=1.2), Dense(pool="mean", cb=0.2, lambda_b=0.1),
    ]  # fmt: skip
    given = Network(layers=layers, shape=(2, 2))
    [path] = nf.emit(["Theta@1", "V"], lang="python", directory=tmp_path, network=given)
    inputs = INPUTS[:1, :, :2]
    (tmp_path / "x.json").write_text(json.dumps(inputs.tolist()))
    command = [sys.executable, str(path), str(tmp_path / "x.json"), "--tolerance", "1e-5", "--tensor", "V@1"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    printed = json.loads(run.stdout)[-1]
    arguments = {"C_W": [1.2, 1.0], "C_b": [0.0, 0.2], "lambda_b": [0.0, 0.1], "activation": "tanh", "widths": 8}
    maps = [[(0.5, [[1, 0], [0, 1]]), (0.5, [[0, 1], [1, 0]])], [(1.0, [[0.5, 0.5]])]]
    fine = module.solve(inputs, depth=2, averaging=maps, rule=module.trapezoid(300, 9.0), **arguments)[-1]
    off = np.max(np.abs(np.array(printed["V@1"]) - fine["V@1"]))
    assert np.shape(printed["V@1"]) == (1,) * 4
    assert off <= printed["errors"]["V@1"] < 1e-5
    for wrong in ("[[1, 2], [3, 4]]", "[[[1, 2, 3], [1, 2, 3]]]", "[]"):
        (tmp_path / "x.json").write_text(wrong)
        bad = subprocess.run(command, capture_output=True, text=True)
        assert bad.returncode == 2
        assert "inputs must be a list of arrays of shape (2, 2)" in bad.stderr


def test_a_network_has_polynomials_and_every_kind_of_layer(tmp_path: Path) -> None:
    for name, layers in NETWORKS.items():
        [path] = nf.emit(["Theta@1"], lang="python", directory=tmp_path, network=network(layers))
        own = load(path)
        assert difference(own.solve(INPUTS, rule=rule()), by_hand(layers)) < 1e-10, name
    [path] = nf.emit(["V"], lang="python", directory=tmp_path, network=Network(3, (8, 5), "gelu"))
    found = load(path).solve([[1.0, 0.5]], rule=rule(20))[-1]["V@1"]
    [path] = nf.emit(["V"], lang="python", directory=tmp_path)
    assert np.array_equal(found, load(path).solve([[1.0, 0.5]], 3, [8, 5], "gelu", rule=rule(20))[-1]["V@1"])


def test_the_command_line_reads_maps(module: ModuleType, tmp_path: Path) -> None:
    maps = [None, [[1.0, [[0.5, 0.5]]]]]
    (tmp_path / "x.json").write_text("[[1, 0.5], [0.2, 1]]")  # two labels
    (tmp_path / "maps.json").write_text(json.dumps(maps))
    rest = ["--depth", "2", "--width", "8", "--activation", "tanh", "--nodes", "12", "--tensor", "K@0"]
    files = ["--inputs", str(tmp_path / "x.json"), "--averaging", str(tmp_path / "maps.json")]
    run = subprocess.run([sys.executable, str(module.__file__), *files, *rest], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    one = module.solve([[1, 0.5], [0.2, 1]], 2, 8, "tanh", rule=module.trapezoid(12), averaging=maps)
    assert json.loads(run.stdout)[-1]["K@0"] == one[-1]["K@0"].tolist()
    assert one[-1]["K@0"].shape == (1, 1)


def test_errors_know_what_averaging_cancels(module: ModuleType) -> None:
    """Differences of equal positions are nothing but rounding, which is no reason to go on for ever."""
    inputs = np.repeat(INPUTS[:1, :, :1], 2, axis=2) * [1.0, 1.0 + 1e-12]
    maps = [None, [(1.0, [[0.6, -0.6]])]]
    layers, errors = module.solve_with_errors(inputs, depth=2, activation="tanh", averaging=maps, tolerance=1e-6)
    for key, value in layers[-1].items():
        assert np.max(np.abs(value)) <= errors[-1][key] < 1e-11, key


@pytest.mark.parametrize(
    ("averaging", "message"),
    [
        ([None], "a list of 2"), ("ab", "a list of 2"), (3, "a list of 2"),
        ([None, [1.0]], "layer 2"), ([[], None], "layer 1"),
        ([None, [(1.0, [1.0, 2.0])]], "one shape"), ([None, [(1.0, [[0.5] * 2]), (1.0, [[0.5] * 3])]], "one shape"),
        ([None, [(-1.0, [[0.5, 0.5]])]], "from 0 up"), ([None, [(float("nan"), [[0.5, 0.5]])]], "from 0 up"),
        ([None, [(1.0, [[0.5, float("inf")]])]], "layer 2 has a matrix"), ([None, [("a", [[0.5]])]], "layer 2 must be"),
        ([[(1.0, [[1.0, 1.0, 1.0, 1.0]])], None], "layer 1 is on 4 positions, and 6 labels"),
        ([[(1.0, [[1.0, 1.0, 1.0]])], [(1.0, [[1.0, 1.0, 1.0]])]], "layer 2 is on 3 positions, and 2 labels"),
        ([[(1.0, [[1.0]] * 300)], None], "1800 labels make tensors that are too large"),
    ],
)  # fmt: skip
def test_maps_that_are_none_are_refused(averaging: Any, message: str, module: ModuleType) -> None:
    with pytest.raises(ValueError, match=message):
        module.solve(INPUTS, depth=2, averaging=averaging)


@pytest.mark.parametrize(
    ("lang", "network_", "message"),
    [
        ("c", None, "--lang c was asked for with weights shared over labels"),
        ("c", {}, "--lang c was asked for with a network"), ("latex", {}, "python, jax are allowed"),
        ("python", {"activation": "leaky_relu(0.1)"}, "leaky_relu"), ("jax", {"activation": "exp(z)"}, "polynomials"),
    ],
)  # fmt: skip
def test_what_cannot_be_emitted_is_refused(
    lang: str, network_: dict[str, Any] | None, message: str, tmp_path: Path
) -> None:
    given = None if network_ is None else network(NETWORKS["graph"], **network_)
    with pytest.raises(nf.NtkfeynError, match=message):
        nf.emit("F", lang=lang, directory=tmp_path / "out", shared=True, network=given)
    with pytest.raises(nf.NtkfeynError, match="orthogonal"):
        nf.emit("F", lang="python", directory=tmp_path / "out", network=Network(3, 8, "gelu", weights="orthogonal"))
    assert not (tmp_path / "out").exists()


def test_emit_reads_a_network_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = '[input]\nshape = [2, 3]\n[[layer]]\nkind = "conv"\nwidth = 8\n%s\n'
    text += '[[layer]]\nkind = "dense"\npool = "mean"\n'
    (tmp_path / "good.toml").write_text(text % 'activation = "gelu"')
    (tmp_path / "bad.toml").write_text(text % "")
    command = ["emit", "--lang", "python", "V", "-o", str(tmp_path / "out"), "--network"]
    with pytest.raises(SystemExit) as caught:
        main([*command, str(tmp_path / "bad.toml")])
    assert caught.value.code == 2
    assert "has no activation" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    with pytest.raises(SystemExit) as caught:
        main([*command, str(tmp_path / "good.toml")])
    assert caught.value.code == 0
    own = load(Path(capsys.readouterr().out.strip()))
    assert own.NETWORK["shape"] == (2, 3)
    assert own.solve(INPUTS, rule=rule(8))[-1]["V@1"].shape == (2,) * 4


def test_jax_equals_numpy_and_differentiates(module: ModuleType, tmp_path: Path) -> None:
    jax = pytest.importorskip("jax")
    layers: list[LayerSpec] = [Conv(kernel=2, width=8), Dense(pool="flatten")]
    given = Network(layers=layers, shape=(2, 2), activation="tanh", cb=0.1)
    [path] = nf.emit(["Theta@1"], lang="jax", directory=tmp_path, network=given)
    fast, inputs, nodes = load(path), INPUTS[:1, :, :2], module.trapezoid(10)
    [path] = nf.emit(["Theta@1"], lang="python", directory=tmp_path, network=given)
    plain = load(path).solve(inputs, rule=nodes)

    def last(x: Any) -> Any:
        layers_ = fast.solve(x, rule=nodes)
        return layers_[-1]["Theta@1"][0, 0], layers_

    (_, ours), found = jax.jit(jax.value_and_grad(last, has_aux=True))(inputs)
    for a, b in zip(ours, plain, strict=True):
        assert all(np.allclose(a[key], b[key], rtol=1e-11, atol=1e-13) for key in KEYS)
    slope, step = np.asarray(found), np.zeros_like(inputs)
    assert slope.shape == inputs.shape
    step[0, 1, 0] = h = 1e-5
    sides = [load(path).solve(inputs + sign * step, rule=nodes)[-1]["Theta@1"][0, 0] for sign in (1, -1)]
    assert slope[0, 1, 0] == pytest.approx((sides[0] - sides[1]) / (2 * h), rel=1e-6)


def test_what_is_emitted_is_tidy(tmp_path: Path) -> None:
    paths = [nf.emit(["Theta@1"], lang=lang, directory=tmp_path, shared=True)[0] for lang in ("python", "jax")]
    given = network(NETWORKS["convolutions, mean"])
    paths += nf.emit(["Theta@1"], lang="python", directory=tmp_path, network=given)
    paths += nf.emit(["F"], lang="jax", directory=tmp_path, network=Network(3, 8, "gelu"))
    assert max(len(line) for path in paths for line in path.read_text().splitlines()) <= 100
    for command in (["format", "--check"], ["check", "--select", "E,F,W,B,UP", "--ignore", "E501"]):
        options = ["--isolated", "--line-length", "100", *map(str, paths)]
        run = subprocess.run([sys.executable, "-m", "ruff", *command, *options], capture_output=True)
        assert run.returncode == 0, run.stdout.decode()
