"""Sampled networks: unbiased at tiny widths, in agreement with the recursions, reproducible, resumable."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.sampling import kernels as sampling
from ntkfeyn.sampling import law as laws
from ntkfeyn.sampling.kernels import KERNELS as TENSORS
from ntkfeyn.sampling.law import BLOCK, Law
from ntkfeyn.sampling.tallies import GROUPS, Tally

INPUTS = [[1.0, 0.5, 0.2], [0.3, -1.0, 0.4]]
COUPLINGS = {"cw": 1.5, "cb": 0.1, "lambda_w": 1.1, "lambda_b": 0.2}
SCHEMA = Path(nf.__file__).parent / "schemas" / "tensors-1.schema.json"


@pytest.mark.parametrize("activation", ["tanh", "gelu", "relu"])
def test_unbiased_at_width_two(activation: str) -> None:
    """At layer 2 every cumulant is its leading order exactly, whatever the width: a biased estimator shows."""
    network = nf.Network(2, 2, activation, **COUPLINGS)
    sampled = nf.sample(network, INPUTS, list(TENSORS), networks=40_000, seed=3)
    exact = nf.evaluate(network, INPUTS, list(TENSORS))
    for name in TENSORS:
        tensor = sampled.get(name)
        pulls = (tensor.values - exact.get(name).values) / tensor.errors
        assert np.max(np.abs(pulls)) < 4.5, name
        assert np.max(tensor.errors) < 0.1 * np.max(np.abs(tensor.values)), name


@pytest.mark.parametrize(("activation", "cw", "c"), [("linear", 1.0, 2), ("relu", 2.0, 5)])
def test_fourth_moments_of_scale_invariant_networks(activation: str, cw: float, c: int) -> None:
    """V = n (E[z_i^2 z_j^2] - K^2) = n K^2 (prod (1 + c/n) - 1), at three layers and unequal widths."""
    widths = (6, 9, 5)
    sampled = nf.sample(nf.Network(4, widths, activation, cw=cw), [[1.0]], ["V", "K", "K@1"], networks=60_000, seed=5)
    for layer in (2, 3, 4):
        growth = np.prod([1 + c / n for n in widths[: layer - 1]])
        value, error = sampled.value("V", (1, 1, 1, 1), layer)
        assert abs(value - widths[layer - 2] * cw**2 * (growth - 1)) < 4.5 * error
        mean, off = sampled.value("K@1", (1, 1), layer)
        assert abs(mean) < 4.5 * off


def test_tallies_add_up_in_any_parts() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 3))
    for parts in (1, 7, 300):
        tally = Tally.empty(3, GROUPS)
        for some in np.array_split(rows, parts):
            tally = tally.added(some)
        assert np.allclose(tally.mean, rows.mean(axis=0))
        assert np.allclose(tally.errors, rows.std(axis=0, ddof=1) / np.sqrt(300))
        full = [rows[g::GROUPS].mean(axis=0) for g in range(300 % GROUPS)]  # the others hold one block fewer
        means, worth = tally.group_means()
        assert np.allclose(means, full)
        assert worth == 100


def test_numbers_depend_on_the_seed_alone() -> None:
    network = nf.Network(3, 6, "gelu")
    runs = [
        nf.sample(network, INPUTS, ["V", "Theta@1"], networks=1000, seed=s, jobs=j) for s, j in ((1, 1), (1, 2), (2, 1))
    ]
    texts = [json.dumps(run.to_json()) for run in runs]
    assert texts[0] == texts[1] != texts[2]
    jsonschema.validate(runs[0].to_json(), json.loads(SCHEMA.read_text()))


def test_how_many_are_held_at_a_time_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network has its own random numbers: one at a time or all together, the same to rounding."""
    network = nf.Network(3, 6, "gelu", **COUPLINGS)
    names = ["V", "A", "B", "F", "P", "S"]
    together = nf.sample(network, INPUTS, names, networks=256)
    monkeypatch.setattr(laws, "BATCH_BYTES", 1)
    alone = nf.sample(network, INPUTS, names, networks=256)
    for name in names:
        assert np.allclose(together.get(name).values, alone.get(name).values, rtol=1e-12, atol=1e-14)


