"""Weights shared over labels: the judge against networks written out, and recursions under A against the judge.

A selection: the whole survey is tests/long_checks.py, its certificates outputs/convolution/certificates.json.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product
from pathlib import Path

import jsonschema
import pytest
from oracles.shared import ExplicitSharedNetwork, Matrix
from survey import SHARED_NETWORKS
from test_exact import COUPLINGS, NO_BIAS, QUADRATIC, at_width, explicit_cumulant

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.judge.exact import ExactNetwork
from ntkfeyn.judge.networks import exact_network
from ntkfeyn.judge.setting import Maps, Setting
from ntkfeyn.judge.shared import SharedNetwork
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.layers import Conv, Dense
from ntkfeyn.model.network import Network
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.verification import averages, derived
from ntkfeyn.verification import certify as certify_module
from ntkfeyn.verification.averages import averaged, operator, unaveraged
from ntkfeyn.verification.certificates import certificate_json, certificate_text
from ntkfeyn.verification.certify import Certificate, certify, random_setting, slots_of
from ntkfeyn.verification.citations import read_certificates
from ntkfeyn.verification.networks import network_setting

SEVEN = ("K", "Theta", "V", "D", "F", "A", "B")
SQUARE = (Fraction(0), Fraction(1, 2), Fraction(1))
OUTPUTS = Path(__file__).parent.parent / "outputs"
SCHEMAS = Path(nf.__file__).parent / "schemas"
LABELS = [[Fraction(1)], [Fraction(-2, 3)]]  # the input that layer 1 has at each of its two labels


def matrix(*rows: Sequence[float]) -> Matrix:
    return [[Fraction(x) for x in row] for row in rows]


CONV = [(Fraction(2, 3), matrix((0, 1), (1, 0))), (Fraction(1, 3), matrix((1, 0), (0, 1.5)))]
POOL = [(Fraction(1), matrix((0.5, 0.5)))]
FLATTEN = [(Fraction(1, 2), matrix((1, 0))), (Fraction(1, 2), matrix((0, 1)))]
GRAPH = [(Fraction(1), matrix((1, 0.5), (0, -2)))]
PADDED = [(Fraction(1, 2), matrix((0, 1), (0, 0))), (Fraction(1, 2), matrix((1, 0), (0, 1)))]


def sparse(maps: Sequence[tuple[Fraction, Matrix]] | None) -> Maps:
    return tuple(
        (weight, tuple(tuple((b, x) for b, x in enumerate(row) if x) for row in rows)) for weight, rows in maps or ()
    )


def shared(couplings: dict[str, Fraction], *maps, activation=QUADRATIC, **rest: object) -> Setting:  # type: ignore[no-untyped-def]
    def kernel(constant: str, slope: str) -> tuple:
        rows = [[couplings[constant] + couplings[slope] * a[0] * b[0] for b in LABELS] for a in LABELS]
        return tuple(tuple((value,) for value in row) for row in rows)

    sharing = tuple(map(sparse, maps))
    kernels = kernel("C_b", "C_W"), kernel("lambda_b", "lambda_W")
    return Setting((activation,), *kernels, **couplings, sharing=sharing, **rest)  # type: ignore[arg-type]


def written_out(name: str, samples: tuple[int, ...], widths: list[int], couplings, *maps, activation=QUADRATIC):  # type: ignore[no-untyped-def]
    network = ExplicitSharedNetwork(widths, LABELS, activation, maps, **couplings)
    return explicit_cumulant(name, network, samples)


# --- the judge ---


@pytest.mark.parametrize("name", NAMES)
def test_two_hidden_neurons_written_out(name: str) -> None:
    """Layer 2, width 2, biases, a convolution with unequal shares: not an expansion but the number itself."""
    shape = standard(name)
    samples = (0, 1, 0, 0)[: len(shape.labels)]
    exact = SharedNetwork(shared(COUPLINGS, CONV), 9).cumulant(2, slots_of(shape, samples))
    value = at_width(exact, 2)
    assert value == written_out(name, samples, [1, 2, 2], COUPLINGS, CONV)
    assert value


@pytest.mark.parametrize("maps", [POOL, FLATTEN, GRAPH, PADDED], ids=["pool", "flatten", "graph", "padded"])
@pytest.mark.parametrize("name", ["Theta", "D", "F", "A", "B", "Q", "T"])
def test_other_maps_written_out(name: str, maps: list) -> None:  # type: ignore[type-arg]
    shape = standard(name)
    last = len(maps[0][1]) - 1
    samples = tuple(min(a, last) for a in (0, 1, 1, 0))[: len(shape.labels)]
    exact = SharedNetwork(shared(NO_BIAS, maps, activation=SQUARE), 9).cumulant(2, slots_of(shape, samples))
    assert at_width(exact, 2) == written_out(name, samples, [1, 2, 2], NO_BIAS, maps, activation=SQUARE)


DEEP = [
    *((name, (CONV, POOL)) for name in ("K", "Theta", "V", "D", "F")),
    *((name, (GRAPH, CONV)) for name in ("K", "Theta", "V", "A")),
    *((name, (None, CONV)) for name in ("Theta", "B", "P")),
    *((name, (CONV, None)) for name in ("Theta", "D", "Q")),
]


@pytest.mark.parametrize(("name", "maps"), DEEP)
def test_three_layers_of_one_neuron_written_out(name: str, maps: tuple) -> None:  # type: ignore[type-arg]
    """Layer 3 on hidden widths 1 and 1, dense layers below or above shared ones too."""
    shape = standard(name)
    samples = (0, 0, 0, 0) if maps[1] is POOL else (0, 1, 1, 0)
    samples = samples[: len(shape.labels)]
    exact = SharedNetwork(shared(NO_BIAS, *maps), 18).cumulant(3, slots_of(shape, samples))
    assert at_width(exact, 1) == written_out(name, samples, [1, 1, 1, 2], NO_BIAS, *maps)


@pytest.mark.parametrize("name", ["K", "Theta"])
@pytest.mark.parametrize("widths", [(2, 1), (1, 2)])
def test_three_layers_of_unequal_widths_written_out(name: str, widths: tuple[int, int]) -> None:
    setting = shared(NO_BIAS, CONV, POOL, activation=SQUARE, widths=widths)
    exact = SharedNetwork(setting, 12).cumulant(3, slots_of(standard(name), (0, 0)))
    assert at_width(exact, 1) == written_out(name, (0, 0), [1, *widths, 1], NO_BIAS, CONV, POOL, activation=SQUARE)


def test_a_wrong_share_entry_or_pairing_would_be_seen() -> None:
    samples = (0, 1, 0, 0)
    slots = slots_of(standard("F"), samples)
    value = written_out("F", samples, [1, 2, 2], COUPLINGS, CONV)
    (first, a), (second, b) = CONV
    for wrong in ([(second, a), (first, b)], [(first, a), (second, a)], [(Fraction(1), matrix((1, 1), (1, 1.5)))]):
        assert at_width(SharedNetwork(shared(COUPLINGS, wrong), 9).cumulant(2, slots), 2) != value


def test_maps_that_mix_nothing_are_dense_layers() -> None:
    """Two weight matrices of half the variance, both read at the label itself, are one."""
    halves = [(Fraction(1, 2), matrix((1, 0), (0, 1)))] * 2
    dense = shared(COUPLINGS)
    for name in ("Theta", "V", "F", "Q"):
        slots = slots_of(standard(name), (0, 1, 0, 1)[: len(standard(name).labels)])
        series = SharedNetwork(shared(COUPLINGS, halves, halves), 2).cumulant(3, slots)
        assert series == ExactNetwork(dense, 2).cumulant(3, slots)
    assert type(exact_network(dense, 1)) is ExactNetwork
    assert type(exact_network(shared(COUPLINGS, halves), 1)) is SharedNetwork


def test_truncation_keeps_every_coefficient_it_shows() -> None:
    for name in ("V", "F"):
        slots = slots_of(standard(name), (0, 1, 0, 1))
        whole = SharedNetwork(shared(COUPLINGS, GRAPH, CONV), 4).cumulant(3, slots)
        for order in (1, 2):
            assert SharedNetwork(shared(COUPLINGS, GRAPH, CONV), order).cumulant(3, slots) == whole[: order + 1]


def test_maps_that_do_not_chain_and_orthogonal_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="Gaussian"):
        shared(COUPLINGS, CONV, weights="orthogonal")
    with pytest.raises(ValueError, match="from layer 2 read labels"):
        shared(COUPLINGS, POOL, CONV)
    with pytest.raises(ValueError, match="from layer 1 lead to different numbers"):
        shared(COUPLINGS, [*POOL, *GRAPH])


# --- certificates ---


def certified(  # type: ignore[no-untyped-def]
    network: str, name: str, order: int, layers: tuple[int, ...] = (2, 3), inputs: int = 1, controls: bool = False
) -> Certificate:
    setting, named = network_setting(SHARED_NETWORKS[network], inputs, 1)
    return certify(standard(name), order, layers, setting, 1, controls=controls, network=named)


@pytest.mark.parametrize("network", ["circular_mean", "stride_flatten", "valid"])
@pytest.mark.parametrize("name", SEVEN)
def test_order_one(network: str, name: str) -> None:
    """A convolution and a pooling on two or three positions, stride and zero padding too."""
    found = certified(network, name, 1)
    assert found.equal
    assert found.probed >= (2 if name in ("K", "Theta") else 3)


@pytest.mark.parametrize("name", ["K", "Theta", "V", "F"])
def test_a_graph_of_three_nodes(name: str) -> None:
    assert certified("graph", name, 1).equal


@pytest.mark.parametrize(
    ("network", "name"),
    [*(("stride_flatten", name) for name in SEVEN), *(("circular_mean", name) for name in ("K", "Theta", "V", "F"))],
)
def test_order_two(network: str, name: str) -> None:
    found = certified(network, name, 2)
    assert found.equal
    assert found.comparisons[-1].exact


@pytest.mark.parametrize("name", ["K", "Theta"])
def test_order_zero_of_two_inputs(name: str) -> None:
    assert certified("circular_mean", name, 0, inputs=2).equal


@pytest.mark.parametrize("name", ["P", "Q", "T"])
def test_derivative_tensors(name: str) -> None:
    layers = (2,) if name == "T" else (2, 3)
    assert certified("stride_flatten", name, 1, layers).equal


@pytest.mark.parametrize("name", ["Theta", "V", "F"])
def test_controls(name: str) -> None:
    """Every diagram left out, every one counted twice, and A at one pair only: all must fail."""
    found = certified("stride_flatten", name, 1, (2,), controls=True)
    assert found.equal
    assert found.controls
    assert all((c.dropped, c.doubled) == ("caught", "caught") for c in found.controls)
    assert [c.pair for c in found.average_controls] == list(standard(name).channel)
    assert all(c.omitted == "caught" for c in found.average_controls)
    missed = replace(found.average_controls[0], omitted="missed")
    assert not replace(found, average_controls=(missed,)).equal


@pytest.mark.parametrize("name", ["K", "Theta"])
def test_controls_of_means_below_dense_layers(name: str) -> None:
    """The last step averages nothing: what is left out below it is felt through the expectations too."""
    found = certified("mean_dense", name, 0, controls=True)
    assert found.equal
    assert [c.omitted for c in found.average_controls] == ["caught"]


@pytest.mark.parametrize("name", ["V", "F", "B"])
@pytest.mark.parametrize("pair", [0, 1])
def test_a_at_one_pair_only_is_different(name: str, pair: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the recursion itself, where everything else is as it should be."""

    def spoilt(channel, labels, maps, dense, skipped=()):  # type: ignore[no-untyped-def]
        return averaged(channel, labels, maps, dense, (pair,) if len(channel) == 2 else ())

    monkeypatch.setattr(derived, "averaged", spoilt)
    found = certified("circular_mean", name, 1)
    assert not found.equal
    assert found.first_difference is not None
    assert found.first_difference.order == 1


