"""The README shows what the program prints and its Python runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ntkfeyn.cli import COMMANDS
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
