"""Training at order 1/n: averages against integrated equations of motion, solvable networks, and trained networks."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from itertools import product
from math import inf
from pathlib import Path
from typing import Any

import jsonschema
import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray
from oracles import motion

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.derivation.training import Source, kernel_sums, motions, prediction_sums
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.training import histories, networks
from ntkfeyn.training.averages import modes_of, predicted

X = [[1.0, 0.5, 0.2], [0.3, -1.0, 0.4], [0.8, -0.2, -0.6]]
Y = np.array([[1.0, 0.3], [-0.5, 0.7]])
NAMES = ["K", "Theta", "Theta@1", "A", "B", "P", "Q", "R", "S", "T", "U"]
TANH = nf.Network(3, 64, "tanh", cw=1.5, cb=0.1, lambda_b=0.2)
SCHEMA = json.loads((Path(nf.__file__).parent / "schemas" / "training-1.schema.json").read_text())
TIMES = [0.5, 1.0, 3.0]


def trained(network: Any = TANH, **asked: Any) -> Any:
    return nf.train(network, **({"inputs": X[:2], "targets": Y, "test": X[2:]} | asked))


def by_output(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(output, sample) to (sample, output)"""
    return values.reshape(2, 3).T


def kernel_of(values: NDArray[np.float64]) -> Any:
    return np.einsum("iaib->ab", values.reshape(2, 3, 2, 3)) / 2


# --- what is averaged ---


def test_trees_grow_as_the_equations_of_motion_say() -> None:
    """dz = -NTK, dNTK = -(star at I + star at J), d star = -(ddNTK1 and two paths): each residual on each node."""
    flow = [one for one in motions((), "I", 3) if not one.history.simultaneous]
    assert [len([one for one in flow if len(one.edges) == size]) for size in (1, 2, 3)] == [1, 2, 6]
    assert all(one.coefficient == (-1) ** len(one.edges) for one in flow)
    steps = [one for one in motions((), "I", 3) if one.history.simultaneous]
    total = {levels: sum(one.coefficient for one in steps if one.history.levels == levels) for levels in
             (("JK",), ("JKL",), ("J", "KL"), ("JK", "L"))}  # fmt: skip
    assert total == {("JK",): Fraction(1, 2), ("JKL",): Fraction(-1, 6), ("J", "KL"): -2, ("JK", "L"): Fraction(-3, 2)}
    assert len({one.history.levels for one in steps}) == 4


def test_sums_need_every_tensor_and_are_odd_in_targets() -> None:
    sums = prediction_sums()
    assert {one.tensor.name for one in sums} == {"Theta", *NAMES[3:]}
    assert {one.tensor.order for one in (*sums, *kernel_sums())} == {1}
    assert all(len(one.targets) % 2 for one in sums)
    assert not any(len(one.targets) % 2 for one in kernel_sums())
    assert {one.source for one in sums} == set(Source)


def test_a_channel_of_the_fluctuation_sums_over_outputs() -> None:
    """E[Delta_IJ Delta_JK] = A (I J)(J K) + B (I J)(J K) + B (I K)(J J): the last one counts outputs."""
    found = {(one.tensor.name, one.indices, one.neurons) for one in prediction_sums() if one.source == "fluctuation"}
    assert found == {("A", "IJJK", ("IJK",)), ("B", "IJJK", ("IJK",)), ("B", "IKJJ", ("IK", "J"))}


# --- integrals ---


def divided(nodes: list[float], t: float) -> float:
    """In 60 digits, equal nodes moved apart by 1e-25."""
    with mpmath.workdps(220):
        apart = [mpmath.mpf(x) + mpmath.mpf(k) * mpmath.mpf(10) ** -28 for k, x in enumerate(nodes)]
        row = [mpmath.exp(-x * t) for x in apart]
        for d in range(1, len(nodes)):
            row = [(row[i] - row[i + 1]) / (apart[i + d] - apart[i]) for i in range(len(nodes) - d)]
        return float(row[0])


