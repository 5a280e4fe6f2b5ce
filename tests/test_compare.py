"""Theory against sampled networks: pulls of a unit normal, a verdict that can fail, figures, scale invariance."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from scipy.stats import chi2, kstest

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.targets import DEFAULT_EVALUATED, resolve
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.sampling import comparison, higher_orders
from ntkfeyn.sampling.chi_square import ChiSquare, hotelling
from ntkfeyn.sampling.comparison import Compared, ComparedSetting, Comparison, compare
from ntkfeyn.sampling.estimation import Sampling
from ntkfeyn.solve.request import Request
from ntkfeyn.solve.trust import expansion_warnings, slope_warnings

INPUTS = np.array([[2.0, 1.0, 0.5], [0.5, -2.0, 1.0]])
COUPLINGS = {
    "tanh": {"cw": 1.2, "cb": 0.1, "lambda_w": 1.1, "lambda_b": 0.2},
    "gelu": {"cw": 1.98305826, "cb": 0.17292239},  # critical: corrections stay moderate at width 16
}
SCHEMA = Path(nf.__file__).parent / "schemas" / "comparison-1.schema.json"
DEFAULT = [(shape.name, order) for shape, order in resolve(DEFAULT_EVALUATED)]


def ids(targets: Sequence[tuple[str, int]]) -> list[TensorId]:
    return [TensorId(*target) for target in targets]


def compared(
    activation: str,
    depth: int,
    widths: tuple[int, ...],
    networks: int,
    targets: Sequence[tuple[str, int]],
    order: int = 2,
    seed: int = 3,
) -> Comparison:
    settings = tuple(nf.Network(depth, width, activation, **COUPLINGS[activation]) for width in widths)
    request = Request(settings, INPUTS @ INPUTS.T / 3)
    return compare(request, ids(targets), order, Sampling(networks, seed))


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
@pytest.mark.parametrize("depth", [3, pytest.param(4, marks=pytest.mark.long)])
def test_pulls_follow_a_unit_normal(activation: str, depth: int) -> None:
    """Widths 16 to 128, two inputs, biases: chi^2 of each tensor at the output layer over all widths.

    At depth 4 and width 16 the third order of B is beyond the errors: there B is compared at order 3.
    """
    widths, networks = (16, 32, 64, 128), 1536
    if depth == 3:
        runs = [compared(activation, depth, widths, networks, DEFAULT)]
    else:
        runs = [compared(activation, depth, widths, networks, [t for t in DEFAULT if t[0] != "B"])]
        runs.append(compared(activation, depth, widths, networks, [("B", 1)], order=3))
    chi_squares = {target: run.total(target) for run in runs for target in run.orders}
    assert len(chi_squares) == len(DEFAULT)
    for target, found in chi_squares.items():
        assert found is not None
        assert found.freedom >= 12
        assert found.p > 1e-3, target
    assert max(run.largest_pull for run in runs) < 4.5


def test_p_values_are_uniform() -> None:
    """Layer 2, where theory is exact: thirty independent runs."""
    p_values = []
    for seed in range(30):
        found = compared("gelu", 2, (12,), 3200, [("V", 1), ("B", 1)], seed=seed)
        p_values += [row.chi_square.p for row in found.settings[0].layers[0].values() if row.chi_square is not None]
    assert len(p_values) == 60
    assert kstest(p_values, "uniform").pvalue > 1e-3
    assert 0.35 < np.mean(p_values) < 0.65


def test_hotelling_sees_what_single_pulls_do_not() -> None:
    """Two components that nearly agree: their difference is known far better than each, and is what is off."""
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=(100, 1)), 1e-3 * rng.normal(size=(100, 2))
    groups = np.hstack([common + own, common + own[:, :1]])  # the third equals the first
    mean, none = groups.mean(axis=0), np.zeros(3)
    fair, unfair = (hotelling(mean - shift, groups, 100, none) for shift in (none, np.array([0.0, 0.002, 0.0])))
    assert fair is not None
    assert unfair is not None
    assert fair.freedom == unfair.freedom == 2
    assert fair.p > 1e-3
    assert unfair.p < 1e-9
    assert hotelling(mean, groups[:9], 9, none) is None


def test_hotelling_counts_what_groups_are_worth_and_errors_of_theory() -> None:
    rng = np.random.default_rng(1)
    groups = rng.normal(size=(60, 2))
    off, none = np.array([0.3, 0.3]), np.zeros(2)
    few, many = (hotelling(off, groups, worth, none) for worth in (30, 120))
    assert few is not None
    assert many is not None
    assert many.p < few.p / 10
    uncertain = hotelling(off, groups, 120, np.ones(2))
    assert uncertain is not None
    assert uncertain.p > 0.5


def made(layers: tuple[float, float]) -> Comparison:
    """Two layers whose pulls are given, with chi^2 equal to the squares."""
    rows = tuple(
        {
            "K@0": Compared(
                np.array([[1, 1]]), np.array([pull]), np.ones(1), np.zeros((1, 1)), np.zeros(1),
                ChiSquare(pull**2, 1, float(chi2.sf(pull**2, 1))), 1000,
            )
        }
        for pull in layers
    )  # fmt: skip
    settings = (ComparedSetting("8", (8, 8), rows), ComparedSetting("9", (9, 9), rows))
    return Comparison({}, {"K@0": (0,)}, settings, 5.0)


def test_verdict_and_total() -> None:
    """The largest pull is that of any layer, the total chi^2 that of the last one; a small p is told."""
    assert made((6.0, 1.0)).largest_pull == 6.0
    assert not made((6.0, 1.0)).passed
    assert made((2.0, 1.0)).passed
    total = made((6.0, 1.0)).total("K@0")
    assert total is not None
    assert (total.value, total.freedom) == (2.0, 2)
    assert made((6.0, 1.0)).reasons() == ["a pull of 6.00, allowed is 5"]
    improbable = made((1.0, 4.9))
    assert improbable.largest_pull < 5
    assert not improbable.passed
    [line] = improbable.reasons()
    assert "chi^2 of K@0" in line


def test_few_networks_do_not_cry_wolf() -> None:
    """256 networks are eight blocks: a pull of Student's t is turned into one of a unit normal."""
    pulls = [compared("gelu", 2, (12,), 256, [("V", 1), ("K", 0)], order=1, seed=s).largest_pull for s in range(60)]
    assert max(pulls) < 5
    assert np.mean(pulls) > 1


