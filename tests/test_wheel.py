"""The wheel holds the templates and the theory and works in an empty environment; the sdist holds them too."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from oracles.golden import without_version

ROOT = Path(__file__).parent.parent


THEORY = Path("ntkfeyn", "derivation", "THEORY.md")


def built(kind: str, target: Path) -> Path:
    build = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [path] = target.iterdir()
    return path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", tmp_path_factory.mktemp("wheel"))


def test_templates_and_schemas_reach_the_wheel(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for template in (ROOT / "templates").rglob("*.jinja"):
        assert f"ntkfeyn/templates/{template.relative_to(ROOT / 'templates').as_posix()}" in names
    for schema in (ROOT / "ntkfeyn" / "schemas").glob("*.json"):
        assert f"ntkfeyn/schemas/{schema.name}" in names


def test_the_theory_reaches_the_wheel_and_the_sdist(wheel: Path, tmp_path: Path) -> None:
    text = (ROOT / THEORY).read_bytes()
    assert zipfile.ZipFile(wheel).read(THEORY.as_posix()) == text
    sdist = built("sdist", tmp_path)
    with tarfile.open(sdist) as archive:
        member = archive.extractfile(f"{sdist.name.removesuffix('.tar.gz')}/{THEORY.as_posix()}")
        assert member is not None
        assert member.read() == text


def test_the_two_lines_work_from_the_wheel_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    subprocess.run([str(home / "bin" / "pip"), "install", "-q", str(wheel)], check=True, capture_output=True)
    program = str(home / "bin" / "ntkfeyn")
    for line in (["derive", "--order", "1", "--cumulant", "F"], ["emit", "--lang", "latex"]):
        run = subprocess.run([program, *line], cwd=tmp_path, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
    theory = subprocess.run([program, "theory"], cwd=tmp_path, capture_output=True, check=True)
    assert theory.stdout == (ROOT / THEORY).read_bytes()
    written, committed = ((folder / "outputs" / "order1.tex").read_text() for folder in (tmp_path, ROOT))
    assert without_version(written) == without_version(committed)
