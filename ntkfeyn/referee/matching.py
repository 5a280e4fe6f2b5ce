"""Matching: the author's terms against ours, each expanded to canonical terms: what is missing, extra, wrong.

Enters: terms on both sides with their canonical sums. Leaves: edits. An author's term may be several of ours, and one
of ours several of his (Omega written out, derivatives carried out): sums that agree are taken away first.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from ntkfeyn.derivation.reduction import merge_ids
from ntkfeyn.derivation.terms import ProductTerm
from ntkfeyn.referee.canonical import WIDTHS, Terms, combined

KINDS = ("coefficient", "couplings", "width", "labels", "derivatives", "tensor")
WEIGHTS = (2.0, 1.0, 1.0, 1.0, 1.0, 0.5)  # of ``Features``
FARTHEST = 4.0  # two terms that differ more are not taken for one


class Unit(NamedTuple):
    """A term of ours, or several that are one to the author: a covariance."""

    terms: tuple[ProductTerm, ...]
    sum: Terms

    @property
    def diagrams(self) -> tuple[str, ...]:
        return self.terms[0].diagrams if len(self.terms) == 1 else merge_ids((), _all_ids(self.terms))

    @property
    def tensors(self) -> tuple[str, ...]:
        """Their names, sorted."""
        return tuple(sorted({tensor.name for term in self.terms for tensor in term.tensors}))


def _all_ids(terms: Sequence[ProductTerm]) -> tuple[str, ...]:
    found: tuple[str, ...] = ()
    for term in terms:
        found = merge_ids(found, term.diagrams)
    return found


class Edit(NamedTuple):
    """``written``: the number of the author's term; ``unit``: ours. Missing has no first, extra no second."""

    written: int | None
    unit: Unit | None
    kind: str = ""
    found: str = ""
    expected: str = ""


def edits(
    written: Sequence[Terms],
    units: Sequence[Unit],
    halves: Sequence[tuple[Unit, ...]],
    names: Sequence[tuple[str, ...]] = (),
) -> list[Edit]:
    """What turns the author's sum into ours.

    ``halves``: our terms with each Omega written out; ``names``: of the tensors that stand in the author's terms, by
    which one that is zero as it is written finds its partner.
    """
    theirs, ours = _unmatched(dict(enumerate(written)), list(units), list(halves))
    pairs = sorted(
        (far, i, k)
        for i in theirs
        for k, unit in enumerate(ours)
        if (far := _distance(theirs[i], unit, names[i] if names else ())) <= FARTHEST
    )
    found: list[Edit] = []
    used: set[int] = set()
    for _, i, k in pairs:
        if i in theirs and k not in used:
            kind, was, wanted = difference(theirs.pop(i), ours[k].sum)
            found.append(Edit(i, ours[k], kind, was, wanted))
            used.add(k)
    found += [Edit(i, None) for i, terms in theirs.items() if terms]
    found += [Edit(None, unit) for k, unit in enumerate(ours) if k not in used]
    return sorted(found, key=lambda edit: (edit.written is None, edit.written or 0))


def _unmatched(
    theirs: dict[int, Terms], units: list[Unit], halves: list[tuple[Unit, ...]]
) -> tuple[dict[int, Terms], list[Unit]]:
    """What is left after terms that agree, one by one and then in sums, are taken away."""
    left = list(zip(units, halves, strict=True))
    for i in list(theirs):
        k = next((k for k, (unit, _) in enumerate(left) if unit.sum == theirs[i]), None)
        if k is not None:
            del theirs[i]
            del left[k]
    for k in range(len(left) - 1, -1, -1):  # one of ours is several of his
        rest, members = left[k][0].sum, []
        for i, terms in theirs.items():
            if terms and contained(terms, rest):
                rest = combined(rest, terms, -1)
                members.append(i)
        if members and not rest:
            theirs = {i: terms for i, terms in theirs.items() if i not in members}
            del left[k]
    fine = [[unit, *parts] if len(parts) > 1 else [unit] for unit, parts in left]
    done: set[int] = set()
    for i in list(theirs):  # one of his is several of ours
        rest, taken = theirs[i], []
        for k, (unit, *parts) in enumerate(fine):
            if k in done:
                continue
            for one in [unit, *parts]:
                if rest and one.sum and contained(one.sum, rest):
                    rest = combined(rest, one.sum, -1)
                    taken.append((k, one))
                    if one is unit:  # its halves with it
                        break
        if taken and not rest:
            del theirs[i]
            for k, one in taken:
                if one is fine[k][0]:
                    done.add(k)
                else:
                    fine[k] = _without(fine[k], one)
                    if len(fine[k]) == 1:
                        done.add(k)
    ours = [
        unit for k, (first, *parts) in enumerate(fine) if k not in done for unit in _remaining(first, parts, halves)
    ]
    return theirs, ours


