"""Random single mistakes in a recursion, for the referee: what was changed, and what the referee should call it.

``python -m oracles.mutations 2000 11`` (in tests/) runs a campaign over the styles of ``styles`` and prints, as JSON,
how many mistakes were caught and named, and how many edits that change nothing were called wrong.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
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
from oracles.styles import STYLES, Style, Written, written

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


def misprinted(recursion: Recursion, style: Style, random: Random) -> tuple[Mutation, Written] | None:
    """A derivative printed by another of the labels that are summed: the commonest misprint of arXiv 2508.11522."""
    text, places = written(recursion, style)
    bound = re.escape(style.letters.bound)
    rows = text.split("\\nonumber\\\\")
    found = [
        (k, match.span(1), other)
        for k, row in enumerate(rows)
        for match in re.finditer(rf"(?:dz|\\partial)_\{{({bound}_\{{\d+\}})\}}", row)
        for other in sorted(set(re.findall(rf"{bound}_\{{\d+\}}", row)) - {match[1]})
    ]
    if not found or style.sums == "implied":
        return None
    k, (start, stop), other = random.choice(found)
    rows[k] = rows[k][:start] + other + rows[k][stop:]
    return Mutation("bound", places.index(k), recursion), Written(r"\nonumber\\".join(rows), places)


def named(mutation: Mutation, verdict: Verdict, original: Recursion, places: Sequence[int]) -> bool:
    """Whether the one edit is of the right kind, at the right term, and cites its diagrams."""
    if len(verdict.edits) != 1:
        return False
    [edit] = verdict.edits
    kind = "missing" if edit.written is None else "extra" if edit.unit is None else edit.kind
    place = places[min(mutation.term, len(places) - 1)]
    if mutation.kind == "doubled":  # said of either, or of the bracket that holds both
        if kind == "extra":
            return edit.written in (place, place + 1)
        return kind == "coefficient" and places.count(place) > 1 and edit.written == place
    if mutation.kind == "bound":
        return kind in ("labels", "derivatives") and edit.written == place
    same = edit.unit is not None and set(original.terms[mutation.term].diagrams) <= set(edit.unit.diagrams)
    return kind == mutation.expected and same and edit.written in (place, None)


class Tally(NamedTuple):
    """How many mistakes were made, caught and named, by kind and by style; what was not named."""

    made: Counter[str]
    caught: Counter[str]
    named: Counter[str]
    missed: list[str]

    def share(self) -> float:
        return self.named["all"] / self.made["all"]


def campaign(count: int, seed: int, orders: Sequence[tuple[int, float]] = ((1, 1.0),)) -> Tally:
    """Random mistakes in random styles; ``orders`` with their weights."""
    random = Random(seed)
    made, caught, right, missed = Counter[str](), Counter[str](), Counter[str](), []
    for _ in range(count):
        [order] = random.choices([o for o, _ in orders], [w for _, w in orders])
        name, style = random.choice(NAMES if order == 1 else SECOND), random.choice(STYLES)
        original = worn(derive_recursion(standard(name), order), style)
        mutation = mutated(original, random)
        text, places = written(mutation.recursion, style)
        misprint = misprinted(original, style, random) if random.random() < 0.1 else None
        if misprint:
            mutation, (text, places) = misprint
        [verdict] = check_source(text_source(text), style.symbols)
        well = named(mutation, verdict, original, places)
        for key in ("all", f"kind: {mutation.kind}", f"style: {style.name}", f"order: {order}"):
            made[key] += 1
            caught[key] += not verdict.equal
            right[key] += well
        if not well:
            said = [(edit.written, edit.kind) for edit in verdict.edits]
            missed.append(f"{name}@{order} {style.name}: {mutation.kind} in term {mutation.term + 1}, said {said}")
    return Tally(made, caught, right, missed)


def worn(recursion: Recursion, style: Style) -> Recursion:
    """Omegas written out where a style does."""
    if not style.split:
        return recursion
    return replace(recursion, terms=tuple(part for term in recursion.terms for part in split_omega(term)))


def false_alarms(count: int, seed: int, orders: Sequence[tuple[int, float]] = ((1, 1.0),)) -> list[str]:
    """Of edits that change nothing: what was called wrong."""
    random = Random(seed)
    alarms = []
    for _ in range(count):
        [order] = random.choices([o for o, _ in orders], [w for _, w in orders])
        name, style = random.choice(NAMES if order == 1 else SECOND), random.choice(STYLES)
        style = style._replace(letters=replace(style.letters, bound=random.choice([r"\mu", r"\kappa", "b", "c"])))
        recursion = disguised(worn(derive_recursion(standard(name), order), style), random)
        [verdict] = check_source(text_source(written(recursion, style).text), style.symbols)
        if not verdict.equal:
            alarms.append(f"{name}@{order} {style.name}")
    return alarms


def report(count: int, quiet: int, seed: int) -> dict[str, Any]:
    """outputs/check_campaign.json"""
    tally, alarms = campaign(count, seed, MIXED), false_alarms(quiet, seed, MIXED)
    return {
        "command": f"cd tests; python -m oracles.mutations {count} {seed} > ../outputs/check_campaign.json",
        "mistakes": {
            key: {"made": tally.made[key], "caught": tally.caught[key], "named": tally.named[key]}
            for key in sorted(tally.made)
        },
        "not_named": sorted(tally.missed),
        "edits_that_change_nothing": {"made": quiet, "false_alarms": sorted(alarms)},
    }


SECOND = ("K", "Theta", "F", "V", "B", "P", "S", "U")  # at order 2; the others have hundreds of terms
MIXED = ((1, 0.9), (2, 0.1))

if __name__ == "__main__":
    print(json.dumps(report(int(sys.argv[1]), max(10, int(sys.argv[1]) // 4), int(sys.argv[2])), indent=1))
