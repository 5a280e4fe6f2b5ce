"""The house rules that a test can check: file sizes, start-up imports, public names.

Lint, types and import arrows are steps of tests/run, not tests.
"""

from __future__ import annotations

import ast
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import ntkfeyn

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "ntkfeyn"
# rooms that deriving goes through: exact fractions, tuples and frozen records (render loads what a format needs)
PURE = ("errors", "runtime", "model", "judge", "derivation", "render", "codegen", "verification")
# loaded only when numbers, or the depth, are asked for
NUMERIC = ("expectations", "solve", "sampling", "training", "criticality", "asymptotics", "figures")
HEAVY = {"sympy", "numpy", "scipy", "matplotlib", "networkx", "jinja2", "rich"}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def imports(path: Path, *, top_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text())
    typing_only = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    nodes = tree.body if top_only else [node for node in ast.walk(tree) if node not in typing_only]
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module == "ntkfeyn":
                found |= {f"ntkfeyn.{alias.name}" for alias in node.names if (PACKAGE / f"{alias.name}.py").exists()}
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return module_name(path).split(".")[0]


def test_every_room_says_what_enters_and_what_leaves() -> None:
    for folder in sorted(path for path in PACKAGE.iterdir() if path.is_dir() and path.name not in ("__pycache__",)):
        if folder.name != "schemas":
            text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
            assert len(text) > 40, folder


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_heavy_libraries_are_imported_where_used(path: Path) -> None:
    here = module_name(path)
    top = {name.split(".")[0] for name in imports(path, top_only=True)} & HEAVY
    allowed = {"sympy"} if here == "symbols" or here.startswith("render.sympy") else set()
    if room(path) in NUMERIC:
        allowed |= {"numpy", "scipy"}
    assert top <= allowed
    if room(path) in ("errors", "runtime", "model", "judge", "derivation") and here != "derivation.diagrams":
        assert not {name.split(".")[0] for name in imports(path)} & HEAVY


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_files_stay_readable(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a module says what enters and what leaves"
    assert len(path.read_text().splitlines()) <= 350
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 55, node.name


def test_deriving_loads_no_heavy_library() -> None:
    program = (
        "import sys; from ntkfeyn.cli import cli; "
        "cli.main(['derive', '--order', '1', '--cumulant', 'F'], standalone_mode=False); "
        f"sys.exit(', '.join(sorted({HEAVY!r} & set(sys.modules))) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stderr.strip()) == (0, "")


def test_the_names_of_the_interface_are_told_without_loading_it() -> None:
    """dir() and the module's docstring, which help() shows: a line for each public name, nothing heavy imported."""
    program = (
        "import sys, ntkfeyn as nf; names = set(nf.__all__); assert names < set(dir(nf)); "
        "told = [line.split()[0] for line in nf.__doc__.split('\\n\\n')[1].splitlines()]; "
        "assert sorted(told) == sorted(names), told; assert len(set(told)) == len(told); "
        f"sys.exit(', '.join(sorted(({HEAVY!r} | {{'ntkfeyn.api'}}) & set(sys.modules))) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stderr.strip()) == (0, "")
    shown = pydoc.plain(pydoc.render_doc(ntkfeyn))
    assert all(f"    {name} " in shown for name in ntkfeyn.__all__)


def test_no_call_runs_foreign_text() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "sympify", "parse_expr"}, path
        assert not imports(path) & {"pickle", "marshal", "shelve"}


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_limits_say_what_to_try(path: Path) -> None:
    if room(path) == "referee" or module_name(path) in ("render.sympy.sums", "views.symbolic"):
        return  # limits of a document or a page, which nothing but less of it helps; the last one is never shown
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "LimitError":
            text = ast.unparse(node)
            again = text == "LimitError(f'{where}: {error}')"
            assert again or "try" in text.lower() or "SMALLER" in text or path.name == "errors.py", (
                f"{path}:{node.lineno} {text}"
            )
