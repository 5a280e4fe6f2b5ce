"""Cumulants: external legs and a channel; canonical form, symmetry group and names (theory section 2).

Enters: legs with distinct slot labels and a perfect matching of the slots. Leaves: a frozen ``Cumulant``; its
``name`` is one-to-one with its class under relabelling, and ``standard(name)`` is the representative that
recursions are derived for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import permutations, product
from typing import NamedTuple

from ntkfeyn.errors import bad_request, closest, too_large
from ntkfeyn.model.canonical import Certificate, Component, Edges, components
from ntkfeyn.model.combinatorics import perfect_matchings
from ntkfeyn.model.legs import LEGS_HINT, Leg, normal_leg, parse_legs
from ntkfeyn.model.tensors import NAMED_TENSORS, NAMES

Pairs = tuple[tuple[int, int], ...]
MAX_SLOTS = 12  # of a request
MAX_INTERNAL_SLOTS = 4 * MAX_SLOTS  # of a tensor vertex inside a diagram
MAX_ORDER = 12


@dataclass(frozen=True)
class Cumulant:
    """One channel of a joint cumulant of layer-l observables.

    ``legs`` in the order given; ``channel`` pairs positions 0..N-1, slots counted through the legs in order;
    ``index`` lists those positions in the order of the tensor's indices.

    >>> import ntkfeyn as nf
    >>> F = nf.derive("F").record.cumulant
    >>> F.legs_text(), F.channel_text(), F.index_labels(), F.leading_order
    ('z1 z2 NTK34', '13.24', (1, 3, 2, 4), 1)
    """

    legs: tuple[Leg, ...]
    channel: Pairs
    index: tuple[int, ...]

    @cached_property
    def labels(self) -> tuple[int, ...]:
        """The slot labels, counted through the legs."""
        return tuple(label for leg in self.legs for label in leg.labels)

    @cached_property
    def edges(self) -> Edges:
        """Derivative contractions between slot positions."""
        found, start = [], 0
        for leg in self.legs:
            found += [(a + start, b + start) for a, b in leg.edges]
            start += len(leg.labels)
        return tuple(found)

    @cached_property
    def partner(self) -> tuple[int, ...]:
        """For each slot position the one that the channel pairs it with."""
        other = dict(self.channel) | {b: a for a, b in self.channel}
        return tuple(other[v] for v in range(len(self.labels)))

    @cached_property
    def identity(self) -> Identity:
        """The canonical name and where each slot sits in ``standard(name)``."""
        return identify(self.edges, self.partner)

    @property
    def name(self) -> str:
        """One-to-one with its class under relabelling: F, or legs/channel."""
        return self.identity.name

    @property
    def leading_order(self) -> int:
        """Number of pairs minus one (theory section 2)."""
        return len(self.channel) - 1

    @cached_property
    def symmetries(self) -> tuple[tuple[int, ...], ...]:
        """Every permutation g of slot positions with T[a_0, a_1, ..] = T[a_g(0), a_g(1), ..], the identity first."""
        pieces = components(self.edges, self.partner)
        kinds = sorted({piece.certificate for piece in pieces})
        groups = [[piece for piece in pieces if piece.certificate == kind] for kind in kinds]
        found = []
        for arrangement in product(*(permutations(group) for group in groups)):
            placed = [piece for group in arrangement for piece in group]
            targets = [piece.orders[0] for group in groups for piece in group]
            for orders in product(*(piece.orders for piece in placed)):
                image = dict(pair for a, b in zip(targets, orders, strict=True) for pair in zip(a, b, strict=True))
                found.append(tuple(image[v] for v in range(len(self.labels))))
        return tuple(sorted(found))

    def relabelled(self, labels: Sequence[int]) -> Cumulant:
        """The same legs and channel with other slot labels, listed by position."""
        legs, start = [], 0
        for leg in self.legs:
            legs.append(Leg(leg.edges, tuple(labels[start : start + len(leg.labels)])))
            start += len(leg.labels)
        return Cumulant(tuple(legs), self.channel, self.index)

    def by_standard(self, values: Sequence[int]) -> tuple[int, ...]:
        """Values listed by slot, listed by slot of ``standard(name)`` instead."""
        placed = [0] * len(values)
        for value, place in zip(values, self.identity.position, strict=True):
            placed[place] = value
        return tuple(placed)

    def index_labels(self) -> tuple[int, ...]:
        """The slot labels in the order of the tensor's indices."""
        return tuple(self.labels[v] for v in self.index)

    def legs_text(self) -> str:
        """The legs as they are typed: z1 z2 NTK34."""
        return " ".join(map(str, self.legs))

    def channel_text(self) -> str:
        """The channel with slot labels: 13.24, or 10-11.12-13 for long labels."""
        joint = "" if max(self.labels) < 10 else "-"
        pairs = sorted(sorted((self.labels[a], self.labels[b])) for a, b in self.channel)
        return ".".join(f"{a}{joint}{b}" for a, b in pairs)


