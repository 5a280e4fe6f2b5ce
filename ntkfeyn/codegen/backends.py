"""The languages that code can be emitted in: a table, one printer a row."""

from __future__ import annotations

from collections.abc import Callable

from ntkfeyn.codegen.c.module import c_files
from ntkfeyn.codegen.ir import Program
from ntkfeyn.codegen.python.module import python_module

Files = dict[str, str]
PRINTERS: dict[str, Callable[[Program, str], Files]] = {
    "python": lambda code, stem: {f"{stem}.py": python_module(code, "python")},
    "jax": lambda code, stem: {f"{stem}_jax.py": python_module(code, "jax")},
    "c": c_files,
}


def code_files(code: Program, stem: str, language: str) -> Files:
    """File names and texts, the one to open first; ``language`` is a key of ``PRINTERS``."""
    return PRINTERS[language](code, stem)
