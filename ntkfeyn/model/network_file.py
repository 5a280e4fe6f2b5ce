"""Networks with layers of their own, as a TOML file (interface, second part).

Enters: the tables [input] and [[layer]], and a reader of the files that they name. Leaves: the layers and the shape of
an input, for ``Network``; which of its options the file sets. Every message names the layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from ntkfeyn.errors import NtkfeynError, bad_request, closest
from ntkfeyn.model.layers import COMMON, KINDS, LayerSpec

MAX_BYTES = 1 << 20
_EXAMPLES = {"width": "32", "activation": '"gelu"', "weights": '"orthogonal"'}
ALLOWED = "a TOML file with [input] shape and one [[layer]] a layer is allowed"
FILES = ("matrix", "edges")  # keys whose value is the name of a file
OUTSIDE = {
    "residual": "with a skip around an activation the neuron survives the layer, and tensors of order 1/n do not close",
    "recurrent": "its weights are shared between layers, which correlates them",
    "depthwise": "its weights act on one channel each",
    "attention": "its weights multiply each other within a layer",
}
OUTSIDE |= {"skip": OUTSIDE["residual"], "rnn": OUTSIDE["recurrent"], "lstm": OUTSIDE["recurrent"]}


class NetworkFile(NamedTuple):
    """``layers`` and ``shape`` of ``Network``; ``sets``: the arguments of it that the file sets in some layer."""

    layers: tuple[LayerSpec, ...]
    shape: tuple[int, ...]
    sets: frozenset[str]


def read_layers(document: Mapping[str, Any], read: Callable[[str], Any]) -> NetworkFile:
    """The network of these tables; ``read`` gives the array in a file that they name. Raises NtkfeynError."""
    _known("the file", document, ("input", "layer"))
    given = document.get("input")
    tables = document.get("layer")
    if not isinstance(given, dict) or "shape" not in given:
        raise bad_request("the file has no shape of an input", ALLOWED, "[input] with shape = [3, 8]")
    _known("[input]", given, ("shape",))
    shape = given["shape"]
    if not isinstance(shape, list) or not all(type(size) is int for size in shape):
        raise bad_request(f"shape = {str(shape)[:60]}", "a list of integers is allowed", "shape = [3, 8]")
    if not isinstance(tables, list) or not tables or not all(isinstance(one, dict) for one in tables):
        raise bad_request("the file has no layers", ALLOWED, '[[layer]] with kind = "conv"')
    layers = tuple(_layer(number, table, read) for number, table in enumerate(tables, 1))
    for name in ("width", "activation"):
        _whole(name, layers[:-1])
    some = {name for name in COMMON for one in layers if getattr(one, name) is not None}
    for name in ("width", "activation"):
        if all(getattr(one, name) is None for one in layers[:-1]):
            some.discard(name)  # that of the output is none of the network
    return NetworkFile(layers, tuple(shape), frozenset(some))


def _whole(name: str, hidden: tuple[LayerSpec, ...]) -> None:
    """A width or an activation is set by all hidden layers or by none. Raises RequestError."""
    open_ = [number for number, one in enumerate(hidden, 1) if getattr(one, name) is None]
    if 0 < len(open_) < len(hidden):
        raise bad_request(
            f"layer {open_[0]} ({hidden[open_[0] - 1].kind}) has no {name}",
            f"{name} of every hidden layer, or of none and --{name}, is allowed",
            "width = 64" if name == "width" else 'activation = "gelu"',
        )


def _layer(number: int, table: Mapping[str, Any], read: Callable[[str], Any]) -> LayerSpec:
    kind = table.get("kind")
    where = f"layer {number}" + (f" ({kind})" if isinstance(kind, str) and kind in KINDS else "")
    if not isinstance(kind, str) or kind not in KINDS:
        raise _no_kind(where, kind)
    own = [one.name for one in fields(KINDS[kind])]
    _known(where, table, ("kind", *own))
    try:
        options = {name: value for name, value in table.items() if name != "kind"}
        for name in COMMON:
            if name in options:
                _check_common(name, options[name])
        for name in FILES:
            if name in options:
                if not isinstance(options[name], str):
                    raise bad_request(
                        f"{name} = {str(options[name])[:60]}", "the name of a file is allowed", f'{name} = "a.npy"'
                    )
                options[name] = read(options[name])
        if "nodes" in options and type(options["nodes"]) is not int:
            raise bad_request(f"nodes = {options['nodes']!r}", "an integer is allowed", "nodes = 10")
        return KINDS[kind](**options)
    except NtkfeynError as error:
        raise type(error)(f"{where}: {error}") from error


def _check_common(name: str, value: Any) -> None:
    """One value of a layer, by its kind; what it may be the network says."""
    kinds: tuple[type, ...] = {"width": (int,), "activation": (str,), "weights": (str,)}.get(name, (int, float))
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise bad_request(
            f"{name} = {str(value)[:60]}",
            f"a {'text' if str in kinds else 'number'}, that of this layer, is allowed",
            f"{name} = {_EXAMPLES.get(name, '1.5')}",
        )


def _no_kind(where: str, kind: Any) -> NtkfeynError:
    text = str(kind)[:40]
    allowed = f"kinds {', '.join(KINDS)} are allowed"
    reason = OUTSIDE.get(text.lower())
    if kind is None:
        return bad_request(f"{where} has no kind", allowed, 'kind = "conv"')
    if reason is not None:
        return bad_request(f"{where}: kind '{text}' cannot be derived: {reason}", allowed, 'kind = "conv"')
    return bad_request(f"{where}: unknown kind '{text}'", allowed, f'kind = "{closest(text, KINDS) or "conv"}"')


def _known(where: str, table: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    for name in table:
        if name not in allowed:
            raise bad_request(
                f"{where}: unknown key '{str(name)[:40]}'",
                f"allowed are {', '.join(allowed)}",
                closest(str(name), allowed),
            )