class Identity(NamedTuple):
    """Canonical name; ``position[v]`` is the slot of ``standard(name)`` that slot v becomes."""

    name: str
    position: tuple[int, ...]


def check_order(cumulant: Cumulant, order: int) -> None:
    """Raises RequestError or LimitError if this cumulant has no such order."""
    leading = cumulant.leading_order
    if order < leading:
        raise bad_request(
            f"order {order} was asked for {cumulant.name}",
            f"its leading order is {leading} (its channel has {leading + 1} pairs)",
            f"--order {leading}",
        )
    if order > MAX_ORDER:
        asked, hint = f"order {order} was asked for {cumulant.name}", f"order {cumulant.leading_order}"
        raise too_large(asked, f"at most {MAX_ORDER} is allowed", hint)


def cumulant(legs: str, channel: str) -> Cumulant:
    """A cumulant from text, e.g. cumulant("z1 z2 NTK34", "13.24").

    Raises RequestError for malformed legs or a channel that is no perfect matching of the slots, LimitError for
    too many slots.
    """
    parsed = checked_legs(legs)
    return _with_index(parsed, _parse_channel(channel, parsed))


def channels(legs: str) -> tuple[Cumulant, ...]:
    """One representative of each class of channels of these legs under relabelling."""
    parsed = checked_legs(legs)
    size = sum(len(leg.labels) for leg in parsed)
    found: dict[str, Cumulant] = {}
    for matching in perfect_matchings(range(size)):
        candidate = _with_index(parsed, tuple(sorted(matching)))
        found.setdefault(candidate.name, candidate)
    return tuple(found.values())


def checked_legs(text: str) -> tuple[Leg, ...]:
    """Parsed legs with an even number of slots within the limit."""
    legs = parse_legs(text)
    size = sum(len(leg.labels) for leg in legs)
    if size % 2:
        raise bad_request(f"'{text}' has {size} slots", "their number must be even (z has odd parity)", LEGS_HINT)
    if size > MAX_SLOTS:
        raise too_large(f"'{text}' has {size} slots", f"at most {MAX_SLOTS} are allowed", "fewer legs")
    return legs


def _with_index(legs: tuple[Leg, ...], channel: Pairs) -> Cumulant:
    """The cumulant with the index order of its class carried over."""
    plain = Cumulant(legs, channel, ())
    name, position = plain.identity
    slot_at = {p: v for v, p in enumerate(position)}
    return Cumulant(legs, channel, tuple(slot_at[p] for p in standard(name).index))


def _parse_channel(text: str, legs: tuple[Leg, ...]) -> Pairs:
    labels = [label for leg in legs for label in leg.labels]
    allowed = "a channel pairs every slot once, as 13.24 or 10-11.12-13"
    hint = "one of the channels that `ntkfeyn derive --legs ...` lists without --channel"
    pairs = []
    for word in text.split("."):
        match = re.fullmatch(r"([0-9])([0-9])|([0-9]{1,7})[-,]([0-9]{1,7})", word.strip())
        ends = [int(end) for end in match.groups() if end is not None] if match else []
        if len(ends) != 2 or any(end not in labels for end in ends):
            raise bad_request(f"channel '{text}': cannot pair '{word}' among slots {labels}", allowed, hint)
        a, b = sorted(labels.index(end) for end in ends)
        pairs.append((a, b))
    if sorted(v for pair in pairs for v in pair) != list(range(len(labels))):
        raise bad_request(f"channel '{text}' is no perfect matching of the slots {labels}", allowed, hint)
    return tuple(sorted(pairs))


@lru_cache(maxsize=65536)
def identify(edges: Edges, partner: tuple[int, ...]) -> Identity:
    """The canonical name of legs joined by a channel, and the place of each slot in its representative."""
    pieces = components(edges, partner)
    name = _name(tuple(piece.certificate for piece in pieces))
    places = _standard_pieces(name)
    position = [0] * len(partner)
    for piece, place in zip(pieces, places, strict=True):
        for v, p in zip(piece.orders[0], place.orders[0], strict=True):
            position[v] = p
    return Identity(name, tuple(position))


@cache
def _standard_pieces(name: str) -> tuple[Component, ...]:
    representative = standard(name)
    return components(representative.edges, representative.partner)


@cache
def _named_classes() -> dict[tuple[Certificate, ...], str]:
    table = {}
    for name in NAMES:
        pieces = _standard_pieces(name)
        table[tuple(piece.certificate for piece in pieces)] = name
    return table


@cache
def _name(certificates: tuple[Certificate, ...]) -> str:
    """V, D, F, ..; else chains and rings; else legs/channel of the representative."""
    if certificates in _named_classes():
        return _named_classes()[certificates]
    degrees = [max((sum(v in e for e in edges) for v in range(n)), default=0) for n, edges, _ in certificates]
    if max(degrees) <= 1:
        return "".join(("R" if 2 * len(edges) == n else "C") + str(len(edges)) for n, edges, _ in certificates)
    shape = _representative(certificates)
    return f"{'+'.join(map(str, shape.legs))}/{shape.channel_text()}"


