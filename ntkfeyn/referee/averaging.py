"""Averaging: whether the operator of weights shared over labels stands where it must (theory section 10).

Enters: a claim and its terms. Leaves: the terms without operators, which the recursion of dense layers is held
against, and what is wrong with the operators. In front of each term each pair of the channel has one, which acts on all
that has the labels of the pair; in front of a constant there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from ntkfeyn.errors import LimitError, bad_request
from ntkfeyn.referee import expressions as e
from ntkfeyn.referee.claims import Claim, scalar
from ntkfeyn.referee.parser import Term

MAX_SUMMANDS = 20_000  # of one term that is multiplied out
MISSING, TWICE, OUTSIDE, EXTRA, CONSTANT = "missing", "twice", "outside", "extra", "constant"
FAULTS = {
    MISSING: "is not averaged",
    TWICE: "is averaged twice",
    OUTSIDE: "is averaged, and has labels outside of the operator too",
    EXTRA: "is averaged, and is no pair of the channel",
    CONSTANT: "is averaged at a constant, which stands outside of the operators",
}


class Fault(NamedTuple):
    """What is wrong with the operator of a pair of labels at a term, by number: a key of ``FAULTS``."""

    term: int
    pair: tuple[str, str]
    kind: str


class Summand(NamedTuple):
    """Of a term multiplied out: the pairs that are averaged, the labels that stand outside of their operators."""

    averaged: tuple[tuple[str, str], ...] = ()
    free: frozenset[str] = frozenset()
    constant: bool = True


def without_operators(said: Claim, terms: Sequence[Term]) -> tuple[tuple[Term, ...], tuple[Fault, ...]]:
    """The terms stripped of their operators, and the faults. Raises NtkfeynError for what cannot be averaged."""
    if len(set(said.labels)) < len(said.labels):
        raise bad_request(
            f"{said.shape.name} with the labels {', '.join(said.labels)} was written for shared weights",
            "different labels are read: those that are averaged together differ",
        )
    slots = said.shape.labels
    names = {slots[v]: label for v, label in zip(said.shape.index, said.labels, strict=True)}
    channel = [_sorted((names[slots[a]], names[slots[b]])) for a, b in said.shape.channel]
    found = dict.fromkeys(
        Fault(i, *fault)
        for i, term in enumerate(terms)
        for one in _summands(term.node)
        for fault in _faults(one, channel)
    )
    return tuple(term._replace(node=stripped(term.node)) for term in terms), tuple(found)


def _sorted(pair: tuple[str, str]) -> tuple[str, str]:
    return (pair[0], pair[1]) if pair[0] <= pair[1] else (pair[1], pair[0])


def _faults(one: Summand, channel: Sequence[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], str]]:
    needed = () if one.constant else channel
    for pair in needed:
        count = one.averaged.count(pair)
        if count != 1:
            yield pair, TWICE if count else MISSING
        elif one.free & {*pair}:
            yield pair, OUTSIDE
    for pair in one.averaged:
        if pair not in needed:
            yield pair, CONSTANT if one.constant else EXTRA


def averages(node: e.Node) -> bool:
    """Whether an operator stands in a node."""
    return isinstance(node, e.Averaging) or any(map(averages, e.children(node)))


def stripped(node: e.Node) -> e.Node:
    """The node without operators."""
    match node:
        case e.Averaging(_, inner):
            return stripped(inner)
        case e.Plus(parts):
            return e.Plus(tuple(map(stripped, parts)))
        case e.Times(parts):
            return e.Times(tuple(map(stripped, parts)))
        case e.Over(above, below):
            return e.Over(stripped(above), below)
        case e.Sum(labels, domain, inner):
            return e.Sum(labels, domain, stripped(inner))
    return node


def _summands(node: e.Node) -> list[Summand]:
    """Each summand of a node. Raises RequestError for an operator inside of a mean, a power or below a fraction."""
    match node:
        case e.Averaging(pair, inner):
            return [
                one._replace(averaged=(*one.averaged, _sorted(pair)), free=one.free - {*pair})
                for one in _summands(inner)
            ]
        case e.Plus(parts):
            return [one for part in parts for one in _summands(part)]
        case e.Times(parts):
            return _multiplied([_summands(part) for part in parts])
        case e.Over(above, below) if not averages(below):
            return _multiplied([_summands(above), [_plain(below)]])
        case e.Sum(labels, domain, inner) if averages(inner):
            over = frozenset(domain or e.used(inner))
            return [one._replace(free=(one.free | over) - {*labels}) for one in _summands(inner)]
    if averages(node):
        raise bad_request(
            "an averaging operator stands inside of a mean, of a power or below a fraction",
            "it is read in front of means, tensors and brackets",
        )
    return [_plain(node)]


def _plain(node: e.Node) -> Summand:
    """Of a node without operators: the labels that stand there, and those that its sums run over."""
    return Summand((), frozenset(_labels(node)), scalar(node))


def _labels(node: e.Node) -> Iterator[str]:
    yield from e.used(node)
    if isinstance(node, e.Sum):
        yield from node.domain or ()
    for child in e.children(node):
        yield from _labels(child)


def _multiplied(factors: list[list[Summand]]) -> list[Summand]:
    size = 1
    for factor in factors:
        size *= len(factor)
    if size > MAX_SUMMANDS:
        raise LimitError(f"a product of sums has {size} terms", f"at most {MAX_SUMMANDS} are averaged")
    return [
        Summand(
            tuple(pair for one in chosen for pair in one.averaged),
            frozenset().union(*(one.free for one in chosen)),
            all(one.constant for one in chosen),
        )
        for chosen in product(*factors)
    ]
