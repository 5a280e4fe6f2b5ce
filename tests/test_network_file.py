"""Networks with layers of their own: TOML files, records, and what is refused (interface, second part)."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from time import process_time

import jsonschema
import numpy as np
import pytest

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.model.sharing import axis_reads

SCHEMAS = Path(nf.__file__).parent / "schemas"
HEAD = "input.shape = [2, 4]\n"
CONV = '[[layer]]\nkind = "conv"\nwidth = 8\nactivation = "tanh"\n'
LAST = CONV.replace('activation = "tanh"\n', "")
POOL = '[[layer]]\nkind = "dense"\npool = "mean"\n'
X = np.random.default_rng(1).normal(size=(2, 2, 4))


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("x.json").write_text(json.dumps(X.tolist()))
    Path("v.json").write_text("[[1, 0.5, 0.1], [0.2, 1, -0.3]]")
    Path("nan.json").write_text("[[1, NaN], [0, 1]]")
    Path("number.json").write_text("3")
    Path("edges.csv").write_text("0,1\n1,2\n2,3\n")
    np.save("big.npy", np.zeros((5000, 5000), dtype=np.int8))
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


PLAIN = ("--depth", "3", "--width", "16:8", "--activation", "gelu:tanh", "--cw", "1.5:1:2", "--cb", "0.1")
DENSE = """
input.shape = [3]
[[layer]]
kind = "dense"
width = 16
activation = "gelu"
cw = 1.5
[[layer]]
kind = "dense"
width = 8
activation = "tanh"
[[layer]]
kind = "dense"
width = 2
cw = 2
"""


@pytest.mark.parametrize("command", [("evaluate", "K", "V", "Theta@1"), ("sample", "K", "V", "--networks", "64")])
def test_a_dense_network_equals_the_plain_options(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.toml").write_text(DENSE)
    rest = ("--inputs", "v.json", "--format", "json")
    plain = run(capsys, *command, *PLAIN, *rest)
    file = run(capsys, *command, "--network", "net.toml", "--cb", "0.1", *rest)
    assert plain == file
    assert plain[0] == 0


def test_a_file_is_the_network_of_its_layers(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.toml").write_text(HEAD + CONV + "kernel = 3\ncw = 1.3\n" + POOL)
    code, out, _ = run(capsys, "evaluate", "--network", "net.toml", "--inputs", "x.json", "Theta", "--format", "json")
    assert code == 0
    layers = [nf.Conv(kernel=3, width=8, activation="tanh", cw=1.3), nf.Dense(pool="mean")]
    ours = nf.evaluate(nf.Network(layers=layers, shape=(2, 4)), X, "Theta").to_json()
    assert json.loads(out) == json.loads(json.dumps(ours))
    document = json.loads(out)
    jsonschema.validate(document, json.loads((SCHEMAS / "tensors-1.schema.json").read_text()))
    assert list(document["data"]["width-8"]) == ["layer-2"]
    assert document["meta"]["layers"][0] == {
        "kind": "conv", "kernel": 3, "stride": 1, "dilation": 1, "padding": "circular"
    }  # fmt: skip


def test_what_a_file_leaves_open_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.toml").write_text(HEAD + '[[layer]]\nkind = "conv"\n' + POOL)
    rest = ("evaluate", "--network", "net.toml", "--inputs", "x.json", "K", "--format", "json")
    code, out, _ = run(capsys, *rest, "--activation", "erf", "--width", "8,16", "--cw", "1:2")
    assert code == 0
    assert list(json.loads(out)["data"]) == ["width-8", "width-16"]
    network = nf.Network(layers=[nf.Conv(), nf.Dense(pool="mean")], shape=(2, 4), width=8, activation="erf", cw=(1, 2))
    expected = nf.evaluate(network, X, "K").to_json()["data"]["width-8"]
    assert json.loads(out)["data"]["width-8"] == expected
    code, out, err = run(capsys, *rest, "--width", "8")
    assert (code, out) == (2, "")
    assert "no activation was given" in err


BAD = {
    "unknown kind": (HEAD + '[[layer]]\nkind = "cnv"\n' + POOL, "layer 1: unknown kind 'cnv'"),
    "residual": (HEAD + '[[layer]]\nkind = "residual"\n' + POOL, "layer 1: kind 'residual' cannot be derived"),
    "recurrent": (HEAD + CONV + '[[layer]]\nkind = "recurrent"\n', "layer 2: kind 'recurrent' cannot be derived"),
    "no kind": (HEAD + "[[layer]]\nwidth = 3\n", "layer 1 has no kind"),
    "kernel": (HEAD + CONV + 'kernel = 5\npadding = "valid"\n' + POOL, "layer 1 (conv): a kernel that reaches over 5"),
    "circle": (HEAD + CONV + "kernel = 3\ndilation = 2\n" + POOL, "reaches over 5 of 4 positions"),
    "no pool": (HEAD + CONV + '[[layer]]\nkind = "dense"\n', "layer 2 (dense): a dense layer on 4 positions without"),
    "pool of nothing": (
        HEAD + CONV + CONV.replace("conv", "dense") + 'pool = "mean"\n' + POOL,
        "layer 3 (dense): pool 'mean' was asked for",
    ),
    "two axes": (HEAD + CONV + "kernel = [2, 3]\n" + POOL, "layer 1 (conv): kernel [2, 3] was asked for on 1 axis"),
    "conv on vectors": ("input.shape = [3]\n" + CONV + POOL, "layer 1 (conv): a convolution on no positions"),
    "conv above pool": (
        HEAD + CONV + POOL + 'width = 8\nactivation = "tanh"\n' + LAST,
        "layer 3 (conv): a convolution on no positions",
    ),
    "half open": (HEAD + CONV + POOL + CONV, "layer 2 (dense) has no width"),
    "nodes": (HEAD + '[[layer]]\nkind = "graph"\nmatrix = "v.json"\n' + POOL, "layer 1 (graph): a graph matrix of"),
    "nan": (HEAD + '[[layer]]\nkind = "graph"\nmatrix = "nan.json"\n' + POOL, "layer 1 (graph)"),
    "large": (HEAD + '[[layer]]\nkind = "graph"\nmatrix = "big.npy"\n' + POOL, "layer 1 (graph): a graph of 5000"),
    "edge": (
        'input.shape = [1, 3]\n[[layer]]\nwidth = 2\nkind = "graph"\nedges = "edges.csv"\n' + POOL,
        "layer 1 (graph): an edge to node 3",
    ),
    "both": (HEAD + '[[layer]]\nkind = "graph"\n' + POOL, "layer 1 (graph): matrix and edges"),
    "key": (HEAD + CONV + "kernl = 3\n" + POOL, "layer 1 (conv): unknown key 'kernl'"),
    "kind of value": (HEAD + CONV + 'cw = "2"\n' + POOL, "layer 1 (conv): cw = 2"),
    "padding": (HEAD + CONV + 'padding = "same"\n' + POOL, "layer 1 (conv): padding 'same'"),
    "shape": ("input.shape = [0, 4]\n" + CONV + POOL, "an input of shape [0, 4]"),
    "no shape": (CONV + POOL, "no shape"),
    "no layers": (HEAD, "no layers"),
    "axes": ("input.shape = [1, 2, 2, 2]\n" + CONV + POOL, "an input of shape [1, 2, 2, 2]"),
    "not toml": ("[[layer", "is not TOML"),
    "orthogonal": (HEAD + CONV + '[[layer]]\nkind = "conv"\nweights = "orthogonal"\n' + POOL, "layer 2"),
    "width": (HEAD + CONV.replace("8", "0") + POOL, "layer 1 (conv): width 0"),
    "width of the output": (HEAD + CONV + POOL + "width = -2\n", "layer 2 (dense): width -2"),
    "coupling": (HEAD + CONV + "cw = -1\n" + POOL, "layer 1 (conv): --cw -1"),
    "no activation": (HEAD + CONV.replace("tanh", "tnh") + POOL, "layer 1 (conv): the activation 'tnh'"),
    "activation of the output": (HEAD + CONV + CONV, "layer 2 (conv): the output layer has the activation 'tanh'"),
    "activation of the output alone": (HEAD + LAST + CONV, "no activation was given"),
    "number": (
        HEAD + '[[layer]]\nkind = "graph"\nmatrix = "number.json"\n' + POOL,
        "layer 1 (graph): 'number.json' does not hold numbers in rows",
    ),
    "no nodes": (
        HEAD + '[[layer]]\nkind = "graph"\nedges = "edges.csv"\nnodes = 0\n' + POOL,
        "a graph of 0 nodes on 4 positions",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text, message = BAD[name]
    Path("net.toml").write_text(text)
    before = sorted(Path().iterdir())
    rest = ("--activation", "tanh") if "activation" not in text else ()
    rest += ("--width", "8") if "width" not in text else ()
    for command in ("evaluate", "sample"):
        code, out, err = run(
            capsys, command, "--network", "net.toml", "--inputs", "x.json", "K", "--json", "o.json", *rest
        )
        assert (code, out) == (2, ""), err
        assert message in err
        assert err.count("\n") == 1
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--cw", "2"), "--cw was given"),
        (("--depth", "2"), "--depth was given"),
        (("--width", "9"), "--width was given"),
        (("--inputs", "v.json"), "inputs of shape (2, 3)"),
        (("--components", "1:2-1:2"), "components '1:2-1:2'"),
        (("--gram", "v.json"), "inputs were given twice"),
    ],
)
def test_options_that_do_not_fit(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.toml").write_text(HEAD + CONV + "cw = 1.5\n" + POOL)
    inputs = () if "v.json" in arguments and "--gram" not in arguments else ("--inputs", "x.json")
    code, out, err = run(capsys, "evaluate", "--network", "net.toml", *inputs, "K", *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_components_of_an_output_with_positions(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.toml").write_text(HEAD + CONV + LAST)
    call = ("evaluate", "--network", "net.toml", "--inputs", "x.json", "K", "--format", "json", "--components")
    code, out, _ = run(capsys, *call, "1:3-2:4")
    assert code == 0
    [layer] = json.loads(out)["data"]["width-8"].values()
    assert list(layer["K@0"]) == ["1:3-2:4"]
    for wrong in ("1-2", "1:5-1:1", "3:1-1:1"):
        assert run(capsys, *call, wrong)[0] == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nf.Network(layers=[nf.Conv(width=np.int64(8)), nf.Dense(pool="mean")], shape=(2, 4)),
            "layer 1 .conv.: ",
        ),
        (lambda: nf.Network(layers=[nf.Conv(), nf.Dense(pool="mean")], shape=np.array([0, 4])), "an input of shape"),
        (lambda: nf.Network(layers=[nf.Conv(), nf.Dense(pool="mean")], shape=3), "layer 1 .conv.: a convolution on no"),
        (lambda: nf.Network(2, 8, "gelu", shape=0, layers=[nf.Dense()]), "depth 2 and 1 layers"),
        (lambda: nf.Graph(edges=iter([(0, 1, 2)])), "no pairs of nodes"),
        (lambda: nf.evaluate(nf.Network(2, 8), [[1e-170, 0]], ["K"]), "the inputs are too small"),
    ],
)
def test_python_is_refused_as_files_are(make: Callable[[], object], message: str) -> None:
    with pytest.raises(nf.NtkfeynError, match=message):
        make()


def test_samples_are_counted_first(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.toml").write_text(HEAD + CONV + POOL)
    for samples in ("0", "100000000000"):
        code, out, err = run(capsys, "network", "net.toml", "K", "--samples", samples)
        assert (code, out) == (2, "")
        assert f"{samples} samples were asked for" in err


def test_network_describes(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.toml").write_text(HEAD + CONV + "kernel = 2\nstride = 2\ncb = 0.5\n" + POOL)
    code, out, _ = run(capsys, "network", "net.toml", "Theta", "V", "--format", "json")
    assert code == 0
    document = json.loads(out)
    jsonschema.validate(document, json.loads((SCHEMAS / "network-1.schema.json").read_text()))
    first, last = document["layers"]
    assert (first["positions"], first["weights"], first["biases"]) == (2, 2 * 2 * 8, 8)
    assert (last["positions"], last["weights"], last["biases"]) == (1, 8, 0)
    [work] = document["work"]
    assert (work["labels"], work["sets"]) == (4, [4, 6, 4, 1])
    assert run(capsys, "network", "net.toml", "Theta", "V")[1].startswith("input: 2 x 4 (2 inputs)\nlayer  kind")
    Path("net.toml").write_text(HEAD + '[[layer]]\nkind = "conv"\n' + POOL)
    assert run(capsys, "network", "net.toml", "K", "--inputs", "x.json")[0] == 0
    Path("net.toml").write_text("input.shape = [1, 32, 32]\n" + CONV + CONV + POOL)
    code, out, _ = run(capsys, "network", "net.toml", "V")
    assert code == 0
    assert "evaluate would refuse: V" in out
    Path("net.toml").write_text(HEAD + 2 * '[[layer]]\nkind = "conv"\n' + POOL)
    assert (
        "stand-ins, as neither the file nor an option sets them: activation gelu, width 1"
        in run(capsys, "network", "net.toml", "K")[1]
    )
    code, out, _ = run(capsys, "network", "net.toml", "K", "--activation", "erf", "--format", "json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads((SCHEMAS / "network-1.schema.json").read_text()))
    assert (document["layers"][0]["activation"], document["stand_ins"]) == ("erf", {"width": "1"})
    assert run(capsys, "network", "none.toml")[0] == 2


def test_too_many_components_are_refused_by_counting(capsys: pytest.CaptureFixture[str]) -> None:
    """Not by listing 64^4 tuples for each of six components: a bound from the label pairs alone is above the limit."""
    Path("net.toml").write_text("input.shape = [1, 8, 8]\n" + CONV + CONV + POOL)
    start = process_time()
    assert "evaluate would refuse: V needs 12582912 components" in run(capsys, "network", "net.toml", "V")[1]
    assert process_time() - start < 10  # listing them takes 15


def test_positions_that_are_read() -> None:
    """As XLA pads: SAME, WRAP and VALID of neural-tangents."""
    assert axis_reads(4, 3, 1, 1, "zero").reads == ((None, 0, 1), (0, 1, 2), (1, 2, 3), (2, 3, None))
    assert axis_reads(4, 3, 2, 1, "zero").reads == ((0, 1, 2), (2, 3, None))
    assert axis_reads(4, 3, 1, 1, "circular").reads == ((3, 0, 1), (0, 1, 2), (1, 2, 3), (2, 3, 0))
    assert axis_reads(5, 3, 2, 2, "valid").reads == ((0, 2, 4),)
    assert axis_reads(3, 4, 1, 1, "zero").reads == ((None, 0, 1, 2), (0, 1, 2, None), (1, 2, None, None))


def test_graphs() -> None:
    from scipy.sparse import coo_array

    half = Fraction(1, 2)
    dense = nf.Graph(matrix=[[0.5, 0.5], [0, 1]])
    sparse = nf.Graph(matrix=coo_array(([0.5, 0.5, 1.0], ([0, 0, 1], [1, 0, 1])), shape=(2, 2)))
    assert dense.matrix == sparse.matrix == (((0, half), (1, half)), ((1, Fraction(1)),))
    rows = nf.Graph(edges=[(1, 0)], normalisation="row").onto((2,))[0]
    assert rows is not None
    assert rows.maps[0].rows == (((0, half), (1, half)),) * 2
    assert nf.Graph(edges=[(0, 1)]).onto((2,))[0] == nf.Graph(edges=np.array([[1, 0]])).onto((2,))[0]
