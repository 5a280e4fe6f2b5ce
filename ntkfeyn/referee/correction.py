"""Corrections: our terms as the author would write them, and his file with the edits carried out.

Enters: a verdict and its source. Leaves: LaTeX of terms (code, text in other formats); the text of a file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ntkfeyn.derivation.terms import ExpandedTerm, ProductTerm
from ntkfeyn.errors import bad_request
from ntkfeyn.referee.author import AuthorNotation, PlainNotation, author_text
from ntkfeyn.referee.claims import Claim
from ntkfeyn.referee.matching import Edit, Unit
from ntkfeyn.referee.parser import Term
from ntkfeyn.referee.rewriting import Rewriter, span_of
from ntkfeyn.referee.source import Source
from ntkfeyn.referee.verdict import Form, Verdict
from ntkfeyn.render.formulas import term_text

_BEFORE = re.compile(r"(?:\\(?:nonumber|notag)\s*)?(?P<row>\\\\)(?:\[[^\]]*\])?[\s&]*(?:\\q?quad[\s&]*)*\Z")
_LEAD = re.compile(r"[\s&]*(?:\\q?quad[\s&]*)*\+\s*|")
_AFTER = re.compile(r"\s*(?:\\(?:nonumber|notag)\s*)?\\\\(?:\[[^\]]*\])?[ \t]*\n?")


class Change(NamedTuple):
    """A part of the text of a source, from ``start`` to ``stop``, and what stands there instead."""

    start: int
    stop: int
    text: str


def corrected(verdict: Verdict, unit: Unit, source: Source, *, leading: bool = True) -> str:
    """A term of ours as the author would write it; several one after the other."""
    return " ".join(_corrected(verdict, term, source, leading and i == 0) for i, term in enumerate(unit.terms))


def correction(verdict: Verdict, edit: Edit, source: Source) -> str:
    """What is right instead of a term, with as much of the author's as can stay."""
    assert edit.unit is not None
    if verdict.form is Form.LATEX and edit.written is not None:
        text = Rewriter(verdict, source).rewritten(verdict.terms[edit.written], edit.unit)
        if text is not None:
            return _tidy(text.removeprefix("+"))
    return corrected(verdict, edit.unit, source)


def _corrected(verdict: Verdict, term: ProductTerm, source: Source, leading: bool) -> str:
    if verdict.form in (Form.PYTHON, Form.SYMPY):
        from ntkfeyn.render.sympy import LAYER, OURS, code

        expression = OURS.term(after_leibniz(_own_labels(verdict.claim, term)))
        expression = expression.subs(LAYER, verdict.claim.level.sympy)
        return code(expression) if verdict.form is Form.PYTHON else str(expression)
    if verdict.form is Form.JSON:
        return term_text(term, PlainNotation(verdict), leading=leading)
    return author_text(verdict, term, AuthorNotation(verdict, source), leading)


def _own_labels(said: Claim, term: ProductTerm) -> ProductTerm:
    """A term of ours without derivatives, with the labels that code has on its left."""
    own = {said.shape.labels[v]: int(label) for v, label in zip(said.shape.index, said.labels, strict=True)}
    tensors = tuple(tensor._replace(labels=tuple(own[label] for label in tensor.labels)) for tensor in term.tensors)
    groups = tuple(
        group._replace(factors=tuple(factor._replace(slot=own[factor.slot]) for factor in group.factors))
        for group in term.groups
    )
    return term._replace(tensors=tensors, groups=groups)


def after_leibniz(term: ProductTerm) -> ExpandedTerm:
    """A product term without derivatives."""
    means = tuple(tuple((factor.slot, factor.order) for factor in group.factors) for group in term.groups)
    return ExpandedTerm(term.coefficient, term.couplings, means, term.tensors, term.diagrams)


def written(term: Term, source: Source) -> str:
    """The author's term as it stands in his file; of another format, its tokens."""
    span = span_of(term.tokens, source)
    sign = "-" if term.sign < 0 else ""
    if span is None:
        return sign + " ".join(token.text for token in term.tokens)
    return sign + _tidy(source.text[span[0] : span[1]])


def _tidy(text: str) -> str:
    return re.sub(r"\\\\\s*&*|&|\s+|\\nonumber\b", " ", text).strip()


def changes(verdicts: Sequence[Verdict], source: Source) -> list[Change]:
    """Every edit, in the order of the text. Raises RequestError for what a macro made."""
    return sorted(_change(verdict, edit, source) for verdict in verdicts for edit in verdict.edits)


def changed(text: str, found: Sequence[Change]) -> str:
    """A text with changes carried out."""
    for start, stop, new in sorted(found, reverse=True):
        text = text[:start] + new + text[stop:]
    return text


def in_files(found: Sequence[Change], source: Source) -> dict[str, list[Change]]:
    """The changes by the file that they belong to, with offsets there."""
    placed: dict[str, list[Change]] = {}
    for start, stop, new in found:
        (piece, local), (other, end) = source.located(start), source.located(max(start, stop - 1))
        if piece.file != other.file:
            raise bad_request(
                f"{source.place(start)}: a term goes from one file into another", "a term stands in one file"
            )
        placed.setdefault(piece.file, []).append(Change(local, end + (stop > start), new))
    return placed


def _change(verdict: Verdict, edit: Edit, source: Source) -> Change:
    if edit.written is None:
        assert edit.unit is not None
        last = span_of(verdict.terms[-1].tokens, source)
        if last is None:
            _unfixable(source, verdict.claim.equation.offset)
        assert last is not None
        return Change(last[1], last[1], " " + corrected(verdict, edit.unit, source, leading=False))
    term = verdict.terms[edit.written]
    span = span_of(term.tokens, source)
    if span is None or (term.signed_at is not None and not term.signed_at.own):
        _unfixable(source, verdict.claim.equation.offset)
    assert span is not None
    start = term.signed_at.offset if term.signed_at else span[0]
    if edit.unit is None:
        if len(verdict.terms) == 1:
            return Change(start, span[1], "0")
        return _row(start, span[1], edit.written == 0, source)
    text = Rewriter(verdict, source).rewritten(term, edit.unit)
    if text is None:
        return Change(start, span[1], corrected(verdict, edit.unit, source, leading=term.signed_at is None))
    if term.signed_at is None or text[0] == source.text[start]:  # the sign stays as it is
        keeps = text[0] == "+" or term.signed_at is not None
        return Change(span[0] if term.signed_at else start, span[1], text[1:] if keeps else text)
    return Change(start, span[1], f"{text[0]} {text[1:]}")


def _row(start: int, stop: int, first: bool, source: Source) -> Change:
    """Nothing instead of a term; its row goes with it, where it stands alone there."""
    head, after = _BEFORE.search(source.text, max(0, start - 200), start), _AFTER.match(source.text, stop)
    if head is None:
        lead = _LEAD.match(source.text, after.end() if after else stop) if first else None
        return Change(start, lead.end() if lead else stop, "")
    if after is not None:
        return Change(head.start("row") + 2, after.end(), "\n")
    return Change(head.start(), stop, "")


def _unfixable(source: Source, offset: int) -> None:
    raise bad_request(
        f"{source.place(offset)}: a term that a macro made cannot be changed",
        "terms that stand in the file are corrected",
        "write the term without macros around it",
    )
