"""README and EXTENDING.md show what the program prints, their Python and their changes run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import ntkfeyn
from ntkfeyn.cli import COMMANDS, main
from ntkfeyn.codegen.c import files as c
from ntkfeyn.derivation import enumeration, expansion
from ntkfeyn.model import cumulants, legs
from ntkfeyn.model import network as networks
from ntkfeyn.model import polynomials as expressions
from ntkfeyn.render import sympy as symbols
from ntkfeyn.runtime import workers
from ntkfeyn.sampling import estimation
from ntkfeyn.solve import components, inputs
from ntkfeyn.training import histories, request

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
EXTENDING = (ROOT / "ntkfeyn" / "EXTENDING.md").read_text()


def shown_sessions() -> list[tuple[str, str]]:
    """Every command of the README's console blocks and what stands below it."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL):
        parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
        found += list(zip(parts[::2], parts[1::2], strict=True))
    return found


def same(shown: str, printed: str) -> bool:
    """Equal words; numbers to four digits, and errors and pulls (small ones) in their size."""
    a, b = shown.split(), printed.split()
    return len(a) == len(b) and all(x == y or alike(x, y) for x, y in zip(a, b, strict=True))


def alike(shown: str, printed: str) -> bool:
    try:
        x, y = float(shown.strip(",")), float(printed.strip(","))
    except ValueError:
        return False
    return abs(x - y) <= 1e-4 * abs(x) or max(abs(x), abs(y)) < 1e-6


