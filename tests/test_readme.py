"""The README shows what the program prints and its Python runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ntkfeyn.cli import COMMANDS, main
from ntkfeyn.cumulants import standard
from ntkfeyn.emitters.notation import recursion_text
from ntkfeyn.recursion import derive_recursion

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_printed_recursion_is_the_derived_one() -> None:
    [shown] = re.findall(r"```text\n(.*?)```", README, flags=re.DOTALL)
    assert recursion_text(derive_recursion(standard("F"), 1)) == shown


def test_every_command_is_listed() -> None:
    for command in COMMANDS:
        assert f"`ntkfeyn {command}" in README


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README", "exec"), {})  # noqa: S102
    assert [path.name for path in (tmp_path / "outputs").iterdir()] == ["Theta_1.py"]


def test_ci_calls_the_test_command() -> None:
    root = Path(__file__).parent.parent
    assert "tests/run" in (root / ".ci" / "run").read_text()
    assert "    tests/run\n" in README


def test_the_latex_example_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [inputs] = re.findall(r"```latex\n(.*?)```", README, flags=re.DOTALL)
    [command] = re.findall(r"    ntkfeyn (emit --lang latex --cumulant .*)\n", README)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(command.split())
    assert stopped.value.code == 0
    preamble, fragment = inputs.rsplit("\n\\input", 1)
    head = f"\\documentclass{{article}}\\usepackage{{amsmath,tikz}}\n{preamble}\n"
    (tmp_path / "paper.tex").write_text(f"{head}\\begin{{document}}\\input{fragment}\\end{{document}}")
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed; tests/run installs it where apt-get is allowed")
    run = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper"], capture_output=True)
    assert run.returncode == 0, run.stdout[-2000:]
