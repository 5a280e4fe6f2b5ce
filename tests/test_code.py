"""Emitted Python, C and JAX: equal to the expanded terms on the same nodes, to each other, tidy, and hard to crash."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from fractions import Fraction
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from oracles import fixed_rule, straightforward
from oracles.golden import without_version
from oracles.networks import PolynomialNetwork

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.codegen import ir
from ntkfeyn.codegen.ir import program
from ntkfeyn.codegen.lowering import lower
from ntkfeyn.derivation.recursion import derive_system
from ntkfeyn.expectations.activations import activation as activation_named
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.network import Network
from ntkfeyn.model.tensors import TensorId

OUTPUTS = Path(__file__).parent.parent / "outputs"
CC = shutil.which("cc") or shutil.which("gcc")
needs_cc = pytest.mark.skipif(CC is None, reason="no C compiler; tests/run installs one where apt-get is allowed")
FLAGS = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
ORDER_TWO = ["K@2", "Theta@2", "V@2"]
GRAM = np.array([[1.2, 0.4, -0.3], [0.4, 0.9, 0.2], [-0.3, 0.2, 1.1]])
COUPLINGS = {"C_W": [1.5, 1.2, 1.4, 1.3], "lambda_W": 1.1, "C_b": 0.2, "lambda_b": 0.3}


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compiled(source: Path, directory: Path, *flags: str, compiler: str | None = None) -> Path:
    library = directory / f"{source.stem}.so"
    command = [compiler or CC or "cc", *FLAGS, *flags, "-shared", "-fPIC", "-o", str(library), str(source), "-lm"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, ""), run.stderr[-3000:]
    return library


class Activation(ctypes.Structure):
    _fields_ = [("table", ctypes.c_void_p), ("user", ctypes.c_void_p)]


class Request(ctypes.Structure):
    _fields_ = [
        ("samples", ctypes.c_int), ("depth", ctypes.c_int), ("gram", ctypes.c_void_p), ("widths", ctypes.c_void_p),
        ("C_W", ctypes.c_void_p), ("lambda_W", ctypes.c_void_p), ("C_b", ctypes.c_void_p),
        ("lambda_b", ctypes.c_void_p), ("activations", ctypes.c_void_p),
        ("nodes", ctypes.c_int), ("x", ctypes.c_void_p), ("w", ctypes.c_void_p),
    ]  # fmt: skip


class CModule:
    """A compiled module behind the interface of its header."""

    def __init__(self, library: Path, prefix: str) -> None:
        self.library, self.prefix = ctypes.CDLL(str(library)), prefix
        for name in ("workspace", "results", "offset", "converge_workspace"):
            self.function(name).restype = ctypes.c_size_t
        for name in ("name", "message"):
            self.function(name).restype = ctypes.c_char_p
        self.names: list[str] = []
        while (name := self.function("name")(len(self.names))) is not None:
            self.names.append(name.decode())

    def function(self, name: str) -> Any:
        return getattr(self.library, f"{self.prefix}_{name}")

    def check(self, code: int) -> None:
        if code:
            raise ValueError(self.function("message")(code).decode())

    def activations(self, names: str, count: int) -> Any:
        """An array of ``count`` activations by their names. Raises ValueError."""
        found = (Activation * max(count, 1))()
        self.check(self.function("activations_named")(names.encode(), count, found))
        return found

    def solve(
        self,
        activation: str | Activation,
        rule: tuple[np.ndarray, np.ndarray],
        gram: np.ndarray,
        depth: int,
        widths: list[int],
        couplings: dict[str, Any],
    ) -> list[dict[str, np.ndarray]]:
        """``activation``: names as on the command line, or one for all layers."""
        request, memory, arguments, _held = self.request(activation, rule, gram, depth, widths, couplings, "workspace")
        self.check(self.function("solve")(ctypes.byref(request), *arguments))
        return self.layers(request, memory[1])

    def converge(
        self,
        activation: str | Activation,
        tolerance: float,
        gram: np.ndarray,
        depth: int,
        widths: list[int],
        couplings: dict[str, Any],
    ) -> tuple[list[dict[str, np.ndarray]], list[dict[str, float]]]:
        """Tensors to a tolerance, and their errors."""
        nodes = np.zeros(self.function("most_nodes")(len(gram)))
        given = (activation, (nodes, nodes), gram, depth, widths, couplings, "converge_workspace")
        request, memory, arguments, _held = self.request(*given)
        errors = np.full((depth, len(self.names)), np.nan)
        call = (ctypes.byref(request), ctypes.c_double(tolerance), *arguments, ctypes.c_void_p(errors.ctypes.data))
        self.check(self.function("converge")(*call))
        return self.layers(request, memory[1]), [dict(zip(self.names, row, strict=True)) for row in errors]

    def request(
        self,
        activation: str | Activation,
        rule: tuple[np.ndarray, np.ndarray],
        gram: np.ndarray,
        depth: int,
        widths: list[int],
        couplings: dict[str, Any],
        workspace: str,
    ) -> tuple[Request, list[np.ndarray], list[Any], list[Any]]:
        """A request, its workspace and results, both as arguments, and what has to live as long."""
        held: list[Any] = [np.ascontiguousarray(gram), np.array(widths, dtype=np.int32)]
        held += [np.full(depth, couplings[k], dtype=float) for k in ("C_W", "lambda_W", "C_b", "lambda_b")]
        held += [np.ascontiguousarray(v) for v in rule]
        named = isinstance(activation, str)
        tables = self.activations(activation, depth - 1) if named else (Activation * depth)(*[activation] * depth)
        pointers = [v.ctypes.data for v in held]
        request = Request(len(gram), depth, *pointers[:6], ctypes.addressof(tables), len(rule[0]), *pointers[6:])
        sizes = [self.function(name)(ctypes.byref(request)) for name in (workspace, "results")]
        memory = [np.zeros(max(size, 1)) for size in sizes]
        arguments = [
            v
            for m, size in zip(memory, sizes, strict=True)
            for v in (ctypes.c_void_p(m.ctypes.data), ctypes.c_size_t(size))
        ]
        return request, memory, arguments, [*held, tables]

    def layers(self, request: Request, results: np.ndarray) -> list[dict[str, np.ndarray]]:
        """Tensors by layer and name."""
        layers, samples = [], request.samples
        for layer in range(1, request.depth + 1):
            row = {}
            for t, name in enumerate(self.names):
                slots = self.function("slots")(t)
                start = self.function("offset")(ctypes.byref(request), t, layer)
                row[name] = results[start : start + samples**slots].reshape((samples,) * slots)
            layers.append(row)
        return layers


def reference(
    names: list[tuple[str, int]],
    activation: str,
    rule: tuple[np.ndarray, np.ndarray],
    gram: np.ndarray,
    depth: int,
    widths: list[int],
    couplings: dict[str, Any],
) -> list[dict[str, np.ndarray]]:
    """The expanded terms on the same nodes, as arrays in index order."""
    rows = {name: np.broadcast_to(given, depth).tolist() for name, given in couplings.items()}
    given = activation.split(":")
    tables = [activation_named(name).table for name in (given if len(given) > 1 else given * (depth - 1))]
    return fixed_rule.solve([TensorId(*name) for name in names], tables, rule, gram, widths, rows)


def worst(ours: list[dict[str, np.ndarray]], theirs: list[dict[str, np.ndarray]]) -> float:
    """The largest difference relative to each tensor's largest component at its layer."""
    off = 0.0
    for a, b in zip(ours, theirs, strict=True):
        for name in b:
            size = np.max(np.abs(b[name]))
            difference = np.max(np.abs(np.asarray(a[name]) - b[name]))
            off = max(off, difference / size if size else difference)
    return off


