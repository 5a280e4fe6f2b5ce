"""LaTeX: an appendix that an author can put into a paper as it is.

Enters: recursions and ``LatexOptions``. Leaves: files by relative path: a standalone document, and beside it fragments
to \\input (one a cumulant, one a figure), a macros file with every name prefixed, and a .bib. Plain pdflatex compiles.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ntkfeyn.derivation.diagrams import Diagram
from ntkfeyn.derivation.expansion import expand
from ntkfeyn.derivation.recursion import Recursion, System, derive_system, translated
from ntkfeyn.derivation.reduction import reduce_terms
from ntkfeyn.derivation.terms import ExpandedTerm, ProductTerm
from ntkfeyn.errors import bad_request
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.tensors import NAMED_TENSORS, NAMES, TensorId
from ntkfeyn.render.drawing.layout import blob, layout
from ntkfeyn.render.drawing.tikz import tikz
from ntkfeyn.render.formulas import cumulant_text, expanded_text, term_text
from ntkfeyn.render.latex.rules import rule_rows
from ntkfeyn.render.notation import LatexNotation, MacroNotation, coupling_macros
from ntkfeyn.render.reading import factors_of, power_counting
from ntkfeyn.render.sandbox import Job
from ntkfeyn.render.symbols import Letters, Symbols, leg_letter, template_letters
from ntkfeyn.render.templates import provenance, render_all

# prefixes with which one of our macros is one that TeX, LaTeX, amsmath, amssymb, tikz, hyperref or textcomp has, such
# as \beginR, \DOTSB or \circledR; LaTeX itself lets nobody define what begins with end
TAKEN = (
    "Am", "ClassNoteNo", "CurrentFile", "DOTS", "IfBlank", "IfBoolean", "IfNoValue", "IfValue", "Process",
    "RequireHIN", "Split", "begin", "bigintcalc", "circled", "ifHIN", "intcalc", "noP", "rangeHS", "rangeRG", "textC",
    "textCleaning", "textCutting", "textH", "textLH", "textRH", "textcircled", "texthausa",
)  # fmt: skip


@dataclass(frozen=True)
class LatexOptions:
    """``prefix`` begins every macro, environment and label; ``templates`` is a directory that overrides ours;
    ``certificates`` maps recursion hashes to a line for a footnote; ``symbols`` are the letters."""

    prefix: str = "nkf"
    columns: int = 1
    terms_per_line: int = 1
    expanded: bool = False
    templates: Path | None = None
    certificates: Mapping[str, str] = field(default_factory=dict)
    symbols: Symbols = field(default_factory=Symbols)

    @property
    def latex(self) -> LatexNotation:
        return LatexNotation(self.symbols.latex)

    def check(self) -> None:
        """Raises RequestError for a prefix, a number of columns or of terms that is not allowed."""
        # our macros go on with a capital letter, as those of TeX do not, but for its logos and a few
        if not re.fullmatch(r"(?!end)[A-Za-z]{2,12}(?<!Te)", self.prefix) or self.prefix in TAKEN:
            allowed = "2 to 12 letters a-z, A-Z are allowed, other than end.. and what LaTeX has macros with"
            raise bad_request(f"prefix '{self.prefix[:40]}'", allowed, "--prefix nkf")
        if self.columns not in (1, 2):
            raise bad_request(f"{self.columns} columns were asked for", "1 or 2 are allowed", "--columns 2")
        if not 1 <= self.terms_per_line <= 20:
            asked = f"{self.terms_per_line} terms a line were asked for"
            raise bad_request(asked, "1 to 20 are allowed", "--terms-per-line 2")


def latex_files(recursions: Sequence[Recursion], stem: str, options: LatexOptions) -> dict[str, str]:
    """The files of an appendix by path relative to the output directory, the standalone document first.

    Raises RequestError for bad options, NtkfeynError for a broken user template.
    """
    options.check()
    if options.certificates and not {recursion.hash for recursion in recursions} & set(options.certificates):
        asked = "the certificate is for none of the recursions that are emitted"
        raise bad_request(asked, "it must match one of them", "ntkfeyn verify with the same targets")
    letters = template_letters(options.symbols.latex)
    common = {"provenance": provenance(recursions), "p": options.prefix, "stem": stem, "L": letters}
    system = derive_system([recursion.id for recursion in recursions])
    names, known = _names([*recursions, *system.recursions], options.latex), {recursion.id for recursion in recursions}
    sections = [_section(recursion, options, known, names) for recursion in recursions]
    front = _front_matter(system, names, options)
    couplings = coupling_macros(options.symbols.latex)
    jobs = {  # names of files are settled before any template is rendered
        f"{stem}.tex": Job("latex/document.tex.jinja", {**common, **front, "sections": sections}),
        f"{stem}/macros.tex": Job("latex/macros.tex.jinja", {**common, "names": names, "couplings": couplings}),
        f"{stem}/references.bib": Job("latex/references.bib.jinja", common),
    }
    drawn = {}
    for recursion, section in zip(recursions, sections, strict=True):
        jobs[f"{stem}/{section['file']}.tex"] = Job("latex/cumulant.tex.jinja", {**common, **section})
        for drawing, picture in section["pictures"].items():
            drawn[f"{stem}/figures/{drawing}.tex"] = f"% {recursion.name}@{recursion.order}\n{picture}"
    texts = render_all(list(jobs.values()), options.templates)
    return dict(zip(jobs, texts, strict=True)) | drawn


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


def _names(recursions: Sequence[Recursion], notation: LatexNotation) -> dict[str, str]:
    """How each tensor that occurs is typeset."""
    found = {tensor.name for recursion in recursions for term in recursion.terms for tensor in term.tensors}
    found |= {vertex.name for r in recursions for diagram in r.diagrams for vertex in diagram.tensor_vertices}
    found |= {recursion.name for recursion in recursions} | {row.name for row in NAMED_TENSORS}
    return {name: notation.letter(name) for name in sorted(found)}


def _front_matter(system: System, names: Mapping[str, str], options: LatexOptions) -> dict[str, Any]:
    notation = MacroNotation(options.prefix, options.symbols.latex)
    rules = [
        {"element": row.element, "latex": row.formula, "source": _escape(row.source), "picture": tikz(row.picture)}
        for row in rule_rows(options.symbols)
    ]
    tensors = []
    for row in NAMED_TENSORS:
        shape = standard(row.name)
        symbol = cumulant_text(shape, shape.leading_order, notation)
        tensors.append(
            {"symbol": symbol, "legs": shape.legs_text(), "channel": shape.channel_text(), "order": shape.leading_order}
        )
    return {
        "columns": options.columns,
        "unnamed": [
            {"symbol": symbol, "meaning": _meaning(name)} for name, symbol in names.items() if name not in NAMES
        ],
        "rules": rules,
        "tensors": tensors,
        "system": [
            {"symbol": _symbol(r.id, notation), "needs": [_symbol(t, notation) for t in r.dependencies if t != r.id]}
            for r in system.recursions
        ],
    }


def _symbol(tensor: TensorId, notation: MacroNotation) -> str:
    return notation.tensor(tensor.name, tensor.order - standard(tensor.name).leading_order, ())


def _escape(text: str) -> str:
    return text.replace("_", r"\_")


def _section(
    recursion: Recursion, options: LatexOptions, known: Collection[TensorId], names: Mapping[str, str]
) -> dict[str, Any]:
    notation = MacroNotation(options.prefix, options.symbols.latex)
    shape, order = recursion.cumulant, recursion.order
    name = _slug(f"{recursion.name}-{order}")
    correction = order - shape.leading_order
    pictures = {
        name: tikz(blob(shape, _plain_symbol(recursion, names[recursion.name]), recursion.name, options.symbols))
    }
    diagrams = []
    for diagram in recursion.diagrams:
        figure = _slug(diagram.id)
        pictures[figure] = tikz(layout(diagram, options.symbols))
        diagrams.append(_diagram(recursion, diagram, options) | {"figure": figure, "legend": ""})
    return {
        "file": name,
        "label": _label(recursion.id, options),
        "symbol": cumulant_text(shape, order, notation),
        "name": recursion.name,
        "hash": recursion.hash,
        "correction": correction,
        "legs": _escape(shape.legs_text()),
        "channel": shape.channel_text(),
        "order": order,
        "leading": shape.leading_order,
        "definition": _definition(shape, options.symbols.latex),
        "deltas": _deltas(shape, options.symbols.latex),
        "pictures": pictures,
        "diagrams": diagrams,
        "lines": _lines([term_text(t, notation, leading=i == 0) for i, t in enumerate(recursion.terms)], options),
        "needs": [
            {
                "symbol": _symbol(t, notation),
                "label": _label(t, options) if t in known else "",
                "meaning": _meaning(t.name),
            }
            for t in recursion.dependencies
        ],
        "certificate": options.certificates.get(recursion.hash, ""),
    }


def _meaning(name: str) -> str:
    """Legs and channel of a tensor without a name of its own."""
    return "" if name in NAMES else f"legs {standard(name).legs_text()}, channel {standard(name).channel_text()}"


def _label(tensor: TensorId, options: LatexOptions) -> str:
    return f"{options.prefix}:{_slug(f'{tensor.name}-{tensor.order}')}"


def _plain_symbol(recursion: Recursion, name: str) -> str:
    """The tensor's letter without macros, for the picture of the blob."""
    correction = recursion.order - recursion.cumulant.leading_order
    return name + (rf"^{{\{{{correction}\}}}}" if correction else "")


