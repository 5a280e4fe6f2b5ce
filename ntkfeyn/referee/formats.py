"""Other formats: recursion/1 and recursions/1 JSON, and SymPy expressions in the names of ntkfeyn.symbols.

Enters: text, or a SymPy expression. Leaves: verdicts. Python is read as a tree of a few kinds of nodes, never run.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from ntkfeyn.derivation.rules import COUPLINGS
from ntkfeyn.errors import NtkfeynError, RequestError, bad_request
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.legs import NAMED_TREES, Leg, normal_leg
from ntkfeyn.model.targets import Target, named_target
from ntkfeyn.referee import expressions as e
from ntkfeyn.referee.claims import Claim
from ntkfeyn.referee.documents import Equation
from ntkfeyn.referee.letters import vocabulary
from ntkfeyn.referee.parser import Term
from ntkfeyn.referee.signs import coupling
from ntkfeyn.referee.source import Source, text_source
from ntkfeyn.referee.tokens import Token
from ntkfeyn.referee.verdict import Verdict, judge_terms
from ntkfeyn.render.symbols import Symbols

KNOWN = {c.name for c in COUPLINGS}
NAMES = {"C_W": "C_W", "LAMBDA_W": "lambda_W", "C_B": "C_b", "LAMBDA_B": "lambda_b"}
NAMES |= {name: name for name in ("lambda_W", "C_b", "lambda_b")}
MAX_DEPTH = 60


def check_format(
    text: str, kind: str, target: Target | None, symbols: Symbols, file: str = ""
) -> tuple[Source, list[Verdict]]:
    """The verdicts on JSON or SymPy. Raises NtkfeynError."""
    source = text_source(text, file)
    claims = json_claims(text) if kind == "json" else [python_claim(text, source, target)]
    words = vocabulary(symbols)
    found = [
        judge_terms(said, terms, words, expanded=True)
        for said, terms in claims
        if target is None or (said.shape.name, said.order) == target.id
    ]
    if not found:
        raise bad_request(f"no recursion of {target.id if target else 'a tensor'} was found", "another TARGET, or none")
    return source, found


# --- JSON ---


def json_claims(text: str) -> list[tuple[Claim, list[Term]]]:
    """The recursions of a document. Raises RequestError."""
    try:
        data = json.loads(text)
        if data["schema"] == "ntkfeyn.recursions/1":
            return [_json_claim(one) for one in data["recursions"]]
        if data["schema"] != "ntkfeyn.recursion/1":
            raise KeyError("schema")
        return [_json_claim(data)]
    except NtkfeynError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, ZeroDivisionError) as error:
        reason = f"{type(error).__name__}: {error}"[:120]
        raise bad_request(
            f"this is no recursion in JSON ({reason})",
            "schema ntkfeyn.recursion/1 or recursions/1 with expanded terms",
            "ntkfeyn derive F --format json",
        ) from error


def _json_claim(data: dict[str, Any]) -> tuple[Claim, list[Term]]:
    name, labels = _placed(data["cumulant"])
    shape = standard(name)
    samples = tuple(str(labels[v]) for v in shape.index)
    claim = Claim(shape, int(data["order"]), samples, e.Number(Fraction(1)), "", Equation((), (), 0, 0))
    return claim, [_json_term(term) for term in data["terms"]]


def _placed(data: dict[str, Any]) -> tuple[str, list[int]]:
    """The class of legs and channel, and the labels by slot of its representative."""
    legs = []
    for kind, labels in data["legs"]:
        edges = NAMED_TREES[kind] if isinstance(kind, str) else tuple(sorted((int(a), int(b)) for a, b in kind["tree"]))
        if len(edges) + 1 != len(labels) or len(labels) > 8:
            raise ValueError(f"a leg {kind} with {len(labels)} samples")
        legs.append(Leg(edges, tuple(map(int, labels))) if isinstance(kind, str) else normal_leg(edges, tuple(labels)))
    channel = tuple(sorted((min(a, b) - 1, max(a, b) - 1) for a, b in data["channel"]))
    shape = Cumulant(tuple(legs), channel, ())
    size = len(shape.labels)
    if sorted(v for pair in channel for v in pair) != list(range(size)):
        raise ValueError(f"channel {data['channel']} of {size} slots")
    return shape.name, list(shape.by_standard(shape.labels))


def _json_term(data: dict[str, Any]) -> Term:
    parts: list[e.Node] = [e.Number(Fraction(data["coefficient"]))]
    for name in sorted(KNOWN & data.keys()):
        if data[name]:
            parts.append(e.Power(coupling(name), int(data[name])))
    for one in data["tensors"]:
        name, labels = _placed(one)
        parts.append(e.Tensor(name, int(one["order"]), tuple(str(labels[v]) for v in standard(name).index)))
    for mean in data["expectations"]:
        parts.append(e.Mean(e.Times(tuple(e.Activation(str(int(s)), int(m)) for s, m in mean))))
    text = json.dumps({key: value for key, value in data.items() if key not in ("diagrams", "latex")})
    return Term(e.Times(tuple(parts)), 1, (Token(text, 0, 0, False),), None)


# --- SymPy ---


def python_claim(text: str, source: Source, target: Target | None) -> tuple[Claim, list[Term]]:
    """An expression, or the last assignment ``F = ..``, whose name may be the target."""
    try:
        tree = ast.parse(text.strip() + "\n")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", 1) or 1
        raise bad_request(
            f"line {line}: this is no Python expression", "SymPy in the names of ntkfeyn.symbols"
        ) from error
    names: dict[str, ast.expr] = {}
    last: ast.expr | None = None
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        if (
            isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and isinstance(statement.targets[0], ast.Name)
        ):
            names[statement.targets[0].id] = last = statement.value
            assigned = statement.targets[0].id
            if target is None and statement is tree.body[-1]:
                target = _named(assigned)
        elif isinstance(statement, ast.Expr):
            last = statement.value
        else:
            raise _misread(statement, "assignments and expressions are read")
    if last is None or target is None:
        raise bad_request("what this is a recursion of is not said", "a TARGET, or F = .., is needed", "check FILE F")
    reader = _Python(names)
    return _target_claim(target), [_term(node) for node in _summands(reader.node(last, 0))]


def _named(name: str) -> Target | None:
    try:
        return named_target(name)[0] if name != "all" else None
    except NtkfeynError:
        return None


def check_sympy(expression: Any, target: Target, symbols: Symbols) -> Verdict:
    """The verdict on a SymPy expression in the names of ntkfeyn.symbols. Raises NtkfeynError."""
    terms = [_term(node) for node in _summands(_from_sympy(expression))]
    return judge_terms(_target_claim(target), terms, vocabulary(symbols), expanded=True)


def _target_claim(target: Target) -> Claim:
    shape = standard(target.shape.name)
    labels = tuple(str(shape.labels[v]) for v in shape.index)
    return Claim(shape, target.order, labels, e.Number(Fraction(1)), "", Equation((), (), 0, 0))


def _term(node: e.Node) -> Term:
    return Term(node, 1, (Token(str(node)[:400], 0, 0, False),), None)


def _summands(node: e.Node) -> Sequence[e.Node]:
    return [part for one in node.parts for part in _summands(one)] if isinstance(node, e.Plus) else [node]


def _misread(node: ast.AST, expected: str) -> RequestError:
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
    return bad_request(f"line {line}, column {column}: {type(node).__name__} is not understood", expected)


class _Python:
    """A tree of Python as an expression."""

    def __init__(self, names: dict[str, ast.expr]) -> None:
        self.names = names

    def node(self, tree: ast.expr, depth: int) -> e.Node:
        if depth > MAX_DEPTH:
            raise _misread(tree, f"at most {MAX_DEPTH} levels are read")
        match tree:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return e.Number(Fraction(str(value)))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return e.Times((e.Number(Fraction(-1)), self.node(operand, depth + 1)))
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return e.Power(self.node(left, depth + 1), self.integer(right))
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(tree, self.node(left, depth + 1), op, self.node(right, depth + 1))
            case ast.Name(id=name):
                return self._name(tree, name, depth)
            case ast.Call(func=func, args=arguments, keywords=[]):
                called = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
                return self._call(tree, called, arguments, depth)
            case ast.Attribute(attr=name):
                return self._name(tree, name, depth)
        raise _misread(tree, "numbers, + - * / **, and the names of ntkfeyn.symbols are read")

    def _binary(self, tree: ast.expr, left: e.Node, op: ast.operator, right: e.Node) -> e.Node:
        match op:
            case ast.Add():
                return e.Plus((left, right))
            case ast.Sub():
                return e.Plus((left, e.Times((e.Number(Fraction(-1)), right))))
            case ast.Mult():
                return e.Times((left, right))
            case ast.Div():
                return e.Over(left, right)
        raise _misread(tree, "+ - * / ** are read")

    def _name(self, tree: ast.expr, name: str, depth: int) -> e.Node:
        if name in NAMES:
            return e.Coupling(NAMES[name])
        if name in ("WIDTH", "WIDTH_BELOW"):
            return e.Width(name == "WIDTH_BELOW")
        if name in self.names:
            return self.node(self.names[name], depth + 1)
        raise _misread(tree, f"'{name}' is not known; C_W, LAMBDA_W, C_B, LAMBDA_B, WIDTH, WIDTH_BELOW are")

    def _call(self, tree: ast.expr, called: str, arguments: list[ast.expr], depth: int) -> e.Node:
        if called in ("Rational", "Integer", "S", "Fraction") and 1 <= len(arguments) <= 2:
            return (
                e.Over(self.node(arguments[0], depth + 1), self.node(arguments[1], depth + 1))
                if arguments[1:]
                else (self.node(arguments[0], depth + 1))
            )
        if called in ("Add", "Mul"):
            parts = tuple(self.node(one, depth + 1) for one in arguments)
            return e.Plus(parts) if called == "Add" else e.Times(parts)
        if called == "expectation_symbol" and len(arguments) == 1:
            pairs = [self.integers(one) for one in self.listed(arguments[0])]
            if all(len(pair) == 2 for pair in pairs):
                return e.Mean(e.Times(tuple(e.Activation(str(s), m) for s, m in pairs)))
        if called == "Expectation":
            return e.Mean(e.Times(tuple(self.node(one, depth + 1) for one in arguments)))
        if called == "Activation" and len(arguments) == 2:
            return e.Activation(str(self.integer(arguments[0])), self.integer(arguments[1]))
        if called == "tensor_symbol" and len(arguments) == 3 and isinstance(arguments[0], ast.Constant):
            return tensor(str(arguments[0].value), self.integer(arguments[1]), self.integers(arguments[2]))
        raise _misread(tree, "tensor_symbol, expectation_symbol, Expectation, Activation, Rational are read")

    def integer(self, tree: ast.expr) -> int:
        match tree:
            case ast.Constant(value=int() as value) if not isinstance(value, bool) and abs(value) < 100:
                return value
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.integer(operand)
        raise _misread(tree, "a whole number below 100 was expected")

    def listed(self, tree: ast.expr) -> list[ast.expr]:
        if isinstance(tree, ast.List | ast.Tuple):
            return tree.elts
        raise _misread(tree, "a list was expected")

    def integers(self, tree: ast.expr) -> list[int]:
        return [self.integer(one) for one in self.listed(tree)]


def tensor(name: str, order: int, samples: Sequence[int]) -> e.Tensor:
    """A tensor by name. Raises RequestError."""
    shape = standard(name)
    if len(samples) != len(shape.index):
        raise bad_request(f"{name} with {len(samples)} samples", f"{len(shape.index)} are needed")
    return e.Tensor(shape.name, order, tuple(map(str, samples)))


def _from_sympy(expression: Any) -> e.Node:
    """The tree of a SymPy expression: sums, products, powers, numbers, and our functions by their class."""
    kinds: dict[str, Callable[[list[Any]], e.Node]] = {
        "Activation": lambda a: e.Activation(str(int(a[0])), int(a[1])),
        "Expectation": lambda a: e.Mean(e.Times(tuple(map(_from_sympy, a)))),
        "LayerTensor": lambda a: tensor(
            str(a[0]), standard(str(a[0])).leading_order + int(a[1]), [int(sample) for sample in a[2:]]
        ),
        "Add": lambda a: e.Plus(tuple(map(_from_sympy, a))),
        "Mul": lambda a: e.Times(tuple(map(_from_sympy, a))),
        "Pow": lambda a: e.Power(_from_sympy(a[0]), int(a[1])),
    }
    kind = next((one.__name__ for one in type(expression).__mro__ if one.__name__ in kinds), "")
    if kind:
        return kinds[kind](list(expression.args))
    if getattr(expression, "is_Rational", False):
        return e.Number(Fraction(int(expression.p), int(expression.q)))
    name = str(expression)
    if name in NAMES:
        return e.Coupling(NAMES[name])
    if name in ("n_l", "n_{l-1}"):
        return e.Width(name != "n_l")
    raise bad_request(f"'{name[:60]}' is not understood", "the names of ntkfeyn.symbols are read")
