"""Targets: what the user asks for, as cumulants at absolute orders (interface: TARGET).

Enters: names such as "F", "Theta@1", "all", or legs and a channel, and an order. Leaves: (Cumulant, order) pairs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ntkfeyn.errors import bad_request, too_large
from ntkfeyn.model.cumulants import MAX_SLOTS, Cumulant, channels, check_order, cumulant, standard
from ntkfeyn.model.legs import LEGS_HINT
from ntkfeyn.model.tensors import NAMES, TensorId


class Target(NamedTuple):
    """A cumulant as the user labels it, at an absolute power of 1/n."""

    shape: Cumulant
    order: int

    @property
    def id(self) -> TensorId:
        """Its class: NAME@R as text."""
        return TensorId(self.shape.name, self.order)


DEFAULT_TENSORS = (*NAMES, "K@1", "Theta@1")
DEFAULT_EVALUATED = ("K", "Theta", "V", "D", "F", "A", "B", "K@1", "Theta@1")


def named_target(text: str, order: int | None = None) -> list[Target]:
    """A tensor by name: NAME or NAME@R (which wins over ``order``); "all" is every named tensor at that order.

    Raises RequestError for an unknown name or an order below the leading one, LimitError for one too large.
    """
    name, order = _name_and_order(text, order)
    if name == "all":
        shapes = [standard(known) for known in NAMES]
        kept = [shape for shape in shapes if order is None or shape.leading_order <= order]
        if not kept:
            check_order(shapes[0], order if order is not None else 0)
        return [Target(shape, _checked(shape, order)) for shape in kept]
    shape = standard(name)
    if len(shape.labels) > MAX_SLOTS:
        raise too_large(f"'{name}' has {len(shape.labels)} slots", f"at most {MAX_SLOTS} are allowed", "R3")
    shape = standard(shape.name)
    return [Target(shape, _checked(shape, order))]


def _name_and_order(text: str, order: int | None) -> tuple[str, int | None]:
    if not isinstance(text, str) or (order is not None and type(order) is not int):
        raise bad_request(
            f"{text!r} at order {order!r} was asked for", "a name and an integer are allowed", '"F", order=1'
        )
    name, _, own = text.strip().partition("@")
    if not name:
        raise bad_request("an empty cumulant name was given", f"allowed are {', '.join(NAMES)}", "--cumulant F")
    if "@" in text:
        if not re.fullmatch(r"-?[0-9]{1,18}", own, re.ASCII):
            raise bad_request(
                f"order '{own[:40]}' was asked for {name[:40]}", "an integer is allowed", f"{name[:40]}@1"
            )
        order = int(own)
    return name, order


def legs_target(legs: str, channel: str | None, order: int | None = None) -> list[Target]:
    """Cumulants by legs and channel; without a channel one representative of each class under relabelling."""
    shapes = [cumulant(legs, channel)] if channel is not None else list(channels(legs))
    return [Target(shape, _checked(shape, order)) for shape in shapes]


def resolve(
    names: Sequence[str] = (), legs: str | None = None, channel: str | None = None, order: int | None = None
) -> list[Target]:
    """Every target of a request, each once, in the order asked for.

    Raises RequestError if nothing was asked for, or a channel without legs.
    """
    if channel is not None and legs is None:
        raise bad_request(
            f"channel '{channel}' was given without legs", "a channel pairs the slots of --legs", LEGS_HINT
        )
    found = [target for name in names for target in named_target(name, order)]
    if legs is not None:
        found += legs_target(legs, channel, order)
    if not found:
        raise bad_request(
            "no cumulant was asked for", f"allowed are {', '.join(NAMES)}, all, or --legs", "--cumulant F --order 1"
        )
    found = list(dict.fromkeys(found))
    for i, target in enumerate(found):
        if any(target.id == other.id for other in found[:i]):
            raise bad_request(
                f"{target.id} was asked for twice, with other slot labels",
                "diagram ids would clash",
                "one request a time",
            )
    return found


def default_targets(order: int | None = None) -> list[Target]:
    """What `emit` writes when nothing is asked: every named tensor at its leading order, and K^{1}, Theta^{1}."""
    return resolve(["all"], order=order) if order is not None else resolve(DEFAULT_TENSORS)


def _checked(shape: Cumulant, order: int | None) -> int:
    order = shape.leading_order if order is None else order
    check_order(shape, order)
    return order


def one_labelled(legs: str | None, channel: str | None) -> Cumulant:
    """The one cumulant of legs and a channel, with its labels. Raises RequestError where there are several."""
    found = resolve([], legs, channel)
    if len(found) != 1:
        raise bad_request(f"{len(found)} channels of these legs", "one is allowed", "--channel 13.24")
    return found[0].shape
