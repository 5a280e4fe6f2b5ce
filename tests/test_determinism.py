"""The same request gives the same bytes, under any PYTHONHASHSEED and number of processes: every kind of artefact."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NETWORK = ["--activation", "gelu", "--inputs", "x.json", "--depth", "3", "--width", "6,8"]
LEGS = ["--legs", "dNTK012 NTK34 z5", "--channel", "03.14.25"]
REQUESTS = {
    "list": ["list", "--format", "json"],
    "diagrams": ["diagrams", *LEGS, "--full"],
    "full": ["diagrams", "T", "--full", "--format", "json"],
    "pictures": ["diagrams", "T", "--format", "svg", "-o", "out"],
    "dot": ["diagrams", "A", "--format", "dot", "-o", "out"],
    "derive": ["derive", *LEGS, "--format", "json", "--picture", "out.svg"],
    "all": ["derive", "all", "Theta@2", "--format", "json"],
    "tree": ["derive", "--legs", "tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5", "--channel", "01.23.45", "--format", "json"],
    "sympy": ["derive", "A@1", "D@1", "F@2", "--format", "sympy"],
    "homogeneous": ["derive", "Theta@2", "A@2", "P@2", "--homogeneous"],
    "homogeneous json": ["derive", "Theta@2", "A@2", "P@2", "--homogeneous", "--format", "json"],
    "explain": ["explain", "C0C0C0:2:3", "--pictures"],
    "explain json": ["explain", "C0C0C0:2:3", "--format", "json"],
    "latex": ["emit", "--lang", "latex", "Theta@2", "T", "-o", "out"],
    "python": ["emit", "--lang", "python", "Theta@2", "R", "T", "-o", "out"],
    "c": ["emit", "--lang", "c", "Theta@2", "R", "T", "-o", "out"],
    "jax": ["emit", "--lang", "jax", "Theta@2", "T", "-o", "out"],
    "verify": ["verify", "B", "K@1", "--certificate", "out.json"],
    "evaluate": ["evaluate", *NETWORK, "P", "V", "Theta@2", "--format", "json"],
    "relu": ["evaluate", *NETWORK, "A", "Q", "--format", "json", "--activation", "relu"],
    "sample": ["sample", *NETWORK, "B", "S", "Theta@1", "--networks", "600", "--format", "json"],
    "compare": ["compare", *NETWORK, "Theta", "V", "--networks", "600", "--max-pull", "9", "-o", "out"],
    "critical": ["critical", "--activation", "tanh", "--depth", "16", "-o", "out"],
    "critical relu": ["critical", "--activation", "relu", "--depth", "20"],
}
SHARED = ("evaluate", "relu", "sample", "compare")  # these take --jobs


def artefacts(directory: Path, arguments: list[str], seed: str) -> dict[str, bytes]:
    """Standard output and every file that a run leaves."""
    directory.mkdir()
    (directory / "x.json").write_text(json.dumps([[1.0, 0.5], [0.3, -1.0]]))
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-m", "ntkfeyn", *arguments]
    run = subprocess.run(command, cwd=directory, env=environment, capture_output=True)
    assert run.returncode == 0, run.stderr
    files = {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    return {"stdout": run.stdout, **files}


@pytest.mark.parametrize("name", REQUESTS)
def test_same_request_same_bytes(name: str, tmp_path: Path) -> None:
    first = artefacts(tmp_path / "a", REQUESTS[name], "1")
    more = ["--jobs", "2"] if name in SHARED else []
    second = artefacts(tmp_path / "b", [*REQUESTS[name], *more], "2718")
    assert sorted(first) == sorted(second)
    for file, content in first.items():
        assert content == second[file], file
    assert sum(map(len, first.values())) > 100
