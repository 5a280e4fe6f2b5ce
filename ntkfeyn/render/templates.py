"""Templates: one Jinja environment, the provenance header and file names, shared by everything that is emitted."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.targets import Target
from ntkfeyn.render.notation import counted
from ntkfeyn.runtime.version import __version__


def template_directory() -> Path:
    """templates/ inside an installed package, or at the top level of a checkout."""
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "templates", package.parent / "templates"):
        if candidate.is_dir():
            return candidate
    raise NtkfeynError("the templates are missing from this installation; reinstall ntkfeyn")


def renderer(user_templates: Path | None = None) -> Callable[..., str]:
    """render(template, **values): templates of ``user_templates`` override ours, in a strict sandbox.

    Raises NtkfeynError for a directory that does not exist, an undefined name or a broken template.
    """
    from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    if user_templates is not None and not user_templates.is_dir():
        raise NtkfeynError(
            f"the template directory '{user_templates}' does not exist; ours is '{template_directory()}'"
        )
    folders = [folder for folder in (user_templates, template_directory()) if folder is not None]
    environment = SandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
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

    def render(template: str, **values: Any) -> str:
        try:
            return environment.get_template(template).render(**values)
        except (TemplateError, OverflowError, UnicodeDecodeError) as error:
            line = getattr(error, "lineno", None)
            where = f"{template}, line {line}" if line else template
            raise NtkfeynError(f"the template {where} cannot be used: {error}") from error

    return render


def provenance(recursions: Sequence[Recursion]) -> list[str]:
    """Lines for the head of an emitted file: tool, request, counts, hash; no time, no host name.

    The version stands in the first line and nowhere else, so that a release changes one line of a file.
    """
    lines = [f"Made by ntkfeyn {__version__}"]
    for recursion in recursions:
        lines.append(
            f"{recursion.name}@{recursion.order}: {counted(len(recursion.diagrams), 'diagram')},"
            f" {counted(len(recursion.terms), 'product term')}, recursion hash {recursion.hash[:16]}"
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