def test_widths_of_layers_are_not_mixed_up() -> None:
    """Unequal hidden widths: the power of 1/n is of the layer below, and so is the unit of K@1."""
    network = nf.Network(3, (6, 24), "tanh", cw=1.4, cb=0.1)
    found = compare(
        Request((network,), INPUTS @ INPUTS.T / 12), ids([("Theta", 0), ("K", 1), ("B", 1)]), 2, Sampling(20_000)
    )
    assert found.largest_pull < 4.5


def test_order_two_is_visibly_better_at_small_width() -> None:
    """Theta at the output layer of GeLU: order 1 is off by many errors where order 2 is not."""
    network = nf.Network(3, 4, "gelu", cw=1.5, cb=0.1)
    found = compare(Request((network,), INPUTS @ INPUTS.T / 12), [TensorId("Theta", 0)], 2, Sampling(100_000, 3))
    row = found.settings[0].output["Theta@0"]
    off = np.abs(row.theory - row.sampled)[:, row.largest] / row.errors[row.largest]
    assert off[0] > 10
    assert off[1] > 6
    assert off[2] < 4


@pytest.mark.parametrize(("activation", "cw"), [("relu", 2.0), ("leaky_relu(0.3)", 2 / 1.09), ("gelu", 1.98305826)])
def test_scale_invariance(activation: str, cw: float) -> None:
    """10^5 networks of width 4: Theta_11 has no correction for ReLU and LeakyReLU, and has one for GeLU."""
    network = nf.Network(3, 4, activation, cw=cw)
    value, error = nf.sample(network, [[0.5]], ["Theta"], networks=102_400, seed=6).value("Theta", (1, 1))
    theory, _ = nf.evaluate(network, [[0.5]], ["Theta"]).value("Theta", (1, 1))
    assert error < 0.01 * theory
    pull = (value - theory) / error
    assert abs(pull) > 10 if activation == "gelu" else abs(pull) < 4


def test_a_warning_where_the_expansion_cannot_be_trusted() -> None:
    def lines(depth: int, width: int) -> list[str]:
        return expansion_warnings(Request((nf.Network(depth, width, "relu", cw=2.0),), np.eye(2)))

    assert lines(4, 64) == []
    [line] = lines(20, 16)
    assert "order-2 term of V" in line
    assert "width 16, depth 20" in line


