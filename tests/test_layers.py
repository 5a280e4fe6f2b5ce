"""Networks whose layers differ in their activations: records, exact verification, numbers, samples, errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from oracles.kernels import KERNELS

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.activations import TABLES, activation, functions
from ntkfeyn.expectations.expression import OUTER
from ntkfeyn.judge.setting import Setting
from ntkfeyn.model.activations import FUNCTIONS, SMOOTH, read_activation
from ntkfeyn.model.network import Layer
from ntkfeyn.model.polynomials import polynomials
from ntkfeyn.model.tensors import NAMES, TensorId
from ntkfeyn.sampling.estimation import Sampling, estimate
from ntkfeyn.solve.plan import standard_samples
from ntkfeyn.solve.request import Request
from ntkfeyn.verification.derived import SystemSolver

VECTORS = np.array([[1.0, 0.5, 0.2], [0.3, -1.0, 0.4], [0.6, 0.1, -0.9]])
SCHEMAS = Path(nf.__file__).parent / "schemas"
ORDER_ONE = ["K", "Theta", "K@1", "Theta@1", "V", "D", "F", "A", "B"]


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.json").write_text("[[1, 0.5, 0.2], [0.3, 1, 0.1]]")
    return tmp_path


# -- the record


def test_layers_hold_what_is_known_of_them() -> None:
    network = nf.Network(3, (8, 4), ["relu", " z*tanh(z) "], cw=(1, 2, 3), lambda_b=0.5)
    assert network.layers == (
        Layer(8, "relu", 1.0, 0.0, 1.0, 0.5),
        Layer(4, "z*tanh(z)", 2.0, 0.0, 1.0, 0.5),
        Layer(None, None, 3.0, 0.0, 1.0, 0.5),
    )
    assert (network.hidden, network.activations) == ((8, 4), ("relu", "z*tanh(z)"))
    assert (network.width_text, network.activation_text) == ("8:4", "relu:z*tanh(z)")
    assert network.couplings(2) == {"C_W": 3.0, "lambda_W": 1.0, "C_b": 0.0, "lambda_b": 0.5, "width_ratio": 0.5}
    assert [one.name for one in functions(network)] == ["relu", "z*tanh(z)"]


@pytest.mark.parametrize(
    "shown",
    [
        "Network(depth=1)",
        "Network(depth=4, width=64, activation='gelu', cw=1.98)",
        "Network(depth=3, width=(4, 5), activation=('gelu', 'tanh'), cw=(1.0, 2.0, 3.0), weights='orthogonal')",
        "Network(layers=[Conv(kernel=5), Conv(), Dense(pool='mean')], shape=(3, 8), width=16, cb=0.1)",
        "Network(layers=[Conv(width=8, activation='gelu'), Dense(pool='mean')], shape=(3, 8))",
        "Network(layers=[Dense(), Dense()], shape=(3,), width=8)",
    ],
)
def test_a_network_shows_what_differs_from_the_defaults(shown: str) -> None:
    assert repr(eval(shown, vars(nf))) == shown  # noqa: S307


def test_equal_networks_are_equal() -> None:
    same = [nf.Network(4, 8, a) for a in ("gelu", "gelu:gelu:gelu", ["gelu"], ("gelu",) * 3)]
    assert len({*same}) == 1
    assert nf.Network(4, 8, "leaky_relu:leaky_relu(0.01):leaky_relu") == nf.Network(4, 8, "leaky_relu(0.01)")
    assert nf.Network(3, 8, "gelu:tanh") != nf.Network(3, 8, "tanh:gelu")
    assert nf.Network(3, 8, "gelu:tanh") == nf.Network(3, 8, ("gelu", "tanh"))
    assert nf.Network(1, 8, "gelu").layers == (Layer(None, None),)


@pytest.mark.parametrize(
    ("depth", "given", "message"),
    [
        (4, "gelu:tanh", "activation gelu:tanh was asked for at depth 4; one activation or 3 of them"),
        (3, ["relu"] * 3, "activation relu:relu:relu was asked for at depth 3; one activation or 2 of them"),
        (1, "relu:relu", "depth 1; one activation"), (3, [], "one activation or 2 of them"),
        (3, "gelu:", "the activation '' was asked for"), (3, "gelu:tanx", "the activation 'tanx' was asked for"),
        (3, ["gelu", "a:b"], "exactly one is allowed here"), (3, 5, "the activation 5 was asked for"),
        (3, ["gelu", None], "the activation None was asked for"), (3, "gelu:exp(z)**13", "cannot use"),
        (3, "relu:z@z", "cannot use the activation 'z@z'"), (3, "relu:z**99", "exponents up to 12"),
    ],
)  # fmt: skip
def test_what_makes_no_network(depth: int, given: object, message: str) -> None:
    with pytest.raises(NtkfeynError) as refused:
        nf.Network(depth, 8, given)  # type: ignore[arg-type]
    assert message in str(refused.value)


def test_names_are_those_that_numbers_know() -> None:
    assert tuple(TABLES) == SMOOTH
    assert {*OUTER, "sqrt"} == set(FUNCTIONS)


@pytest.mark.parametrize("text", ["z-z", "sqrt(-1)*z", "sqrt(z**2)", "z**sqrt(2)", "(z**2)**(1/2)", "log(-2)*z"])
@pytest.mark.parametrize("command", ["evaluate", "sample", "compare"])
def test_what_only_algebra_can_tell_is_refused_before_work(
    command: str, text: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read_activation(text).name == text
    kink = "z**2" in text  # of these the place is told
    with pytest.raises(NtkfeynError, match="is not smooth at z = 0" if kink else "cannot use"):
        Request((nf.Network(3, 4, f"gelu:{text}"),), np.eye(2)).check()
    rest = ["--inputs", "x.json", "--depth", "3", "--width", "4", "--json", "out.json"]
    code, out, err = told(capsys, command, "V", "--activation", f"gelu:{text}", *rest)
    assert (code, out) == (2, "")
    told_of = (
        f"the activation '{text}' is not smooth at z = 0" if kink else f"cannot use the activation '{text}'; allowed"
    )
    assert told_of in err
    assert [path.name for path in here.iterdir()] == ["x.json"]


# -- exact


FIRST, SECOND, THIRD = "z + z**2/2", "z/2 - z**3/6", "2*z/3"


@pytest.mark.parametrize("name", NAMES)
def test_one_polynomial_a_layer_is_verified_exactly(name: str) -> None:
    """Order by order up to the leading one at layers 2 and 3; the exact side knows nothing of recursions."""
    found = nf.verify(name, activation=[FIRST, "z/2 - z**2/3"], samples=2, controls=False)
    assert found.equal
    swapped = nf.verify(name, activation=["z/2 - z**2/3", FIRST], samples=2, controls=False)
    assert swapped.equal
    pairs = zip(found.comparisons, swapped.comparisons, strict=True)
    assert found.probed == 0 or any(a.exact != b.exact for a, b in pairs)


@pytest.mark.parametrize(
    ("name", "layers", "given"),
    [
        ("K@2", (2, 3), (FIRST, "z/2 - z**2/3")), ("Theta@2", (2, 3), (FIRST, "z/2 - z**2/3")),
        ("V@2", (2, 3), ("z/2 - z**2/3", FIRST)), ("F@2", (2, 3), ("z/2 - z**2/3", FIRST)),
        ("K@2", (3, 4), (FIRST, THIRD, "z + z**2/5")), ("Theta@2", (3, 4), (THIRD, FIRST, "z + 1/3")),
        ("K@1", (3,), (FIRST, SECOND)), ("Theta@1", (3,), (SECOND, FIRST)), ("B@2", (3,), (FIRST, THIRD)),
    ],
)  # fmt: skip
def test_orders_up_to_two_with_cubic_and_linear_layers(
    name: str, layers: tuple[int, ...], given: tuple[str, ...]
) -> None:
    found = nf.verify(name, layers=layers, activation=":".join(given), samples=1, controls=False)
    assert found.equal
    assert found.probed


def test_certificates_of_several_activations(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads((SCHEMAS / "certificate-1.schema.json").read_text())
    for text, written in (
        ("z + z**2/2:z - z**3/6", [["0", "1", "1/2"], ["0", "1", "0", "-1/6"]]),
        ("z + z**2/2", ["0", "1", "1/2"]),
    ):
        code, out, _ = told(capsys, "verify", "Theta@1", "--activation", text, "--format", "json")
        document = json.loads(out)
        jsonschema.validate(document, schema)
        assert (code, document["verdict"], document["parameters"]["activation"]) == (0, "equal", written)
        assert isinstance(document["controls"]["parameters"]["activation"][0], str)
    code, out, err = told(capsys, "verify", "F", "--activation", "z:z**2", "--layers", "2,4", "--certificate", "c.json")
    assert (code, out) == (2, "")
    assert "2 activations were given for layer 4; one, or one a layer below the last, is needed, 3 here" in err
    assert told(capsys, "verify", "F", "--activation", "z:tanh(z)")[0] == 2
    assert told(capsys, "verify", "V", "--activation", "z:z**12:z**12", "--layers", "4")[0] == 2
    assert [path.name for path in here.iterdir()] == ["x.json"]


@pytest.mark.parametrize("bad", [[], [5], ["z", "tanh(z)"], ""])
def test_activations_that_verify_refuses(bad: object) -> None:
    with pytest.raises(NtkfeynError):
        nf.verify("F", activation=bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("names", [(*ORDER_ONE, "P", "Q", "R", "S", "T", "U"), ("K@2", "Theta@2", "V@2")])
def test_polynomial_networks_are_solved_exactly(names: tuple[str, ...]) -> None:
    """All samples, biases, unequal widths, another polynomial after each layer: the numbers of exact rationals."""
    texts = ("1/5 + z + z**2/2", "3*z/2", "z - z**3/6")
    gram = ((Fraction(3, 2), Fraction(1, 3)), (Fraction(1, 3), Fraction(5, 4)))
    C_W, lambda_W, C_b, lambda_b = Fraction(3, 4), Fraction(2, 3), Fraction(1, 5), Fraction(1, 7)
    setting = Setting(
        polynomials(texts),
        tuple(tuple((C_b + C_W * x,) for x in row) for row in gram),
        tuple(tuple((lambda_b + lambda_W * x,) for x in row) for row in gram),
        C_W, C_b, lambda_W, lambda_b, (2, 3, 5),
    )  # fmt: skip
    exact = SystemSolver(setting)
    couplings = {"cw": float(C_W), "cb": float(C_b), "lambda_w": float(lambda_W), "lambda_b": float(lambda_b)}
    network = nf.Network(4, (2, 3, 5), texts, **couplings)
    found = nf.evaluate(network, names=list(names), gram=[[float(x) for x in row] for row in gram])
    for name in names:
        tensor = found.get(name)
        base, _, order = name.partition("@")
        power = int(order) if order else nf.derive(base).record.order
        assert np.max(tensor.errors) <= 1e-11 * np.max(np.abs(tensor.values))
        for index, value in zip(tensor.indices.tolist(), tensor.values, strict=True):
            expected = float(exact.value(base, power, 4, standard_samples(base, [a - 1 for a in index])))
            assert value == pytest.approx(expected, rel=1e-12, abs=1e-13), (name, index)


# -- numbers


@pytest.mark.parametrize(("one", "written"), [("gelu", "gelu:gelu"), ("relu", "relu:relu"), ("z*tanh(z)",) * 2])
def test_equal_activations_are_one_activation(
    one: str, written: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rest = ["--inputs", "x.json", "--depth", "3", "--width", "8,4:8", "--format", "json"]
    outputs = [told(capsys, "evaluate", "V", "Theta@1", "--activation", a, *rest) for a in (one, written)]
    assert outputs[0][0] == 0
    assert outputs[0] == outputs[1]
    sampled = [told(capsys, "sample", "V", "--activation", a, *rest, "--networks", "64") for a in (one, written)]
    assert sampled[0] == sampled[1]


def linear(a: float, b: float, c: float) -> tuple[float, float]:
    return b, 1.0


@pytest.mark.parametrize("given", ["relu:erf:linear:gelu", "linear:sin:relu:linear", "gelu:linear:erf:relu"])
def test_infinite_width_kernels_of_mixed_layers(given: str) -> None:
    """Closed forms of <s s> and <s' s'>, one activation after the other."""
    cw, cb, lw, lb = 1.7, 0.3, 0.9, 0.2
    found = nf.evaluate(nf.Network(5, 64, given, cw, cb, lw, lb), VECTORS, ["K", "Theta"])
    forms: dict[str, Callable[[float, float, float], tuple[float, float]]] = {**KERNELS, "linear": linear}
    gram = VECTORS @ VECTORS.T / 3
    K, T = cb + cw * gram, lb + lw * gram
    for name in given.split(":"):
        form = forms[name]
        ss, dd = np.moveaxis(np.array([[form(K[i, i], K[i, j], K[j, j]) for j in range(3)] for i in range(3)]), 2, 0)
        K, T = cb + cw * ss, lb + lw * ss + cw * T * dd
    for name, exact in (("K", K), ("Theta", T)):
        assert np.max(np.abs(found.array(name) - exact)) < 3e-8 * np.max(exact)
        assert (np.abs(found.array(name) - exact).ravel() <= found.get(name).errors + 1e-12).all()


def test_a_linear_layer_only_adds_noise() -> None:
    """Theory section 6 in the middle of a ReLU network: V = (5 + 2 + 5) K^2 at one input, nothing else changes."""
    found = nf.evaluate(nf.Network(4, 64, "relu:linear:relu", cw=(1, 2, 1, 2)), [[1.0]], [*ORDER_ONE, "V@2", "V@3"])
    assert found.get("V").values[0] == pytest.approx(12, rel=1e-12)
    assert found.get("V@2").values[0] == pytest.approx(5 * 2 + 5 * 5 + 2 * 5, rel=1e-12)  # e_2(5, 2, 5)
    assert found.get("V@3").values[0] == pytest.approx(50, rel=1e-12)
    for name in ("K@1", "Theta@1"):  # every layer scales
        assert found.value(name, (1, 1)) == pytest.approx((0, 0), abs=1e-13)


@pytest.mark.parametrize("given", ["relu:gelu:linear", "gelu:linear:leaky_relu(0.3)", "tanh:relu:sin"])
def test_sampled_networks_of_mixed_layers(given: str) -> None:
    """Layer 4 at width 24, orders up to 2, against 12800 networks."""
    network = nf.Network(4, 24, given, cw=1.4, cb=0.1, lambda_b=0.2)
    names = ["K", "Theta", "V", "D", "F", "A", "B"]
    sampled = nf.sample(network, VECTORS[:2], names, networks=12800, seed=5)
    assert sampled.meta["activation"] == given
    orders = [f"{name}@{r}" for name in names for r in range(nf.derive(name).record.order, 3)]
    theory = nf.evaluate(network, VECTORS[:2], orders, tolerance=1e-6).assembled()
    for name in names:
        tensor = sampled.get(name)
        exact = theory.get(f"{name}@{nf.derive(name).record.order}..2").values
        assert np.max(np.abs((tensor.values - exact) / tensor.errors)) < 4.5, name
        assert np.max(tensor.errors) < 0.1 * np.max(np.abs(exact)), name
    other = nf.evaluate(nf.Network(4, 24, given.split(":")[0], cw=1.4, cb=0.1, lambda_b=0.2), VECTORS[:2], ["Theta"])
    assert np.max(np.abs(sampled.get("Theta").values - other.get("Theta").values) / sampled.get("Theta").errors) > 20


def test_sampled_derivative_tensors_of_mixed_layers() -> None:
    """Layer 3: leading order and the first correction of P to U against sampled networks of width 24."""
    network = nf.Network(3, 24, ["tanh", "gelu"], cw=1.3, cb=0.1, lambda_b=0.2)
    names = ["P", "Q", "R", "S", "T", "U"]
    sampled = nf.sample(network, VECTORS[:1], names, networks=20_000, seed=2)
    theory = nf.evaluate(network, VECTORS[:1], [f"{n}@{r}" for n in names for r in (1, 2)], tolerance=1e-6).assembled()
    for name in names:
        tensor, exact = sampled.get(name), theory.get(f"{name}@1..2").values
        assert np.max(np.abs((tensor.values - exact) / tensor.errors)) < 4.5, name
        assert np.max(tensor.errors) < 0.2 * np.max(np.abs(exact)), name


def test_checkpoints_tell_networks_apart(tmp_path: Path) -> None:
    def request(given: str) -> Request:
        return Request((nf.Network(3, 4, given),), VECTORS[:1] @ VECTORS[:1].T / 3)

    sampling = Sampling(64, checkpoint=tmp_path / "c.npz")
    estimate(request("gelu:tanh"), [TensorId("V", 1)], sampling)
    again = sampling._replace(resume=True)
    estimate(request("gelu:tanh"), [TensorId("V", 1)], again)
    for other in ("tanh:gelu", "gelu", "tanh"):
        with pytest.raises(NtkfeynError, match="of another request"):
            estimate(request(other), [TensorId("V", 1)], again)


# -- errors


@pytest.mark.parametrize("given", ["relu:gelu:relu", "gelu:relu:tanh", "linear:relu:gelu"])
def test_both_errors_count(given: str) -> None:
    """Quadrature of the smooth layers at a loose tolerance shows in the error, whichever layer it comes from."""
    network, names = nf.Network(4, (32, 64, 16), given, cw=1.5, cb=0.1), [*ORDER_ONE, "P", "Q"]
    loose, tight = (nf.evaluate(network, VECTORS, names, tolerance=t) for t in (1e-5, 1e-11))
    for layer in (2, 3, 4):
        for name in names:
            a, b = loose.get(name, layer), tight.get(name, layer)
            size, off = np.max(np.abs(b.values)), np.abs(a.values - b.values)
            assert np.max(off) <= 1e-5 * size, (name, layer)
            assert (off <= 2 * (a.errors + b.errors)).all(), (name, layer)
            assert np.max(a.errors) <= 1e-4 * size, (name, layer)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-8])
@pytest.mark.parametrize("angle", [1e-2, 1e-3, 1e-4, 1e-6])
@pytest.mark.parametrize("given", ["tanh:relu", "tanh:relu:linear", "relu:linear", "gelu:relu:gelu"])
def test_nearly_parallel_inputs_in_mixed_layers(given: str, angle: float, tolerance: float) -> None:
    """The correction between two inputs goes to that of one input with their angle.

    What a kink loses there is told through all layers above it, also where quadrature makes inputs parallel.
    """
    depth = given.count(":") + 2
    network = nf.Network(depth, 64, given, cw=1.5)
    found = nf.evaluate(network, [[1.0, 0.0], [1.0, angle]], ["K@1", "Theta@1"], tolerance=tolerance)
    for name in ("K@1", "Theta@1"):
        (value, error), (diagonal, other) = found.value(name, (1, 2)), found.value(name, (1, 1))
        assert abs(value - diagonal) <= error + other + angle, name
        if depth > 3 or given == "tanh:relu":
            assert error > 1e-12, name


def test_a_zero_with_an_error_keeps_it() -> None:
    """Theta@1 of a kinked layer is 0 to all digits known; the linear layer above it knows no more."""
    x = [[1.0, 0.0], [1.0, 1e-5]]
    below = nf.evaluate(nf.Network(4, 64, "relu:relu:relu", cw=1.5), x, ["Theta@1"])
    above = nf.evaluate(nf.Network(5, 64, "relu:relu:relu:linear", cw=1.5), x, ["Theta@1"])
    (value, error), (carried, its_error) = below.value("Theta@1", (1, 2)), above.value("Theta@1", (1, 2))
    assert value == carried == 0
    assert its_error >= 1.5 * error > 0


def test_kinked_layers_alone_decide_what_exists() -> None:
    for given in ("gelu:relu", "relu:gelu", "leaky_relu(0.1):tanh"):
        network = nf.Network(3, 8, given)
        kinked = given.split(":")[given.startswith("gelu")]
        for name in ("R", "S", "T", "U"):
            with pytest.raises(NtkfeynError) as refused:
                nf.evaluate(network, VECTORS, [name])
            assert f"does not exist for '{kinked}'" in str(refused.value)
        assert nf.evaluate(network, VECTORS, ["P", "Q"]).get("Q").values.any()
        with pytest.raises(NtkfeynError, match="cannot be sampled"):
            nf.sample(network, VECTORS, ["P"], networks=64)
    assert nf.evaluate(nf.Network(3, 8, "gelu:linear"), VECTORS[:1], ["R", "S"]).get("S").values.any()


# -- commands


def test_mixed_layers_on_the_command_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rest = ["--inputs", "x.json", "--depth", "4", "--width", "8"]
    code, out, _ = told(capsys, "evaluate", "Theta@1", "--activation", "gelu:tanh:linear", *rest, "--format", "json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads((SCHEMAS / "tensors-1.schema.json").read_text()))
    assert (code, document["meta"]["activation"]) == (0, "gelu:tanh:linear")
    inputs = json.loads((here / "x.json").read_text())
    network = nf.Network(4, 8, ("gelu", "tanh", "linear"))
    assert nf.evaluate(network, inputs, "Theta@1").to_json()["data"] == document["data"]
    code, out, _ = told(capsys, "evaluate", "--activation", "relu:z*tanh(z):linear", *rest, "--moment", "Var(NTK_ij12)")
    assert code == 0
    code, out, _ = told(capsys, "compare", "Theta", "--activation", "relu:gelu:linear", *rest, "--networks", "640")
    assert code == 0
    for wrong in ("gelu:tanh", "gelu:tanh:linear:relu"):
        code, out, err = told(capsys, "evaluate", "V", "--activation", wrong, *rest)
        assert (code, out) == (2, "")
        assert err.strip().endswith("--activation gelu:tanh:linear with --depth 4")


@pytest.mark.parametrize("rest", [["--no-scaling"], ["--depth", "16", "-o", "out"]])
def test_criticality_is_of_one_activation(rest: list[str], here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(capsys, "critical", "--activation", "gelu:relu", *rest)
    assert (code, out) == (2, "")
    assert "exactly one is allowed here, the same at every layer" in err
    assert [path.name for path in here.iterdir()] == ["x.json"]


def test_activations_are_what_they_say() -> None:
    """smooth, exact, slopes: what solvers ask instead of the kind of a record."""
    asked = {name: activation(name) for name in ("relu", "linear", "gelu", "z**2 + z", "3*z", "tanh(z)*z")}
    assert [one.smooth for one in asked.values()] == [False, True, True, True, True, True]
    assert [one.exact for one in asked.values()] == [True, True, False, True, True, False]
    assert [one.slopes for one in asked.values()] == [(0.0, 1.0), (1.0, 1.0), None, None, (3.0, 3.0), None]
    assert [asked["relu"].exists(orders) for orders in ((0, 1, 2), (2, 2), (3,), ())] == [True, False, False, True]
    with pytest.raises(NtkfeynError, match="kink"):
        asked["relu"].table(np.zeros(1), 2)