def test_convolutions_of_exponentials_lose_no_digits() -> None:
    rng = np.random.default_rng(1)
    values = [0.0, 1e-13, 1e-6, 0.3, 0.3 + 1e-9, 0.7, 2.0, 40.0, 1e4]
    for _ in range(150):
        size, t = int(rng.integers(1, 6)), float(rng.choice([1e-3, 0.5, 3.0, 50.0]))
        nodes = [float(x) for x in rng.choice(values, size)]
        exact = divided(nodes, t)
        [found] = histories._exponential(np.array([nodes]), t)
        assert abs(found - exact) <= 2e-12 * exact + 1e-300, (nodes, t)


def test_powers_are_sums_over_steps() -> None:
    nodes = np.array([0.9, -0.4, 0.9, 0.2])
    for steps in (0, 2, 3, 9):
        brute = sum(
            np.prod(nodes ** np.array(powers))
            for powers in product(range(steps + 1), repeat=4)
            if sum(powers) == steps - 3
        )
        assert histories._power(nodes, steps) == pytest.approx(brute, abs=1e-14)


# --- against other ways ---


@pytest.fixture(scope="module")
def known() -> motion.Averages:
    return motion.averages(nf.evaluate(TANH, X, NAMES, tolerance=1e-6), 2)


TRAIN = np.array([0, 1, 3, 4])  # (output, sample)


def test_flow_is_the_integrated_equations_of_motion(known: motion.Averages) -> None:
    found = trained(times=TIMES)
    for i, exact in enumerate(motion.flow(known, TRAIN, Y.T.ravel(), TIMES)):
        assert found.order0[i] == pytest.approx(by_output(exact.order0), abs=1e-8)
        assert found.order1[i] == pytest.approx(by_output(exact.order1), abs=1e-8)
        assert found.settings[0].expansion.change1[i] == pytest.approx(kernel_of(exact.change), abs=1e-8)


@pytest.mark.parametrize(("rate", "steps"), [(0.3, 1), (0.3, 7), (0.1, 30)])
def test_descent_is_the_sum_over_steps(known: motion.Averages, rate: float, steps: int) -> None:
    found = trained(steps=[steps], rate=rate)
    exact = motion.descent(known, TRAIN, Y.T.ravel(), rate, steps)
    assert found.order0[0] == pytest.approx(by_output(exact.order0), abs=1e-12)
    assert found.order1[0] == pytest.approx(by_output(exact.order1), abs=1e-12)
    assert found.settings[0].expansion.change1[0] == pytest.approx(kernel_of(exact.change), abs=1e-12)


@pytest.mark.parametrize("asked", [{"time": 1.5}, {"rate": 0.4, "steps": 3}])
def test_linear_networks_are_averaged_over_initialisations(asked: dict[str, Any]) -> None:
    """Depth 2, one input: the mean over all networks by quadrature, at five widths; its orders in 1/n."""
    means = {n: motion.linear_mean(n, 0.7, 0.8, **asked) for n in (64, 96, 128, 192, 256)}
    schedule: dict[str, Any] = {"times": [asked["time"]]} if "time" in asked else {"steps": [3], "rate": 0.4}
    found = nf.train(nf.Network(2, 64, "linear"), gram=[[0.7]], targets=[0.8], **schedule)
    order0, order1 = motion.coefficient({n: value for n, (value, _) in means.items()})
    assert (found.order0.item(), found.order1.item()) == pytest.approx((order0, order1), abs=1e-6)
    change = motion.coefficient({n: value for n, (_, value) in means.items()})
    assert found.settings[0].expansion.change1.item() == pytest.approx(change[1], abs=1e-6)


# --- limits and symmetries ---


def test_small_steps_give_flow() -> None:
    flow = trained(times=[2.0])
    off = [np.abs(trained(steps=[n], rate=2.0 / n).order1 - flow.order1).max() for n in (200, 400, 800)]
    assert off[0] / off[1] == pytest.approx(2, rel=0.02)
    assert off[1] / off[2] == pytest.approx(2, rel=0.02)
    assert off[2] < 5e-3


