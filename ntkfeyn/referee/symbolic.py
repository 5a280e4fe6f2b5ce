"""SymPy expressions in the names of ntkfeyn.symbols, as trees of nodes.

Enters: an expression, or an equation. Leaves: ``Said``: its terms, and what stands on the left.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from ntkfeyn.derivation.rules import TAU
from ntkfeyn.errors import bad_request
from ntkfeyn.model.cumulants import standard
from ntkfeyn.referee import expressions as e
from ntkfeyn.referee.levels import HERE, Level, below, level_of, other_level
from ntkfeyn.referee.parser import Term
from ntkfeyn.referee.python_code import NAMES, Said, tensor
from ntkfeyn.referee.tokens import Token


def sympy_terms(expression: Any) -> Said:
    """What is said of which tensor. Raises RequestError for what is not understood."""
    left = level = None
    if _kind(expression) == "Equality":
        left, expression = expression.args
        if _kind(left) != "LayerTensor":
            raise bad_request(f"'{str(left)[:60]}' stands on the left", "a tensor is read there: LayerTensor")
        level, left = level_of(left.layer), _Tree(level_of(left.layer)).node(left)
    base = _base(expression, level)
    tree = _Tree(base)
    summands = expression.args if _kind(expression) == "Add" else (expression,)
    terms = [Term(tree.node(one), 1, (Token(str(one), 0, 0, False),), None) for one in summands]
    return Said("", terms, base, left, level)


def _base(expression: Any, left: Level | None) -> Level:
    """The layer of the first that has one; where none has, of what the left-hand side needs."""
    from sympy import preorder_traversal

    found = (one.layer for one in preorder_traversal(expression) if _kind(one) in ("LayerTensor", "Activation", "Tau"))
    first = next(found, None)
    return level_of(first) if first is not None else left.above(-1) if left else HERE


def _kind(expression: Any) -> str:
    """The class that is ours or SymPy's: those that print with other letters are classes of their own."""
    return next((one.__name__ for one in type(expression).__mro__ if one.__name__ in KINDS), "")


class _Tree:
    """Reads at one layer, that of everything on a side."""

    def __init__(self, base: Level) -> None:
        self.base, self.layer = base, base.sympy

    def node(self, expression: Any) -> e.Node:
        """Sums, products, powers, numbers, and our functions by their class."""
        kind = _kind(expression)
        if kind in READ:
            try:
                return READ[kind](self, expression)
            except (TypeError, ValueError) as error:
                text = str(expression)[:60]
                raise bad_request(f"'{text}' is not understood", "samples and powers are whole numbers") from error
        if getattr(expression, "is_Rational", False):
            return e.Number(Fraction(int(expression.p), int(expression.q)))
        name = str(expression)
        if name in NAMES:
            return e.Coupling(NAMES[name])
        if name in ("n_l", "n_{l-1}"):
            return e.Width(below(HERE if name == "n_l" else HERE.above(-1), self.base))
        raise bad_request(f"'{name[:60]}' is not understood", "the names of ntkfeyn.symbols are read")

    def nodes(self, expressions: Any) -> tuple[e.Node, ...]:
        return tuple(map(self.node, expressions))

    def here(self, expression: Any) -> Any:
        """The expression, if it stands at this layer."""
        if expression.layer != self.layer and (level := level_of(expression.layer)) != self.base:
            raise other_level(f"'{str(expression)[:60]}'", level, self.base)
        return expression

    def tau(self, expression: Any) -> e.Coupling:
        self.here(expression)
        return e.Coupling(TAU)

    def tensor(self, expression: Any) -> e.Tensor:
        _, correction, *samples = self.here(expression).args
        order = standard(expression.name).leading_order + int(correction)
        return tensor(expression.name, order, [int(sample) for sample in samples])

    def averaging(self, expression: Any) -> e.Node:
        inner, *pairs = expression.args
        return e.averaged([(str(int(v)), str(int(w))) for v, w in pairs], self.node(inner))


READ: dict[str, Callable[[_Tree, Any], e.Node]] = {
    "Activation": lambda tree, one: e.Activation(str(int(tree.here(one).args[0])), int(one.args[1])),
    "Expectation": lambda tree, one: e.Mean(e.Times(tree.nodes(one.args))),
    "LayerTensor": _Tree.tensor,
    "Averaging": _Tree.averaging,
    "Width": lambda tree, one: e.Width(below(level_of(one.layer), tree.base)),
    "Tau": _Tree.tau,
    "Add": lambda tree, one: e.Plus(tree.nodes(one.args)),
    "Mul": lambda tree, one: e.Times(tree.nodes(one.args)),
    "Pow": lambda tree, one: e.Power(tree.node(one.args[0]), int(one.args[1])),
}
KINDS = {*READ, "Equality"}