@pytest.fixture(scope="module")
def order1_c(tmp_path_factory: pytest.TempPathFactory) -> CModule:
    return CModule(compiled(OUTPUTS / "order1.c", tmp_path_factory.mktemp("order1_c")), "order1")


@pytest.fixture(scope="module", params=["order1", "order2"])
def emitted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ModuleType, CModule | None]:
    directory = tmp_path_factory.mktemp(request.param)
    names = ORDER_TWO if request.param == "order2" else None
    [path] = nf.emit(names, lang="python", directory=directory)
    source = nf.emit(names, lang="c", directory=directory)[0]
    return load(path), CModule(compiled(source, directory), source.stem) if CC else None


SMOOTH = ["gelu", "tanh", "silu", "erf", "sin", "cos", "sigmoid", "softplus", "linear"]
MIXED = "gelu:tanh:linear"


@pytest.mark.parametrize("activation", [*SMOOTH, MIXED])
def test_python_and_c_equal_the_expanded_terms(emitted: tuple[ModuleType, CModule | None], activation: str) -> None:
    module, library = emitted
    names = [(key.split("@")[0], int(key.split("@")[1])) for key in module.TARGETS]
    gram = GRAM if len(names) > 3 else GRAM[:2, :2]
    rule, widths = module.trapezoid(28, 7.0), [8, 16, 12]
    exact = reference(names, activation, rule, gram, 4, widths, COUPLINGS)
    ours = module.solve(gram=gram, depth=4, widths=widths, activation=listed(activation), rule=rule, **COUPLINGS)
    assert worst(ours, exact) < 1e-12
    if library is not None:
        assert worst(library.solve(activation, rule, gram, 4, widths, COUPLINGS), exact) < 1e-12
    assert max(np.max(np.abs(exact[-1][name])) for name in exact[-1]) > 1e-3


def listed(names: str) -> str | list[str]:
    """Names of the command line for `solve`."""
    found = names.split(":")
    return found[0] if len(found) == 1 else found


def test_one_activation_a_layer(emitted: tuple[ModuleType, CModule | None]) -> None:
    """C equals Python, and both a chain of networks of two layers, each with an activation of its own."""
    module, library = emitted
    widths = [8, 16, 12]
    arguments = {"gram": GRAM[:2, :2], "depth": 4, "widths": widths, "activation": listed(MIXED), **COUPLINGS}
    if library is not None:
        rule = module.trapezoid(28, 7.0)
        theirs = library.solve(MIXED, rule, GRAM[:2, :2], 4, widths, COUPLINGS)
        assert worst(theirs, module.solve(**arguments, rule=rule)) < 1e-12
    if any(one.endswith("@2") for one in module.TARGETS) and not os.environ.get("NTKFEYN_ALL"):
        pytest.skip("long at order 2: tests/run --all")
    ours = module.solve(**arguments, rule=module.trapezoid(120, 8.0))
    current = ours[0]
    for layer, name in enumerate(MIXED.split(":"), start=1):
        couplings = {key: value[layer] if isinstance(value, list) else value for key, value in COUPLINGS.items()}
        couplings["width_ratio"] = widths[layer - 1] / widths[layer - 2] if layer > 1 else 1.0
        means = Means(np.asarray(current["K@0"]), name)
        steps = module.STEPS.items()
        current = {key: step(means, current, *(couplings[n] for n in needed)) for key, (step, needed, _) in steps}
        assert worst([current], [ours[layer]]) < 1e-9, layer
    other = module.solve(**arguments | {"activation": ["tanh", "gelu", "linear"]})
    assert worst(other[-1:], ours[-1:]) > 1e-3


class Means:
    """expectation(orders, slots) on another grid than emitted code's, turned to the axes of K; for two samples."""

    def __init__(self, kernel: np.ndarray, activation: str) -> None:
        x = np.linspace(-8, 8, 201)
        w = np.exp(-0.5 * x * x)
        points = np.stack([axis.ravel() for axis in np.meshgrid(x, x, indexing="ij")])
        self.weights = np.outer(w, w).ravel() / w.sum() ** 2
        values, vectors = np.linalg.eigh(kernel)
        self.z = vectors * np.sqrt(np.maximum(values, 0)) @ points
        self.activation = load(OUTPUTS / "order1.py").ACTIVATIONS[activation]

    def __call__(self, orders: tuple[int, ...], slots: tuple[np.ndarray, ...]) -> np.ndarray:
        tables = [self.activation(z, max(orders)) for z in self.z]

        def one(*samples: int) -> float:
            factors = [tables[sample][order] for sample, order in zip(samples, orders, strict=True)]
            return float(np.prod(factors, axis=0) @ self.weights)

        return np.frompyfunc(one, len(orders), 1)(*slots).astype(float)