def test_other_widths_are_other_networks() -> None:
    """The settings of one run are independent: the same seed must not make them move together."""
    values = []
    for seed in range(24):
        networks = [nf.Network(2, width, "tanh") for width in (4, 5)]
        found = nf.sample(networks, [[1.0]], ["K"], networks=256, seed=seed)
        values.append([found.value("K", (1, 1), width=width)[0] for width in (4, 5)])
    assert abs(np.corrcoef(np.array(values).T)[0, 1]) < 0.6


def test_target_error_ends_early_and_the_same_way() -> None:
    network = nf.Network(3, 8, "tanh", **COUPLINGS)
    runs = [
        nf.sample(network, INPUTS, ["Theta", "B"], networks=200_000, target_error=0.02, jobs=jobs) for jobs in (1, 2)
    ]
    assert json.dumps(runs[0].to_json()) == json.dumps(runs[1].to_json())
    assert 1024 <= runs[0].meta["networks"] < 50_000
    for name in ("Theta", "B"):
        tensor = runs[0].get(name)
        assert np.max(tensor.errors) <= 0.02 * np.max(np.abs(tensor.values))
    whole = nf.sample(network, INPUTS, ["Theta", "B"], networks=runs[0].meta["networks"])
    assert whole.get("B").values.tolist() == runs[0].get("B").values.tolist()


def test_jax_gives_the_same_numbers() -> None:
    pytest.importorskip("jax")
    network = nf.Network(4, (6, 8, 5), "gelu", **COUPLINGS)
    ours, theirs = (nf.sample(network, INPUTS, list(TENSORS), networks=256, backend=b) for b in ("numpy", "jax"))
    for name in TENSORS:
        for layer in (2, 3, 4):
            a, b = (one.get(name, layer).values for one in (ours, theirs))
            assert np.max(np.abs(a - b)) < 1e-11 * np.max(np.abs(a)), name


def test_a_network_that_needs_too_much_memory_is_refused() -> None:
    with pytest.raises(NtkfeynError, match="try a smaller width"):
        nf.sample(nf.Network(3, 8192, "tanh"), INPUTS, ["Theta"], networks=256)


LAYERED = {"cw": (1.5, 1.2, 1.4), "cb": (0.1, 0.3, 0.05), "lambda_w": (1.1, 0.8, 1.3), "lambda_b": (0.2, 0.4, 0.1)}


def test_couplings_and_widths_of_each_layer() -> None:
    """Layer-dependent couplings, unequal widths, orders 1 and 2: every tensor at the output layer."""
    network = nf.Network(3, (24, 40), "tanh", **LAYERED)
    sampled = nf.sample(network, INPUTS, list(TENSORS), networks=6400, seed=8)
    orders = [f"{name}@{r}" for name in TENSORS for r in range(nf.derive(name).record.order, 3)]
    theory = nf.evaluate(network, INPUTS, orders, tolerance=1e-6).assembled()
    for name in TENSORS:
        first = nf.derive(name).record.order
        exact = theory.get(f"{name}@{first}..2" if first < 2 else f"{name}@2").values
        tensor = sampled.get(name)
        assert np.max(np.abs((tensor.values - exact) / tensor.errors)) < 4.5, name
        assert np.max(tensor.errors) < 0.1 * np.max(np.abs(exact)), name


def test_streams_are_kept_apart() -> None:
    law, wider = (Law(nf.Network(3, width, "tanh").layers, np.eye(1)) for width in (4, 5))
    draws = [
        laws.stream(*of).normal()
        for of in ((law, 1, 0, 0), (law, 1, 0, 1), (law, 1, 1, 0), (law, 2, 0, 0), (wider, 1, 0, 0))
    ]
    assert len(set(draws)) == len(draws)