def test_slots_with_weights_of_their_own_are_different(monkeypatch: pytest.MonkeyPatch) -> None:
    """A that sums over t at each slot by itself, as if W^t were one for all t."""

    def apart(maps: Maps, a: int, b: int) -> averages.Table:
        read = [[(label, w * x) for w, rows in maps for label, x in rows[at]] for at in (a, b)]
        return tuple(((p, q), x * y) for (p, x), (q, y) in product(*read)) if maps else (((a, b), Fraction(1)),)

    monkeypatch.setattr(averages, "operator", apart)
    assert not certified("circular_mean", "K", 0).equal


def test_the_operator() -> None:
    """By its definition, as a matrix; what stands for it in controls reads one label below for each label."""
    maps = sparse(CONV)
    for a, b in product(range(2), repeat=2):
        expected = {
            (p, q): value
            for p, q in product(range(2), repeat=2)
            if (value := sum((w * m[a][p] * m[b][q] for w, m in CONV), Fraction(0)))
        }
        assert dict(operator(maps, a, b)) == expected
        assert unaveraged(maps, a, b) == (((a, b), 1),)
    assert unaveraged(sparse([(Fraction(1), matrix((0, 0, 1)))]), 0, 0) == (((2, 2), 1),)
    assert operator((), 1, 0) == unaveraged((), 1, 0) == (((1, 0), 1),)
    nothing = sparse([(Fraction(1), matrix((0, 0)))])
    assert operator(nothing, 0, 0) == unaveraged(nothing, 0, 0) == ()