def test_one_activation_a_layer_equals_a_straightforward_solver() -> None:
    """Recursions typed in, activations differentiated by hand: nothing is shared with emitted code."""
    module = load(OUTPUTS / "order1.py")
    hand = {"gelu": straightforward.gelu, "tanh": straightforward.tanh, "linear": straightforward.linear}
    for names in (MIXED, "linear:gelu:tanh", "tanh:linear:gelu"):
        given = [hand[name] for name in names.split(":")]
        slow = straightforward.solve(GRAM[:2, :2], 4, 1.4, 0.2, nodes=120, cut=8.0, activations=given)
        arguments = {"gram": GRAM[:2, :2], "depth": 4, "C_W": 1.4, "C_b": 0.2, "rule": module.trapezoid(120, 8.0)}
        fast = module.solve(**arguments, activation=listed(names))[-1]
        for key in ("K@0", "Theta@0", "V@1", "D@1", "F@1", "A@1", "B@1"):
            assert fast[key] == pytest.approx(slow[key[0] if key != "Theta@0" else "Theta"], rel=1e-9, abs=1e-10), key


@pytest.mark.parametrize(
    ("names", "count", "message"),
    [
        ("foo", 3, "no such activation; allowed are gelu"), ("gelu:foo:tanh", 3, "no such"), ("", 3, "no such"),
        ("gelu:", 2, "no such"), ("gelux", 3, "no such"), ("gel", 3, "no such"), ("gelu:tanh", 3, "one a hidden layer"),
        ("gelu:tanh:sin:cos", 3, "one a hidden layer"), ("gelu:tanh", 0, "one a hidden layer"),
        ("gelu:tanh", 1, "one a hidden layer"), ("gelu", -1, "a null pointer, a size below 1"),
    ],
)  # fmt: skip
@needs_cc
def test_c_refuses_activations(names: str, count: int, message: str, order1_c: CModule) -> None:
    with pytest.raises(ValueError, match=message):
        order1_c.activations(names, count)


@needs_cc
def test_activations_by_name_in_c(order1_c: CModule) -> None:
    one = {name: order1_c.activations(name, 1)[0].table for name in load(OUTPUTS / "order1.py").ACTIVATIONS}
    assert len(set(one.values())) == len(one) == 10
    assert [a.table for a in order1_c.activations("tanh", 3)] == [one["tanh"]] * 3
    names = ":".join(reversed(one))
    assert [a.table for a in order1_c.activations(names, 10)] == [*reversed(one.values())]
    order1_c.activations("gelu", 0)


def test_nothing_shared_gives_the_same_numbers(tmp_path: Path) -> None:
    layers = []
    for shared in (True, False):
        directory = tmp_path / str(shared)
        [path] = nf.emit(["Theta@1", "T"], lang="python", directory=directory, cse=shared)
        module = load(path)
        arguments = {"gram": GRAM[:2, :2], "depth": 4, "widths": [3, 5, 7], **COUPLINGS}
        layers.append(module.solve(**arguments, rule=module.trapezoid()))
        if CC:
            source = nf.emit(["Theta@1", "T"], lang="c", directory=directory, cse=shared)[0]
            library = CModule(compiled(source, directory), source.stem)
            layers.append(library.solve("gelu", module.trapezoid(), GRAM[:2, :2], 4, [3, 5, 7], COUPLINGS))
    assert all(worst(one, layers[0]) < 1e-13 for one in layers[1:])
    system = derive_system([TensorId("Theta", 1)])
    kept, unshared = lower(program(system)), lower(program(system, shared=False))
    assert kept.multiplications < kept.without_sums == unshared.multiplications == unshared.without_sums
    assert len(unshared.program.spreads) > len(kept.program.spreads)


class Exact:
    """expectation(orders, slots) and previous[key] of an exactly solved network, as arrays of fractions."""

    def __init__(self, network: PolynomialNetwork, layer: int) -> None:
        self.network, self.layer = network, layer

    def __call__(self, orders: tuple[int, ...], slots: tuple[np.ndarray, ...]) -> np.ndarray:
        def one(*samples: int) -> Fraction:
            return self.network.expectation(self.layer, tuple(sorted(zip(map(int, samples), orders, strict=True))))

        return np.frompyfunc(one, len(orders), 1)(*slots)

    def __getitem__(self, key: str) -> np.ndarray:
        name, order = key.split("@")
        slots = len(standard(name).labels)
        tensor = np.empty((2,) * slots, dtype=object)
        for samples in product(range(2), repeat=slots):
            tensor[samples] = self.network.value(name, int(order), self.layer, samples)
        return tensor


@pytest.mark.parametrize("names", [None, ["Theta@2"]], ids=["order1", "Theta@2"])
def test_steps_alone_are_exact_on_fractions(names: list[str] | None, tmp_path: Path) -> None:
    inputs = [[Fraction(v) for v in x] for x in ([1, 2], [3, -1])]
    given = {"C_W": Fraction(3, 2), "C_b": Fraction(1, 3), "lambda_W": Fraction(5, 4), "lambda_b": Fraction(1, 7)}
    network = PolynomialNetwork([Fraction(1, 5), 1, Fraction(1, 2)], inputs, **given, widths=[4, 6, 5])
    [path] = nf.emit(names, lang="python", directory=tmp_path)
    module, layer = load(path), 2
    for key, (step, couplings, slots) in module.STEPS.items():
        at = {**given, "width_ratio": network.ratio(layer)}
        found = step(Exact(network, layer), Exact(network, layer), *(at[name] for name in couplings))
        name, order = key.split("@")
        for samples in ((0, 1, 0, 0, 1, 1)[:slots], (1, 1, 0, 1, 0, 1)[:slots]):
            assert found[samples] == network.value(name, int(order), layer + 1, samples), key