def test_infinity_is_the_limit() -> None:
    found = trained(times=[40.0, 80.0, inf])
    assert found.order1[1] == pytest.approx(found.order1[2], abs=1e-10)
    expansion = found.settings[0].expansion
    assert expansion.change1[1] == pytest.approx(expansion.change1[2], abs=1e-10)
    assert found.order0[2, :2] == pytest.approx(Y, abs=1e-12)
    assert found.order1[2, :2] == pytest.approx(np.zeros((2, 2)), abs=1e-12)
    assert expansion.covariance[2, :2, :2] == pytest.approx(np.zeros((2, 2)), abs=1e-12)


def test_the_order_of_inputs_and_outputs_is_of_no_account() -> None:
    x = [[1.0, 0.5], [0.3, -1.0], [0.8, -0.2]]
    y = np.array([[1.0, 0.3], [-0.5, 0.7], [0.2, 0.4]])
    network = nf.Network(2, 64, "tanh")
    found = nf.train(network, x[:2], y[:2], test=x[2:], times=TIMES)
    turned = nf.train(network, [x[1], x[0]], y[:2][::-1, ::-1], test=x[2:], times=TIMES)
    assert turned.order1[:, [1, 0, 2]][:, :, ::-1] == pytest.approx(found.order1, abs=1e-9)
    change, other = found.settings[0].expansion.change1, turned.settings[0].expansion.change1
    assert other[:, [1, 0, 2]][:, :, [1, 0, 2]] == pytest.approx(change, abs=1e-9)


def test_targets_and_rates_scale_as_they_must() -> None:
    """Order 1 is cubic and odd in the targets; lambda and 1/t scale together."""
    one, two, three, minus = (trained(targets=c * Y, times=TIMES) for c in (1, 2, 3, -1))
    cubic = (two.order1 - 2 * one.order1) / 6
    assert np.abs(cubic).max() > 1e-3
    assert three.order1 == pytest.approx(3 * (one.order1 - cubic) + 27 * cubic, abs=1e-9)
    assert minus.order1 == pytest.approx(-one.order1, abs=1e-12)
    fast = trained(
        nf.Network(3, 64, "tanh", cw=1.5, cb=0.1, lambda_w=2.5, lambda_b=0.5), times=[t / 2.5 for t in TIMES]
    )
    assert fast.order1 == pytest.approx(one.order1, abs=1e-7)
    assert fast.settings[0].expansion.change1 == pytest.approx(2.5 * one.settings[0].expansion.change1, abs=1e-6)


def test_an_equal_test_point_is_predicted_as_its_training_point() -> None:
    found = trained(test=[X[1]], times=[0.7, inf])
    assert found.order1[:, 2] == pytest.approx(found.order1[:, 1], abs=1e-9)
    expansion = found.settings[0].expansion
    assert expansion.covariance[:, 2, 2] == pytest.approx(expansion.covariance[:, 1, 1], abs=1e-9)


def test_equal_inputs_count_as_one_with_their_mean_target() -> None:
    """Two equal inputs pull twice, as one with twice the rate does; what differs in their targets is never fitted."""
    twice = nf.train(nf.Network(2, 64, "tanh"), [X[0], X[0]], [1.0, 0.4], times=[0.5, inf])
    assert any("inputs 1 and 2 are equal" in line for line in twice.warnings)
    once = nf.train(nf.Network(2, 64, "tanh"), [X[0]], [0.7], times=[1.0, inf])
    assert twice.order0[:, 0] == pytest.approx(once.order0[:, 0], abs=1e-9)
    assert np.isfinite(twice.order1).all()
    assert twice.order1[:, 0] == pytest.approx(twice.order1[:, 1], abs=1e-12)
    assert twice.order1[:, 0] == pytest.approx(once.order1[:, 0], abs=1e-7)
    assert not nf.train(nf.Network(2, 64, "tanh"), [X[0], X[0]], [1.0, 1.0], times=[0.5]).warnings


