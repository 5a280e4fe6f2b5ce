"""Pictures through matplotlib need nothing of the machine, and leave the session that asks for them as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PNG = "import ntkfeyn as nf; picture = nf.diagrams('F')[0].png();"
COMMANDS = (
    "diagrams F --format png -o out",
    "compare Theta --activation gelu --inputs x.json --depth 2 --width 8,16 --networks 64 -o out",
)


def pictures(directory: Path, environment: dict[str, str]) -> dict[str, bytes]:
    """What the commands leave; they say nothing but the names of files."""
    directory.mkdir()
    (directory / "x.json").write_text("[[1, 0.5], [0.2, 1]]")
    for command in COMMANDS:
        program = [sys.executable, "-m", "ntkfeyn", *command.split()]
        run = subprocess.run(program, cwd=directory, env=environment, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        assert all(line.startswith("out/") for line in run.stderr.splitlines()), run.stderr
    return {path.name: path.read_bytes() for path in (directory / "out").iterdir()}


def test_nothing_of_the_machine_is_needed(tmp_path: Path) -> None:
    """Neither a directory to write to, nor a font or fontconfig; with all of them the pictures are the same."""
    home, tools = tmp_path / "home", tmp_path / "tools"
    home.mkdir()
    tools.mkdir()
    (tools / "fc-list").write_text(f"#!/bin/sh\necho 'Fontconfig error' >&2\ntouch '{tmp_path}/asked'\n")
    (tools / "fc-list").chmod(0o755)
    (tools / "sitecustomize.py").write_text("import tempfile\ntempfile.tempdir = '/nonexistent'\n")
    bare = {name: value for name, value in os.environ.items() if name.partition("_")[0] not in ("XDG", "MPLCONFIGDIR")}
    bare["PATH"] = f"{tools}:{bare['PATH']}"
    with_home = pictures(tmp_path / "a", bare | {"HOME": str(home)})
    assert not [path for path in home.rglob("*") if path.is_file()], "a list of fonts is left behind"
    path = os.pathsep.join([str(tools), *filter(None, [os.environ.get("PYTHONPATH")])])
    nowhere = {"HOME": f"{tools}/fc-list/none", "PYTHONPATH": path, "MPLCONFIGDIR": f"{tools}/fc-list/none"}
    assert pictures(tmp_path / "b", bare | nowhere) == with_home
    assert len([name for name in with_home if name.endswith((".png", ".pdf"))]) == 6
    assert not (tmp_path / "asked").exists(), "fontconfig was asked"


def test_a_picture_is_not_in_the_style_of_its_user(tmp_path: Path) -> None:
    """Whose own style is in force afterwards."""
    plain, styled = tmp_path / "plain", tmp_path / "styled"
    plain.mkdir()
    styled.mkdir()
    (styled / "matplotlibrc").write_text("font.size: 31\nlines.linewidth: 9\nfont.family: monospace\n")
    told = PNG + "import hashlib, matplotlib; print(hashlib.md5(picture).hexdigest(), matplotlib.rcParams['font.size'])"

    def run(directory: Path, configuration: Path) -> list[str]:
        environment = os.environ | {"MPLCONFIGDIR": str(configuration)}
        done = subprocess.run([sys.executable, "-c", told], cwd=directory, env=environment, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout.decode().split()

    picture, size = run(plain, plain)
    assert size == "10.0"
    for where in ((styled, plain), (plain, styled)):
        assert run(*where) == [picture, "31.0"]


@pytest.mark.parametrize("first", ["", "import matplotlib.font_manager;"], ids=["first", "after matplotlib"])
def test_the_fonts_of_the_machine_are_there_for_others(first: str, tmp_path: Path) -> None:
    """A session that draws a diagram and then something of its own has its fonts."""
    import matplotlib

    fonts = tmp_path / "data" / "fonts"
    fonts.mkdir(parents=True)
    shutil.copy(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", fonts / "mine.ttf")
    program = first + PNG + (
        "from matplotlib import font_manager as f; from ntkfeyn.render.drawing.fonts import own_fonts\n"
        "def mine(): return any('mine.ttf' in font.fname for font in f.fontManager.ttflist)\n"
        f"with own_fonts(): assert mine() == {bool(first)}\n"
        "assert mine(); assert type(f.fontManager) is f.FontManager and f.findfont('DejaVu Sans')\n"
        "assert nf.diagrams('F')[0].png() == picture"
    )  # fmt: skip
    environment = os.environ | {"XDG_DATA_HOME": str(tmp_path / "data"), "MPLCONFIGDIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
