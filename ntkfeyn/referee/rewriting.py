"""Rewriting: the smallest change of an author's term that makes it one of ours; what is right in it stays as it is.

Enters: a term, our unit, the source. Leaves: new text. Tried in turn: its numbers, couplings and widths; one tensor or
mean; the whole term. Each try is read again and compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from ntkfeyn.derivation.expansion import expand
from ntkfeyn.derivation.rules import WIDTH_RATIO
from ntkfeyn.derivation.terms import Powers, ProductTerm
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.referee import expressions as e
from ntkfeyn.referee.author import AuthorNotation, fraction, layers_of, ones_of, scale
from ntkfeyn.referee.canonical import WIDTHS, Canonical, Terms, derived
from ntkfeyn.referee.claims import scalar
from ntkfeyn.referee.evaluation import Evaluator
from ntkfeyn.referee.matching import Unit
from ntkfeyn.referee.parser import SUMS, TIMES, Parser, Term
from ntkfeyn.referee.points import Point
from ntkfeyn.referee.semantics import SEED
from ntkfeyn.referee.source import Source
from ntkfeyn.referee.tokens import Token, tokenise
from ntkfeyn.referee.verdict import Verdict
from ntkfeyn.render.formulas import bound_labels, mean_text, powers_text, tensor_text

_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_OPENED = re.compile(r"\\(?:left|[bB]igg?l?|mleft)\s*\Z")


def opened(text: str, start: int) -> int:
    """Where a sign begins, the \\left in front of it with it."""
    before = _OPENED.search(text, max(0, start - 12), start)
    return before.start() if before else start


def span_of(tokens: Sequence[Token], source: Source) -> tuple[int, int] | None:
    """From where to where a term stands: its first sign to its last, and the braces of macros that are open there."""
    if not tokens or tokens[-1].end == 0:
        return None
    start, stop = min(token.offset for token in tokens), max(token.end for token in tokens)
    depth, text = 0, source.text
    start = opened(text, start)
    for match in _BRACE.finditer(text, start):
        if match.start() >= stop and depth <= 0:
            break
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        stop = max(stop, match.end()) if match.start() >= stop else stop
    return (start, stop) if depth == 0 else None


def _tokens(text: str) -> tuple[Token, ...]:
    """Of a text of our own, without spacing."""
    return tuple(token for token in tokenise(text) if token.text not in (r"\left", r"\right", r"\,"))


def _number(node: e.Node) -> bool:
    """Whether it is a plain number."""
    return isinstance(node, e.Number) or (isinstance(node, e.Over) and _number(node.above) and _number(node.below))


class Part(NamedTuple):
    """A factor of a term: its tokens, its text and where it stands, its expression (None for a sum's sign)."""

    tokens: tuple[Token, ...]
    text: str
    node: e.Node | None
    start: int = 0
    stop: int = 0


class Rewriter:
    """Of the terms of one verdict."""

    def __init__(self, verdict: Verdict, source: Source) -> None:
        self.verdict, self.source = verdict, source
        self.ones = ones_of(verdict)
        self.point = Point(SEED, len(verdict.claim.samples), 0)
        self.ring = Canonical(self.point, self.ones)

    def rewritten(self, term: Term, unit: Unit) -> str | None:
        """Text with its sign in front, or None where nothing smaller than the whole term does."""
        try:
            parts = self._parts(term)
            wanted, minus = self._wanted(unit), self.ring.number(Fraction(-1))
            if self.ring.multiply(minus, self._value(term.value)) == wanted:
                return ("+" if term.sign < 0 else "-") + self.source.text[parts[0].start : parts[-1].stop]
            return (
                self._width(term, parts, wanted)
                or self._scalars(term, parts, wanted)
                or self._factor(term, parts, unit, wanted)
            )
        except NtkfeynError:
            return None

    def _wanted(self, unit: Unit) -> Terms:
        own = derived(expand(unit.terms)[0], self.verdict.claim.by_slot, self.point, self.ones)
        return self.ring.multiply(scale(self.verdict), own)

    def _value(self, node: e.Node) -> Terms:
        return Evaluator(self.ring, self.verdict.claim.samples).value(node)

    def _parser(self, tokens: tuple[Token, ...]) -> Parser:
        assert self.verdict.words is not None
        claim = self.verdict.claim
        return Parser(tokens, self.verdict.words, self.source, claim.labels, claim.layer)

    def _parts(self, term: Term) -> list[Part]:
        parser, found = self._parser(term.tokens), list[Part]()
        while parser.text:
            start, node = parser.i, None
            if parser.text in TIMES:
                parser.take()
                continue
            if parser.text in SUMS:
                parser.summation()
            else:
                node = parser.factor()
            tokens = term.tokens[start : parser.i]
            first, last = span_of(tokens, self.source) or (0, 0)
            found.append(Part(tokens, self.source.text[first:last], node, first, last))
            if last == 0 or (len(found) > 1 and first < found[-2].stop):
                parser.refuse("a macro goes over several factors", "one factor each")
        return found

    def _width(self, term: Term, parts: list[Part], wanted: Terms) -> str | None:
        """One width is that of the other layer."""
        assert self.verdict.words is not None
        n, layers = self.verdict.words.width, layers_of(self.verdict)
        here, below = (["_", "{", *(token.text for token in tokenise(layer)), "}"] for layer in layers[1:])
        for i, part in enumerate(parts):
            texts = [token.text for token in part.tokens]
            for k, text in enumerate(texts):
                size = next(
                    (len(w) for w in (here, here[:1] + here[2:-1], below) if texts[k + 1 : k + 1 + len(w)] == w), 0
                )
                if text != n or not size:
                    continue
                new = f"{n}_{{{layers[1 if size == len(below) else 2]}}}"
                tokens = (*part.tokens[:k], *tokenise(new), *part.tokens[k + 1 + size :])
                tried = [*parts[:i], part._replace(tokens=tokens), *parts[i + 1 :]]
                start, stop = part.tokens[k].offset, part.tokens[k + size].end
                if part.tokens[k].own and part.tokens[k + size].own and self._signed(tried, term) == wanted:
                    before, after = self.source.text[parts[0].start : start], self.source.text[stop : parts[-1].stop]
                    return ("-" if term.sign < 0 else "+") + before + new + after
        return None

    def _signed(self, parts: list[Part], term: Term) -> Terms:
        value = self._value(self._read(parts))
        return self.ring.multiply(self.ring.number(Fraction(term.sign)), value)

    def _scalars(self, term: Term, parts: list[Part], wanted: Terms) -> str | None:
        """What differs are numbers, couplings or widths: numbers alone, or all of them, are written anew in front."""
        if len(self._value(term.node)) != len(wanted):
            return None
        for dropped in (_number, scalar):
            rest = [part for part in parts if part.node is None or not dropped(part.node)]
            bare = self._value(self._read(rest)) if rest else self.ring.number(Fraction(1))
            for number, powers in self._ratios(bare, wanted):
                front = self._front(number, powers)
                if dropped is _number and powers:
                    continue
                if self._value(self._read([Part(_tokens(front), front, None), *rest])) != self._value_of(
                    wanted, number
                ):
                    continue
                first = next((i for i, part in enumerate(parts) if part in rest), len(parts))
                whole = rest and parts[first:] == rest
                text = self.source.text[rest[0].start : rest[-1].stop] if whole else " ".join(p.text for p in rest)
                return ("-" if number < 0 else "+") + f"{front} {text}".strip()
        return None

    def _value_of(self, wanted: Terms, number: Fraction) -> Terms:
        return self.ring.multiply(self.ring.number(Fraction(-1 if number < 0 else 1)), wanted)

    def _ratios(self, bare: Terms, wanted: Terms) -> Iterator[tuple[Fraction, dict[str, int]]]:
        """By what number and powers some monomial differs."""
        for key, value in bare.items():
            for other, amount in wanted.items():
                if (key.tensors, key.means) == (other.tensors, other.means):
                    powers = dict(other.powers)
                    for name, power in key.powers:
                        powers[name] = powers.get(name, 0) - power
                    yield amount / value, {name: power for name, power in powers.items() if power}

    def _front(self, number: Fraction, powers: dict[str, int]) -> str:
        notation = AuthorNotation(self.verdict, self.source)
        widths = {name: powers.get(name, 0) for name in WIDTHS}
        if notation.ratio and widths[WIDTHS[0]] == -widths[WIDTHS[1]] != 0:
            powers = powers | {WIDTH_RATIO: widths[WIDTHS[0]]}
            widths = dict.fromkeys(WIDTHS, 0)
        kept = Powers.of(**{name: power for name, power in powers.items() if name not in WIDTHS})
        return " ".join(filter(None, [fraction(abs(number), widths, notation), powers_text(kept, notation)]))

    def _read(self, parts: list[Part]) -> e.Node:
        """The product of parts, read as a term."""
        tokens = tuple(token for part in parts for token in part.tokens)
        [term] = self._parser(tokens).terms()
        return term.value

    def _factor(self, term: Term, parts: list[Part], unit: Unit, wanted: Terms) -> str | None:
        """What differs is one tensor or one mean."""
        if len(unit.terms) != 1:
            return None
        [own] = unit.terms
        for i, part in enumerate(parts):
            if part.node is None or scalar(part.node):
                continue
            for new in self._candidates(own, self._bound(parts)):
                tried = [*parts[:i], Part(_tokens(new), new, part.node), *parts[i + 1 :]]
                try:
                    value = self._value(self._read(tried))
                except NtkfeynError:
                    continue
                for sign in (term.sign, -term.sign):
                    if self.ring.multiply(self.ring.number(Fraction(sign)), value) == wanted:
                        before, after = parts[0].start, parts[-1].stop
                        text = self.source.text[before : part.start] + new + self.source.text[part.stop : after]
                        return ("-" if sign < 0 else "+") + text
        return None

    def _bound(self, parts: list[Part]) -> list[str]:
        """What the author calls the labels that are summed, in the order of tensors and then of means."""
        known = set(self.verdict.claim.labels)
        nodes = sorted((p.node for p in parts if p.node is not None), key=lambda node: not isinstance(node, e.Tensor))
        names = dict.fromkeys(label for node in nodes for label in e.used(node) if label not in known)
        return [f"{name.partition('_')[0]}_{{{name.partition('_')[2]}}}" if "_" in name else name for name in names]

    def _candidates(self, own: ProductTerm, names: list[str]) -> list[str]:
        """Our tensors and means in his letters."""
        bound, tensors = bound_labels(own.tensors)
        notation = AuthorNotation(self.verdict, self.source, names)
        found = [tensor_text(tensor, notation) for tensor in tensors]
        return found + [mean_text(group, bound.get(g, []), notation) for g, group in enumerate(own.groups)]