@pytest.mark.parametrize(
    ("layers", "given", "warned"),
    [
        ([nf.Conv(kernel=2, padding="zero"), nf.Dense(pool="mean")], {}, 1),
        ([nf.Conv(kernel=2, padding="zero"), nf.Dense(pool="mean")], {"cb": 0.1}, 0),
        ([nf.Conv(kernel=2, padding="zero"), nf.Dense(pool="mean")], {"lambda_b": 0}, 0),
        ([nf.Conv(kernel=2, padding="zero"), nf.Dense(pool="mean")], {"activation": "gelu"}, 0),
        ([nf.Conv(kernel=3), nf.Dense(pool="mean")], {}, 0),
        ([nf.Conv(kernel=2), nf.Graph(matrix=np.eye(3) - np.eye(3)[[1, 2, 0]]), nf.Dense(pool="mean")], {}, 0),
        ([nf.Conv(kernel=2), nf.Graph(matrix=np.diag([1, 0, -1])), nf.Dense(pool="mean")], {}, 2),
    ],
)
def test_a_warning_where_a_kink_has_no_slope(layers: list[nf.Conv], given: dict[str, Any], warned: int) -> None:
    """A patch of zeros, in layer 1 or above; a row of a graph may cancel, but not in every network."""
    network = nf.Network(layers=layers, shape=(1, 3), **{"activation": "relu", "lambda_b": 0.5, **given})
    asked = Request((network,), np.diag([1.0, 0.0, 0.0] if len(layers) == 2 else [1.0, 2.0, 3.0]))
    assert slope_warnings(asked, ids([("K", 0), ("V", 1)])) == []
    lines = slope_warnings(asked, ids([("Theta", 0)]))
    assert len(lines) == bool(warned)
    assert all(f"layer {warned} has preactivations that are zero" in line for line in lines)


def test_a_zero_input_of_a_dense_network_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.json").write_text("[[0, 0], [1, 0]]")
    for lambda_b, warned in (("0", False), ("1", True)):
        with pytest.raises(SystemExit) as stopped:
            main(["evaluate", "--activation", "relu", "--depth", "2", "--width", "4", "--inputs",
                  str(tmp_path / "x.json"), "Theta", "--lambda-b", lambda_b])  # fmt: skip
        assert not stopped.value.code
        assert ("layer 1 has preactivations that are zero" in capsys.readouterr().err) == warned


def test_the_share_in_a_warning_is_that_of_the_worst_tensor_and_input() -> None:
    """GeLU far off criticality: Theta; two inputs of different size, unequal widths."""
    network = nf.Network(6, (6, 6, 6, 6, 3), "gelu", cw=1.5)
    gram = np.diag([1.0, 0.1])
    [line] = expansion_warnings(Request((network,), gram))
    names = [f"{name}@{r}" for name, first in (("K", 0), ("Theta", 0), ("V", 1)) for r in (first, 2)]
    found = nf.evaluate(network, gram=gram, names=names)
    shares = {}
    for name, first in (("K", 0), ("Theta", 0), ("V", 1)):
        index = [(i,) * (4 if name == "V" else 2) for i in (1, 2)]
        ratio = [found.value(f"{name}@2", at)[0] / found.value(f"{name}@{first}", at)[0] for at in index]
        shares[name] = max(map(abs, ratio)) / 3 ** (2 - first)
    worst = max(shares, key=lambda name: shares[name] / (1.0 if name == "V" else 0.2))
    assert f"term of {worst} is {shares[worst]:.0%}" in line
    assert worst != "V"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("x.json").write_text(json.dumps(INPUTS.tolist()))
    return tmp_path


NETWORK = ["--activation", "gelu", "--inputs", "x.json", "--depth", "3", "--width", "8,16", "--networks", "1024"]


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["compare", *NETWORK, *arguments])
    out, err = capsys.readouterr()
    return int(caught.value.code or 0), out, err


def test_table_json_and_figures(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "Theta", "V", "--order", "2", "-o", "out", "--json", "a.json")
    assert code == 0
    assert "largest |pull|" in out
    assert "chi^2" in out
    document = json.loads(Path("a.json").read_text())
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert document["orders"] == {"Theta@0": [0, 1, 2], "V@1": [1, 2]}
    assert Path("out/comparison.json").read_bytes() == Path("a.json").read_bytes()
    made = sorted(path.name for path in Path("out").iterdir())
    kinds = [f"comparison-{kind}.{ending}" for kind in ("components", "depth", "width") for ending in ("pdf", "png")]
    assert made == sorted(["comparison.json", *kinds])
    before = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    assert call(capsys, "Theta", "V", "--order", "2", "-o", "out")[0] == 0
    assert before == {path.name: path.read_bytes() for path in Path("out").iterdir()}
    assert err.count("out/") == 7


def test_the_answer_can_be_no(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "Theta", "--order", "0", "--max-pull", "0.001")
    assert code == 1
    assert "allowed 0.001" in out
    assert re.search(
        r"no order up to 2 helps: order 2 has p = \S+ and a largest pull of \S+; try larger widths\n$", err
    )


