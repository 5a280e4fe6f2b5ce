"""LaTeX: an appendix that an author can put into a paper as it is.

Enters: recursions and ``LatexOptions``. Leaves: files by relative path: a standalone document, and beside it fragments
to \\input (conventions, rules, tensors, one a cumulant, one a figure), a macros file with every name prefixed, and a
.bib. Plain pdflatex compiles; each fragment can be used alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.rules import TAU
from ntkfeyn.errors import bad_request
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.render.drawing.tikz import tikz
from ntkfeyn.render.latex.cumulant import Layout, section
from ntkfeyn.render.latex.decomposition import all_channels, representatives
from ntkfeyn.render.latex.macros import tree_letters
from ntkfeyn.render.latex.pdf import tex_engine
from ntkfeyn.render.latex.rules import capital, cumulant_rows, prose, rule_rows
from ntkfeyn.render.latex.tensors import tensor_rows
from ntkfeyn.render.latex.training import training_section, training_tensors
from ntkfeyn.render.notation import LatexNotation, coupling_macros
from ntkfeyn.render.sandbox import Job
from ntkfeyn.render.symbols import Symbols, template_letters
from ntkfeyn.render.templates import provenance, render_all

NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}"
STYLES = ("full", "compact")
TITLE = "Finite-width recursions from Feynman diagrams"
LAW_TITLE = "Finite-width recursions for {law} weights from Feynman diagrams"
AUTHOR = "derived by ntkfeyn"

PAGE_OPTIONS = frozenset(("closure", "name", "title"))  # of LatexOptions, what a page of HTML has too

# prefixes with which one of our macros is one that TeX, LaTeX, amsmath, tikz, hyperref, cleveref or a class of papers
# has, such as \beginR, \DOTSB or \circledR; LaTeX itself lets nobody define what begins with end
TAKEN = (
    "AB", "AddToHook", "Am", "AtEvery", "AtEveryMulti", "AtNext", "AtNextMulti", "Check", "ClassNoteNo", "ClearHook",
    "CurrentFile", "DOTS", "Deprecate", "ISS", "IfBlank", "IfBoolean", "IfNoValue", "IfValue", "Indent", "LARG",
    "Maketitle", "Message", "PI", "Process", "RequireHIN", "Shipout", "ShipoutBox", "Split", "XeTeXLink", "begin",
    "bigintcalc", "circled", "els", "force", "forceD", "ifHIN", "intcalc", "noP", "popQE", "pushQE", "rangeHS",
    "rangeRG", "textC", "textCleaning", "textCutting", "textH", "textLH", "textRH", "textcircled", "texthausa",
    "textrev",
)  # fmt: skip


class DepthBlock(NamedTuple):
    """A part of the depth section: a heading, what holds, and both sides of each equation, all LaTeX."""

    heading: str
    sentence: str
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class LatexOptions:
    """How an appendix is written: what ``emit(.., lang="latex")`` takes by these names.

    ``prefix`` begins every macro, environment and label; ``templates`` is a directory that overrides ours;
    ``certificates`` maps recursion hashes to a line for a footnote; ``symbols`` are the letters; ``columns`` (1 or 2)
    are of the document; ``terms_per_line`` of the recursions; ``expanded``: the terms after Leibniz as well.

    ``style`` "full" derives every term, "compact" has diagrams and recursions alone. ``title`` and ``authors`` are of
    the standalone document, as LaTeX; ``name`` names it and the directory beside it (default: after the targets).
    ``closure`` adds everything that the targets need, in order of dependence; ``training`` a section on training at
    order 1/n; ``pdf`` compiles the document too.
    ``depth`` adds how the tensors depend on the depth: ``blocks``, which whoever knows them fills in.
    """

    prefix: str = "nkf"
    columns: int = 1
    terms_per_line: int = 1
    expanded: bool = False
    style: str = "full"
    title: str = TITLE
    authors: Sequence[str] = ()
    name: str | None = None
    closure: bool = False
    training: bool = False
    pdf: bool = False
    depth: bool = False
    blocks: Sequence[DepthBlock] = ()
    templates: Path | None = None
    certificates: Mapping[str, str] = field(default_factory=dict)
    symbols: Symbols = field(default_factory=Symbols)

    @property
    def latex(self) -> LatexNotation:
        return LatexNotation(self.symbols.latex)

    def check_name(self) -> None:
        """Raises RequestError for what is no name of a file."""
        if self.name is not None and not re.fullmatch(NAME, self.name):
            allowed = "letters, digits, '-' and '_' are allowed, a letter or digit first, at most 80"
            raise bad_request(f"name {self.name[:60]!r}", allowed, "--name appendix; -o says in which directory")

    def check(self) -> None:
        """Raises RequestError for a value that is not allowed, NtkfeynError for a PDF where there is no TeX."""
        # our macros go on with a capital letter, as those of TeX do not, but for its logos and a few
        if not re.fullmatch(r"(?!end)[A-Za-z]{2,12}(?<!Te)", self.prefix) or self.prefix in TAKEN:
            allowed = "2 to 12 letters a-z, A-Z are allowed, other than end.. and what LaTeX has macros with"
            raise bad_request(f"prefix '{self.prefix[:40]}'", allowed, "--prefix nkf")
        if self.columns not in (1, 2):
            raise bad_request(f"{self.columns} columns were asked for", "1 or 2 are allowed", "--columns 2")
        if not 1 <= self.terms_per_line <= 20:
            asked = f"{self.terms_per_line} terms a line were asked for"
            raise bad_request(asked, "1 to 20 are allowed", "--terms-per-line 2")
        if self.style not in STYLES:
            raise bad_request(f"style '{self.style[:40]}'", f"allowed are {' and '.join(STYLES)}", "--style compact")
        self.check_name()
        for kind, text in (("title", self.title), *(("author", author) for author in self.authors)):
            _check_tex(kind, text)
        if self.pdf:
            tex_engine()


def documented(lang: str, latex: LatexOptions | None, document: Mapping[str, Any]) -> LatexOptions | None:
    """Options with those that are given by name. Raises RequestError for unknown ones, and for another language."""
    if not document:
        return latex
    known = [option.name for option in fields(LatexOptions)]
    for name in document:
        if name not in known:
            raise bad_request(f"'{name}' was given to emit", f"allowed are {', '.join(known)}", 'style="compact"')
    if found := misplaced(lang, document):
        raise bad_request(f"{found[0]} was given with lang='{lang}'", found[1], "lang='latex'")
    return replace(latex or LatexOptions(), **document)


def misplaced(language: str, given: Collection[str]) -> tuple[str, str] | None:
    """The first option of a document that a language does not have, and what it is for; None if all fit."""
    fitting = {"latex": given, "html": PAGE_OPTIONS}.get(language, ())
    for name in given:
        if name not in fitting:
            return name, "it is for LaTeX and HTML" if name in PAGE_OPTIONS else "it is for LaTeX alone"
    return None


def _check_tex(kind: str, text: str) -> None:
    """Raises RequestError for text that would break the document: it is LaTeX, on one line, with balanced braces."""
    depth = 0
    for character in re.sub(r"\\\\.", "", text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            break
    bare = re.search(r"(?<!\\)[%#&^_~]", re.sub(r"\$[^$]*\$", "", text))
    if not text.strip() or not text.isprintable() or depth or bare or text.count("$") % 2 or text.endswith("\\"):
        asked = f"{kind} {text[:60]!r}"
        allowed = "one line of LaTeX is allowed, with balanced braces, and % # & ^ _ with a backslash"
        raise bad_request(asked, allowed, f"--{kind} 'Some text'")


def latex_files(recursions: Sequence[Recursion], stem: str, options: LatexOptions) -> dict[str, str]:
    """The files of an appendix by path relative to the output directory, the standalone document first.

    Raises RequestError for bad options, NtkfeynError for a broken user template.
    """
    options.check()
    if options.certificates and not {recursion.hash for recursion in recursions} & set(options.certificates):
        asked = "the certificate is for none of the recursions that are emitted"
        raise bad_request(asked, "it must match one of them", "ntkfeyn verify with the same targets")
    common = _common(recursions, stem, options)
    shapes = _shapes(recursions, options)
    written = [*shapes, *(recursion.cumulant for recursion in recursions)]  # with the slots as they were asked for
    used = sorted({shape.name for shape in shapes})
    names = {name: options.latex.letter(name) for name in used}
    known = {recursion.id for recursion in recursions}
    chosen = Layout(options.prefix, options.terms_per_line, options.expanded, options.style == "full", options.symbols)
    sections = [section(r, chosen, known, names, options.certificates.get(r.hash, "")) for r in recursions]
    front = {**common, **_front(options, common), "sections": sections}
    letters = {
        "names": names,
        "couplings": coupling_macros(options.symbols.latex, common["weights"]),
        "legs": tree_letters([leg for shape in written for leg in shape.legs], options.symbols.latex),
    }
    rules = [
        {
            "element": capital(prose(row.element, options.symbols.latex)),
            "latex": row.formula,
            "source": prose(row.source, options.symbols.latex),
            "picture": tikz(row.picture),
        }
        for row in rule_rows(options.symbols, common["weights"], common["shared"])
    ]
    series = cumulant_rows(recursions) if common["weights"] != GAUSSIAN else []
    table = {"tensors": tensor_rows(names, used, options.prefix, options.symbols)}
    jobs = {  # names of files are settled before any template is rendered
        f"{stem}.tex": Job("latex/document.tex.jinja", front),
        f"{stem}/macros.tex": Job("latex/macros.tex.jinja", {**common, **letters}),
        f"{stem}/conventions.tex": Job("latex/conventions.tex.jinja", common),
        f"{stem}/rules.tex": Job("latex/rules.tex.jinja", {**common, "rules": rules, "cumulants": series}),
        f"{stem}/tensors.tex": Job("latex/tensors.tex.jinja", {**common, **table}),
        f"{stem}/references.bib": Job("latex/references.bib.jinja", common),
    }
    jobs |= _asked_beside(stem, common, options)
    drawn = {}
    for recursion, values in zip(recursions, sections, strict=True):
        jobs[f"{stem}/{values['file']}.tex"] = Job("latex/cumulant.tex.jinja", {**common, **values})
        made = "\n".join(f"% {line}" for line in provenance([recursion]))
        for drawing, picture in values["pictures"].items():
            drawn[f"{stem}/figures/{drawing}.tex"] = f"{made}\n{picture}"
    texts = render_all(list(jobs.values()), options.templates)
    return dict(zip(jobs, texts, strict=True)) | drawn


def _asked_beside(stem: str, common: dict[str, Any], options: LatexOptions) -> dict[str, Job]:
    """Sections on what is made of the tensors."""
    jobs = {}
    if options.training:
        values = {**common, **training_section(options.prefix, options.symbols)}
        jobs[f"{stem}/training.tex"] = Job("latex/training.tex.jinja", values)
    if options.depth:
        blocks = [block._asdict() for block in options.blocks]
        jobs[f"{stem}/depth.tex"] = Job("latex/depth.tex.jinja", {**common, "blocks": blocks})
    return jobs


def _front(options: LatexOptions, common: dict[str, Any]) -> dict[str, Any]:
    """What the standalone document alone sees."""
    law = "shared" if common["shared"] else common["weights"]
    title = LAW_TITLE.format(law=law) if law != GAUSSIAN and options.title == TITLE else options.title
    asked = {"depth": options.depth, "training": options.training}
    return {"columns": options.columns, "title": title, "authors": r" \and ".join(options.authors) or AUTHOR, **asked}


def _common(recursions: Sequence[Recursion], stem: str, options: LatexOptions) -> dict[str, Any]:
    """What every template sees."""
    return {
        "provenance": provenance(recursions),
        "p": options.prefix,
        "stem": stem,
        "full": options.style == "full",
        "weights": recursions[0].weights if recursions else GAUSSIAN,
        "shared": bool(recursions) and recursions[0].shared,
        "tau": rf"{options.symbols.latex.coupling(TAU)}{{}}",
        "L": {**template_letters(options.symbols.latex), "delta": options.symbols.latex.delta},
    }


def _shapes(recursions: Sequence[Recursion], options: LatexOptions) -> list[Cumulant]:
    """Every tensor that is written somewhere: asked for, in a term, in a picture, or in a decomposition."""
    found = {tensor.name for recursion in recursions for term in recursion.terms for tensor in term.tensors}
    found |= {tensor.name for recursion in recursions for tensor in recursion.dependencies}
    found |= {vertex.name for r in recursions for diagram in r.diagrams for vertex in diagram.tensor_vertices}
    found |= {recursion.name for recursion in recursions} | set(training_tensors() if options.training else ())
    if options.style == "full":
        for recursion in recursions:
            found |= {channel.name for channel in representatives(all_channels(recursion.cumulant))}
    return [standard(name) for name in sorted(found)]
