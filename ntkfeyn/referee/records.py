"""Records: recursion/1 and recursions/1 JSON, with expanded terms or with product terms (``--products``).

Enters: text. Leaves: claims with their terms, each at its line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ntkfeyn.derivation.rules import COUPLINGS, WIDTH_RATIO
from ntkfeyn.errors import NtkfeynError, bad_request
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.ensembles import GAUSSIAN, check_ensemble, check_shared
from ntkfeyn.model.legs import NAMED_TREES, Leg, normal_leg
from ntkfeyn.referee import expressions as e
from ntkfeyn.referee.claims import Claim
from ntkfeyn.referee.documents import Equation
from ntkfeyn.referee.parser import Term
from ntkfeyn.referee.signs import coupling
from ntkfeyn.referee.tokens import Token
from ntkfeyn.render.notation import TextNotation
from ntkfeyn.render.symbols import DEFAULT

KNOWN = {c.name for c in COUPLINGS}
_LISTS = re.compile(r'"(?:terms|products)"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")


def json_claims(text: str) -> list[tuple[Claim, list[Term]]]:
    """The recursions of a document. Raises RequestError."""
    try:
        data = json.loads(text)
        listed = data["recursions"] if data["schema"] == "ntkfeyn.recursions/1" else [data]
        if data["schema"] not in ("ntkfeyn.recursion/1", "ntkfeyn.recursions/1"):
            raise KeyError("schema")
        starts = [match.end() for match in _LISTS.finditer(text)]
        starts = starts if len(starts) == len(listed) else [-1] * len(listed)
        return [_claim(one, text, start) for one, start in zip(listed, starts, strict=True)]
    except NtkfeynError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, ArithmeticError) as error:
        reason = f"{type(error).__name__}: {error}"[:120]
        raise bad_request(
            f"this is no recursion in JSON ({reason})",
            "schema ntkfeyn.recursion/1 or recursions/1 is read, with terms or products",
            "ntkfeyn derive F --format json",
        ) from error


def _claim(data: dict[str, Any], text: str, start: int) -> tuple[Claim, list[Term]]:
    _check_kind(data)
    name, labels = _placed(data["cumulant"])
    shape = standard(name)
    samples = tuple(labels[v] for v in shape.index)
    position = text.find('"cumulant"') if start < 0 else text.rfind('"cumulant"', 0, start)
    equation, weights = Equation((), (), max(0, position), 0), check_ensemble(data.get("weights", GAUSSIAN))
    if not isinstance(shared := data.get("shared", False), bool):
        raise ValueError(f"shared is {shared!r}")
    check_shared(shared, weights)
    one = e.Number(Fraction(1))
    claim = Claim(shape, int(data["order"]), samples, one, "", equation, weights=weights, shared=shared)
    products = "products" in data
    listed = data["products" if products else "terms"]
    offsets = _offsets(text, start, len(listed))
    read = _product if products else _expanded
    return claim, [_term(one, read(one), at) for one, at in zip(listed, offsets, strict=True)]


def _check_kind(data: dict[str, Any]) -> None:
    """Raises RequestError for a recursion that does not hold for every activation."""
    if "homogeneous" in data:
        raise bad_request(
            "a recursion with 'homogeneous' holds at one input for activations with z s'(z) = s(z) alone",
            "recursions that hold for every activation are compared",
            "ntkfeyn derive without --homogeneous",
        )


def _offsets(text: str, start: int, count: int) -> list[int]:
    """Where each element of a list begins; the start of the text where that cannot be said."""
    decoder, found = json.JSONDecoder(), []
    for _ in range(count if start >= 0 else 0):
        gap = _BETWEEN.match(text, start)
        assert gap is not None
        found.append(gap.end())
        _, start = decoder.raw_decode(text, gap.end())
    return found or [0] * count


def _placed(data: dict[str, Any]) -> tuple[str, list[str]]:
    """The class of legs and channel, and the labels by slot of its representative."""
    legs: list[Leg] = []
    names: list[str] = []
    for kind, labels in data["legs"]:
        edges = NAMED_TREES[kind] if isinstance(kind, str) else tuple(sorted((int(a), int(b)) for a, b in kind["tree"]))
        if len(edges) + 1 != len(labels) or len(labels) > 8:
            raise ValueError(f"a leg {kind} with {len(labels)} samples")
        slots = tuple(range(len(names), len(names) + len(labels)))
        legs.append(Leg(edges, slots) if isinstance(kind, str) else normal_leg(edges, slots))
        names += [str(label) for label in labels]
    channel = tuple(sorted((min(a, b) - 1, max(a, b) - 1) for a, b in data["channel"]))
    shape = Cumulant(tuple(legs), channel, ())
    if sorted(v for pair in channel for v in pair) != list(range(len(names))):
        raise ValueError(f"channel {data['channel']} of {len(names)} slots")
    return shape.name, [names[slot] for slot in shape.by_standard(shape.labels)]


def _scalars(data: dict[str, Any]) -> list[e.Node]:
    powers = [e.Power(coupling(name), int(data[name])) for name in sorted(KNOWN & data.keys()) if data[name]]
    return [e.Number(Fraction(data["coefficient"])), *powers]


def _tensors(data: dict[str, Any]) -> list[e.Node]:
    found: list[e.Node] = []
    for one in data["tensors"]:
        name, labels = _placed(one)
        found.append(e.Tensor(name, int(one["order"]), tuple(labels[v] for v in standard(name).index)))
    return found


def _activations(factors: Sequence[Sequence[int]]) -> tuple[e.Node, ...]:
    return tuple(e.Activation(str(int(sample)), int(order)) for sample, order in factors)


def _expanded(data: dict[str, Any]) -> e.Node:
    means = [e.Mean(e.Times(_activations(mean))) for mean in data["expectations"]]
    return e.Times((*_scalars(data), *_tensors(data), *means))


def _product(data: dict[str, Any]) -> e.Node:
    """Each bound label is summed over the domain of the group that it acts on."""
    means: list[e.Node] = []
    for group in data["groups"]:
        omegas = [e.Omega((str(a), str(b))) for a, b in group["omegas"]]
        inner: e.Node = e.Times((*_activations(group["factors"]), *omegas))
        means.append(e.Mean(e.Derivative(tuple(group["derivatives"]), inner) if group["derivatives"] else inner))
    node: e.Node = e.Times((*_scalars(data), *_tensors(data), *means))
    for group in data["groups"]:
        if group["derivatives"]:
            node = e.Sum(tuple(group["derivatives"]), tuple(map(str, group["domain"])), node)
    return node


def _term(data: dict[str, Any], node: e.Node, offset: int) -> Term:
    return Term(node, 1, (Token(_readable(node), offset, 0, False),), None)


def _readable(node: e.Node) -> str:
    """A term on one line, as ``derive`` prints it."""
    notation = TextNotation(DEFAULT.plain)
    match node:
        case e.Sum(labels, domain, inner):
            return f"Σ_{{{','.join(labels)}∈{{{','.join(domain or ())}}}}} {_readable(inner)}"
        case e.Times(parts):
            return " ".join(text for text in map(_readable, parts) if text != "1") or "1"
        case e.Number(value):
            return str(value)
        case e.Power(e.Coupling(name), exponent):
            return notation.power(name, exponent)
        case e.Power(_, exponent):  # n_l / n_(l-1)
            return notation.power(WIDTH_RATIO, exponent)
        case e.Tensor(name, order, labels):
            symbol = notation.symbol(name, order - standard(name).leading_order)
            return f"{symbol}_{''.join(labels)}" if max(map(len, labels)) == 1 else f"{symbol}_{{{' '.join(labels)}}}"
        case e.Mean(inner):
            return notation.mean(_readable(inner))
        case e.Derivative(labels, inner):
            return "".join(f"{notation.letters.derivative}_{label}" for label in labels) + f"({_readable(inner)})"
        case e.Activation(label, order):
            return f"{notation.function(order)}_{label}"
        case e.Omega((a, b)):
            return f"{notation.letters.omega}_{a}{b}"
    return "?"
