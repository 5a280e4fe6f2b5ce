"""One cumulant of the appendix: what its fragment says (interface.md, second part).

Enters: a recursion and options. Leaves: plain values for the template, and its pictures by file name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from ntkfeyn.derivation.diagrams import Diagram
from ntkfeyn.derivation.expansion import expand
from ntkfeyn.derivation.recursion import Recursion, translated
from ntkfeyn.derivation.reduction import reduce_terms
from ntkfeyn.derivation.terms import ExpandedTerm, ProductTerm
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import MEAN_KERNEL, MEAN_NTK, TensorId
from ntkfeyn.render.drawing.layout import blob, layout
from ntkfeyn.render.drawing.tikz import tikz
from ntkfeyn.render.formulas import averaged_terms, expanded_text, operator_text, term_text
from ntkfeyn.render.latex.decomposition import decomposition
from ntkfeyn.render.latex.derivation import derivation
from ntkfeyn.render.latex.macros import (
    AppendixNotation,
    cumulant_words,
    label,
    marks,
    number_word,
    order_plain,
    order_tex,
    slug,
    symbols_of,
)
from ntkfeyn.render.symbols import Symbols


class Written(NamedTuple):
    """A term as a row of a recursion shows it."""

    diagrams: tuple[str, ...]
    sign: str
    text: str


class Layout(NamedTuple):
    """What of ``LatexOptions`` a cumulant's fragment depends on."""

    prefix: str
    terms_per_line: int
    expanded: bool
    full: bool
    symbols: Symbols


def section(
    recursion: Recursion, options: Layout, known: Collection[TensorId], names: Mapping[str, str], certificate: str
) -> dict[str, Any]:
    """The values of the template ``cumulant.tex.jinja``; ``names`` are symbols, ``known`` what has a fragment too."""
    prefix, shape, order = options.prefix, recursion.cumulant, recursion.order
    notation = AppendixNotation(prefix, options.symbols.latex)
    name = slug(f"{recursion.name}-{order}")
    letters = dict(zip((d.id for d in recursion.diagrams), marks(len(recursion.diagrams)), strict=True))
    correction = order - shape.leading_order
    head, channels = (
        decomposition(shape, order, AppendixNotation(prefix, options.symbols.latex, layer="U"))
        if options.full
        else ("", "")
    )
    pictures, diagrams = _diagrams(recursion, letters, options, names)
    n = f"{options.symbols.latex.width}_{options.symbols.latex.layer}"
    return {
        "file": name,
        "labels": {kind: label(prefix, kind, recursion.id) for kind in ("sec", "def", "fig", "eq")},
        **symbols_of(shape, order, prefix, options.symbols.latex),
        "name": recursion.name,
        "order": order,
        "plain": f"{recursion.name}{f' correction {correction}' if correction else ''} at {order_plain(order)}",
        "at": order_tex(order, n),
        "hash": recursion.hash,
        "correction": correction,
        "full": options.full,
        "observables": f"the {cumulant_words(shape.legs, notation)}",
        "head": head,
        "channels": channels,
        "pictures": pictures,
        "diagrams": diagrams,
        "constants": [term_text(term, notation) for term in recursion.terms if not term.diagrams],
        "count": _counted(len(recursion.diagrams)),
        "of": _counted(len(recursion.diagrams)).removeprefix("one "),
        "rows": _rows(_sum(recursion, notation), letters, options),
        "itself": recursion.id in recursion.dependencies,
        "needs": [_need(t, known, options) for t in recursion.dependencies if t != recursion.id],
        "first": _first_layer(recursion, options),
        "certificate": certificate,
    }


def _counted(number: int) -> str:
    return f"{number_word(number)} diagram{'s'[: number != 1]}"


