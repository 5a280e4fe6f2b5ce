"""A network as data of an emitted module: widths, activations, couplings, the maps of its layers (theory section 10).

Enters: a Network. Leaves: what the template of a module takes, lines of Python, or a refusal of what emitted code
cannot be given. Maps are written entry by entry, as most of them are sparse.
"""

from __future__ import annotations

from textwrap import wrap
from typing import Any

from ntkfeyn.codegen.formatter import INDENT
from ntkfeyn.codegen.python.formatter import listed
from ntkfeyn.errors import LimitError, bad_request
from ntkfeyn.model.activations import SMOOTH, PolynomialText, read_activation
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.network import Network
from ntkfeyn.model.sharing import Map, Sharing

NAMED = ("linear", "relu", *SMOOTH)  # activations that emitted code knows by name
MAX_ENTRIES = 100_000  # of the maps of all layers, each a few characters of the module
WIDTH = 90  # of a line of entries


def baked(network: Network) -> dict[str, Any]:
    """The values of a template. Raises RequestError for weights or activations that emitted code cannot take."""
    if network.weights != GAUSSIAN:
        raise bad_request(
            f"a network with {network.weights_text} weights was given to emit",
            f"{GAUSSIAN} weights are allowed; `ntkfeyn evaluate` takes others",
            'no weights = "orthogonal" in the file',
        )
    maps = [one for layer in network.layers if layer.sharing is not None for one in layer.sharing.maps]
    entries = sum(len(row) for one in maps for row in one.rows)
    if entries > MAX_ENTRIES:
        raise LimitError(
            f"the maps of the layers have {entries} entries; at most {MAX_ENTRIES} are allowed in a module; try fewer"
            " positions, or `ntkfeyn emit --shared`, which writes a module without a network"
        )
    activations = [_activation(text) for text in network.activations]
    kinds = [spec.kind for spec in network.specs] or ["dense"] * network.depth
    values = {
        "widths": network.hidden,
        "activation": activations,
        **{name: [layer.couplings[name] for layer in network.layers] for name in network.layers[0].couplings},
    }
    return {
        "depth": network.depth,
        "kinds": ", ".join(kinds),
        "shape": network.shape,
        "lines": [f'"{name}": {listed(value)},' for name, value in values.items()],
        "polynomials": any(text.startswith("polynomial") for text in activations),
        "shared": network.shared,
        "averaging": [_averaging(layer.sharing) for layer in network.layers],
    }


def _activation(text: str) -> str:
    """A name, or a polynomial by its coefficients."""
    read = read_activation(text)
    if read.name in NAMED:
        return f'"{read.name}"'
    if isinstance(read, PolynomialText):
        return f"polynomial({', '.join(repr(float(c)) for c in read.coefficients)})"
    raise bad_request(
        f"the activation '{read.name[:60]}' was given to emit",
        f"allowed in emitted code are {', '.join(NAMED)} and polynomials in z; `ntkfeyn evaluate` takes others",
        'activation = "gelu"',
    )


def _averaging(sharing: Sharing | None) -> list[str]:
    """Lines of one entry of a list."""
    if sharing is None:
        return ["None,"]
    lines = [line for one in sharing.maps for line in _map(one)]
    return [f"matrices({sharing.above}, {sharing.below}, [", *lines, "]),"]


def _map(one: Map) -> list[str]:
    entries = " ".join(f"({a},{b},{float(m)!r})," for a, row in enumerate(one.rows) for b, m in row)
    text = f"({float(one.weight)!r}, [{entries}]),"
    return wrap(text, WIDTH, initial_indent=INDENT, subsequent_indent=2 * INDENT, break_on_hyphens=False)
