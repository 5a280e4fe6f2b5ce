"""Other formats: recursion/1 and recursions/1 JSON, and SymPy expressions in the names of ntkfeyn.symbols.

Enters: text, or a SymPy expression. Leaves: verdicts.
"""

from __future__ import annotations

from collections.abc import Callable
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
from ntkfeyn.referee.python_code import NAMES, python_terms, tensor
from ntkfeyn.referee.records import json_claims
from ntkfeyn.referee.source import Source, text_source
from ntkfeyn.referee.tokens import Token
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
    """What the code says about its target, which may be the name that it assigns."""
    assigned, terms = python_terms(text)
    target = target or _named(assigned)
    if target is None:
        raise bad_request("what this is a recursion of is not said", "a TARGET, or F = .., is needed", "check FILE F")
    return _target_claim(target, weights, shared), terms


def _named(name: str) -> Target | None:
    try:
        return named_target(name)[0] if name not in ("", "all") else None
    except NtkfeynError:
        return None


def check_sympy(
    expression: Any, target: Target, symbols: Symbols, weights: str = GAUSSIAN, shared: bool = False
) -> Verdict:
    """The verdict on a SymPy expression in the names of ntkfeyn.symbols. Raises NtkfeynError."""
    summands = expression.args if type(expression).__name__ == "Add" else (expression,)
    terms = [Term(_from_sympy(one), 1, (Token(str(one), 0, 0, False),), None) for one in summands]
    return judge_terms(_target_claim(target, weights, shared), terms, vocabulary(symbols), form=Form.SYMPY)


def _target_claim(target: Target, weights: str, shared: bool) -> Claim:
    shape = standard(target.shape.name)
    labels = tuple(str(shape.labels[v]) for v in shape.index)
    one, nowhere = e.Number(Fraction(1)), Equation((), (), 0, 0)
    check_shared(shared, weights)
    return Claim(shape, target.order, labels, one, "", nowhere, weights=weights, shared=shared)


def _from_sympy(expression: Any) -> e.Node:
    """The tree of a SymPy expression: sums, products, powers, numbers, and our functions by their class."""
    kinds: dict[str, Callable[[list[Any]], e.Node]] = {
        "Activation": lambda a: e.Activation(str(int(a[0])), int(a[1])),
        "Expectation": lambda a: e.Mean(e.Times(tuple(map(_from_sympy, a)))),
        "LayerTensor": lambda a: tensor(
            str(a[0]), standard(str(a[0])).leading_order + int(a[1]), [int(sample) for sample in a[2:]]
        ),
        "Averaging": lambda a: e.averaged([(str(int(v)), str(int(w))) for v, w in a[1:]], _from_sympy(a[0])),
        "Add": lambda a: e.Plus(tuple(map(_from_sympy, a))),
        "Mul": lambda a: e.Times(tuple(map(_from_sympy, a))),
        "Pow": lambda a: e.Power(_from_sympy(a[0]), int(a[1])),
    }
    kind = next((one.__name__ for one in type(expression).__mro__ if one.__name__ in kinds), "")
    if kind:
        try:
            return kinds[kind](list(expression.args))
        except (TypeError, ValueError) as error:
            text = str(expression)[:60]
            raise bad_request(f"'{text}' is not understood", "samples and powers are whole numbers") from error
    if getattr(expression, "is_Rational", False):
        return e.Number(Fraction(int(expression.p), int(expression.q)))
    name = str(expression)
    if name in NAMES:
        return e.Coupling(NAMES[name])
    if name in ("n_l", "n_{l-1}"):
        return e.Width(name != "n_l")
    raise bad_request(f"'{name[:60]}' is not understood", "the names of ntkfeyn.symbols are read")
