"""Other formats: recursion/1 and recursions/1 JSON, and SymPy expressions in the names of ntkfeyn.symbols.

Enters: text, or a SymPy expression. Leaves: verdicts.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ntkfeyn.errors import NtkfeynError, bad_request
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.ensembles import GAUSSIAN, check_shared
from ntkfeyn.model.targets import Target, named_target
from ntkfeyn.referee import expressions as e
from ntkfeyn.referee.claims import Claim
from ntkfeyn.referee.documents import Equation
from ntkfeyn.referee.letters import vocabulary
from ntkfeyn.referee.parser import Term
from ntkfeyn.referee.python_code import Said, python_terms
from ntkfeyn.referee.records import json_claims
from ntkfeyn.referee.source import Source, text_source
from ntkfeyn.referee.symbolic import sympy_terms
from ntkfeyn.referee.verdict import Form, Verdict, judge_terms
from ntkfeyn.render.symbols import Symbols


def check_format(
    text: str,
    kind: str,
    target: Target | None,
    symbols: Symbols,
    file: str = "",
    weights: str = GAUSSIAN,
    shared: bool = False,
) -> tuple[Source, list[Verdict]]:
    """The verdicts on JSON, which says itself for which weights it is, or SymPy. Raises NtkfeynError."""
    source = text_source(text, file)
    claims = json_claims(text) if kind == "json" else [_python_claim(text, target, weights, shared)]
    words, form = vocabulary(symbols), Form.JSON if kind == "json" else Form.PYTHON
    found = [
        judge_terms(said, terms, words, form=form)
        for said, terms in claims
        if target is None or (said.shape.name, said.order) == target.id
    ]
    if not found:
        raise bad_request(f"no recursion of {target.id if target else 'a tensor'} was found", "another TARGET, or none")
    return source, found


def _python_claim(text: str, target: Target | None, weights: str, shared: bool) -> tuple[Claim, list[Term]]:
    """What the code says about its target, which may stand on its left or be the name that it assigns."""
    said = python_terms(text)
    if target is None and said.left is None:
        target = _named(said.assigned)
        if target is None:
            raise bad_request(
                "what this is a recursion of is not said", "a TARGET, or F = .., is needed", "check FILE F"
            )
    return _code_claim(said, target, weights, shared), said.terms


def _named(name: str) -> Target | None:
    try:
        return named_target(name)[0] if name not in ("", "all") else None
    except NtkfeynError:
        return None


def check_sympy(
    expression: Any, target: Target | None, symbols: Symbols, weights: str = GAUSSIAN, shared: bool = False
) -> Verdict:
    """The verdict on a SymPy expression or equation in the names of ntkfeyn.symbols. Raises NtkfeynError."""
    said = sympy_terms(expression)
    if target is None and said.left is None:
        raise bad_request(
            "a SymPy expression was given without a name", "the tensor is needed", 'check(expression, "F")'
        )
    return judge_terms(_code_claim(said, target, weights, shared), said.terms, vocabulary(symbols), form=Form.SYMPY)


def _code_claim(said: Said, target: Target | None, weights: str, shared: bool) -> Claim:
    """The tensor on the left with its labels, or the target with those of its standard form."""
    check_shared(shared, weights)
    left = said.left
    if left is not None and target is not None and (left.name, left.order) != (target.shape.name, target.order):
        raise bad_request(f"{left.name}@{left.order} stands on the left", f"{target.id} was asked for")
    if said.level is not None and said.level != said.base.above():
        raise bad_request(
            f"layer {said.level} stands on the left, layer {said.base} on the right",
            "a recursion leads from a layer to the next",
        )
    if left is not None:
        shape, order, labels = standard(left.name), left.order, left.labels
    else:
        assert target is not None
        shape, order = standard(target.shape.name), target.order
        labels = tuple(str(shape.labels[v]) for v in shape.index)
    one, nowhere = e.Number(Fraction(1)), Equation((), (), 0, 0)
    return Claim(shape, order, labels, one, "", nowhere, weights=weights, shared=shared, level=said.base)