def test_the_order_that_agrees_is_told(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The likeliest, of a p as a comparison at this order has it. Order 1 agrees hardly here: order 2 is tried, too."""
    options = ("Theta", "K", "--networks", "20000", "--width", "4")
    code, out, err = call(capsys, *options, "--order", "0", "--json", "a.json")
    document = json.loads(Path("a.json").read_text())
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    first, second = document["higher_orders"]
    assert (code, first["order"], first["passed"], second["passed"]) == (1, 1, True, True)
    assert second["p"] < first["p"] < comparison.LIKELY
    said = f"order 1 has p = {first['p']:.2g}: try --order 1"
    assert err.splitlines()[-1].endswith(said)
    assert out.splitlines()[-1] == said
    failed = [t for t, chi in document["chi_square"].items() if chi["p"] < 1e-6]
    assert failed
    for one in (first, second):
        code, out, err = call(capsys, *options, "--order", str(one["order"]), "--format", "json")
        better = json.loads(out)
        assert (code, "higher_orders" in better) == (0, False)
        assert one["p"] == pytest.approx(min(better["chi_square"][t]["p"] for t in failed), rel=1e-6)


def test_where_no_order_helps_it_is_said(files: Path) -> None:
    """Width 2; from Python in the same words."""
    found = nf.compare(nf.Network(6, 2, "tanh", cw=6.0), INPUTS[:1], "K", order=0, networks=25_600)
    assert not found.passed
    assert [(one.order, one.passed) for one in found.higher_orders] == [(1, False), (2, False)]
    assert found.advice() in str(found)
    assert found.advice().startswith("no order up to 2 helps: order 2 has p = ")
    assert found.advice().endswith("; try larger widths")


def test_order_three_is_tried_in_few_layers(files: Path) -> None:
    """V of linear networks, which ends at order 3 with three hidden layers; with four it would take long."""
    asked = {"names": "V", "max_pull": 1e-3, "networks": 640}
    shallow, deep = (nf.Network(depth, 8, "linear") for depth in (higher_orders.SHALLOW, higher_orders.SHALLOW + 1))
    found = nf.compare(shallow, INPUTS[:1], order=2, **asked)
    assert [one.order for one in found.higher_orders] == [3]
    [chi] = [one.total(target) for one in [nf.compare(shallow, INPUTS[:1], order=3, **asked)] for target in one.orders]
    assert found.higher_orders[0].p == pytest.approx(chi.p, rel=1e-9)
    assert nf.compare(deep, INPUTS[:1], order=2, **asked).higher_orders == ()


@pytest.mark.parametrize("reason", ["many labels", "no such tensor"])
def test_where_higher_orders_are_out_of_reach_the_advice_is_general(
    reason: str, files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise NtkfeynError("it does not exist")

    if reason == "many labels":
        monkeypatch.setattr(higher_orders, "LABELS", 1)
    else:
        monkeypatch.setattr(higher_orders, "evaluate_tuples", refused)
    code, out, err = call(capsys, "Theta", "--max-pull", "0.001", "--format", "json")
    assert code == 1
    assert err.endswith("higher orders may matter: try --order 2, or larger widths\n")
    assert "higher_orders" not in json.loads(out)


def test_no_higher_order_is_tried_where_they_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "further_theory", None)
    assert compared("gelu", 2, (8,), 320, [("Theta", 0)], order=1).passed


def test_resumed_comparison_gives_the_same_bytes(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("V", "--format", "json", "--checkpoint", "run.npz")
    whole = call(capsys, *more[:3])
    assert call(capsys, *more, "--networks", "512")[0] == 0
    assert call(capsys, *more, "--resume") == whole


@pytest.mark.parametrize(
    "arguments",
    [("--max-pull", "0"), ("--max-pull", "nan"), ("V@2",), ("R6",), ("--depth", "1"), ("--components", "9-9"),
     ("--order", "-1"), ("--networks", "3"), ("--activation", "relu", "P")],
)  # fmt: skip
def test_bad_requests(files: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    before = sorted(files.iterdir())
    code, out, err = call(capsys, "-o", "out", *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert sorted(files.iterdir()) == before


def test_a_reader_that_is_gone_does_not_change_the_answer(files: Path) -> None:
    program = f"{sys.executable} -m ntkfeyn"
    yes = f"{program} compare {' '.join(NETWORK)} Theta"
    no = f"{yes} --order 0 --max-pull 0.001"
    for line, code in ((f"{no} --format json", 1), (yes, 0)):
        ended = subprocess.run(f"{line} | true; exit ${{PIPESTATUS[0]}}", shell=True, executable="/bin/bash")
        assert ended.returncode == code, line


@pytest.mark.parametrize(("first", "second"), [("sample", "compare"), ("compare", "sample")])
def test_a_checkpoint_of_the_other_command_is_told(
    first: str, second: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, more in ((first, []), (second, ["--resume"])):
        with pytest.raises(SystemExit) as stopped:
            main([command, *NETWORK, "V", "--checkpoint", "run.npz", *more])
        err = capsys.readouterr().err
    assert stopped.value.code == 2
    assert f"is of `{first}`" in err
    assert "damaged" not in err