def test_python_needs_numpy_alone_and_is_tidy(tmp_path: Path) -> None:
    paths = [OUTPUTS / "order1.py"]
    paths += nf.emit(["Theta@2"], lang="python", directory=tmp_path)
    paths += nf.emit(legs="dNTK012 dNTK345", channel="03.14.25", lang="python", directory=tmp_path)
    for path in paths:
        text = path.read_text()
        modules = set(re.findall(r"^\s*(?:import|from)\s+(\w+)", text, flags=re.MULTILINE))
        assert modules == {"argparse", "functools", "itertools", "json", "math", "sys", "numpy", "scipy"}
        assert max(map(len, text.splitlines())) <= 100
        for command in (["format", "--check"], ["check", "--select", "E,F,W,B,UP", "--ignore", "E501"]):
            run = subprocess.run(
                [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", "100", str(path)],
                capture_output=True,
            )
            assert run.returncode == 0, run.stdout.decode()


def test_python_without_scipy(tmp_path: Path) -> None:
    """erf falls back to the standard library's."""
    text = (OUTPUTS / "order1.py").read_text().replace("from scipy.special import erf", "raise ImportError")
    (tmp_path / "plain.py").write_text(text)
    plain, usual = load(tmp_path / "plain.py"), load(OUTPUTS / "order1.py")
    arguments = {"gram": GRAM[:2, :2], "depth": 3, "rule": usual.trapezoid(20)}
    assert worst(plain.solve(**arguments), usual.solve(**arguments)) < 1e-13


def test_the_modules_command_line(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[[1, 0.5], [0.2, 1]]")
    (tmp_path / "bad.json").write_text('[[1, "a"]]')
    program_ = [sys.executable, str(OUTPUTS / "order1.py")]
    rest = ["--depth", "3", "--width", "8:16", "--activation", "tanh"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*program_, *arguments], capture_output=True, text=True, cwd=tmp_path)

    good = run("--inputs", "x.json", *rest, "--tensor", "V@1")
    assert (good.returncode, good.stderr) == (0, "")
    value = nf.evaluate(Network(3, (8, 16), "tanh"), [[1, 0.5], [0.2, 1]], ["V"]).value("V", (1, 2, 1, 1))[0]
    printed = json.loads(good.stdout)[-1]
    assert 0 < printed["errors"]["V@1"] < 1e-8
    assert printed["V@1"][0][1][0][0] == pytest.approx(value, abs=printed["errors"]["V@1"] + 1e-10)
    own = run("--inputs", "x.json", *rest, "--tensor", "V@1", "--cw", "1:2:1.5", "--lambda-b", "0:0:1")
    value = nf.evaluate(Network(3, (8, 16), "tanh", cw=(1, 2, 1.5)), [[1, 0.5], [0.2, 1]], ["V"]).value(
        "V", (1, 2, 1, 1)
    )
    assert json.loads(own.stdout)[-1]["V@1"][0][1][0][0] == pytest.approx(value[0], rel=1e-8)
    fixed = run("--inputs", "x.json", *rest, "--tensor", "V@1", "--nodes", "40")
    assert json.loads(fixed.stdout)[-1].keys() == {"V@1"}
    (tmp_path / "huge.json").write_text(f"[[1{400 * '0'}]]")
    (tmp_path / "deep.json").write_text(5000 * "[")
    assert "--activation" in run("--help").stdout
    for arguments in (
        ("--inputs", "none.json", *rest), ("--inputs", "bad.json", *rest),
        ("--inputs", "x.json", *rest, "--depth", "0"), ("--inputs", "x.json", *rest, "--activation", "foo"),
        ("--inputs", "x.json", *rest, "--activation", "relu"),
        ("--inputs", "x.json", *rest, "--width", "0"), ("--inputs", "x.json", *rest, "--tensor", "X"),
        ("--inputs", "x.json", *rest, "--cw", "1:2"), ("--inputs", "x.json", *rest, "--cb", "0:x:0"),
        ("--inputs", "x.json", *rest, "--cw", "-1"), ("--inputs", "x.json", *rest, "--nodes", "1"),
        ("--inputs", "x.json", *rest, "--cb", "1e308"), ("--inputs", "x.json", *rest, "--cw", "1e300"),
        ("--inputs", "x.json", *rest, "--depth", "99999999999"), ("--inputs", "huge.json", *rest),
        ("--inputs", "x.json", *rest, "--width", 400 * "9"), ("--inputs", "deep.json", *rest),
        ("--inputs", "x.json", *rest, "--lambda-w", "1e300"), ("--inputs", "x.json", *rest, "--tolerance", "0"),
        ("--inputs", "x.json", *rest, "--tolerance", "nan"), ("--inputs", "x.json", *rest, "--nodes", "9999"),
    ):  # fmt: skip
        bad = run(*arguments)
        assert bad.returncode == 2, arguments
        assert bad.stdout == ""
        assert "Traceback" not in bad.stderr
        assert "Warning" not in bad.stderr
        assert arguments[-1] not in ("1e308", "1e300") or re.search("overflow at layer|no convergence", bad.stderr)


CASES = [
    # activation, inputs, depth, couplings: the first two were off by 15 and by 1.8e-4 on 32 nodes
    ("gelu", [[3, 1.5, 0.6], [0.9, 3, 0.3]], 3, {"C_W": 1.5}),
    ("tanh", [[1, 0.5, 0.2], [0.3, 1, 0.1]], 4, {"C_W": 1.5}),
    ("tanh", [[4, 2, 0.8], [1.2, 4, 0.4]], 3, {"C_W": 2.0}),
    ("sin:softplus", [[4, 1, 1]], 3, {"C_W": 3.0, "C_b": 0.5}),
    ("cos", [[0.03, 0.01], [0.01, 0.02]], 3, {"C_W": 1.0}),
    ("linear:tanh", [[1, 2], [2, 4]], 3, {"C_W": 1.0}),
]


@pytest.mark.parametrize(("names", "inputs", "depth", "couplings"), CASES)
@pytest.mark.parametrize("tolerance", [1e-8, 1e-4])
def test_nodes_are_chosen_for_a_tolerance(
    names: str, inputs: list[list[float]], depth: int, couplings: dict[str, float], tolerance: float
) -> None:
    """Errors cover what a rule of very many nodes says, and are within the tolerance; C equals Python."""
    module = load(OUTPUTS / "order1.py")
    arguments = {"inputs": inputs, "depth": depth, "widths": 8, "activation": listed(names), **couplings}
    layers, errors = module.solve_with_errors(**arguments, tolerance=tolerance)
    exact = module.solve(**arguments, rule=module.trapezoid(700, 12.3, 0.21))
    for layer, off, true in zip(layers, errors, exact, strict=True):
        for key, value in layer.items():
            assert np.max(np.abs(value - true[key])) <= off[key], key
            assert off[key] <= 1.001 * tolerance * np.max(np.abs(value)) + 1e-11 * np.max(layer["Theta@0"]) ** 2


@needs_cc
@pytest.mark.parametrize(("names", "inputs", "depth", "couplings"), CASES)
def test_c_chooses_the_nodes_of_python(
    names: str, inputs: list[list[float]], depth: int, couplings: dict[str, float], order1_c: CModule
) -> None:
    module = load(OUTPUTS / "order1.py")
    arguments = {"inputs": inputs, "depth": depth, "widths": 8, "activation": listed(names), **couplings}
    layers, errors = module.solve_with_errors(**arguments)
    x, all_couplings = np.array(inputs, dtype=float), {"C_b": 0.0, "lambda_W": 1.0, "lambda_b": 0.0, **couplings}
    ours, off = order1_c.converge(names, 1e-8, x @ x.T / x.shape[1], depth, [8] * (depth - 1), all_couplings)
    for a, b, e, f in zip(ours, layers, off, errors, strict=True):
        for key in b:
            scale = np.max(np.abs(b[key]))
            assert np.max(np.abs(a[key] - b[key])) <= min(1e-10 * scale + 1e-14, e[key] + f[key]), key
            assert e[key] == pytest.approx(f[key], rel=0.01, abs=1e-10 * scale)


def test_what_does_not_converge_is_refused() -> None:
    module = load(OUTPUTS / "order1.py")

    def kinked(z: np.ndarray, top: int) -> list[np.ndarray]:
        return [np.abs(z), np.sign(z), *(np.zeros_like(z) for _ in range(top - 1))][: top + 1]

    for wrong in ({"activation": "sin", "C_W": 1e7}, {"activation": kinked}):
        with pytest.raises(ValueError, match="no convergence with"):
            module.solve(gram=[[1.0]], depth=3, **wrong)
    with pytest.raises(ValueError, match="overflow at layer 2"):
        module.solve(gram=[[1.0, 0.2], [0.2, 1.0]], depth=3, C_b=1e308)
    with pytest.raises(ValueError, match="too large"):
        module.solve(gram=np.eye(200), depth=2)


@needs_cc
def test_c_refuses_what_does_not_converge(order1_c: CModule) -> None:
    couplings = {"C_W": 1e7, "C_b": 0.0, "lambda_W": 1.0, "lambda_b": 0.0}
    with pytest.raises(ValueError, match="no convergence"):
        order1_c.converge("sin", 1e-8, np.eye(1), 3, [8, 8], couplings)
    with pytest.raises(ValueError, match="overflow"):
        order1_c.converge("gelu", 1e-8, np.eye(1), 3, [8, 8], couplings | {"C_b": 1e308})
    for tolerance in (0.0, -1.0, 1.0, float("nan")):
        with pytest.raises(ValueError, match="a null pointer"):
            order1_c.converge("gelu", tolerance, np.eye(1), 3, [8, 8], couplings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"activation": "foo"}, {"activation": "relu"}, {"depth": 0}, {"widths": [1, 2, 3]}, {"widths": 0},
        {"C_W": -1.0}, {"C_W": [1.0, 2.0, 3.0, 4.0]}, {"gram": [[1.0, float("nan")]]}, {"gram": [[1.0, 2.0]]},
        {"gram": None}, {"activation": ["gelu"]}, {"activation": ["gelu", "tanh", "sin"]}, {"activation": []},
        {"activation": ["gelu", "foo"]}, {"activation": ["gelu", None]}, {"activation": [["gelu"], "tanh"]},
        {"activation": "gelu:tanh"}, {"activation": ["gelu", "relu"]}, {"activation": "foo", "depth": 1},
        {"gram": [["a"]]}, {"gram": [[1.0], [1.0, 2.0]]}, {"C_b": float("inf")}, {"depth": 10**11},
        {"widths": 10**400}, {"C_W": 10**400}, {"gram": [[10**400]]}, {"tolerance": 0.0}, {"tolerance": float("nan")},
    ],
)  # fmt: skip
def test_python_refuses(wrong: dict[str, Any]) -> None:
    module = load(OUTPUTS / "order1.py")
    with pytest.raises(ValueError, match=r"\w"):
        module.solve(**{"gram": [[1.0]], "depth": 3, "widths": 4, **wrong})