@pytest.mark.parametrize(
    ("activation", "message"),
    [("log(z)", "is not smooth at z = 0"), ("exp(z**2)", "are no numbers"), ("1e300*z", "are no numbers")],
)
def test_samples_that_are_no_numbers_are_refused(activation: str, message: str) -> None:
    with pytest.raises(NtkfeynError, match=message):
        nf.sample(nf.Network(3, 4, activation), INPUTS, ["K"], networks=256)


def test_target_error_is_reached_at_the_last_layer() -> None:
    found = nf.sample(nf.Network(3, 8, "tanh"), INPUTS, ["V"], networks=100_000, target_error=0.04)
    assert 1024 < found.meta["networks"] < 100_000
    tensor = found.get("V")
    assert 0.03 < np.max(tensor.errors) / np.max(np.abs(tensor.values)) <= 0.04


@pytest.mark.parametrize(
    "wrong", [{"networks": 640.5}, {"networks": "64"}, {"seed": None}, {"outputs": 2.5}, {"target_error": "a"},
              {"scheduler": 5}, {"backend": 3}],
)  # fmt: skip
def test_values_of_the_wrong_kind(wrong: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(NtkfeynError):
        nf.sample(nf.Network(3, 4, "tanh"), INPUTS, ["K"], **{"networks": 256, **wrong})


def test_each_width_once() -> None:
    assert nf.Network(3, (8, 8), "tanh") == nf.Network(3, 8, "tanh")
    with pytest.raises(NtkfeynError, match="each width once"):
        nf.sample([nf.Network(3, 8, "tanh"), nf.Network(3, (8, 8), "tanh")], INPUTS, ["K"], networks=256)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.json").write_text(json.dumps(INPUTS))
    return tmp_path


NETWORK = ["sample", "--activation", "tanh", "--inputs", "x.json", "--depth", "3", "--width", "8,12", "V", "K@1"]


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main([*NETWORK, *arguments])
    out, err = capsys.readouterr()
    return int(caught.value.code or 0), out, err


def test_resume_goes_on_to_the_same_numbers(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rest = ("--format", "json", "--checkpoint", "run.npz")
    _, whole, _ = call(capsys, "--networks", "2048", "--format", "json")
    assert call(capsys, "--networks", "700", *rest)[0] == 0
    code, resumed, err = call(capsys, "--networks", "2048", *rest, "--resume")
    assert (code, err) == (0, "")
    assert resumed == whole
    for wrong in (("--seed", "2"), ("--networks", "300"), ("--cw", "2")):
        code, out, err = call(capsys, "--networks", "2048", *rest, "--resume", *wrong)
        assert (code, out) == (2, "")
        assert "another request" in err
    Path("run.npz").write_bytes(Path("run.npz").read_bytes()[:200])
    code, out, err = call(capsys, "--networks", "2048", *rest, "--resume")
    assert (code, out) == (2, "")
    assert "damaged" in err


DAMAGES = {
    "negative": ("squares", lambda a: -1 - a), "nan": ("mean", lambda a: a * np.nan),
    "short": ("mean", lambda a: a[:-1]),
    "blocks": ("blocks", lambda a: a * 0), "fraction": ("blocks", lambda a: a + 0.5),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_checkpoints_are_refused(damage: str, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "--networks", "256", "--checkpoint", "run.npz")[0] == 0
    with np.load("run.npz") as held:
        arrays = dict(held)
    part, change = DAMAGES[damage]
    arrays[f"8 {part}"] = change(arrays[f"8 {part}"])
    np.savez("run.npz", **arrays)
    code, out, err = call(capsys, "--networks", "256", "--checkpoint", "run.npz", "--resume")
    assert (code, out) == (2, "")
    assert "damaged" in err


def test_checkpoints_are_neither_overwritten_nor_waited_for(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("x.json").read_bytes()
    code, _, err = call(capsys, "--networks", "256", "--checkpoint", "x.json")
    assert code == 2
    assert "exists" in err
    assert Path("x.json").read_bytes() == before
    os.mkfifo("pipe")
    assert call(capsys, "--networks", "256", "--checkpoint", "pipe", "--resume")[0] == 2
    np.savez_compressed("large.npz", fingerprint=np.zeros(10**7))
    assert call(capsys, "--networks", "256", "--checkpoint", "large.npz", "--resume")[0] == 2


@pytest.mark.parametrize("more", [("--outputs", "3"), ("--backend", "jax"), ("--target-error", "0.5"), ("B",)])
def test_another_request_does_not_resume(
    more: tuple[str, ...], files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("jax")
    assert call(capsys, "--networks", "256", "--checkpoint", "run.npz")[0] == 0
    code, out, err = call(capsys, "--networks", "256", "--checkpoint", "run.npz", "--resume", *more)
    assert (code, out) == (2, "")
    assert "another request" in err


def test_killed_and_resumed(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        sys.executable,
        "-m",
        "ntkfeyn",
        *NETWORK,
        "--networks",
        "40000",
        "--checkpoint",
        "run.npz",
        "--format",
        "json",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    for _ in range(400):
        if Path("run.npz").exists():
            break
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert Path("run.npz").exists()
    resumed = call(capsys, "--networks", "40000", "--checkpoint", "run.npz", "--resume", "--format", "json")
    assert resumed == call(capsys, "--networks", "40000", "--format", "json")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--networks", "1"), ("--networks", "-5"), ("--seed", "-1"), ("--jobs", "0"), ("C2",), ("V@2",),
        ("--depth", "1"), ("--width", "100000"), ("--outputs", "1"), ("--target-error", "0"), ("--target-error", "nan"),
        ("--backend", "torch"), ("--scheduler", "x"), ("--resume",), ("--checkpoint", "x.json/run.npz"), ("--cw", "0"),
        ("--activation", "f"),
    ],
)  # fmt: skip
def test_bad_requests(files: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    before = sorted(files.iterdir())
    code, out, err = call(capsys, "--networks", "128", "--json", "out.json", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert sorted(files.iterdir()) == before


def test_a_full_disk_ends_with_one_message(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "--networks", "128", "--checkpoint", "/dev/full")
    assert (code, out) == (2, "")
    assert "No space left" in err
    assert BLOCK == 32


def test_what_does_not_fluctuate_is_not_called_exact(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.json").write_text("[[0, 0]]")
    code, out, _ = call(capsys, "--networks", "128")
    assert code == 0
    assert out.count("standard error 0: the same in every network") == 4
    assert "exact" not in out


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_a_trace_alone_is_that_of_the_whole_ntk(depth: int) -> None:
    """Without F and B only diagonals of the first and the last NTK are held: the same numbers to rounding."""
    gram = np.array([[1.0, 0.3], [0.3, 0.7]])
    law = Law(nf.Network(depth, tuple(range(5, 4 + depth)), "gelu", cw=1.5, cb=0.1).layers, gram)
    names = ("K", "Theta", "V", "D", "A")
    few, all_names = (sampling.kernel_block(law, asked, 3, 0) for asked in (names, (*names, "F", "B")))
    for one, other in zip(few, all_names, strict=True):
        for name in names:
            assert np.max(np.abs(one[name] - other[name])) <= 1e-13 * np.max(np.abs(other[name])), name


def test_the_whole_ntk_is_formed_only_between_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a mean of depth 3 no array of pairs of neurons is made: products of weights with diagonals suffice."""

    def refused(*_: object) -> None:
        raise AssertionError("formed")

    monkeypatch.setattr(sampling, "_half", refused)
    law = Law(nf.Network(3, 8, "gelu").layers, np.eye(2))
    sampling.kernel_block(law, ("K", "Theta"), 0, 0)
    with pytest.raises(AssertionError, match="formed"):
        sampling.kernel_block(law, ("Theta", "F"), 0, 0)