def test_controls_are_run_on_what_one_label_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two inputs make no larger controls than one, and labels that nobody reads are left out."""
    found = [certified("circular_mean", "K", 0, (2,), inputs, controls=True).control_setting for inputs in (1, 2)]
    assert found[0] == found[1]
    assert found[0] is not None
    assert len(found[0].kernel) == 2


# --- the command and its document ---

CONV_FILE = """
[input]
shape = [2, 3]
[[layer]]
kind = "conv"
kernel = 1
width = 32
activation = "z + z**2/2"
cw = 1.98
[[layer]]
kind = "conv"
kernel = 2
stride = 2
padding = "zero"
width = 64
activation = "z/2 + z**2"
[[layer]]
kind = "dense"
pool = "mean"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conv.toml").write_text(CONV_FILE)
    dense = "".join(f'[[layer]]\nkind = "dense"\nwidth = {width}\n' for width in (4, 6, 1))
    (tmp_path / "dense.toml").write_text(f"[input]\nshape = [2]\n{dense}")
    return tmp_path


def run(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as stopped:
        main(["verify", *arguments])
    return stopped.value.code


def test_the_command_and_its_document(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("V", "--network", "conv.toml", "--samples", "1", "--certificate", "one.json") == 0
    out = capsys.readouterr().out
    assert "V@1: equal" in out
    assert "network: conv kernel 1 circular, conv kernel 2 stride 2 zero, dense mean; 1 input of shape 2 x 3" in out
    assert "without the average over labels at each of its pairs in turn: 2 caught, 0 missed" in out
    data = json.loads((folder / "one.json").read_text())
    jsonschema.validate(data, json.loads((SCHEMAS / "certificate-1.schema.json").read_text()))
    assert data["network"]["positions"] == [3, 2, 1]
    assert data["parameters"]["widths"] == [1, 2]
    assert data["parameters"]["activation"] == [["0", "1", "1/2"], ["0", "1/2", "1"]]
    assert [len(step) for step in data["parameters"]["sharing"]] == [2, 1]
    assert data["controls"]["averages"] == [{"pair": [v, v + 1], "omitted": "caught"} for v in (1, 3)]
    recursion = derive_recursion(standard("V"), 1)
    assert data["hash"] == recursion.hash


def test_a_dense_network_equals_the_plain_options(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for options in (["--network", "dense.toml"], ["--width", "2:3"]):
        assert run("F", "Theta@1", *options, "--format", "json", "--no-controls") == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert "sharing" not in texts[0]


def test_a_difference_names_input_and_position() -> None:
    found = certified("circular_mean", "F", 1, inputs=2, layers=(2,))
    wrong = replace(found.comparisons[-1], derived=Fraction(1, 7))
    text = certificate_text(replace(found, comparisons=(*found.comparisons[:-1], wrong)))
    assert "first difference: layer 2, order 1, samples 1:1-1:1-2:1-2:2: exact" in text


def test_a_certificate_of_shared_weights_is_made_again(folder: Path) -> None:
    found = certified("circular_mean", "F", 1, (2,))
    path = folder / "again.json"
    data = certificate_json(found)
    path.write_text(json.dumps(data))
    recursion = derive_recursion(standard("F"), 1)
    line = read_certificates(path, [recursion])[recursion.hash]
    assert "a polynomial activation and weights shared over labels at layer 2, labels: 2" in line
    data["parameters"]["sharing"][0][0]["weight"] = "1/3"
    path.write_text(json.dumps(data))
    with pytest.raises(NtkfeynError, match="does not hold"):
        read_certificates(path, [recursion])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--network", "none.toml"], "none.toml"),
        (["--cw", "2"], "--cw was given with --network"),
        (["--width", "2:3"], "--width was given with --network"),
        (["--activation", "z"], "--activation was given with --network"),
        (["--layers", "2,4"], "it has 3 layers"),
        (["--weights", "orthogonal"], "orthogonal weights shared over positions"),
        (["--samples", "0"], "0 samples"),
    ],
)
def test_wrong_requests(arguments: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = [] if "--network" in arguments else ["--network", "conv.toml"]
    assert run("F", *file, *arguments, "--certificate", "c.json") == 2
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""
    assert not (folder / "c.json").exists()


def test_layers_are_those_of_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "two.toml").write_text("[input]\nshape = [1, 2]\n" + '[[layer]]\nkind = "conv"\nkernel = 2\n' * 2)
    assert run("K", "--network", "two.toml", "--samples", "1", "--no-controls") == 0
    out = capsys.readouterr().out
    assert "layer 2: " in out
    assert "layer 3: " not in out


def test_activations_must_be_polynomials(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "gelu.toml").write_text(CONV_FILE.replace("z/2 + z**2", "gelu"))
    assert run("F", "--network", "gelu.toml") == 2
    assert "layer 2: the activation 'gelu' is not a polynomial" in capsys.readouterr().err


def test_networks_out_of_reach_are_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certify_module, "compare", None)
    wide = partial(Network, activation="z + z**2")
    for shape in ((1, 13), (1, 64, 64)):
        with pytest.raises(NtkfeynError, match=r"layer 1 has .* labels .* fewer positions"):
            network_setting(wide(layers=[Conv(), Dense(pool="mean")], shape=shape), 2, 1)
    setting, _ = network_setting(wide(layers=[Conv(), Dense(pool="mean")], shape=(1, 12)), 2, 1)
    with pytest.raises(NtkfeynError, match="20736 combinations of labels of layer 1"):
        certify(standard("V"), 1, (2,), setting, 1)
    sharing = (sparse(CONV),)
    with pytest.raises(NtkfeynError, match="the network has 2 layers"):
        certify(standard("K"), 0, (3,), random_setting(1, QUADRATIC, 2, sharing=sharing), 1)