def test_an_activation_of_ones_own(tmp_path: Path) -> None:
    module = load(OUTPUTS / "order1.py")

    def own(z: np.ndarray, top: int) -> list[np.ndarray]:
        return [np.sin(z + m * np.pi / 2) for m in range(top + 1)]

    given = (own, "sin", [own, "sin"])
    first, *others = [module.solve(gram=GRAM[:2, :2], depth=3, activation=activation) for activation in given]
    assert all(worst(one, first) < 1e-12 for one in others)
    assert len(module.solve(gram=GRAM[:2, :2], depth=1, activation="tanh")) == 1
    assert len(module.solve(gram=GRAM[:2, :2], depth=1, activation=[])) == 1


@needs_cc
def test_an_activation_of_ones_own_in_c(order1_c: CModule) -> None:
    """The user's function gets its pointer back; its error code ends the solution."""
    signature = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double), ctypes.c_void_p
    )
    seen = set()

    def own(z: float, top: int, out: Any, user: int | None) -> int:
        seen.add(user)
        for m in range(top + 1):
            out[m] = np.sin(z + m * np.pi / 2)
        return 4 if user == 13 else 0

    held = signature(own)
    rule = load(OUTPUTS / "order1.py").trapezoid(8)
    arguments = (rule, GRAM[:1, :1], 2, [4], COUPLINGS | {"C_W": 1.2})
    builtin = order1_c.solve("sin", *arguments)
    table = ctypes.cast(held, ctypes.c_void_p).value
    ours = order1_c.solve(Activation(table, 7), *arguments)
    assert worst(ours, builtin) < 1e-12
    assert seen == {7}
    with pytest.raises(ValueError, match="lacks a derivative"):
        order1_c.solve(Activation(table, 13), *arguments)
    with pytest.raises(ValueError, match="lacks a derivative"):
        order1_c.converge(Activation(table, 13), 1e-6, *arguments[1:])
    with pytest.raises(ValueError, match="a null pointer"):
        order1_c.solve(Activation(None, None), *arguments)


@needs_cc
def test_c_compiles_under_every_compiler_here(tmp_path: Path) -> None:
    for compiler in ("gcc", "clang"):
        if shutil.which(compiler):
            compiled(OUTPUTS / "order1.c", tmp_path, compiler=compiler)
            compiled(OUTPUTS / "order1.c", tmp_path, "-O0", "-Wconversion", "-Wno-sign-conversion", compiler=compiler)


