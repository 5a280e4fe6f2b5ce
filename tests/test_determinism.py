"""The same request gives the same bytes, under any PYTHONHASHSEED and number of processes: every kind of artefact."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NETWORK = ["--activation", "gelu", "--inputs", "x.json", "--depth", "3", "--width", "6,8"]
CONVOLUTION = ["--network", "net.toml", "--inputs", "positions.json", "--width", "6,8"]
NET = """input.shape = [1, 3]
[[layer]]
kind = "conv"
activation = "z - z**2/4"
[[layer]]
kind = "dense"
pool = "mean"
"""
LEGS = ["--legs", "dNTK012 NTK34 z5", "--channel", "03.14.25"]
REQUESTS = {
    "list": ["list", "--format", "json"],
    "diagrams": ["diagrams", *LEGS, "--full"],
    "full": ["diagrams", "T", "--full", "--format", "json"],
    "pictures": ["diagrams", "T", "--format", "svg", "-o", "out"],
    "dot": ["diagrams", "A", "--format", "dot", "-o", "out"],
    "pdf": ["derive", "Theta@2", "--picture", "out.pdf"],
    "derive": ["derive", *LEGS, "--format", "json", "--picture", "out.svg"],
    "all": ["derive", "all", "Theta@2", "--format", "json"],
    "shared": ["derive", "F@2", "--shared", "--format", "sympy"],
    "orthogonal": ["derive", "F@2", "--weights", "orthogonal", "--format", "json", "--picture", "out.svg"],
    "tree": ["derive", "--legs", "tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5", "--channel", "01.23.45", "--format", "json"],
    "sympy": ["derive", "A@1", "D@1", "F@2", "--format", "sympy"],
    "homogeneous": ["derive", "Theta@2", "A@2", "P@2", "--homogeneous"],
    "homogeneous json": ["derive", "Theta@2", "A@2", "P@2", "--homogeneous", "--format", "json"],
    "explain": ["explain", "C0C0C0:2:3", "--pictures"],
    "explain json": ["explain", "C0C0C0:2:3", "--format", "json"],
    "latex": ["emit", "--lang", "latex", "Theta@2", "T", "--closure", "-o", "out"],
    "html": ["emit", "--lang", "html", "V@2", "T", "--closure", "-o", "out"],
    "python": ["emit", "--lang", "python", "Theta@2", "R", "T", "-o", "out"],
    "c": ["emit", "--lang", "c", "Theta@2", "R", "T", "-o", "out"],
    "jax": ["emit", "--lang", "jax", "Theta@2", "T", "-o", "out"],
    "verify": ["verify", "B", "K@1", "--certificate", "out.json"],
    "evaluate": ["evaluate", *NETWORK, "P", "V", "Theta@2", "--format", "json"],
    "relu": ["evaluate", *NETWORK, "A", "Q", "--format", "json", "--activation", "relu"],
    "sample": ["sample", *NETWORK, "B", "S", "Theta@1", "--networks", "600", "--format", "json"],
    "compare": ["compare", *NETWORK, "Theta", "V", "--networks", "600", "--max-pull", "9", "-o", "out"],
    "train": ["train", *NETWORK, "--targets", "y.json", "--networks", "64", "--times", "1,inf", "-o", "out"],
    "descent": ["train", *NETWORK, "--targets", "y.json", "--steps", "3", "--rate", "0.1", "--format", "json"],
    "training": ["emit", "--lang", "latex", "F", "--training", "-o", "out"],
    "check": ["check", "wrong.tex", "--json", "out.json", "--fix", "out.tex"],
    "convolution": ["evaluate", *CONVOLUTION, "V", "Theta@1", "--format", "json"],
    "sampled convolution": ["sample", *CONVOLUTION, "F", "T", "--networks", "64", "--format", "json"],
    "network": ["network", "net.toml", "V@2", "--samples", "1", "--format", "json"],
    "critical": ["critical", "--activation", "tanh", "--depth", "16", "-o", "out"],
    "depth": ["depth", "V@2", "A", "--activation", "leaky_relu(a)", "--widths", "any", "--json", "out.json"],
    "depth odd": ["depth", "A", "T", "--activation", "odd", "--weights", "orthogonal", "--format", "json"],
    "depth gelu": ["depth", "--activation", "gelu", "--format", "latex"],
    "susceptibilities": ["derive", "all", "--susceptibilities", "--format", "json"],
    "appendix with depth": ["emit", "--lang", "latex", "V", "T", "--depth", "-o", "out"],
    "critical relu": ["critical", "--activation", "relu", "--depth", "20"],
}
WRONG = r"""$$ T_{1324} = 2 C_W \lambda_W \langle\sigma'_1\sigma'_2\sigma_3\sigma_4\rangle \Theta_{12}
    + \sum_{a,b} F_{a1b2} \langle\partial_a(\sigma'_1\sigma_3)\rangle \langle\partial_b(\sigma'_2\sigma_4)\rangle $$"""
SHARED = ("evaluate", "relu", "sample", "compare", "train", "convolution", "sampled convolution")  # these take --jobs


# One process a seed: it loads what commands load, and every request is a fork of it.
SEEDED = """
import json, os, sys, traceback
from pathlib import Path
import matplotlib.figure, numpy, scipy.stats, sympy
from ntkfeyn.cli import main
for directory, arguments in json.load(sys.stdin):
    pid = os.fork()
    if not pid:
        os.chdir(directory)
        for stream in (1, 2):
            os.dup2(os.open(f"stream{stream}", os.O_WRONLY | os.O_CREAT), stream)
        try:
            main(arguments)
        except SystemExit as stopped:
            sys.stdout.flush()
            os._exit(int(stopped.code or 0))
        except BaseException:
            traceback.print_exc()
        os._exit(99)
    answers = (1,) if arguments[0] == "check" else (0,)  # 1: the recursion is wrong
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) not in answers:
        sys.exit(f"{arguments}: " + (Path(directory) / "stream2").read_text())
"""


def artefacts(root: Path, seed: str, more: list[str]) -> dict[str, dict[str, bytes]]:
    """Standard output and every file that each request leaves."""
    requests = []
    for name, arguments in REQUESTS.items():
        directory = root / name
        directory.mkdir(parents=True)
        (directory / "x.json").write_text(json.dumps([[1.0, 0.5], [0.3, -1.0]]))
        (directory / "y.json").write_text("[1, -0.5]")
        (directory / "wrong.tex").write_text(WRONG)
        (directory / "net.toml").write_text(NET)
        (directory / "positions.json").write_text("[[[1, 0.5, -1]], [[0.25, 0.5, 0]]]")
        requests.append((str(directory), [*arguments, *(more if name in SHARED else [])]))
    run = subprocess.run(
        [sys.executable, "-c", SEEDED],
        input=json.dumps(requests),
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stdout) == (0, ""), run.stderr
    return {
        name: {str(p.relative_to(root / name)): p.read_bytes() for p in (root / name).rglob("*") if p.is_file()}
        for name in REQUESTS
    }


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, bytes]]]:
    runs: list[tuple[str, list[str]]] = [("1", []), ("2718", ["--jobs", "2"])]
    return [artefacts(tmp_path_factory.mktemp(seed), seed, more) for seed, more in runs]


@pytest.mark.parametrize("name", REQUESTS)
def test_same_request_same_bytes(name: str, both: list[dict[str, dict[str, bytes]]]) -> None:
    first, second = (run[name] for run in both)
    assert sorted(first) == sorted(second)
    for file, content in first.items():
        assert content == second[file], file
    assert sum(map(len, first.values())) > 100
