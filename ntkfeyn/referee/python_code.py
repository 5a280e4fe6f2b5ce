"""Python code in the names of ntkfeyn.symbols, read as a tree of a few kinds of nodes and never run.

Enters: text. Leaves: terms, each with the place where it stands.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from ntkfeyn.derivation.rules import TAU
from ntkfeyn.errors import RequestError, bad_request
from ntkfeyn.model.cumulants import standard
from ntkfeyn.referee import expressions as e
from ntkfeyn.referee.levels import HERE, Level, below, other_level
from ntkfeyn.referee.parser import Term
from ntkfeyn.referee.tokens import Token

NAMES = {"C_W": "C_W", "LAMBDA_W": "lambda_W", "C_B": "C_b", "LAMBDA_B": "lambda_b"}
NAMES |= {name: name for name in ("lambda_W", "C_b", "lambda_b")}
MAX_DEPTH = 60
MAX_SUMMANDS = 100_000
READ = "tensor_symbol, expectation_symbol, Expectation, Activation, Averaging, derivative, omega, Rational are read"
LAYERED = {"tensor_symbol": 3, "LayerTensor": 99, "Activation": 2, "expectation_symbol": 1, "omega": 2, "Tau": 0}
WIDTHS = {"WIDTH": HERE, "WIDTH_BELOW": HERE.above(-1)}


class Said(NamedTuple):
    """What code says: terms at the layer ``base``; of an equation the tensor on its left, and the layer of that.

    ``assigned``: the name that the last statement gives it.
    """

    assigned: str
    terms: list[Term]
    base: Level
    left: e.Tensor | None = None
    level: Level | None = None


def python_terms(text: str) -> Said:
    """The last expression, and the name that it gets."""
    try:
        tree = ast.parse(text + "\n")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", 1) or 1
        raise bad_request(
            f"line {line}: this is no Python expression", "SymPy in the names of ntkfeyn.symbols is read"
        ) from error
    names: dict[str, ast.expr] = {}
    last: ast.expr | None = None
    assigned = ""
    for statement in tree.body:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
                continue
            case ast.Assign(targets=[ast.Name(id=assigned)], value=value):
                names[assigned] = last = value
            case ast.AugAssign(target=ast.Name(id=assigned), op=op, value=value) if assigned in names:
                last = ast.copy_location(ast.BinOp(names[assigned], op, value), statement)
                names[assigned] = last
            case ast.Expr(value=value):
                last, assigned = value, ""
            case _:
                raise misread(statement, "imports, assignments and expressions are read; write loops out")
    if last is None:
        raise bad_request("there is no expression", "F = .. in the names of ntkfeyn.symbols is read")
    return _Reader(names, text).said(assigned, last)


def misread(node: ast.AST, expected: str) -> RequestError:
    return bad_request(f"{place(node)}{type(node).__name__} is not understood", expected)


def place(node: ast.AST) -> str:
    return f"line {getattr(node, 'lineno', 1)}, column {getattr(node, 'col_offset', 0) + 1}: "


class _Reader:
    """A tree of Python as an expression. ``names``: what was assigned."""

    def __init__(self, names: dict[str, ast.expr], text: str) -> None:
        self.names = names
        self.lines = text.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        self.base = HERE

    def said(self, assigned: str, tree: ast.expr) -> Said:
        """An equation or a right-hand side."""
        while isinstance(tree, ast.Name) and tree.id in self.names and tree.id not in NAMES:
            tree = self.names[tree.id]
        match tree:
            case ast.Call(func=ast.Name(id="Eq") | ast.Attribute(attr="Eq"), args=[left, right]):
                self.base = level = self.first_level(left) or HERE
                tensor = self.node(left, 0)
                if not isinstance(tensor, e.Tensor):
                    raise misread(left, "a tensor is read on the left")
                self.base = self.first_level(right) or level.above(-1)
                return Said(assigned, self.terms(right), self.base, tensor, level)
        self.base = self.first_level(tree) or HERE
        return Said(assigned, self.terms(tree), self.base)

    def first_level(self, tree: ast.expr) -> Level | None:
        """The layer of the first call, from the left, that has one."""
        todo, known = [tree], set()
        while todo:
            match node := todo.pop():
                case ast.Name(id=name) if name in self.names and name not in known:
                    known.add(name)
                    todo.append(self.names[name])
                case ast.Call() if (name := self._called(node.func)) in LAYERED:
                    return self._layered(name, node)[1]
            todo += reversed([child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)])
        return None

    def level(self, tree: ast.expr, depth: int = 0) -> Level:
        """LAYER, a whole number, a name of one, or what is added to it."""
        match tree:
            case ast.Constant(value=int() as value) if not isinstance(value, bool):
                return Level("", value)
            case ast.Name(id="LAYER") | ast.Attribute(attr="LAYER"):
                return HERE
            case ast.Name(id=name) if name in self.names and depth < MAX_DEPTH:
                return self.level(self.names[name], depth + 1)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right) if depth < MAX_DEPTH:
                steps = self.integer(right)
                return self.level(left, depth + 1).above(-steps if isinstance(op, ast.Sub) else steps)
        raise misread(tree, "a layer was expected: LAYER, LAYER - 1 or 3")

    def _layered(self, called: str, call: ast.Call) -> tuple[list[ast.expr], Level]:
        """The arguments of a call without its layer, and that."""
        at = LAYERED.get(called, len(call.args))
        named = [word.value for word in call.keywords if word.arg == "layer" and called in LAYERED]
        layers = [*call.args[at:], *named]
        if len(layers) > 1 or len(named) != len(call.keywords):
            raise misread(call, READ + ", with layer=.. where something has a layer")
        return call.args[:at], self.level(layers[0]) if layers else HERE

    def terms(self, tree: ast.expr) -> list[Term]:
        """The summands, those of names with them."""
        found: list[Term] = []
        for sign, part in self.summands(tree, 1, 0):
            if len(found) >= MAX_SUMMANDS:
                raise misread(part, f"at most {MAX_SUMMANDS} terms are read")
            start = self.offset(part.lineno, part.col_offset)
            stop = self.offset(part.end_lineno or part.lineno, part.end_col_offset or part.col_offset)
            token = Token("term", start, stop)
            found.append(Term(self.node(part, 0), sign, (token,), None))
        return found

    def offset(self, line: int, column: int) -> int:
        """Of a line from 1 and a column in bytes."""
        before = self.lines[line - 1].encode()[:column].decode(errors="ignore") if line <= len(self.lines) else ""
        return self.starts[line - 1] + len(before)

    def summands(self, tree: ast.expr, sign: int, depth: int) -> Iterator[tuple[int, ast.expr]]:
        """From the left, which is deep: a sum of a thousand terms is a thousand levels."""
        right: list[tuple[int, ast.expr]] = []
        while True:
            match tree:
                case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=other):
                    right.append((-sign if isinstance(op, ast.Sub) else sign, other))
                    tree = left
                case ast.UnaryOp(op=ast.USub(), operand=operand) if isinstance(operand, ast.Name | ast.BinOp):
                    sign, tree = -sign, operand
                    if isinstance(operand, ast.BinOp) and not isinstance(operand.op, ast.Add | ast.Sub):
                        break
                    if right:
                        break
                case ast.Name(id=name) if name in self.names and name not in NAMES and depth < MAX_DEPTH:
                    yield from self.summands(self.names[name], sign, depth + 1)
                    break
                case _:
                    break
        if not (isinstance(tree, ast.Name) and tree.id in self.names and tree.id not in NAMES):
            if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add | ast.Sub):
                yield from self.summands(tree, sign, depth + 1)
            else:
                yield sign, tree
        for mark, part in reversed(right):
            yield from self.summands(part, mark, depth + 1) if depth < MAX_DEPTH else [(mark, part)]

    def node(self, tree: ast.expr, depth: int) -> e.Node:
        if depth > MAX_DEPTH:
            raise misread(tree, f"at most {MAX_DEPTH} levels are read")
        match tree:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return e.Number(Fraction(str(value)))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return e.Times((e.Number(Fraction(-1)), self.node(operand, depth + 1)))
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return e.Power(self.node(left, depth + 1), self.integer(right))
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(tree, self.node(left, depth + 1), op, self.node(right, depth + 1))
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return self._name(tree, name, depth)
            case ast.Call(func=ast.Name() | ast.Attribute()):
                return self._at_its_layer(tree, self._called(tree.func), depth)
        raise misread(tree, "numbers, + - * / **, and the names of ntkfeyn.symbols are read")

    def _called(self, function: ast.expr | None) -> str:
        """A function by its own name: s = Activation."""
        name = ""
        for _ in range(MAX_DEPTH):
            match function:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    function = self.names.get(name)
        return name

    def _at_its_layer(self, call: ast.Call, called: str, depth: int) -> e.Node:
        arguments, level = self._layered(called, call)
        if called in LAYERED and level != self.base:
            raise other_level(called, level, self.base, place(call))
        return self._call(call, called, arguments, depth)

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
        raise misread(tree, "+ - * / ** are read")

    def _name(self, tree: ast.expr, name: str, depth: int) -> e.Node:
        if name in NAMES:
            return e.Coupling(NAMES[name])
        if name in WIDTHS:
            return e.Width(below(WIDTHS[name], self.base, place(tree)))
        if name == "TAU" and self.base == HERE:
            return e.Coupling(TAU)
        if name in self.names:
            return self.node(self.names[name], depth + 1)
        raise misread(tree, f"'{name}' is not known; C_W, LAMBDA_W, C_B, LAMBDA_B, WIDTH, WIDTH_BELOW, TAU are")

    def _call(self, tree: ast.expr, called: str, arguments: list[ast.expr], depth: int) -> e.Node:
        match called, arguments:
            case (("Rational" | "Integer" | "S" | "Fraction"), [one]):
                return self.node(one, depth + 1)
            case (("Rational" | "Integer" | "S" | "Fraction"), [one, other]):
                return e.Over(self.node(one, depth + 1), self.node(other, depth + 1))
            case (("Add" | "Mul"), _):
                parts = tuple(self.node(one, depth + 1) for one in arguments)
                return e.Plus(parts) if called == "Add" else e.Times(parts)
            case "expectation_symbol", [one]:
                pairs = [self.integers(pair) for pair in self.listed(one)]
                if all(len(pair) == 2 for pair in pairs):
                    return e.Mean(e.Times(tuple(e.Activation(str(s), m) for s, m in pairs)))
            case "Expectation", _:
                return e.Mean(e.Times(tuple(self.node(one, depth + 1) for one in arguments)))
            case "Width", [one]:
                return e.Width(below(self.level(one), self.base, place(tree)))
            case "Tau", []:
                return e.Coupling(TAU)
            case "Activation", [one]:
                return e.Activation(str(self.integer(one)), 0)
            case "Activation", [one, other]:
                return e.Activation(str(self.integer(one)), self.integer(other))
            case "omega", [one, other]:
                return e.Omega((str(self.integer(one)), str(self.integer(other))))
            case "derivative", [one, *others]:
                return e.Derivative(tuple(str(self.integer(s)) for s in others), self.node(one, depth + 1))
            case "Averaging", [one, *pairs]:
                names = [(str(v), str(w)) for v, w in map(self.pair, pairs)]
                return e.averaged(names, self.node(one, depth + 1))
            case "tensor_symbol", [ast.Constant(value=str() as name), order, samples]:
                return tensor(name, self.integer(order), self.integers(samples))
            case "LayerTensor", [ast.Constant(value=str() as name), correction, *samples]:
                absolute = standard(name).leading_order + self.integer(correction)
                return tensor(name, absolute, [self.integer(one) for one in samples])
        raise misread(tree, READ)

    def integer(self, tree: ast.expr) -> int:
        match tree:
            case ast.Constant(value=int() as value) if not isinstance(value, bool) and abs(value) < 100:
                return value
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.integer(operand)
        raise misread(tree, "a whole number below 100 was expected")

    def listed(self, tree: ast.expr) -> list[ast.expr]:
        if isinstance(tree, ast.List | ast.Tuple):
            return tree.elts
        raise misread(tree, "a list was expected")

    def pair(self, tree: ast.expr) -> tuple[int, int]:
        found = self.integers(tree)
        if len(found) != 2:
            raise misread(tree, "a pair of labels was expected")
        return found[0], found[1]

    def integers(self, tree: ast.expr) -> list[int]:
        return [self.integer(one) for one in self.listed(tree)]


def tensor(name: str, order: int, samples: Sequence[int]) -> e.Tensor:
    """A tensor by name. Raises RequestError."""
    shape = standard(name)
    if len(samples) != len(shape.index):
        raise bad_request(f"{name} with {len(samples)} samples", f"{len(shape.index)} are needed")
    return e.Tensor(shape.name, order, tuple(map(str, samples)))