def test_hidden_widths_of_their_own() -> None:
    """1/n is that of the last hidden layer; order 0 knows no width."""
    equal, wide = (trained(nf.Network(3, width, "tanh"), times=[1.0]) for width in (32, (64, 32)))
    assert wide.settings[0].n == 32
    assert wide.order0 == pytest.approx(equal.order0, abs=1e-9)
    assert np.abs(wide.order1 - equal.order1).max() > 1e-3


def test_errors_cover_what_a_finer_solution_changes() -> None:
    rough, fine = (trained(times=TIMES, tolerance=tolerance) for tolerance in (1e-4, 1e-10))
    off = np.abs(rough.order1 - fine.order1)
    assert (off <= rough.settings[0].expansion.order1_errors + 1e-12).all()
    assert rough.settings[0].expansion.order1_errors.max() < 1e-4


def test_a_mode_that_does_not_move_meets_no_infinity() -> None:
    theta = np.array([[1.0, 1.0], [1.0, 1.0]])
    modes = modes_of(theta, np.array([[1.0], [0.0]]), 0.0)
    ones = {
        TensorId("Theta", 0): np.ones((2, 2)),
        TensorId("K", 0): np.ones((2, 2)),
        TensorId("Theta", 1): np.ones((2, 2)),
    }
    sums = [one for one in prediction_sums() if one.source == Source.INITIAL]
    found = predicted(ones, modes, histories.Flow((inf,)), sums)
    assert found.order0[0, :, 0] == pytest.approx([0.5, 0.5])


# --- networks ---


