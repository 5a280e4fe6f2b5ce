"""ntkfeyn: finite-width (1/n) corrections of neural tangent kernels, derived from Feynman diagrams.

    derive        the recursion of a tensor, from all its diagrams: formula, picture, SymPy
    diagrams      the diagrams alone: weight, pictures, graph
    explain       how a diagram becomes its term, step by step
    emit          an appendix in LaTeX, or a program in Python, JAX or C, written to files
    check         somebody's recursion against ours, term by term
    depth         how tensors depend on the depth: closed forms, or series at large depth
    critical      critical couplings of an activation, and how tensors grow with depth there
    verify        a recursion against exact finite-width networks, in rational numbers
    evaluate      every tensor at every layer for an activation, with error estimates
    sample        the same tensors from sampled networks, with standard errors
    compare       theory, order by order, against sampled networks: pulls, chi^2, figures
    train         mean prediction and kernel of trained networks at orders 0 and 1 in 1/n
    symbols       SymPy names of formulas, for one's own expressions: nf.symbols.C_W
    Notation      letters of formulas and pictures: Notation.read("pdlt"), or a file
    Solving       how recursions are solved: tolerance, processes
    Sampling      how networks are sampled: how many, which seed
    Network       depth, widths, activation and couplings of a network, or layers of its own
    Dense         a layer of a network: fully connected
    Conv          a layer that shares weights over positions: a convolution
    Graph         a layer that shares weights over positions: the nodes of a graph
    Cumulant      legs joined by a channel: what a tensor is the cumulant of
    Depth         what depth returns
    Diagram       what diagrams returns, one of them
    Recursion     what derive returns
    records       what the other functions return: nf.records.Tensors, ..
    NtkfeynError  what a bad request raises; it says what was asked, is allowed, to try

A recursion, checked and solved:

    >>> import ntkfeyn as nf
    >>> F = nf.derive("F")
    >>> F
    <Recursion F@1: 2 product terms>
    >>> nf.verify("F", layers=(2,), controls=False).equal  # against exact moments
    True
    >>> network = nf.Network(depth=3, width=8, activation="relu", cw=2)
    >>> nf.evaluate(network, [[1.0, 0.5], [0.3, 1.0]], "F").array("F").shape
    (2, 2, 2, 2)

Layers l = 1 .. L have widths n_l, the last one is the output. Samples, that is inputs, are counted from 1. A tensor is
NAME or NAME@R, where R is the power of 1/n of the cumulant: "F@1" is the leading order of F, "Theta@1" the 1/n
correction of the mean kernel. Its value is the coefficient of that power. Inputs set the only unit: where the
activation is homogeneous, a tensor whose channel has p pairs has the unit of (x.x'/n_0)^p, whatever its order. Sections
are those of `ntkfeyn theory`. A request that cannot be answered raises a `NtkfeynError`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ntkfeyn.runtime.version import __version__ as __version__

if TYPE_CHECKING:
    from ntkfeyn import records, symbols
    from ntkfeyn.api import (
        Conv,
        Cumulant,
        Dense,
        Depth,
        Diagram,
        Graph,
        Network,
        Notation,
        Recursion,
        Solving,
        check,
        compare,
        critical,
        depth,
        derive,
        diagrams,
        emit,
        evaluate,
        explain,
        sample,
        train,
        verify,
    )
    from ntkfeyn.errors import NtkfeynError
    from ntkfeyn.sampling.estimation import Sampling

__all__ = [  # noqa: RUF022 - in the order of the reference: what is called, what is handed in, what comes back
    "derive", "diagrams", "explain", "emit", "check", "depth", "critical", "verify", "evaluate", "sample", "compare",
    "train", "Network", "Dense", "Conv", "Graph", "Sampling", "Solving", "Notation", "Cumulant", "Recursion", "Diagram",
    "Depth", "NtkfeynError", "records", "symbols",
]  # fmt: skip

_ELSEWHERE = {"NtkfeynError": "ntkfeyn.errors", "Sampling": "ntkfeyn.sampling.estimation"}


def __getattr__(name: str) -> Any:
    """Public names are imported on first use: start-up counts."""
    if name not in __all__:
        raise AttributeError(f"module 'ntkfeyn' has no attribute '{name}'")
    if name in ("records", "symbols"):
        return import_module(f"ntkfeyn.{name}")
    source = import_module(_ELSEWHERE.get(name, "ntkfeyn.api"))
    # all that is there, and to stay: pdoc shows what it finds without asking
    globals().update({known: getattr(source, known) for known in __all__ if hasattr(source, known)})
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
