"""Diagram ids: cumulant : order : number, as F:1:2, with a letter for a member of an Omega vertex, as D:1:2a.

Weights that are not Gaussian stand in front: orthogonal:V:1:3.

Enters: an id from a drawing, a LaTeX term, a comment in emitted code or the JSON. Leaves: its Diagram.
"""

from __future__ import annotations

import re

from ntkfeyn.derivation.diagrams import Diagram
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.rules import ENSEMBLES
from ntkfeyn.errors import RequestError, bad_request
from ntkfeyn.model.cumulants import Cumulant
from ntkfeyn.model.ensembles import GAUSSIAN, weights_asked
from ntkfeyn.model.targets import Target, named_target
from ntkfeyn.model.tensors import NAMES

_ID = re.compile(r"([^@\s]{1,200}):(-?[0-9]{1,18}):([0-9]{1,18})([a-z]{0,4})", re.ASCII)
_EXAMPLE = "ntkfeyn explain F:1:2"


def find_diagram(text: str, labelled: Cumulant | None = None) -> Diagram:
    """The diagram of an id, drawn (Omega merged) or, with a letter, a member of one.

    ``labelled``: the cumulant with labels of one's own, which the diagram then has. Raises
    RequestError for malformed text, an unknown cumulant, another one than ``labelled``, an order below the leading one
    or a number out of range, LimitError beyond the limits.
    """
    match = _ID.fullmatch(text.strip())
    if not match:
        allowed = "an id is cumulant : order : number, and a letter for a member of an Omega vertex (D:1:2a)"
        raise bad_request(f"'{text[:60]}' is no diagram id", allowed, _EXAMPLE)
    name, power, number, letter = match.groups()
    weights = next((e.name for e in ENSEMBLES.values() if e.prefix and name.startswith(e.prefix)), GAUSSIAN)
    prefix = ENSEMBLES[weights].prefix
    shape, order = _target(name.removeprefix(prefix), int(power), prefix)
    if labelled is not None:
        if labelled.name != shape.name:
            legs = f"legs {labelled.legs_text()}, channel {labelled.channel_text()}"
            raise bad_request(f"diagram '{text.strip()[:100]}' with {legs}", f"these are of {labelled.name}", _EXAMPLE)
        shape = labelled
    asked, listed = f"diagram '{text.strip()[:100]}' was asked for", f"ntkfeyn diagrams --cumulant {shape.name} --order"
    law = weights_asked(weights)
    diagrams = enumerate_diagrams(shape, order, weights).diagrams
    if not 1 <= int(number) <= len(diagrams):
        allowed = f"{shape.name} at order {order} has the diagrams 1 to {len(diagrams)}"
        raise bad_request(asked, allowed, f"{listed} {order}{law}")
    drawn = diagrams[int(number) - 1]
    if not letter:
        return drawn
    for member in drawn.members:
        if member.id == drawn.id + letter:
            return member
    members = ", ".join(member.id for member in drawn.members)
    allowed = f"the members of {drawn.id} are {members}" if members else f"{drawn.id} has no members"
    raise bad_request(asked, allowed, f"{listed} {order}{law} --full")


def _target(name: str, order: int, prefix: str) -> Target:
    """The cumulant of an id; hints speak of ids, with what stands in front of this one."""
    known = {other.lower(): other for other in NAMES}
    try:
        [(shape, leading)] = named_target(name)
    except (RequestError, ValueError) as error:  # "all" gives several
        allowed = f"allowed are {', '.join(NAMES)}, chains and rings such as C0C1 or R3, or legs/channel"
        close = known.get(name.lower())
        hint = f"ntkfeyn explain {prefix}{close}:{order}:1" if close else "ntkfeyn list"
        raise bad_request(f"unknown cumulant '{name[:60]}' in a diagram id", allowed, hint) from error
    if order < leading:
        pairs = f"its leading order is {leading} (its channel has {leading + 1} pairs)"
        raise bad_request(
            f"order {order} was asked for {name}", pairs, f"ntkfeyn explain {prefix}{shape.name}:{leading}:1"
        )
    return Target(shape, order)
