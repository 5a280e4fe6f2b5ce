"""The wheel holds the templates and works in an empty environment."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from oracles.golden import without_version

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [path] = target.glob("*.whl")
    return path


def test_templates_and_schemas_reach_the_wheel(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for template in (ROOT / "templates").rglob("*.jinja"):
        assert f"ntkfeyn/templates/{template.relative_to(ROOT / 'templates').as_posix()}" in names
    for schema in (ROOT / "ntkfeyn" / "schemas").glob("*.json"):
        assert f"ntkfeyn/schemas/{schema.name}" in names


def test_the_two_lines_work_from_the_wheel_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    subprocess.run([str(home / "bin" / "pip"), "install", "-q", str(wheel)], check=True, capture_output=True)
    program = str(home / "bin" / "ntkfeyn")
    for line in (["derive", "--order", "1", "--cumulant", "F"], ["emit", "--lang", "latex"]):
        run = subprocess.run([program, *line], cwd=tmp_path, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
    written, committed = ((folder / "outputs" / "order1.tex").read_text() for folder in (tmp_path, ROOT))
    assert without_version(written) == without_version(committed)