def _without(units: list[Unit], taken: Unit) -> list[Unit]:
    """The halves that are left; the first unit stands for the whole and counts no longer."""
    rest = [unit for unit in units[1:] if unit is not taken]
    return [Unit(units[0].terms, {}), *rest]


def _remaining(first: Unit, parts: list[Unit], halves: Sequence[tuple[Unit, ...]]) -> list[Unit]:
    return [first] if first.sum or not parts else list(parts)


def contained(part: Terms, whole: Terms) -> bool:
    """Whether a sum could be a part of another: its terms are there, with its sign and not more of it."""
    for key, value in part.items():
        there = whole.get(key, Fraction(0))
        if there * value <= 0 or abs(there) < abs(value):
            return False
    return True


class Features(NamedTuple):
    """What can be told apart in a sum of canonical terms."""

    tensors: frozenset[tuple[tuple[str, int], ...]]
    couplings: frozenset[tuple[tuple[str, int], ...]]
    width: frozenset[tuple[tuple[str, int], ...]]
    orders: frozenset[int]
    samples: frozenset[tuple[tuple[int, ...], ...]]
    labels: frozenset[tuple[tuple[str, int, tuple[int, ...]], ...]]


def features(terms: Terms) -> Features:
    return Features(
        frozenset(tuple((name, order) for name, order, _ in key.tensors) for key in terms),
        frozenset(tuple(pair for pair in key.powers if pair[0] not in WIDTHS) for key in terms),
        frozenset(tuple(pair for pair in key.powers if pair[0] in WIDTHS) for key in terms),
        frozenset(sum(order for mean in key.means for _, order in mean) for key in terms),
        frozenset(tuple(sorted(tuple(sample for sample, _ in mean) for mean in key.means)) for key in terms),
        frozenset(key.tensors for key in terms),
    )


def distance(first: Terms, second: Terms) -> float:
    """How much has to change; 0 is nothing. A change of the coefficient alone is the least."""
    a, b = features(first), features(second)
    total = sum(weight for weight, x, y in zip(WEIGHTS, a, b, strict=True) if x != y)
    shared = len(first.keys() & second.keys()) / max(1, len(first.keys() | second.keys()))
    return total + 0.5 * (1 - shared) + (0.1 if first != second else 0.0) + (0.0 if first else 1.0)


def _distance(written: Terms, unit: Unit, names: tuple[str, ...]) -> float:
    if written:
        return distance(written, unit.sum)
    return 2.0 if names == unit.tensors else FARTHEST + 1


def difference(written: Terms, expected: Terms) -> tuple[str, str, str]:
    """The kind of a mistake, what is written and what is right where that can be said in a number."""
    common = [key for key in written if expected.get(key) == written[key]]
    if common and len(common) < min(len(written), len(expected)):  # what differs says more than what does not
        written = {key: value for key, value in written.items() if key not in common}
        expected = {key: value for key, value in expected.items() if key not in common}
    a, b = features(written), features(expected)
    if written.keys() == expected.keys():
        ratios = {value / expected[key] for key, value in written.items()}
        ratio = ratios.pop() if len(ratios) == 1 else None
        return "coefficient", *_numbers(written, expected, ratio)
    if not written:
        return "labels", "0", ""
    if a.tensors != b.tensors:
        return "tensor", _names(a), _names(b)
    if a.couplings != b.couplings:
        return "couplings", _powers(a.couplings), _powers(b.couplings)
    if a.width != b.width:
        return "width", _powers(a.width), _powers(b.width)
    if a.orders != b.orders:
        return "derivatives", "/".join(map(str, sorted(a.orders))), "/".join(map(str, sorted(b.orders)))
    return ("labels" if a.samples != b.samples or a.labels != b.labels else "derivatives"), "", ""


def _numbers(written: Terms, expected: Terms, ratio: Fraction | None) -> tuple[str, str]:
    if ratio is None:
        return "", ""
    key = min(expected)
    return str(written[key]), str(expected[key])


def _names(found: Features) -> str:
    return ", ".join(sorted({f"{name}@{order}" for tensors in found.tensors for name, order in tensors}))


def _powers(found: frozenset[tuple[tuple[str, int], ...]]) -> str:
    listed = (" ".join(f"{name}^{power}" if power != 1 else name for name, power in one) or "1" for one in found)
    return " or ".join(sorted(listed))