def _diagrams(
    recursion: Recursion, letters: Mapping[str, str], options: Layout, names: Mapping[str, str]
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Pictures by file name, and what is said of each diagram."""
    notation = AppendixNotation(options.prefix, options.symbols.latex)
    shape = recursion.cumulant
    correction = recursion.order - shape.leading_order
    tex = names[recursion.name] + (rf"^{{\{{{correction}\}}}}" if correction else "")
    pictures = {slug(f"{recursion.name}-{recursion.order}"): tikz(blob(shape, tex, recursion.name, options.symbols))}
    found = []
    constants = any(not term.diagrams for term in recursion.terms)
    for i, diagram in enumerate(recursion.diagrams):
        pictures[slug(diagram.id)] = tikz(layout(diagram, options.symbols))
        one = derivation(diagram, notation, shared=recursion.shared) if options.full else None
        found.append(
            {
                "id": diagram.id,
                "letter": letters[diagram.id],
                "figure": slug(diagram.id),
                "sign": _sign(diagram.weight, leading=not (i or constants))
                + ("" if abs(diagram.weight) == 1 else rf"\,{notation.fraction(abs(diagram.weight))}\,"),
                "factors": [row._asdict() for row in one.factors] if one else [],
                "product": one.product if one else "",
                "remarks": " ".join(one.remarks) if one else "",
                "expanded": _expanded(recursion, diagram, options),
            }
        )
    return pictures, found


def _written(term: ProductTerm, leading: bool, notation: AppendixNotation) -> Written:
    """Its sign apart from the rest."""
    positive = term._replace(coefficient=abs(term.coefficient))
    return Written(term.diagrams, _sign(term.coefficient, leading), term_text(positive, notation))


def _sum(recursion: Recursion, notation: AppendixNotation) -> list[Written]:
    """The terms of a recursion; where weights are shared over labels the operators open before the first that is not
    constant."""
    constants, inside = averaged_terms(recursion)
    outside = [_written(term, i == 0, notation) for i, term in enumerate(constants)]
    terms = [_written(term, i == 0, notation) for i, term in enumerate(inside)]
    return [*outside, *_averaged(terms, recursion, notation, leading=not outside)]


def _averaged(
    terms: list[Written], recursion: Recursion, notation: AppendixNotation, *, leading: bool = True
) -> list[Written]:
    """The operators in front of the terms, in brackets; the terms alone where weights are not shared."""
    if not (recursion.shared and terms):
        return terms
    left, right = notation.brackets
    (ids, sign, text), *rest = terms
    operators = operator_text(recursion, notation)
    found = [Written(ids, "" if leading else "+", f"{operators}{notation.space}{left}{sign}{text}"), *rest]
    return [*found[:-1], found[-1]._replace(text=found[-1].text + right)]


def _sign(coefficient: Fraction, leading: bool) -> str:
    return "-" if coefficient < 0 else ("" if leading else "+")


def _rows(terms: list[Written], letters: Mapping[str, str], options: Layout) -> list[dict[str, Any]]:
    """Terms gathered in rows, broken at term boundaries; ``letters`` of their diagrams stand in the margin."""
    step = options.terms_per_line
    rows = []
    for start in range(0, len(terms), step):
        inside = terms[start : start + step]
        ids = dict.fromkeys(d for term in inside for d in term.diagrams if d in letters)
        marked = ", ".join(f"\\{options.prefix}Diagram{{{letters[d]}}}" for d in ids)
        written = [{"ids": ", ".join(term.diagrams), "sign": term.sign, "text": term.text} for term in inside]
        rows.append({"marks": marked, "sign": inside[0].sign, "terms": written})
    return rows


def _expanded(recursion: Recursion, diagram: Diagram, options: Layout) -> list[dict[str, Any]]:
    """The terms of one diagram after Leibniz, if they are asked for."""
    if not options.expanded:
        return []
    notation = AppendixNotation(options.prefix, options.symbols.latex)
    terms: tuple[ExpandedTerm, ...] = expand(diagram_terms(recursion, diagram))[0]
    found = []
    for i, term in enumerate(terms):
        text = expanded_text(term._replace(coefficient=abs(term.coefficient)), notation)
        found.append(Written((diagram.id,), _sign(term.coefficient, i == 0), text))
    return _rows(_averaged(found, recursion, notation), {}, options)


def diagram_terms(recursion: Recursion, diagram: Diagram) -> tuple[ProductTerm, ...]:
    """The reduced product terms of one diagram on its own."""
    return reduce_terms(translated(diagram, recursion.without), recursion.cumulant, recursion.without)[0]


def _need(tensor: TensorId, known: Collection[TensorId], options: Layout) -> dict[str, str]:
    symbol = AppendixNotation(options.prefix, options.symbols.latex, layer="N").bare(tensor)
    return {"symbol": symbol, "label": label(options.prefix, "eq", tensor) if tensor in known else ""}


def _first_layer(recursion: Recursion, options: Layout) -> str:
    """The value at layer 1 (theory section 1)."""
    letters, shape = options.symbols.latex, recursion.cumulant
    at = AppendixNotation(options.prefix, options.symbols.latex)
    symbol = f"{at.macro}Tensor{{{recursion.name}}}{{{recursion.order - shape.leading_order}}}{{(1)}}"
    symbol += f"{{{at.indices(shape.index_labels())}}}"
    constants = {MEAN_KERNEL: ("C_b", "C_W"), MEAN_NTK: ("lambda_b", "lambda_W")}
    if recursion.id not in constants:
        return f"{symbol}=0"
    bias, weight = (letters.coupling(name) for name in constants[recursion.id])
    a, b = (at.label(v) for v in standard(recursion.name).relabelled(shape.labels).labels)
    gram = rf"x_{{{a}}}\cdot x_{{{b}}}"
    gram = rf"{operator_text(recursion, at)}\bigl[{gram}\bigr]" if recursion.shared else gram
    return rf"{symbol}={bias}+\tfrac{{{weight}}}{{{letters.width}_0}}\,{gram}"
