"""Rendering: one Jinja environment, the provenance header and atomic writes, shared by every emitter."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ntkfeyn import __version__
from ntkfeyn.emitters.notation import counted
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.recursion import Recursion


def template_directory() -> Path:
    """templates/ inside an installed package, or at the top level of a checkout."""
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "templates", package.parent / "templates"):
        if candidate.is_dir():
            return candidate
    raise NtkfeynError("the templates are missing from this installation; reinstall ntkfeyn")


def render(template: str, **values: Any) -> str:
    """Fill a template of ``template_directory()``; an undefined name is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(template_directory()),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    return environment.get_template(template).render(**values)


def provenance(recursions: Sequence[Recursion]) -> list[str]:
    """Lines for the head of an emitted file: tool, request, counts, hash; no time, no host name."""
    lines = [f"Made by ntkfeyn {__version__}"]
    for recursion in recursions:
        lines.append(
            f"{recursion.name}@{recursion.order}: {counted(len(recursion.diagrams), 'diagram')},"
            f" {counted(len(recursion.terms), 'product term')}, recursion hash {recursion.hash[:16]}"
        )
    return lines


def file_stem(targets: Sequence[str], default: Sequence[str]) -> str:
    """A file name for a request: the default set is "order1", others list their tensors."""
    if list(targets) == list(default):
        return "order1"
    names = [re.sub(r"[^A-Za-z0-9]+", "_", target).strip("_") for target in targets]
    return "_".join(names) if len(names) <= 4 else f"{names[0]}_and_{len(names) - 1}_more"


def write_file(path: Path, content: str | bytes) -> Path:
    """Write beside and rename: a reader never sees half a file. Raises NtkfeynError if it cannot be written."""
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise NtkfeynError(f"cannot write '{path}': {error.strerror}; try another directory with -o") from error
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise NtkfeynError(f"cannot write '{path}': {error.strerror}; try another directory with -o") from error
        raise
    return path