@needs_cc
def test_openmp_gives_the_same_numbers(tmp_path: Path, order1_c: CModule) -> None:
    probe = tmp_path / "probe.c"
    probe.write_text("#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n")
    if subprocess.run(
        [CC or "cc", "-fopenmp", "-o", str(tmp_path / "probe"), str(probe)], capture_output=True
    ).returncode:
        pytest.skip("this compiler has no OpenMP")
    threads = CModule(compiled(OUTPUTS / "order1.c", tmp_path, "-fopenmp"), "order1")
    rule = load(OUTPUTS / "order1.py").trapezoid(20)
    both = [m.solve("gelu:tanh", rule, GRAM, 3, [4, 8], COUPLINGS | {"C_W": 1.2}) for m in (order1_c, threads)]
    assert all((a[name] == b[name]).all() for a, b in zip(*both, strict=True) for name in a)


@needs_cc
def test_the_c_program(tmp_path: Path) -> None:
    nf.emit(["F", "K@1"], lang="latex", directory=tmp_path)  # in one directory with what make builds
    for path in nf.emit(["F", "K@1"], lang="c", directory=tmp_path):
        assert max(map(len, path.read_text().splitlines())) <= 100
    stem = "F_1_K_1"
    subprocess.run(["make", "-s", "-f", f"{stem}.mk"], cwd=tmp_path, check=True)

    def run(arguments: str, text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [f"./{stem}_main", *arguments.split()], input=text, capture_output=True, text=True, cwd=tmp_path
        )

    fixed = run("gelu 3 16 1.5 0.1 1 0 40", "2 2\n1 0.5\n0.2 1\n")
    assert (fixed.returncode, fixed.stderr, "error" in fixed.stdout) == (0, "", False)
    good = run("gelu 3 16 1.5 0.1 1 0", "2 2\n1 0.5\n0.2 1\n")
    assert (good.returncode, good.stderr) == (0, "")
    rows = dict(line.rsplit(" ", 1) for line in good.stdout.splitlines())
    assert all(float(rows[f"layer-3 {name} error"]) < 1e-8 for name in ("F@1", "K@1"))
    exact = nf.evaluate(Network(3, 16, "gelu", cw=1.5, cb=0.1), [[1, 0.5], [0.2, 1]], ["F", "K@1"])
    assert float(rows["layer-3 F@1 1-2-1-2"]) == pytest.approx(exact.value("F", (1, 2, 1, 2))[0], rel=1e-8)
    assert float(rows["layer-3 K@1 1-2"]) == pytest.approx(exact.value("K@1", (1, 2))[0], rel=1e-7)
    one = run("gelu 2 16 1.5 0.1 1 0", "1 1\n1\n")
    assert "layer-2 F@1 1-1-1-1 " in one.stdout
    assert {line.split()[1] for line in good.stdout.splitlines()} == {"F@1", "K@1"}  # the targets alone
    every = run("gelu 2 16 1.5 0.1 1 0 40 all", "1 1\n1\n")
    assert {line.split()[1] for line in every.stdout.splitlines()} == {"K@0", "Theta@0", "V@1", "F@1", "K@1"}
    assert run("gelu 2 16 1.5 0.1 1 0 40 some", "1 1\n1\n").returncode == 2
    if shutil.which("g++"):
        (tmp_path / "user.cc").write_text(f'#include "{stem}.h"\nint main() {{ return {stem}_slots(0) != 2; }}\n')
        link = f"cc -c {stem}.c -o m.o && g++ user.cc m.o -lm -o user && ./user"
        subprocess.run(["sh", "-c", link], cwd=tmp_path, check=True)
    mixed = run("tanh:gelu 3 16:24 1.5:1:2 0.1 1:0.5:2 0:0.1:0.2", "2 2\n1 0.5\n0.2 1\n")
    steps = load(nf.emit(["F", "K@1"], lang="python", directory=tmp_path)[0])
    own = {"C_W": [1.5, 1.0, 2.0], "C_b": 0.1, "lambda_W": [1.0, 0.5, 2.0], "lambda_b": [0.0, 0.1, 0.2]}
    layers = steps.solve([[1, 0.5], [0.2, 1]], 3, [16, 24], ["tanh", "gelu"], **own)
    for line in mixed.stdout.splitlines():
        layer, key, labels, value = line.split()
        if labels == "error":
            continue
        place = tuple(int(label) - 1 for label in labels.split("-"))
        assert float(value) == pytest.approx(layers[int(layer[-1]) - 1][key][place], rel=1e-11, abs=1e-14), line
    assert len(mixed.stdout.splitlines()) == 3 * sum(2 ** steps.STEPS[name][2] + 1 for name in ("F@1", "K@1"))
    assert "allowed are gelu, silu" in run("gelu:foo 3 16 1.5 0.1 1 0", "1 1\n1\n").stderr
    for wrong in (
        "gelu:tanh:sin 3 16 1 0 1 0",
        "gelu 3 16:16:16 1 0 1 0",
        "gelu 3 8 1:2 0 1 0",
        "sin 3 8 1 0 1 1:1:1:1",
    ):
        told = run(wrong, "1 1\n1\n")
        assert (told.returncode, told.stdout) == (2, "")
        assert re.search(r"^Error: one activation and one width .* one a layer\nusage: ", told.stderr), wrong
    for arguments, text in (
        ("gelu:tanh:sin 3 16 1 0 1 0", "1 1\n1\n"), ("gelu:tanh 2 16 1 0 1 0", "1 1\n1\n"),
        ("gelu:foo 3 16 1 0 1 0", "1 1\n1\n"), (": 3 16 1 0 1 0", "1 1\n1\n"),
        ("foo 3 16 1 0 1 0", "1 1\n1\n"), ("gelu 0 16 1 0 1 0", "1 1\n1\n"), ("gelu 3 16 1 0 1", "1 1\n1\n"),
        ("gelu 3 16 1 0 1 0", "2 2\n1 0.5\n"), ("gelu 3 16 1 0 1 0", "nan"), ("gelu 3 16 -1 0 1 0", "1 1\n1\n"),
        ("relu 3 16 1 0 1 0", "1 1\n1\n"), ("gelu 3 16 x 0 1 0", "1 1\n1\n"), ("gelu 3 16 1 0 1 0", "1 1\ninf\n"),
        ("gelu 3 16 1 0 1 0", "99999 2\n"), ("gelu 3 16 1 0 1 0 1", "1 1\n1\n"),
        ("gelu 3 16 1 0 1 0 0", "1 1\n1\n"), ("gelu 3 16 1 0 1 0 1e-13", "1 1\n1\n"),
        ("gelu 3 16 1 1e308 1 0", "1 1\n1\n"), ("gelu 3 16 1e300 0 1 0", "1 1\n1\n"),
        ("sin 4 16 1e7 0 1 0", "1 1\n1\n"), ("gelu 3 16: 1 0 1 0", "1 1\n1\n"), ("gelu 3 0:4 1 0 1 0", "1 1\n1\n"),
        ("gelu 3 16 1:x:2 0 1 0", "1 1\n1\n"), ("gelu 3 16 1:-1:2 0 1 0", "1 1\n1\n"),
        ("gelu 3 4:4.5 1 0 1 0", "1 1\n1\n"), ("gelu 2.5 16 1 0 1 0", "1 1\n1\n"),
        ("gelu 1 0 1 0 1 0", "1 1\n1\n"), ("gelu 3 16 1 0 1 0 2.5", "1 1\n1\n"),
    ):  # fmt: skip
        bad = run(arguments, text)
        assert (bad.returncode, bad.stdout) == (2, ""), arguments
        assert bad.stderr