def test_the_tour_prints_what_is_shown(tmp_path: Path) -> None:
    """Every command in turn, in one directory; [...] stands for lines left out."""
    [letters] = re.findall(r"```toml\n(tensors = .*?)```", README, flags=re.DOTALL)
    assert len(letters.splitlines()) <= 10
    (tmp_path / "letters.toml").write_text(letters)
    sessions = shown_sessions()
    assert [command.split()[1] for command, _ in sessions if command.startswith("ntkfeyn")] == [
        "derive", "diagrams", "explain", "emit", "emit", "evaluate", "compare", "verify", "derive", "derive", "derive",
        "depth", "depth",
    ]  # fmt: skip
    for command, shown in sessions:
        words = command.replace("ntkfeyn ", f"{sys.executable} -m ntkfeyn ", 1)
        run = subprocess.run(words, shell=True, cwd=tmp_path, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        if "[...]" in shown:
            for piece in filter(str.strip, shown.split("[...]\n")):
                assert piece.strip() in run.stdout, command
        else:
            assert same(shown, run.stdout), f"{command}\n{run.stdout}"
    assert (tmp_path / "paper" / "Theta_1.tex").exists()
    assert (tmp_path / "code" / "Theta_1.c").exists()


def extended(tmp_path: Path, chosen: slice) -> Path:
    """A copy of the package with some of the changes of EXTENDING.md: lines after a file name are found, "+" added."""
    shutil.copytree(ROOT / "ntkfeyn", tmp_path / "ntkfeyn", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    blocks = re.findall(r"```diff\n(.*?)```", EXTENDING, flags=re.DOTALL)
    assert len(blocks) == 4
    for block in blocks[chosen]:
        assert len(re.findall(r"^[+-](?!--)", block, flags=re.MULTILINE)) < 10
        for name, lines in re.findall(r"^--- (\S+)\n((?:[ +-].*\n)+?)(?=--- |\Z)", block, flags=re.MULTILINE):
            rows = lines.splitlines()
            before = "".join(row[1:] + "\n" for row in rows if row[0] != "+")
            after = "".join(row[1:] + "\n" for row in rows if row[0] != "-")
            text = (tmp_path / name).read_text()
            assert text.count(before) == 1, name
            (tmp_path / name).write_text(text.replace(before, after))
    return tmp_path


def program_of(package: Path) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(package)}
        done = subprocess.run(
            [sys.executable, "-m", "ntkfeyn", *arguments], cwd=package, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_rule_is_a_row_and_its_judge(tmp_path: Path) -> None:
    """A third coupling: enumerated, translated, drawn, told, typeset, and certified by the judge that knows it."""
    run = program_of(extended(tmp_path, slice(3, 4)))
    assert "C_U ⟨σ_1 σ_2⟩" in run("derive", "K")
    assert "+ 2 C_W C_U Θ_34 ⟨σ_1 σ_2 σ'_3 σ'_4⟩" in run("derive", "F")
    assert "neurons (C_U σ'_1 σ'_2)   tensors Theta@0[1-2 on (1)]" in run("diagrams", "Theta")
    assert '"C_U": 2' in run("derive", "F", "--format", "json")
    assert "C_U**2*" in run("derive", "F", "--format", "sympy")
    assert "it carries σ'_1 σ'_2" in run("explain", "Theta:0:2")
    run("emit", "--lang", "latex", "F", "-o", "out")
    text = (tmp_path / "out" / "F_1" / "F-1.tex").read_text()
    assert re.search(r"\\nkfFactor\{\\nkfCU\{1\}.*two untrained weights", text)
    assert r"\providecommand{\nkfCU}[1]{\nkfPow{C_U}{#1}}" in (tmp_path / "out" / "F_1" / "macros.tex").read_text()
    certified = run("verify", "Theta@1", "B", "V")
    assert certified.count(": equal") == 3
    assert " 0 missed, 0 not probed" in certified


def test_extensions_work_as_described(tmp_path: Path) -> None:
    """A leg type with a tensor of its own, a reduction, an emitter: added to a copy, then used."""
    run = program_of(extended(tmp_path, slice(0, 3)))
    (tmp_path / "x.json").write_text("[[1.0, 0.5]]")
    assert "legs dddNTK01234 z5" in run("derive", "W")
    assert "simplest" in run("derive", "F", "--verbose")
    run("evaluate", "W", "--activation", "tanh", "--inputs", "x.json", "--depth", "3", "--width", "8")
    run("emit", "--lang", "latex", "W", "-o", "out")
    run("emit", "--lang", "steps", "F", "-o", "out")
    assert (tmp_path / "out" / "F_1.txt").read_text() == "3 steps\n"


def test_the_limits_are_those_of_the_code() -> None:
    [text] = re.findall(r"## Limits\n(.*?)\n## ", README, flags=re.DOTALL)
    shown = {int(number.replace(",", "")) for number in re.findall(r"[0-9][0-9,]*", text)}
    assert shown == {
        cumulants.MAX_SLOTS, cumulants.MAX_ORDER, legs.MAX_NODES, enumeration.MAX_CANDIDATES, expansion.MAX_EXPANDED,
        symbols.MAX_SYMPY, inputs.MAX_INPUTS, networks.MAX_DEPTH, components.MAX_COMPONENTS, c.MAX_DISTINCT,
        expressions.MAX_DEGREE, expressions.MAX_LENGTH, estimation.MAX_NETWORKS, workers.MAX_JOBS,
        request.MAX_TRAINED, request.MAX_TEST, request.MAX_OUTPUTS, histories.MAX_TIMES, histories.MAX_STEPS,
    }  # fmt: skip


def test_the_citation_file_names_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: (.*)$", text, flags=re.MULTILINE)[1] == ntkfeyn.__version__  # type: ignore[index]
    assert "2508.11522" in text


def test_every_command_is_listed() -> None:
    for command in COMMANDS:
        assert f"`ntkfeyn {command}" in README


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README", "exec"), {})  # noqa: S102
    assert [path.name for path in (tmp_path / "outputs").iterdir()] == ["Theta_1.py"]


def test_ci_calls_the_test_command() -> None:
    assert "tests/run" in (ROOT / ".ci" / "run").read_text()
    assert "    tests/run\n" in README


def test_the_latex_example_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [inputs] = re.findall(r"```latex\n(.*?)```", README, flags=re.DOTALL)
    [command] = re.findall(r"    ntkfeyn (emit --lang latex .*) --pdf\n", README)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(command.split())
    assert stopped.value.code == 0
    preamble, fragments = inputs.split("...\n")
    text = f"\\documentclass{{article}}{preamble}\\begin{{document}}{fragments}\\end{{document}}"
    (tmp_path / "paper.tex").write_text(text)
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed; tests/run installs it where apt-get is allowed")
    run = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper"], capture_output=True)
    assert run.returncode == 0, run.stdout[-2000:]


def test_the_formula_at_the_top_is_what_is_derived() -> None:
    [formula] = re.findall(r"```math\n(.*?)```", README, flags=re.DOTALL)
    assert formula.strip() == ntkfeyn.derive("F")._repr_latex_().strip("$").strip()