def test_a_trained_network_follows_its_gradient() -> None:
    """The velocity is -lambda dL/d theta by finite differences; the kernel is that of the velocity."""
    layers = nf.Network(3, (4, 5), "tanh", cb=0.3, lambda_w=0.7, lambda_b=0.4).layers
    problem = networks.Problem(layers, np.array(X), Y)
    rng = [np.random.default_rng(k) for k in range(2)]
    parameters = networks.drawn(problem, rng)

    def losses() -> NDArray[np.float64]:
        eps = networks.forward(problem, parameters, 2).output - Y
        return np.asarray(0.5 * (eps**2).sum(axis=(1, 2)))

    h = 1e-6
    later = networks.moved(problem, parameters, [(h, along := networks.slope(problem, parameters))])
    for which, (one, after) in enumerate(zip(parameters, later, strict=True)):
        layer = layers[which // 2]
        rate = layer.lambda_b if which % 2 else layer.lambda_W / problem.below[which // 2]
        at = (slice(None), 0, one.shape[2] - 1)
        kept, slopes = one[at].copy(), (after[at] - one[at]) / h
        one[at] = kept + 1e-6
        up = losses()
        one[at] = kept - 1e-6
        down = losses()
        one[at] = kept
        assert slopes == pytest.approx(-rate * (up - down) / 2e-6, abs=1e-7)
    start, end = (networks.forward(problem, weights).output for weights in (parameters, later))
    eps = start[:, :2] - Y
    pulled = np.einsum("manbk,mbk->man", networks.kernel(problem, parameters)[:, :, :, :2], eps)
    assert (end - start) / h == pytest.approx(-pulled, abs=1e-4)
    far = networks.moved(problem, parameters, [(0.3, along)])  # the same without weights written
    assert networks.forward(problem, parameters, None, along, 0.3).output == pytest.approx(
        networks.forward(problem, far).output, abs=1e-12
    )
    for one, other in zip(networks.slope(problem, parameters, along, 0.3), networks.slope(problem, far), strict=True):
        assert all(x == pytest.approx(y, abs=1e-12) for x, y in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("network", "schedule"),
    [
        (nf.Network(3, 32, "tanh", cw=1.5), {"times": [1.0, 2.0, inf]}),
        (
            nf.Network(3, 24, "gelu", cw=1.5, cb=0.1, lambda_b=0.2, weights="orthogonal"),
            {"steps": [4, 20], "rate": 0.25},
        ),
    ],
    ids=["flow", "orthogonal descent"],
)
def test_trained_networks_agree_at_order_one(network: nf.Network, schedule: dict[str, Any]) -> None:
    found = trained(network, networks=320, seed=3, **schedule)
    [setting] = found.settings
    pulls, change = setting.prediction_pulls(), setting.change_pulls()
    assert np.nanmax(np.abs(pulls.order0)) > 7  # of a unit normal, as improbable as these are for 20 blocks
    assert np.nanmax(np.abs(pulls.order1)) < 4
    assert np.nanmax(np.abs(change.order0)) > 2.5
    assert np.nanmax(np.abs(change.order1)) < 4
    if "times" in schedule:  # every network fits its targets
        assert np.isnan(pulls.order1[2, :2]).all()
        assert setting.sampled.prediction[2, :2] == pytest.approx(Y, abs=1e-9)
        assert setting.sampled.step_error < 1e-4
    jsonschema.validate(found.to_json(), SCHEMA)


# --- LaTeX ---


def test_latex_states_every_term(tmp_path: Path) -> None:
    """Equations of motion with their trees, and each sum of the flow: 3 of the fluctuation, 12 and 18 of the motion."""
    paths = nf.emit("K", lang="latex", training=True, name="t", directory=tmp_path)
    text = (tmp_path / "t" / "training.tex").read_text()
    assert tmp_path / "t" / "training.tex" in paths
    assert r"-\nkfLeg{}{dNTK}{1,2,3}\nkfI \nkfEps{3}-\nkfLeg{}{dNTK}{2,1,3}\nkfI \nkfEps{3}" in text
    flow = [one for one in prediction_sums() if not one.history.simultaneous]
    for label, source in (("initial", "initial"), ("fluctuation", "fluctuation"), ("first", "first_order_motion")):
        [part] = re.findall(rf"training-{label}}}(.*?)\\end{{nkfRecursion}}", text, flags=re.DOTALL)
        assert part.count(r"\nkfTerm") == sum(one.source == source for one in flow)
    [second] = re.findall(r"training-second}(.*?)\\end{nkfRecursion}", text, flags=re.DOTALL)
    assert second.count(r"\nkfTerm") == 18
    assert {name: len(re.findall(rf"nkfN{{{name}}}", second)) for name in "RSTU"} == {"R": 6, "S": 4, "T": 4, "U": 4}
    assert r"\input{t/training}" in (tmp_path / "t.tex").read_text()
    assert r"Label $\nkfX1$ ($\nkfX1$ and $\nkfX2$ for the kernel)" in text
    assert r"residual $\nkfX2$ at time $t$, $\nkfX3$ at $t'$ and $\nkfX4$ at $t''$" in text
    assert set(re.findall(r"\\nkfProp\{[^}]*\}\{\d\}\{(\d)\}", text)) == {"4"}, "a letter for four samples is enough"


def test_a_figure_of_descent_counts_steps() -> None:
    """Not their time, which is the rate times as much."""
    axis = trained(nf.Network(2, 8, "linear"), steps=[5, 20], rate=0.1).figure().axes[0]
    assert axis.get_xlabel() == "step"
    assert max(line.get_xdata()[-1] for line in axis.get_lines()) == pytest.approx(20)


# --- committed outputs ---

OUTPUTS = Path(__file__).parent.parent / "outputs" / "training"


@pytest.mark.parametrize("name", ["tanh-1", "tanh-2", "gelu-1", "gelu-2"])
def test_committed_networks_are_off_order_0_and_on_order_1(name: str) -> None:
    """Above 10 errors off order 0; on order 1 where 1/n^2 is small, and in the limit of n (sampled - order 0)."""
    document = json.loads((OUTPUTS / name / "training.json").read_text())
    jsonschema.validate(document, SCHEMA)
    widths = [int(width) for width in document["meta"]["widths"]]
    kinds = {
        "prediction": ("sampled", "error", "order1", "order0"),
        "kernel": ("sampled_change", "change_error", "change1", ""),
    }
    for kind, (sampled, error, order1, order0) in kinds.items():
        rows: dict[tuple[str, str, int], list[dict[str, float]]] = {}
        for width, (time, point) in product(
            widths, product(document["data"]["width-16"], ["train-1", "train-2", "test-1"])
        ):
            found = document["data"][f"width-{width}"][time][kind]
            for key in [point] if kind == "prediction" else found if point == "test-1" else []:
                for o, entry in enumerate(found[key] if kind == "prediction" else [found[key]]):
                    rows.setdefault((time, key, o), []).append(entry)
        kept = {key: entries for key, entries in rows.items() if "pull1" in entries[0]}
        assert max(abs(one["pull0"]) for entries in kept.values() for one in entries) > 10
        last = np.array([[one["pull1"] for one in entries[2:]] for entries in kept.values()])
        assert np.sqrt((last**2).mean()) < 2.5  # times of one run move together, and 1/n^2 is one error of gelu at 128
        limits = []
        for entries in kept.values():
            n = np.array(widths) if kind == "prediction" else np.ones(len(widths))
            off = n * [one[sampled] - (one[order0] if order0 else 0.0) for one in entries]
            weights = 1 / (n * [one[error] for one in entries])
            table = np.vander(1 / np.array(widths), 3, increasing=True) * weights[:, None]
            covariance = np.linalg.inv(table.T @ table)
            limit = covariance @ table.T @ (off * weights)
            limits.append((limit[0] - entries[0][order1]) / np.sqrt(covariance[0, 0]))
        assert np.sqrt(np.mean(np.square(limits))) < 1.6
        assert np.abs(limits).max() < 3.5


def test_shared_weights_are_refused() -> None:
    network = nf.Network(layers=[nf.Conv(kernel=2, width=4), nf.Dense(pool="mean")], shape=(1, 3), activation="tanh")
    with pytest.raises(nf.NtkfeynError, match="shares weights"):
        nf.train(network, gram=np.eye(6), targets=[1.0, 0.5])
    with pytest.raises(nf.NtkfeynError, match="shares weights"):
        nf.train(network, np.ones((2, 1, 3)), [1.0, 0.5])


# --- command line ---


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, value in (("x", X[:2]), ("y", Y.tolist()), ("t", X[2:]), ("one", [1, -0.5])):
        Path(f"{name}.json").write_text(json.dumps(value))
    return tmp_path


COMMON = ("train", "--activation", "tanh", "--inputs", "x.json", "--depth", "2", "--width", "8")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    out = capsys.readouterr()
    return int(stopped.value.code or 0), out.out, out.err


def test_the_command_writes_data_figures_and_a_table(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = (*COMMON, "--targets", "y.json", "--test", "t.json", "--times", "0.5,inf", "--networks", "64", "-o", "out")
    code, out, _ = run(capsys, *asked, "--width", "8,12")
    assert code == 0
    assert out.count("time-inf") == 2 * (3 * 2 + 6)
    assert "pulls" in out
    document = json.loads(Path("out/training.json").read_text())
    jsonschema.validate(document, SCHEMA)
    entry = document["data"]["width-8"]["time-0.5"]
    assert list(entry["prediction"]) == ["train-1", "train-2", "test-1"]
    first = entry["prediction"]["test-1"][1]
    assert sum(first["sources"].values()) == pytest.approx(first["order1"], abs=1e-12)
    assert list(entry["kernel"]) == ["1-1", "1-2", "1-3", "2-2", "2-3", "3-3"]
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "training-time.pdf", "training-time.png", "training-width.pdf", "training-width.png", "training.json",
    ]  # fmt: skip


def test_a_gram_matrix_holds_test_points_behind_those_with_targets(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("k.json").write_text(json.dumps((np.array(X) @ np.array(X).T / 3).tolist()))
    rest = ("--targets", "one.json", "--format", "json")
    direct = json.loads(run(capsys, *COMMON, *rest, "--test", "t.json")[1])
    at = COMMON.index("--inputs")
    by_gram = json.loads(run(capsys, *COMMON[:at], "--gram", "k.json", *COMMON[at + 2 :], *rest)[1])
    one, two = (d["data"]["width-8"]["time-inf"]["prediction"]["test-1"][0]["order1"] for d in (direct, by_gram))
    assert one == pytest.approx(two, abs=1e-9)


def test_a_resumed_run_and_more_processes_give_the_same_bytes(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rest = ("--targets", "one.json", "--times", "0.5,1", "--format", "json", "--networks")
    whole = run(capsys, *COMMON, *rest, "96")
    assert whole[0] == 0
    assert run(capsys, *COMMON, *rest, "64", "--checkpoint", "c.npz")[0] == 0
    assert run(capsys, *COMMON, *rest, "96", "--checkpoint", "c.npz", "--resume")[1] == whole[1]
    assert run(capsys, *COMMON, *rest, "96", "--jobs", "2")[1] == whole[1]
    code, _, err = run(capsys, *COMMON, *rest, "96", "--checkpoint", "c.npz", "--resume", "--seed", "2")
    assert (code, "of another request" in err) == (2, True)


BAD = {
    "shape": (("--targets", "x.json", "--test", "t.json", "--inputs", "t.json"), "2 rows of targets for 1 training"),
    "none": ((), "no targets were given"),
    "nan": (("--targets", "nan.json"), "nan or inf"),
    "text": (("--targets", "text.json"), "no real numbers"),
    "ragged": (("--targets", "ragged.json"), "ragged"),
    "deep": (("--targets", "deep.json"), "targets of shape"),
    "kinked": (("--targets", "one.json", "--activation", "relu"), "delta functions"),
    "negative": (("--targets", "one.json", "--times", "-1"), "from 0 up"),
    "not a time": (("--targets", "one.json", "--times", "nan"), "from 0 up"),
    "word": (("--targets", "one.json", "--times", "later"), "numbers separated by commas"),
    "steps alone": (("--targets", "one.json", "--steps", "5"), "--steps and --rate"),
    "both": (("--targets", "one.json", "--steps", "5", "--rate", "0.1", "--times", "1"), "do not fit together"),
    "steps": (("--targets", "one.json", "--steps", "-5", "--rate", "0.1"), "whole numbers"),
    "zero rate": (("--targets", "one.json", "--steps", "5", "--rate", "0"), "positive number"),
    "diverges": (("--targets", "one.json", "--steps", "5", "--rate", "50"), "diverges"),
    "dimension": (("--targets", "one.json", "--test", "four.json"), "dimension 4"),
    "null": (("--targets", "one.json", "--test", "null.json"), "'null.json' does not hold numbers in rows"),
    "many": (("--targets", "many.json", "--inputs", "many_x.json"), "at most 12 are allowed"),
    "checkpoint": (("--targets", "one.json", "--checkpoint", "c.npz"), "without networks"),
    "resume": (("--targets", "one.json", "--resume"), "--resume was given without networks"),
    "seed": (("--targets", "one.json", "--seed", "2"), "--seed was given without networks"),
    "negative seed": (("--targets", "one.json", "--seed", "-2", "--networks", "64"), "a seed from 0 up"),
    "boolean": (("--targets", "boolean.json"), "no real numbers"),
    "other digits": (("--targets", "one.json", "--steps", "1_0", "--rate", "0.1"), "--steps '1_0'"),
    "few": (("--targets", "one.json", "--networks", "3"), "3 networks"),
    "gram": (("--targets", "one.json", "--gram", "x.json"), "exactly one"),
    "zero": (("--targets", "one.json", "--inputs", "zero.json"), "vanishes"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_requests_are_refused(name: str, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file, value in (
        ("nan", "[NaN, 1]"), ("text", '["a", "b"]'), ("ragged", "[[1], [1, 2]]"), ("deep", "[[[1]], [[2]]]"),
        ("four", "[[1, 2, 3, 4]]"), ("null", "null"), ("many", json.dumps([1] * 13)), ("zero", "[[0, 0], [0, 0]]"),
        ("boolean", "[[true], [1]]"),
        ("many_x", json.dumps(np.eye(13).tolist())),
    ):  # fmt: skip
        Path(f"{file}.json").write_text(value)
    arguments, message = BAD[name]
    code, out, err = run(capsys, *COMMON, *arguments, "-o", "out")
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not Path("out").exists()
