"""Corrections: our terms in the author's letters, and his file with the edits carried out.

Enters: a verdict and its source. Leaves: LaTeX of terms; the text of a file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ntkfeyn.derivation.rules import WIDTH_RATIO
from ntkfeyn.derivation.terms import ExpandedTerm, ProductTerm
from ntkfeyn.errors import bad_request
from ntkfeyn.referee.matching import Edit, Unit
from ntkfeyn.referee.parser import Term
from ntkfeyn.referee.python_code import code
from ntkfeyn.referee.source import Source
from ntkfeyn.referee.tokens import Token
from ntkfeyn.referee.verdict import Form, Verdict
from ntkfeyn.render.formulas import term_text
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import DEFAULT

_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
BOUND = ("b", r"\beta", "c", r"\gamma", r"\nu")


class AuthorNotation(LatexNotation):
    """The letters of a notation, labels of samples by slot as the author has them, widths as he writes them."""

    def __init__(self, verdict: Verdict) -> None:
        assert verdict.words is not None
        letters = verdict.words.symbols.latex
        used = {label.split("_")[0] for label in verdict.claim.labels}
        bound = next((sign for sign in (letters.bound, *BOUND) if sign not in used), letters.bound)
        super().__init__(replace(letters, bound=bound))
        listed = verdict.claim.shape.labels
        self.names = {
            listed[v]: _label(t) for v, t in zip(verdict.claim.shape.index, verdict.claim.labels, strict=True)
        }
        tokens = {token.text for token in verdict.claim.equation.right}
        self.ratio = letters.coupling(WIDTH_RATIO) if letters.coupling(WIDTH_RATIO) in tokens else ""

    def label(self, label: int) -> str:
        return self.names[label] if label >= 0 else super().label(label)

    def power(self, coupling: str, exponent: int) -> str:
        if coupling != WIDTH_RATIO or self.ratio:
            return super().power(coupling, exponent)
        n, layer = self.letters.width, self.letters.layer
        ratio = rf"\frac{{{n}_{{{layer}}}}}{{{n}_{{{layer}-1}}}}"
        return ratio if exponent == 1 else rf"\left({ratio}\right)^{{{exponent}}}"


class PlainNotation(TextNotation):
    """Text, with the labels of the author's samples by slot."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.words.symbols.plain if verdict.words else DEFAULT.plain)
        listed = verdict.claim.shape.labels
        self.names = {listed[v]: t for v, t in zip(verdict.claim.shape.index, verdict.claim.labels, strict=True)}

    def label(self, label: int) -> str:
        return self.names[label] if label >= 0 else super().label(label)


def after_leibniz(term: ProductTerm) -> ExpandedTerm:
    """A product term without derivatives."""
    means = tuple(tuple((factor.slot, factor.order) for factor in group.factors) for group in term.groups)
    return ExpandedTerm(term.coefficient, term.couplings, means, term.tensors, term.diagrams)


def _label(name: str) -> str:
    base, _, index = name.partition("_")
    return f"{base}_{{{index}}}" if index else base


def corrected(verdict: Verdict, unit: Unit, *, leading: bool = True) -> str:
    """A term of ours as the author would write it; several one after the other."""
    texts = [_corrected(verdict, term, leading and i == 0) for i, term in enumerate(unit.terms)]
    return " ".join(texts)


def _corrected(verdict: Verdict, term: ProductTerm, leading: bool) -> str:
    if verdict.form is Form.PYTHON:
        return code(term)
    if verdict.form is Form.SYMPY:
        from ntkfeyn.render.sympy import OURS

        return str(OURS.term(after_leibniz(term)))
    if verdict.form is Form.JSON:
        return term_text(term, PlainNotation(verdict), leading=leading)
    text = term_text(term, AuthorNotation(verdict), leading=leading)
    scale = re.sub(r" (?![A-Za-z])", "", verdict.claim.scale_text)
    if not scale:
        return text
    sign = re.match(r"[+-]?\s*", text)
    assert sign is not None
    return f"{sign[0]}{scale}\\,{text[sign.end() :]}"


def written(term: Term, source: Source) -> str:
    """The author's term as it stands in his file; of another format, its tokens."""
    span = _span(term.tokens, source)
    sign = "-" if term.sign < 0 else ""
    if span is None:
        return sign + " ".join(token.text for token in term.tokens)
    return sign + re.sub(r"\\\\\s*&*|&|\s+|\\nonumber\b", " ", source.text[span[0] : span[1]]).strip()


def _span(tokens: Sequence[Token], source: Source) -> tuple[int, int] | None:
    """From where to where a term stands: its first sign to its last, and the braces of macros that are open there."""
    if not tokens or tokens[-1].end == 0:
        return None
    start, stop = min(token.offset for token in tokens), max(token.end for token in tokens)
    depth, text = 0, source.text
    for match in _BRACE.finditer(text, start):
        if match.start() >= stop and depth <= 0:
            break
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        stop = max(stop, match.end()) if match.start() >= stop else stop
    return (start, stop) if depth == 0 else None


def fixed(verdicts: Sequence[Verdict], source: Source, file: str) -> str:
    """The text of ``file`` with every edit carried out. Raises RequestError for what a macro made or another file."""
    changes: list[tuple[int, int, str]] = []
    for verdict in verdicts:
        changes += [_change(verdict, edit, source) for edit in verdict.edits]
    text = source.originals[file]
    placed = []
    for start, stop, new in changes:
        (piece, local), (other, end) = source.located(start), source.located(max(start, stop - 1))
        if piece.file != file or other.file != file:
            raise bad_request(
                f"{source.place(start)}: what is to be changed stands in another file",
                "one file is written",
                "check that file",
            )
        placed.append((local, end + (stop > start), new))
    for start, stop, new in sorted(placed, reverse=True):
        text = text[:start] + new + text[stop:]
    return text


def _change(verdict: Verdict, edit: Edit, source: Source) -> tuple[int, int, str]:
    """Start, end and the new text."""
    if edit.written is None:
        assert edit.unit is not None
        last = _span(verdict.terms[-1].tokens, source)
        if last is None:
            _unfixable(source, verdict.claim.equation.offset)
        assert last is not None
        end = last[1]
        return end, end, " " + corrected(verdict, edit.unit, leading=False)
    term = verdict.terms[edit.written]
    span = _span(term.tokens, source)
    if span is None or (term.signed_at is not None and not term.signed_at.own):
        _unfixable(source, verdict.claim.equation.offset)
    assert span is not None
    start = term.signed_at.offset if term.signed_at else span[0]
    if edit.unit is None:
        alone = len(verdict.terms) == 1
        return start, span[1], "0" if alone else ""
    return start, span[1], corrected(verdict, edit.unit, leading=term.signed_at is None)


def _unfixable(source: Source, offset: int) -> None:
    raise bad_request(
        f"{source.place(offset)}: a term that a macro made cannot be changed",
        "terms that stand in the file are corrected",
        "write the term without macros around it",
    )