def _representative(certificates: tuple[Certificate, ...]) -> Cumulant:
    """Legs sorted by size, slots numbered from 1 through them."""
    edges: list[tuple[int, int]] = []
    channel: list[tuple[int, int]] = []
    size = 0
    for count, inner, pairs in certificates:
        edges += [(a + size, b + size) for a, b in inner]
        channel += [(a + size, b + size) for a, b in pairs]
        size += count
    trees = components(tuple(edges), tuple(range(size)))
    legs = []
    for tree in sorted(trees, key=lambda t: (t.certificate[0], min(t.orders[0]))):
        nodes = sorted(tree.orders[0])
        inside = {v: k for k, v in enumerate(nodes)}
        local = tuple((inside[a], inside[b]) for a, b in edges if a in inside)
        legs.append(normal_leg(local, tuple(nodes)))
    slot = {v: i for i, v in enumerate(v for leg in legs for v in leg.labels)}
    pairs_out = tuple(sorted((min(slot[a], slot[b]), max(slot[a], slot[b])) for a, b in channel))
    in_channel_order = tuple(v for pair in pairs_out for v in pair)  # the index order of unnamed tensors
    shape = Cumulant(tuple(legs), pairs_out, in_channel_order)
    return shape.relabelled(range(1, size + 1))


@cache
def standard(name: str) -> Cumulant:
    """The representative of a named class, e.g. standard("F"), standard("C0C1"), standard("dNTK123+...").

    Raises RequestError for a name that is no tensor.
    """
    for row in NAMED_TENSORS:
        if row.name == name:
            legs = parse_legs(row.legs)
            channel = _parse_channel(row.channel, legs)
            labels = [label for leg in legs for label in leg.labels]
            return Cumulant(legs, channel, tuple(labels.index(int(digit)) for digit in row.order))
    if re.fullmatch(r"(C[0-9]{1,3}|R[1-9][0-9]{0,2})+", name):
        return _chains_and_rings(name)
    if name.count("/") == 1:
        legs_text, channel_text = name.split("/")
        return _class_of(legs_text, channel_text)
    meant = closest(name, NAMES)
    raise bad_request(
        f"unknown cumulant '{name}'",
        f"allowed are {', '.join(NAMES)}, chains and rings such as C0C1 or R3, or legs/channel",
        f"--cumulant {meant}" if meant else LEGS_HINT,
    )


def _class_of(legs_text: str, channel_text: str) -> Cumulant:
    """The representative of the class of these legs and channel."""
    legs = parse_legs(legs_text)
    shape = Cumulant(legs, _parse_channel(channel_text, legs), ())
    pieces = components(shape.edges, shape.partner)
    return _representative(tuple(piece.certificate for piece in pieces))


def _chains_and_rings(name: str) -> Cumulant:
    pieces = re.findall(r"([CR])([0-9]+)", name)
    size = sum(2 * int(k) + 2 * (kind == "C") for kind, k in pieces)
    if size > MAX_INTERNAL_SLOTS:
        raise too_large(f"'{name}' has {size} slots", f"at most {MAX_INTERNAL_SLOTS} are allowed", "R3")
    edges: list[tuple[int, int]] = []
    partner: list[int] = []
    for kind, text in pieces:
        ends = list(range(len(partner), len(partner) + 2 * int(text)))
        edges += zip(ends[::2], ends[1::2], strict=True)
        if kind == "C":  # z - NTK - .. - NTK - z: the two z close the chain
            line = [len(partner) + len(ends), *ends, len(partner) + len(ends) + 1]
        else:  # a ring closes on itself
            line = [*ends[-1:], *ends[:-1]]
        partner += [0] * len(line)
        for a, b in zip(line[::2], line[1::2], strict=True):
            partner[a], partner[b] = b, a
    found = components(tuple(edges), tuple(partner))
    return _representative(tuple(piece.certificate for piece in found))


@lru_cache(maxsize=1 << 20)
def canonical_labels(name: str, labels: tuple[int, ...]) -> tuple[int, ...]:
    """The least labelling, by slot of ``standard(name)``, that the symmetries of the tensor give."""
    pieces = _standard_pieces(name)
    result = list(labels)
    best: dict[Certificate, list[tuple[int, ...]]] = {}
    for piece in pieces:
        least = min(tuple(labels[v] for v in order) for order in piece.orders)
        best.setdefault(piece.certificate, []).append(least)
    for kind in best.values():
        kind.sort(reverse=True)
    for piece in pieces:
        for v, label in zip(piece.orders[0], best[piece.certificate].pop(), strict=True):
            result[v] = label
    return tuple(result)