FUZZ = """
import ctypes, random, sys
sys.path.insert(0, {tests!r})
import numpy as np
from pathlib import Path
from test_code import Activation, CModule, Request
module = CModule(Path({library!r}), "order1")
generator = random.Random({seed})
values = [0.0, 1.0, -1.0, 0.5, 1e300, -1e300, float("nan"), float("inf"), 1e-320]
codes = set()
for _ in range({calls}):
    n, depth, nodes = (generator.choice([-1, 0, 1, 1, 2, 2, 3, 65, 2**31 - 1][:k]) for k in (9, 9, 9))
    small = max(1, min(n, 4)), max(1, min(depth, 4)), max(1, min(nodes, 6))
    def array(size, wild):
        odd = lambda: wild and generator.random() < 0.3
        return np.array([generator.choice(values) if odd() else generator.random() for _ in range(size)])
    wild = generator.random() < 0.5
    if n > 4 or depth > 4 or nodes > 6:  # sizes beyond the arrays are passed with null pointers only
        held = [None] * 8
    else:
        g = array(small[0] ** 2, wild).reshape(small[0], small[0])
        width = generator.choice([-1, 0, 1, 7]) if wild else 5
        held = [g @ g.T if generator.random() < 0.9 else g, np.array([width] * small[1], dtype=np.int32)]
        held += [array(small[1], wild) for _ in range(4)] + [array(small[2], wild) for _ in range(2)]
        held = [None if generator.random() < 0.03 else one for one in held]
    held = [None if one is None else np.ascontiguousarray(one) for one in held]
    pointers = [None if one is None else one.ctypes.data for one in held]
    choose = lambda: generator.choice([b"gelu", b"tanh", b"relu", b"sin", b"", b"none", b"softplus", b"erf"])
    names = b":".join(choose() for _ in range(generator.choice([1, 1, small[1] - 1, 5])))
    tables = np.zeros((max(small[1] - 1, 1), 2), dtype=np.uintp)  # one pair of pointers an activation
    named = module.function("activations_named")(names, small[1] - 1, ctypes.c_void_p(tables.ctypes.data))
    assert named in (0, 6, 7), named
    codes.add(named)
    given = None if held[0] is None or generator.random() < 0.03 else tables.ctypes.data
    request = Request(n, depth, *pointers[:6], given, nodes, *pointers[6:])
    sizes = [module.function(f)(ctypes.byref(request)) for f in ("workspace", "results")]
    sizes = [min(size, 2_000_000) for size in sizes]
    given = [size if generator.random() < 0.8 else generator.randint(0, size) for size in sizes]
    memory = [np.zeros(max(size, 1)) for size in given]
    arguments = []
    for one, size in zip(memory, given):
        arguments += [None if generator.random() < 0.02 else ctypes.c_void_p(one.ctypes.data), ctypes.c_size_t(size)]
    code = module.function("solve")(ctypes.byref(request), *arguments)
    assert 0 <= code <= 5, code
    codes.add(code)
    request.nodes = generator.choice([nodes, 29, 45, 100]) if n <= 1 else nodes
    size = min(module.function("converge_workspace")(ctypes.byref(request)), 2_000_000)
    size = size if generator.random() < 0.8 else generator.randint(0, size)
    work, errors = np.zeros(max(size, 1)), np.zeros(len(module.names) * small[1])
    tolerance = ctypes.c_double(generator.choice([*values, 1e-8, 1e-4, 0.5]))
    found = None if generator.random() < 0.02 else ctypes.c_void_p(errors.ctypes.data)
    arguments[:2] = [ctypes.c_void_p(work.ctypes.data), ctypes.c_size_t(size)]
    code = module.function("converge")(ctypes.byref(request), tolerance, *arguments, found)
    assert 0 <= code <= 5 or code == 8, code
    codes.add(code)
    module.function("most_nodes")(n)
    module.function("offset")(ctypes.byref(request), generator.randint(-2, 20), generator.randint(-2, 5))
module.function("solve")(None, None, ctypes.c_size_t(0), None, ctypes.c_size_t(0))
for names in (None, b"gelu"):
    assert module.function("activations_named")(names, 1, None) == 1
print(sorted(codes))
"""


