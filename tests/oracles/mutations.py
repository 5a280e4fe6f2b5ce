"""Random single mistakes in a recursion, for the referee: what was changed, and what the referee should call it.

``python -m oracles.mutations 2000 1`` (in tests/) runs a campaign and prints how many were caught and named.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any, NamedTuple

from ntkfeyn.derivation.expansion import expand
from ntkfeyn.derivation.recursion import Recursion, derive_recursion
from ntkfeyn.derivation.reduction import split_omega
from ntkfeyn.derivation.terms import Factor, Powers, ProductTerm, Tensor
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import MEAN_KERNEL, NAMES
from ntkfeyn.referee.source import text_source
from ntkfeyn.referee.verdict import Verdict, check_source
from ntkfeyn.render.formulas import recursion_align
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.symbols import Symbols

EXPECTED = {"sign": "coefficient", "dropped": "missing", "doubled": "extra"}


class Mutation(NamedTuple):
    kind: str
    term: int
    recursion: Recursion

    @property
    def expected(self) -> str:
        """What the referee should say."""
        return EXPECTED.get(self.kind, self.kind)


def mutated(recursion: Recursion, random: Random) -> Mutation:
    """The recursion with one mistake that changes it."""
    while True:
        kind = random.choice(sorted([*_EDITS, "dropped", "doubled"]))
        i = random.randrange(len(recursion.terms))
        term = recursion.terms[i]
        if kind in _EDITS:
            new = _EDITS[kind](term, recursion, random)
            terms = (*recursion.terms[:i], *([new] if new else []), *recursion.terms[i + 1 :])
            if new is None:
                continue
        else:
            again = (term, term) if kind == "doubled" else ()
            terms = (*recursion.terms[:i], *again, *recursion.terms[i + 1 :])
        if terms and _sum(terms) != _sum(recursion.terms):
            return Mutation(kind, i, replace(recursion, terms=terms))


def _sum(terms: tuple[ProductTerm, ...]) -> dict[Any, Fraction]:
    found: dict[Any, Fraction] = {}
    for term in expand(terms)[0]:
        key = term.couplings, tuple(sorted(tuple(sorted(one)) for one in term.expectations)), term.tensors
        found[key] = found.get(key, Fraction(0)) + term.coefficient
    return {key: value for key, value in found.items() if value}


def _coefficient(term: ProductTerm, recursion: Recursion, random: Random) -> ProductTerm:
    return term._replace(coefficient=term.coefficient * random.choice([Fraction(1, 2), 2, 3, Fraction(1, 4)]))


def _sign(term: ProductTerm, recursion: Recursion, random: Random) -> ProductTerm:
    return term._replace(coefficient=-term.coefficient)


def _power(term: ProductTerm, name: str, random: Random) -> ProductTerm:
    step = random.choice([1, -1]) if term.couplings.power(name) > 1 else 1
    return term._replace(couplings=term.couplings.times(Powers.of(**{name: step})))


def _couplings(term: ProductTerm, recursion: Recursion, random: Random) -> ProductTerm:
    return _power(term, random.choice(["C_W", "lambda_W"]), random)


def _width(term: ProductTerm, recursion: Recursion, random: Random) -> ProductTerm:
    return _power(term, "width_ratio", random)


def _at_factor(term: ProductTerm, random: Random, change: Callable[[Factor], Factor]) -> ProductTerm | None:
    places = [(g, k) for g, group in enumerate(term.groups) for k in range(len(group.factors))]
    if not places:
        return None
    g, k = random.choice(places)
    factors = list(term.groups[g].factors)
    factors[k] = change(factors[k])
    groups = list(term.groups)
    groups[g] = groups[g]._replace(factors=tuple(factors))
    return term._replace(groups=tuple(groups))


def _derivatives(term: ProductTerm, recursion: Recursion, random: Random) -> ProductTerm | None:
    return _at_factor(term, random, lambda f: f._replace(order=f.order + (random.choice([1, -1]) if f.order else 1)))


def _labels(term: ProductTerm, recursion: Recursion, random: Random) -> ProductTerm | None:
    slots = recursion.cumulant.labels
    if random.random() < 0.5:
        return _at_factor(term, random, lambda f: f._replace(slot=random.choice([s for s in slots if s != f.slot])))
    places = [(k, v) for k, tensor in enumerate(term.tensors) for v, label in enumerate(tensor.labels) if label >= 0]
    if not places:
        return None
    k, v = random.choice(places)
    labels = list(term.tensors[k].labels)
    labels[v] = random.choice([slot for slot in slots if slot != labels[v]])
    return _at_tensor(term, k, term.tensors[k]._replace(labels=tuple(labels)))


def _at_tensor(term: ProductTerm, k: int, tensor: Tensor) -> ProductTerm:
    return term._replace(tensors=(*term.tensors[:k], tensor, *term.tensors[k + 1 :]))


def _tensor(term: ProductTerm, recursion: Recursion, random: Random) -> ProductTerm | None:
    if not term.tensors:
        return None
    k = random.randrange(len(term.tensors))
    old = term.tensors[k]
    others = [
        name
        for name in NAMES
        if len(standard(name).labels) == len(old.labels) and name != old.name and (name, old.order) != MEAN_KERNEL
    ]
    return _at_tensor(term, k, old._replace(name=random.choice(others))) if others else None


_EDITS: dict[str, Callable[[ProductTerm, Recursion, Random], ProductTerm | None]] = {
    "coefficient": _coefficient,
    "sign": _sign,
    "couplings": _couplings,
    "width": _width,
    "derivatives": _derivatives,
    "labels": _labels,
    "tensor": _tensor,
}


def disguised(recursion: Recursion, random: Random) -> Recursion:
    """The same recursion with its terms in another order, symmetric indices permuted, and Omegas written out."""
    terms = [part for term in recursion.terms for part in (split_omega(term) if random.random() < 0.5 else (term,))]
    random.shuffle(terms)
    return replace(recursion, terms=tuple(term._replace(tensors=_permuted(term.tensors, random)) for term in terms))


def _permuted(tensors: tuple[Tensor, ...], random: Random) -> tuple[Tensor, ...]:
    found = []
    for tensor in tensors:
        symmetry = random.choice(standard(tensor.name).symmetries)
        found.append(tensor._replace(labels=tuple(tensor.labels[v] for v in symmetry)))
    random.shuffle(found)
    return tuple(found)


def judged(mutation: Mutation, symbols: Symbols) -> Verdict:
    """What the referee says to the LaTeX of a mutation."""
    text = recursion_align(mutation.recursion, LatexNotation(symbols.latex))
    [verdict] = check_source(text_source(text), symbols)
    return verdict


def named(mutation: Mutation, verdict: Verdict, original: Recursion) -> bool:
    """Whether the one edit is of the right kind, at the right term, and cites its diagrams."""
    if len(verdict.edits) != 1:
        return False
    [edit] = verdict.edits
    kind = "missing" if edit.written is None else "extra" if edit.unit is None else edit.kind
    if mutation.kind == "doubled":
        return kind == "extra" and edit.written in (mutation.term, mutation.term + 1)
    same = edit.unit is not None and edit.unit.diagrams == original.terms[mutation.term].diagrams
    return kind == mutation.expected and same and edit.written in (mutation.term, None)


def campaign(count: int, seed: int, orders: tuple[int, ...] = (1,)) -> tuple[int, int, list[tuple[Mutation, Verdict]]]:
    """How many mistakes were caught and named; those that were not named."""
    random = Random(seed)
    letters = [Symbols(), Symbols.read("pdlt")]
    caught = right = 0
    missed = []
    for _ in range(count):
        original = derive_recursion(standard(random.choice(NAMES)), random.choice(orders))
        mutation = mutated(original, random)
        verdict = judged(mutation, random.choice(letters))
        caught += not verdict.equal
        if named(mutation, verdict, original):
            right += 1
        else:
            missed.append((mutation, verdict))
    return caught, right, missed


if __name__ == "__main__":
    number, start = int(sys.argv[1]), int(sys.argv[2])
    levels = tuple(map(int, sys.argv[3].split(","))) if len(sys.argv) > 3 else (1,)
    all_caught, all_named, not_named = campaign(number, start, levels)
    print(f"{number} mistakes, {all_caught} caught, {all_named} named")
    for mistake, said in not_named[:20]:
        print(mistake.recursion.id, mistake.kind, mistake.term, [(e.written, e.kind) for e in said.edits])