def test_committed_certificates() -> None:
    """Of every tensor of the issue, all equal, every control caught, and of the recursions as they are derived."""
    data = json.loads((OUTPUTS / "convolution" / "certificates.json").read_text())
    jsonschema.validate(data, json.loads((SCHEMAS / "certificates-1.schema.json").read_text()))
    assert data["verdict"] == "equal"
    done = {
        (one["cumulant"]["name"], one["order"], comparison["layer"], one["network"]["layers"][-1].get("pool"))
        for one in data["certificates"]
        for comparison in one["comparisons"]
    }
    for pool in ("mean", "flatten"):
        assert {(name, order, layer, pool) for name in SEVEN for order in (1, 2) for layer in (2, 3)} <= done
    assert {("T", 1, 3), ("P", 1, 3), ("Q", 1, 3)} <= {key[:3] for key in done}
    for one in data["certificates"]:
        assert one["parameters"]["sharing"]
        if one["controls"]:
            outcomes = {outcome for d in one["controls"]["diagrams"] for outcome in (d["dropped"], d["doubled"])}
            assert "missed" not in outcomes, one["cumulant"]
            assert outcomes == {"caught"} or one["order"] > 1
            assert {pair["omitted"] for pair in one["controls"]["averages"]} == {"caught"}
        if one["order"] <= 1:
            recursion = derive_recursion(standard(one["cumulant"]["name"]), one["order"])
            assert one["hash"] == recursion.hash
