"""Templates: one Jinja environment, the provenance header and file names, shared by everything that is emitted."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.targets import Target
from ntkfeyn.render.notation import counted
from ntkfeyn.render.sandbox import Job, render_apart, rendered, template_environment
from ntkfeyn.runtime.version import __version__


def template_directory() -> Path:
    """templates/ inside an installed package, or at the top level of a checkout."""
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "templates", package.parent / "templates"):
        if candidate.is_dir():
            return candidate
    raise NtkfeynError("the templates are missing from this installation; reinstall ntkfeyn")


def renderer() -> Callable[..., str]:
    """render(template, **values) with our own templates."""
    environment = template_environment([template_directory()])

    def render(template: str, **values: Any) -> str:
        return rendered(environment, Job(template, values))

    return render


def render_all(jobs: Sequence[Job], user_templates: Path | None = None) -> list[str]:
    """Every job's text; templates of ``user_templates`` override ours, and are rendered in a process of their own.

    Raises NtkfeynError for a directory that does not exist, an undefined name, a broken template, or one that takes too
    long or writes too much.
    """
    if user_templates is None:
        environment = template_environment([template_directory()])
        return [rendered(environment, job) for job in jobs]
    if not os.path.isdir(user_templates):  # False, too, for a name that no file can have
        raise NtkfeynError(
            f"the template directory '{user_templates}' does not exist; ours is '{template_directory()}'"
        )
    return render_apart([user_templates, template_directory()], jobs)


def provenance(recursions: Sequence[Recursion]) -> list[str]:
    """Lines for the head of an emitted file: tool, request, counts, hash; no time, no host name.

    The version stands in the first line and nowhere else, so that a release changes one line of a file.
    """
    lines = [f"Made by ntkfeyn {__version__}"]
    for recursion in recursions:
        lines.append(
            f"{recursion.name}@{recursion.order}: {counted(len(recursion.diagrams), 'diagram')},"
            f" {counted(len(recursion.terms), 'product term')}, recursion hash {recursion.hash[:16]}"
            + ("" if recursion.weights == GAUSSIAN else f", {recursion.weights} weights")
            + (", weights shared over labels" if recursion.shared else "")
        )
    return lines


def file_stem(targets: Sequence[Target], default: Sequence[Target]) -> str:
    """A file name for a request: the default set is "order1", others list their tensors or, if long, end in a hash."""
    if list(targets) == list(default):
        return "order1"
    names = []
    for shape, order in targets:
        labels = "" if shape == standard(shape.name) else "_" + "_".join(map(str, shape.labels))
        names.append(re.sub(r"[^A-Za-z0-9]+", "_", f"{shape.name}_{order}{labels}").strip("_"))
    stem = "_".join(names)
    if len(names) <= 4 and len(stem) <= 60:
        return stem
    digest = hashlib.sha256(stem.encode()).hexdigest()[:8]
    return f"{names[0][:40]}_and_{len(names) - 1}_more_{digest}"
