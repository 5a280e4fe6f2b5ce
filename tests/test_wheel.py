"""The wheel holds the templates and the theory and works in an empty environment; the sdist holds them too."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from email import message_from_string
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


def test_everything_of_the_package_reaches_the_wheel(wheel: Path) -> None:
    """Modules, schemas, the mark of a typed package and whatever else lies there; the templates beside it."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        f"{root.name}/{path.relative_to(root).as_posix()}"
        for root in (ROOT / "ntkfeyn", ROOT / "templates")
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert names == {name if name.startswith("ntkfeyn/") else f"ntkfeyn/{name}" for name in expected}
    assert {"ntkfeyn/py.typed", "ntkfeyn/templates/c/main.c.jinja", "ntkfeyn/schemas/tensors-1.schema.json"} <= names


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    """URLs are those of CITATION.cff; exact versions for linters, ranges for what tests need."""
    [text] = [
        zipfile.ZipFile(wheel).read(name).decode()
        for name in zipfile.ZipFile(wheel).namelist()
        if name.endswith("METADATA")
    ]
    metadata = message_from_string(text)
    urls = [line.split(", ")[1] for line in metadata.get_all("Project-URL", [])]
    assert urls
    assert all(f'"{url}"' in (ROOT / "CITATION.cff").read_text() for url in urls)
    assert set(metadata.get_all("Provides-Extra", [])) == {"jax", "cluster", "docs", "test", "lint", "dev"}
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    needs = [line.split(";")[0] for line in metadata.get_all("Requires-Dist", []) if "'lint'" in line]
    assert len(needs) == 3
    assert all("==" in line for line in needs)


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
    venv.create(home)
    install = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install", "-q", "--no-compile"]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    program = str(home / "bin" / "ntkfeyn")
    for line in (["derive", "--order", "1", "--cumulant", "F"], ["emit", "--lang", "latex"]):
        run = subprocess.run([program, *line], cwd=tmp_path, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
    theory = subprocess.run([program, "theory"], cwd=tmp_path, capture_output=True, check=True)
    assert theory.stdout == (ROOT / THEORY).read_bytes()
    written, committed = ((folder / "outputs" / "order1.tex").read_text() for folder in (tmp_path, ROOT))
    assert without_version(written) == without_version(committed)
