"""The whole survey of certificates: every comparison that the project claims, with a progress bar.

Takes minutes: long_checks.py runs it and writes outputs/certificates.json and, for orthogonal weights,
outputs/orthogonal/certificates.json, for weights shared over labels outputs/convolution/certificates.json. The
test-suite runs a selection.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from ntkfeyn.cli.progress import progress
from ntkfeyn.model.cumulants import cumulant, standard
from ntkfeyn.model.layers import Conv, Dense, Graph, LayerSpec
from ntkfeyn.model.network import Network
from ntkfeyn.model.polynomials import polynomial
from ntkfeyn.verification.certify import Certificate, certify, random_setting
from ntkfeyn.verification.networks import network_setting

LINEAR, QUADRATIC, CUBIC = "z", "z + z**2/2", "z/2 + z**2/3 - z**3/5"
SEVEN = ("K", "Theta", "V", "D", "F", "A", "B")
DERIVATIVES = ("P", "Q", "R", "S", "T", "U")
SIX_SLOTS = ("C0C0C0", "C0C0R1", "C0C1", "C0R1R1", "C0R2", "C1R1", "C2", "R1R1R1", "R1R2", "R3")
TREE = cumulant("tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5", "01.23.45").name


class Request(NamedTuple):
    """A group of certificates with the same parameters."""

    tensors: Sequence[str]
    order: int
    layers: Sequence[int]
    activation: str
    samples: int
    controls: bool = False
    widths: Sequence[int] = ()
    corrections: int = 0  # powers of 1/n in the first-layer kernels, so that every term of a recursion is at work
    weights: str = "gaussian"


SURVEY = (
    Request(("K", "Theta"), 0, (2, 3), QUADRATIC, 2, controls=True),
    Request((*SEVEN, *DERIVATIVES), 1, (2, 3), QUADRATIC, 2, controls=True),
    Request(("K", "Theta", "V", "F"), 1, (2, 3), CUBIC, 2),
    Request(SEVEN, 1, (2, 3), CUBIC, 2, corrections=1),
    Request(DERIVATIVES, 1, (2, 3), QUADRATIC, 2, corrections=1),
    Request(("P", "Q", "U"), 1, (3,), CUBIC, 2, corrections=1),
    Request(("K", "Theta", "V", "D", "F", "B"), 2, (2, 3), QUADRATIC, 2, corrections=2),
    Request(DERIVATIVES, 1, (3,), QUADRATIC, 3),
    Request((*SEVEN, *DERIVATIVES), 1, (4,), QUADRATIC, 1),
    Request((*SEVEN, *DERIVATIVES), 1, (3,), QUADRATIC, 2, widths=(2, 3)),
    Request((*SEVEN, *DERIVATIVES), 2, (2, 3), QUADRATIC, 2, controls=True),
    Request(("K", "Theta"), 2, (4,), QUADRATIC, 1),
    Request(SIX_SLOTS, 2, (2, 3), QUADRATIC, 2, controls=True),
    Request((TREE,), 2, (2, 3), QUADRATIC, 2),
    Request((*SEVEN, "P", "Q", "C0C0C0", "C0C1"), 3, (3,), QUADRATIC, 2),
    Request(("R", "S", "T", "U"), 3, (3,), QUADRATIC, 1),
    Request(("K", "Theta"), 3, (4,), QUADRATIC, 1),
    Request(SEVEN, 3, range(2, 11), LINEAR, 2),
)

ORTHOGONAL = tuple(
    request._replace(weights="orthogonal")
    for request in (
        Request(("K", "Theta"), 0, (2, 3), QUADRATIC, 2, controls=True),
        Request((*SEVEN, *DERIVATIVES), 1, (2, 3), QUADRATIC, 2, controls=True),
        Request(SEVEN, 1, (2, 3), CUBIC, 2, corrections=1),
        Request(DERIVATIVES, 1, (2, 3), QUADRATIC, 2, corrections=1),
        Request(("P", "Q"), 1, (3,), CUBIC, 2, corrections=1),
        Request(SEVEN, 2, (2, 3), QUADRATIC, 2, controls=True),
        Request(DERIVATIVES, 1, (3,), QUADRATIC, 3),
        Request((*SEVEN, *DERIVATIVES), 1, (4,), QUADRATIC, 1),
        Request((*SEVEN, *DERIVATIVES), 1, (2, 3), QUADRATIC, 2, widths=(2, 3, 2)),
        Request(SEVEN, 2, (2, 3), QUADRATIC, 2, widths=(3, 2, 5)),
        Request(DERIVATIVES, 2, (2, 3), QUADRATIC, 2, controls=True),
        Request(SIX_SLOTS, 2, (2, 3), QUADRATIC, 2, controls=True),
        Request(("C0C0C0", "R3"), 2, (3,), QUADRATIC, 2, widths=(3, 2, 4)),
        Request((TREE,), 2, (2, 3), QUADRATIC, 1),
        Request(SEVEN, 3, (2, 3), QUADRATIC, 2),
        Request(SEVEN, 3, range(2, 11), LINEAR, 2),
    )
)


def _network(shape: tuple[int, ...], *layers: LayerSpec, activation: str = QUADRATIC) -> Network:
    return Network(layers=layers, shape=shape, activation=activation)


PATH = Graph(edges=[(0, 1), (1, 2)], normalisation="row")
SHARED_NETWORKS = {
    "circular_mean": _network((2, 2), Conv(kernel=2), Conv(kernel=2), Dense(pool="mean")),
    "stride_flatten": _network((2, 3), Conv(kernel=1), Conv(kernel=2, stride=2, padding="zero"), Dense(pool="flatten")),
    "zero_mean": _network((2, 3), Conv(), Conv(padding="zero"), Dense(pool="mean")),
    "valid": _network((2, 3), Conv(kernel=1), Conv(kernel=2, padding="valid"), Conv(kernel=2, padding="valid")),
    "two_axes": _network((1, 2, 2), Conv(kernel=1), Conv(kernel=[2, 1], padding="valid"), Dense(pool="flatten")),
    "graph": _network((2, 3), PATH, PATH, PATH),
    "mean_dense": _network((2, 3), Conv(), Dense(pool="mean"), Dense(), activation=f"{QUADRATIC}:{CUBIC}"),
    "flatten_dense": _network((2, 3), Conv(), Dense(pool="flatten"), Dense()),
}


class SharedRequest(NamedTuple):
    """Certificates of networks by name; ``samples`` inputs each."""

    networks: Sequence[str]
    tensors: Sequence[str]
    order: int
    layers: Sequence[int] = (2, 3)
    samples: int = 1
    controls: bool = False


SHARED: tuple[SharedRequest, ...] = (
    SharedRequest(tuple(SHARED_NETWORKS), ("K", "Theta"), 0, samples=2, controls=True),
    SharedRequest(("circular_mean", "stride_flatten", "valid", "graph"), (*SEVEN, "P", "Q"), 1, controls=True),
    SharedRequest(("stride_flatten", "two_axes"), DERIVATIVES, 1, controls=True),
    SharedRequest(("zero_mean", "mean_dense"), ("K", "Theta", "V", "F"), 1),
    SharedRequest(("two_axes", "flatten_dense"), SEVEN, 1),
    SharedRequest(("circular_mean", "stride_flatten"), SEVEN, 1, samples=2),
    SharedRequest(("circular_mean", "stride_flatten", "valid"), SEVEN, 2),
    SharedRequest(("graph",), ("K", "Theta", "V", "F"), 2),
    SharedRequest(("stride_flatten",), ("K", "Theta", "V"), 2, controls=True),
    SharedRequest(("stride_flatten",), ("P", "Q"), 2),
    SharedRequest(("stride_flatten",), ("C0C0C0", "C2"), 2),
    SharedRequest(("circular_mean",), ("T",), 1),
)


def run_shared(requests: Sequence[SharedRequest], seed: int = 1) -> list[Certificate]:
    found = []
    with progress("survey", sum(len(one.tensors) * len(one.networks) for one in requests)) as advance:
        for request in requests:
            for network in request.networks:
                setting, named = network_setting(SHARED_NETWORKS[network], request.samples, seed)
                for name in request.tensors:
                    start = time.perf_counter()
                    found.append(
                        certify(
                            standard(name),
                            request.order,
                            request.layers,
                            setting,
                            seed,
                            controls=request.controls,
                            network=named,
                        )
                    )
                    verdict = "equal" if found[-1].equal else "DIFFERENT"
                    seconds = time.perf_counter() - start
                    print(f"{name}@{request.order} of {network}: {verdict} ({seconds:.1f} s)", flush=True)
                    advance(name)
    return found


def run(requests: Sequence[Request], seed: int = 1) -> list[Certificate]:
    found = []
    with progress("survey", sum(len(request.tensors) for request in requests)) as advance:
        for request in requests:
            setting = random_setting(
                seed,
                polynomial(request.activation),
                request.samples,
                request.widths,
                request.corrections,
                weights=request.weights,
            )
            for name in request.tensors:
                start = time.perf_counter()
                shape = standard(name)
                found.append(certify(shape, request.order, request.layers, setting, seed, controls=request.controls))
                verdict = "equal" if found[-1].equal else "DIFFERENT"
                seconds = time.perf_counter() - start
                print(f"{name}@{request.order} layers {list(request.layers)}: {verdict} ({seconds:.1f} s)", flush=True)
                advance(name)
    return found
