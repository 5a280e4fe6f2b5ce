"""The PDF of a document: pdflatex or tectonic, whichever is there, in a temporary directory.

Enters: files by relative path, and the stem of the document. Leaves: bytes. TeX may run no program, and read and write
nothing outside; the same files give the same bytes with the same TeX.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ntkfeyn.errors import NtkfeynError

ENGINES = ("pdflatex", "tectonic")
SECONDS = 300.0  # of one run
RUNS = 4  # until references have settled
LONGEST_SHOWN = 300
_SAFE = {"openin_any": "p", "openout_any": "p", "shell_escape": "f", "SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}


def tex_engine() -> str:
    """The path of a TeX program. Raises NtkfeynError if there is none."""
    for name in ENGINES:
        found = shutil.which(name)
        if found:
            return found
    raise NtkfeynError(
        f"a PDF was asked for, and neither {' nor '.join(ENGINES)} is installed; install one of them (TeX Live has"
        " pdflatex), or leave out --pdf and compile the document elsewhere"
    )


def compile_pdf(files: Mapping[str, str | bytes], stem: str) -> bytes:
    """The document STEM.tex of ``files`` as PDF. Raises NtkfeynError with what TeX complains of."""
    engine = tex_engine()
    with tempfile.TemporaryDirectory(prefix="ntkfeyn-") as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        if Path(engine).name.startswith("tectonic"):
            _run([engine, "--untrusted", "--keep-logs", f"{stem}.tex"], folder, stem)
        else:
            _settle(engine, folder, stem)
        try:
            return Path(folder, f"{stem}.pdf").read_bytes()
        except OSError as error:
            raise NtkfeynError(f"{engine} wrote no PDF of {stem}.tex; nothing was written; leave out --pdf") from error


def _settle(engine: str, folder: str, stem: str) -> None:
    """Runs until the references no longer change."""
    # an id of its own would name the temporary directory
    document = rf"\pdftrailerid{{}}\input{{{stem}.tex}}"
    options = ["-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", f"-jobname={stem}"]
    before: list[bytes] = []
    for _ in range(RUNS):
        _run([engine, *options, document], folder, stem)
        after = [path.read_bytes() for suffix in (".aux", ".out") if (path := Path(folder, stem + suffix)).exists()]
        if after == before:
            return
        before = after


def _run(command: list[str], folder: str, stem: str) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            env={**os.environ, **_SAFE},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NtkfeynError(
            f"{command[0]} took more than {SECONDS:g} seconds for {stem}.tex; nothing was written; try fewer targets,"
            " or leave out --pdf"
        ) from error
    except OSError as error:
        raise NtkfeynError(f"cannot run {command[0]}: {error.strerror}; leave out --pdf") from error
    if done.returncode:
        text = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
        raise NtkfeynError(
            f"{command[0]} cannot compile {stem}.tex: {_complaint(text)}; nothing was written; without --pdf the files"
            " are, to be looked at"
        )


def _complaint(text: str) -> str:
    """The first error and its line."""
    found = re.search(r"^! (.*?)$(?:.*?^(l\.\d+))?", text, flags=re.MULTILINE | re.DOTALL)
    said = " ".join(filter(None, found.groups())) if found else " ".join(text.split())[-LONGEST_SHOWN:]
    return said[:LONGEST_SHOWN] or "no reason given"