@needs_cc
def test_c_survives_random_calls_under_sanitizers(tmp_path: Path) -> None:
    flags = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    library = compiled(OUTPUTS / "order1.c", tmp_path, *flags, compiler=shutil.which("gcc") or CC)
    runtime = subprocess.run(
        [shutil.which("gcc") or CC or "cc", "-print-file-name=libasan.so"], capture_output=True, text=True
    )
    fuzz = FUZZ.format(tests=str(Path(__file__).parent), library=str(library), seed=5, calls=3000)
    environment = os.environ | {"LD_PRELOAD": runtime.stdout.strip(), "ASAN_OPTIONS": "detect_leaks=0"}
    run = subprocess.run([sys.executable, "-c", fuzz], capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.strip() == "[0, 1, 2, 3, 4, 5, 6, 7, 8]"


@needs_cc
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind")
def test_the_c_program_is_clean_under_valgrind(tmp_path: Path) -> None:
    nf.emit(["Theta@1"], lang="c", directory=tmp_path)
    subprocess.run(["make", "-s", "-f", "Theta_1.mk"], cwd=tmp_path, check=True)
    command = [
        "valgrind",
        "-q",
        "--error-exitcode=9",
        "--leak-check=full",
        "./Theta_1_main",
    ]
    good, bad = "2 2\n1 0.5\n0.2 1\n", "2 2\n1\n"
    plain, own, odd = "3 8 1 0 1 0", "3 8:4 1:2:2 0 1 0:0:1", "3 8:4 1:2 0 1 0"
    cases = (
        ("tanh", plain, good, 0), ("tanh:gelu", own, good, 0), ("tanh", own, bad, 2), ("tanh:gelu:sin", plain, good, 2),
        ("tanh", odd, good, 2), ("tanh", "1 8 1 0 1 0", good, 0),
    )  # fmt: skip
    for (names, numbers, text, code), accuracy in product(cases, ("12", "1e-3")):
        arguments = [*command, names, *numbers.split(), accuracy]
        run = subprocess.run(arguments, input=text, capture_output=True, text=True, cwd=tmp_path)
        assert run.returncode == code, run.stderr[-2000:]


def test_jax_equals_python_and_differentiates(tmp_path: Path) -> None:
    jax = pytest.importorskip("jax")
    names = ["K@1", "Theta@1", "F"]
    [plain] = nf.emit(names, lang="python", directory=tmp_path)
    [fast] = nf.emit(names, lang="jax", directory=tmp_path)
    module, reference_ = load(fast), load(plain)
    arguments = {"gram": GRAM[:2, :2], "depth": 3, "activation": ["gelu", "tanh"]}
    rule = reference_.trapezoid(20)
    ours = module.solve(**arguments, rule=tuple(map(jax.numpy.asarray, rule)))
    assert worst(ours, reference_.solve(**arguments, rule=rule)) < 1e-11

    def last(cw: Any) -> Any:
        names_ = ("C_W", "lambda_W", "C_b", "lambda_b", "width_ratio")
        given = dict(zip(names_, (cw, 1.0, 0.1, 0.0, 1.0), strict=True))
        kernel = given["C_b"] + cw * jax.numpy.asarray(GRAM[:2, :2])
        zero = jax.numpy.zeros
        current = {key: zero((2,) * slots) for key, (_, _, slots) in module.STEPS.items()}
        current |= {"K@0": kernel, "Theta@0": kernel}
        for _ in range(2):
            table = module.expectations(current["K@0"], module.ACTIVATIONS["tanh"], module.trapezoid(16))
            steps = module.STEPS.items()
            current = {key: step(table, current, *(given[k] for k in needed)) for key, (step, needed, _) in steps}
        return current["Theta@1"][0, 1]

    small = {"gram": GRAM[:1, :1], "depth": 2, "activation": "tanh", "tolerance": 1e-5}
    loose = module.solve_with_errors(**small)
    assert worst(loose[0], reference_.solve(**small)) < 1e-10
    assert all(0 <= error < 1e-5 for error in loose[1][-1].values())
    with pytest.raises(ValueError, match="give a rule"):
        jax.jit(lambda gram: module.solve(gram=gram, depth=3)[-1]["F@1"])(GRAM[:2, :2])
    with pytest.raises(ValueError, match="overflow"):
        module.solve(gram=[[1.0]], depth=3, C_b=1e308)

    slope = float(jax.jit(jax.grad(last))(1.3))
    h = 1e-4
    assert slope == pytest.approx((float(last(1.3 + h)) - float(last(1.3 - h))) / (2 * h), rel=1e-6)


def test_jax_differentiates_by_couplings(tmp_path: Path) -> None:
    """Against finite differences, layer by layer and for all layers at once, compiled and not."""
    jax = pytest.importorskip("jax")
    module = load(nf.emit("Theta", lang="jax", directory=tmp_path)[0])
    rule = module.trapezoid(16)

    def solved(cw: Any, rest: Any) -> Any:  # rest: C_b, lambda_W, lambda_b
        cb, lambda_w, lambda_b = rest
        given = {"C_W": cw, "C_b": cb, "lambda_W": lambda_w, "lambda_b": lambda_b}
        return module.solve(gram=GRAM[:1, :1], depth=3, activation="tanh", rule=rule, **given)[-1]["Theta@0"][0, 0]

    every, rest, h = jax.numpy.array([1.3, 1.2, 1.1]), jax.numpy.array([0.1, 1.1, 0.3]), 1e-4
    value = jax.jit(solved)
    gradient = jax.jit(jax.grad(solved, argnums=(0, 1)))
    slopes = gradient(every, rest)
    for k, step in enumerate(h * np.eye(3)):
        off = (
            value(every + step, rest) - value(every - step, rest),
            value(every, rest + step) - value(every, rest - step),
        )
        assert [float(part[k]) for part in slopes] == pytest.approx([float(x) / (2 * h) for x in off], rel=1e-6)
    at_once = float(jax.grad(solved)(1.2, rest))
    assert at_once == pytest.approx(float(gradient(jax.numpy.full(3, 1.2), rest)[0].sum()), rel=1e-10)
    with pytest.raises(ValueError, match="give a rule"):
        jax.grad(lambda cw: module.solve(gram=[[1.0]], depth=2, C_W=cw)[-1]["K@0"][0, 0])(1.3)
    with pytest.raises(ValueError, match="C_W must be one number >= 0, or 2 of them"):
        module.solve(gram=[[1.0]], depth=2, C_W=every, rule=rule)


@pytest.mark.parametrize("lang", ["python", "c"])
def test_committed_code_is_reproduced(lang: str, tmp_path: Path) -> None:
    for path in nf.emit(lang=lang, directory=tmp_path):
        new, old = (without_version(one.read_text()) for one in (path, OUTPUTS / path.name))
        assert new == old, "run `ntkfeyn emit` again and read the difference"


def test_a_coupling_that_solvers_do_not_have_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ir, "powers", lambda term: (ir.Power("C_W", 1), ir.Power("kappa", 2)))
    with pytest.raises(nf.NtkfeynError, match="no coupling kappa"):
        nf.emit("F", lang="python", directory=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_deriving_does_not_load_codegen_and_its_table_loads_nothing_else() -> None:
    for code, never in (
        ("from ntkfeyn.cli import cli; cli.main(['derive', 'F'], standalone_mode=False)", "ntkfeyn.codegen"),
        ("import ntkfeyn.codegen.backends", "ntkfeyn.derivation"),
    ):
        check = f"import sys; {code}; sys.exit([name for name in sys.modules if name.startswith({never!r})] or 0)"
        run = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
        assert (run.returncode, run.stderr) == (0, "")


def test_an_unknown_language_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["emit", "--lang", "fortran", "-o", str(tmp_path / "out")])
    assert caught.value.code == 2
    assert "allowed are latex, html, python, jax, c" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