def _definition(shape: Cumulant, letters: Letters) -> str:
    """The observables of the joint cumulant, with neurons i_v and samples v."""
    legs = []
    for leg in shape.legs:
        neurons = "".join(f"{letters.neuron}_{{{v}}}" for v in leg.labels)
        samples = LatexNotation(letters).indices(leg.labels)
        legs.append(f"{leg_letter(leg.kind, letters)}_{{{neurons};{samples}}}")
    return r",\allowbreak\,".join(legs)


def _deltas(shape: Cumulant, letters: Letters) -> str:
    """A Kronecker delta for each pair of the channel."""
    names = [f"{letters.neuron}_{{{label}}}" for label in shape.labels]
    return "".join(f"{letters.delta}_{{{names[a]}{names[b]}}}" for a, b in shape.channel)


def _diagram(recursion: Recursion, diagram: Diagram, options: LatexOptions) -> dict[str, Any]:
    notation = MacroNotation(options.prefix, options.symbols.latex)
    terms = diagram_terms(recursion, diagram)
    written = _lines([term_text(t, notation, leading=i == 0) for i, t in enumerate(terms)], options)
    after: list[list[str]] = []
    if options.expanded:
        expanded: tuple[ExpandedTerm, ...] = expand(terms)[0]
        after = _lines([expanded_text(t, notation, leading=i == 0) for i, t in enumerate(expanded)], options)
    return {
        "id": diagram.id,
        "weight": options.latex.fraction(diagram.weight),
        "unit": diagram.weight == 1,
        "reading": [_escape(line) if "\\" not in line else line for line in factors_of(diagram, notation, "${}$")],
        "counting": power_counting(diagram),
        "lines": written,
        "expanded": after,
    }


def _lines(terms: list[str], options: LatexOptions) -> list[list[str]]:
    """Terms gathered in lines, broken at term boundaries."""
    step = options.terms_per_line
    return [terms[i : i + step] for i in range(0, len(terms), step)]


def diagram_terms(recursion: Recursion, diagram: Diagram) -> tuple[ProductTerm, ...]:
    """The reduced product terms of one diagram on its own."""
    return reduce_terms(translated(diagram, recursion.without), recursion.cumulant, recursion.without)[0]
