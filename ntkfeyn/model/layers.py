"""Layers as a user writes them: fully connected, convolutional, on a graph (theory section 10, interface).

Enters: what a layer is asked to be. Leaves: records that know, given the shape below them, how their weights are shared
and what shape they leave. What is left open (None) is taken from the network that they are put into.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from math import isfinite, prod
from numbers import Real
from typing import Any, ClassVar

from ntkfeyn.errors import bad_request, closest, too_large
from ntkfeyn.model.sharing import (
    MAX_POSITIONS,
    Row,
    Shape,
    Sharing,
    axis_reads,
    convolution,
    flatten,
    mean_pool,
    propagation,
)

POOLS = ("mean", "flatten")
PADDINGS = ("circular", "zero", "valid")
NORMALISATIONS = ("symmetric", "row", "none")
MAX_KERNEL = 64


COMMON = ("width", "activation", "cw", "cb", "lambda_w", "lambda_b", "weights")  # of every kind of layer


@dataclass(frozen=True, kw_only=True, repr=False)
class LayerSpec(ABC):
    """What every kind of layer has, all by keyword; what is None is taken from the network's own arguments."""

    width: int | None = None
    """Neurons, or channels; the output layer needs none."""
    activation: str | None = None
    """Applied after this layer."""
    cw: float | None = None
    """C_W of the weights that lead to this layer, and so on."""
    cb: float | None = None
    """C_b."""
    lambda_w: float | None = None
    """lambda_W."""
    lambda_b: float | None = None
    """lambda_b."""
    weights: str | None = None
    """"gaussian" or "orthogonal"."""

    kind: ClassVar[str]

    @abstractmethod
    def onto(self, shape: Shape) -> tuple[Sharing | None, Shape]:
        """How weights are shared over the positions below, None for those of a plain dense layer; the shape it leaves.

        Shapes are sizes of the position axes, () without positions. Raises RequestError or LimitError.
        """

    @property
    def commutes_with_shifts(self) -> bool:
        """Whether it leaves shifted positions if those below are shifted, or the same where it leaves none."""
        return True

    def settings(self) -> dict[str, Any]:
        """What makes this layer other than its width, activation and couplings, for results."""
        return {"kind": self.kind}

    def __repr__(self) -> str:
        """What differs from the defaults; of a graph neither edges nor matrix."""
        said = ((one.name, getattr(self, one.name), one.default) for one in fields(self) if one.repr)
        differs = ", ".join(f"{name}={value!r}" for name, value, default in said if value != default)
        return f"{type(self).__name__}({differs})"


@dataclass(frozen=True, kw_only=True, repr=False)
class Dense(LayerSpec):
    """A fully connected layer. Besides, what each `ntkfeyn.records.LayerSpec` has. Raises RequestError.

    >>> import ntkfeyn as nf
    >>> nf.Dense(pool="mean").settings()
    {'kind': 'dense', 'pool': 'mean'}
    """

    pool: str | None = None
    """What becomes of positions below it: their "mean", or "flatten"."""

    kind = "dense"

    def __post_init__(self) -> None:
        if self.pool is not None:
            _one_of("pool", self.pool, POOLS)

    def onto(self, shape: Shape) -> tuple[Sharing | None, Shape]:
        if not shape and self.pool is not None:
            raise bad_request(f"pool '{self.pool}' was asked for", "there are no positions below it", "no pool")
        if not shape:
            return None, ()
        if self.pool is None:
            raise bad_request(
                f"a dense layer on {shape_text(shape)} positions without pool",
                f"pool = {' or '.join(POOLS)} is needed where positions are left",
                'pool = "mean"',
            )
        return (mean_pool if self.pool == "mean" else flatten)(prod(shape)), ()

    def settings(self) -> dict[str, Any]:
        return {"kind": self.kind} if self.pool is None else {"kind": self.kind, "pool": self.pool}


@dataclass(frozen=True, kw_only=True, repr=False)
class Conv(LayerSpec):
    """A convolution over one or two axes of positions; weights have variance C_W / (n times the size of the kernel).

    Besides, what each `ntkfeyn.records.LayerSpec` has. Raises RequestError.

    >>> import ntkfeyn as nf
    >>> conv = nf.Conv(kernel=3, stride=2, width=32, activation="gelu")
    >>> nf.Network(layers=[conv, nf.Dense(pool="mean")], shape=(3, 8)).positions  # of the input and each layer
    (8, 4, 1)
    """

    kernel: int | Sequence[int] = 3
    """One number for all axes, or one an axis, from 1 to 64; so are the next two."""
    stride: int | Sequence[int] = 1
    """Positions from one reading to the next."""
    dilation: int | Sequence[int] = 1
    """Positions from one entry of the kernel to the next."""
    padding: str = "circular"
    """"circular" and "zero" leave ceil(size / stride) positions, "valid" pads nothing."""

    kind = "conv"

    def __post_init__(self) -> None:
        for name in ("kernel", "stride", "dilation"):
            given = getattr(self, name)
            sizes = (given,) if isinstance(given, int) else tuple(given) if isinstance(given, Sequence) else ()
            if len(sizes) not in (1, 2) or not all(type(k) is int and 1 <= k <= MAX_KERNEL for k in sizes):
                raise bad_request(
                    f"{name} {given!r} was asked for",
                    f"an integer from 1 to {MAX_KERNEL}, or one an axis, is allowed",
                    f"{name} = 3",
                )
            object.__setattr__(self, name, sizes[0] if len(set(sizes)) == 1 else sizes)
        _one_of("padding", self.padding, PADDINGS)

    def onto(self, shape: Shape) -> tuple[Sharing | None, Shape]:
        if len(shape) not in (1, 2):
            raise bad_request(
                f"a convolution on {shape_text(shape)} positions",
                "one or two axes of positions are needed below it",
                "shape = [3, 8] of the input: channels, positions",
            )
        axes = []
        for size, kernel, stride, dilation in zip(
            shape, *(self._per_axis(name, len(shape)) for name in ("kernel", "stride", "dilation")), strict=True
        ):
            reach = (kernel - 1) * dilation + 1
            if reach > size and self.padding != "zero":
                raise bad_request(
                    f"a kernel that reaches over {reach} of {size} positions with {self.padding} padding",
                    f"at most {size} are allowed",
                    'a smaller kernel or dilation, or padding = "zero"',
                )
            axes.append(axis_reads(size, kernel, stride, dilation, self.padding))
        return convolution(shape, axes), tuple(axis.above for axis in axes)

    def _per_axis(self, name: str, axes: int) -> tuple[int, ...]:
        given = getattr(self, name)
        sizes: tuple[int, ...] = (given,) * axes if isinstance(given, int) else tuple(given)
        if len(sizes) != axes:
            raise bad_request(
                f"{name} {list(sizes)} was asked for on {axes} {'axis' if axes == 1 else 'axes'} of positions",
                "one number, or one an axis, is allowed",
                f"{name} = {sizes[0]}",
            )
        return sizes

    @property
    def commutes_with_shifts(self) -> bool:
        return self.padding == "circular" and self.stride == 1

    def settings(self) -> dict[str, Any]:
        sizes = {name: getattr(self, name) for name in ("kernel", "stride", "dilation")}
        listed = {name: size if isinstance(size, int) else list(size) for name, size in sizes.items()}
        return {"kind": self.kind, **listed, "padding": self.padding}


@dataclass(frozen=True, kw_only=True, repr=False)
class Graph(LayerSpec):
    """A graph convolution: one weight matrix, read through a matrix over the nodes.

    Besides, what each `ntkfeyn.records.LayerSpec` has. Raises RequestError or LimitError.

    >>> import ntkfeyn as nf
    >>> graph = nf.Graph(edges=[(0, 1), (1, 2)], nodes=3)
    >>> nf.Network(layers=[graph, nf.Dense(pool="mean")], shape=(2, 3), width=8).positions
    (3, 3, 1)
    """

    matrix: Any = field(default=None, repr=False)
    """Shape (nodes, nodes), dense or scipy.sparse, used as it is."""
    edges: Any = field(default=None, repr=False)
    """Instead of it: pairs of nodes counted from 0, both ways."""
    nodes: int | None = None
    """How many there are; default: as many as positions."""
    normalisation: str | None = None
    """Of edges, with the adjacency A, 1 on its diagonal unless "none": "symmetric" (default) D^-1/2 A D^-1/2, "row"
    D^-1 A, "none" A as listed."""

    kind = "graph"

    def __post_init__(self) -> None:
        if (self.matrix is None) == (self.edges is None):
            raise bad_request("matrix and edges of a graph", "exactly one of them is needed", 'edges = "edges.csv"')
        if self.normalisation is not None:
            _one_of("normalisation", self.normalisation, NORMALISATIONS)
            if self.matrix is not None:
                raise bad_request(
                    f"normalisation '{self.normalisation}' of a matrix",
                    "a matrix is used as it is; only edges are normalised",
                    "no normalisation",
                )
        if self.matrix is not None:
            object.__setattr__(self, "matrix", _sparse_rows(self.matrix))
        else:
            object.__setattr__(self, "edges", _edges(self.edges))
            object.__setattr__(self, "normalisation", self.normalisation or NORMALISATIONS[0])

    def onto(self, shape: Shape) -> tuple[Sharing | None, Shape]:
        nodes = prod(shape)
        if len(shape) != 1:
            raise bad_request(
                f"a graph on {shape_text(shape)} positions", "one axis, the nodes, is needed", "shape = [3, 10]"
            )
        rows = self.matrix if self.matrix is not None else self._propagation(nodes)
        if len(rows) != nodes or self.nodes not in (None, nodes):
            given = len(rows) if self.nodes is None else self.nodes
            asked = f"a graph of {given} nodes on {nodes} positions"
            raise bad_request(asked, f"{nodes} nodes are needed", f"shape = [3, {given}]")
        return propagation(rows), shape

    def _propagation(self, nodes: int) -> tuple[Row, ...]:
        """From edges; what a root makes of degrees is a float, and exactly that number from there on."""
        loops = [] if self.normalisation == "none" else [(a, a) for a in range(nodes)]
        if max((max(edge) for edge in self.edges), default=0) >= nodes:
            worst = max(max(edge) for edge in self.edges)
            raise bad_request(f"an edge to node {worst}", f"nodes 0 to {nodes - 1} are allowed", "edges counted from 0")
        pairs = sorted({pair for a, b in [*self.edges, *loops] for pair in ((a, b), (b, a))})
        degree = [0] * nodes
        for a, _ in pairs:
            degree[a] += 1
        rows: list[list[tuple[int, Fraction]]] = [[] for _ in range(nodes)]
        for a, b in pairs:
            if self.normalisation == "symmetric":
                entry = Fraction(float((degree[a] * degree[b]) ** -0.5))
            else:
                entry = Fraction(1, degree[a] if self.normalisation == "row" else 1)
            rows[a].append((b, entry))
        return tuple(map(tuple, rows))

    @property
    def commutes_with_shifts(self) -> bool:
        return False

    def settings(self) -> dict[str, Any]:
        if self.matrix is not None:
            return {"kind": self.kind, "matrix": [[[b, float(m)] for b, m in row] for row in self.matrix]}
        return {"kind": self.kind, "edges": [list(edge) for edge in self.edges], "normalisation": self.normalisation}


KINDS: dict[str, type[LayerSpec]] = {one.kind: one for one in (Dense, Conv, Graph)}


def shape_text(shape: Shape) -> str:
    """8 x 8, or "no" without positions."""
    return " x ".join(map(str, shape)) or "no"


def _one_of(name: str, given: Any, allowed: Sequence[str]) -> None:
    if given not in allowed:
        raise bad_request(
            f"{name} '{str(given)[:40]}' was asked for",
            f"allowed are {', '.join(allowed)}",
            f'{name} = "{closest(str(given), allowed) or allowed[0]}"',
        )


def _edges(given: Any) -> tuple[tuple[int, int], ...]:
    """Each edge once, smaller node first."""
    try:
        listed = given.tolist() if hasattr(given, "tolist") else list(given)
        pairs = [(one[0], one[1]) for one in listed if len(one) == 2]
        whole = [tuple(int(node) for node in pair) for pair in pairs]
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise _no_edges() from error
    if len(whole) != len(listed) or any(
        isinstance(node, bool) or node < 0 or node != number
        for pair, one in zip(pairs, whole, strict=True)
        for node, number in zip(pair, one, strict=True)
    ):
        raise _no_edges()
    if any(max(pair) >= MAX_POSITIONS for pair in whole):
        asked = f"a graph of more than {MAX_POSITIONS} nodes"
        raise too_large(asked, f"at most {MAX_POSITIONS} are allowed", "a part of it")
    return tuple(sorted({(min(pair), max(pair)) for pair in whole}))


def _no_edges() -> Exception:
    return bad_request("edges that are no pairs of nodes", "pairs of integers from 0 are allowed", "0,1 on a line")


def _sparse_rows(given: Any) -> tuple[Row, ...]:
    """The rows of a square matrix, without zeros. Raises RequestError for what is none, NaN or inf."""
    if hasattr(given, "tocoo"):
        coo = given.tocoo()
        shape: tuple[int, ...] = tuple(coo.shape)
        entries: Iterable[tuple[int, int, Any]] = zip(
            coo.row.tolist(), coo.col.tolist(), coo.data.tolist(), strict=True
        )
    else:
        listed = given.tolist() if hasattr(given, "tolist") else given
        nested = isinstance(listed, Sequence) and all(isinstance(row, Sequence) for row in listed)
        rows = [list(row) for row in listed] if nested else []
        shape = (len(rows), len(rows[0]) if rows else 0) if len({len(row) for row in rows}) == 1 else (0,)
        entries = [(a, b, m) for a, row in enumerate(rows) for b, m in enumerate(row) if m != 0]
    if len(shape) != 2 or shape[0] != shape[1] or not shape[0]:
        raise bad_request(
            f"a graph matrix of shape {shape}", "a square matrix, nodes x nodes, is allowed", "[[0, 1], [1, 0]]"
        )
    if shape[0] > MAX_POSITIONS:
        raise too_large(f"a graph of {shape[0]} nodes", f"at most {MAX_POSITIONS} are allowed", "a part of it")
    found: list[dict[int, Fraction]] = [{} for _ in range(shape[0])]
    for a, b, m in entries:
        if not isinstance(m, Real | Fraction) or isinstance(m, bool) or not isfinite(m):
            raise bad_request(f"a graph matrix with the entry {m!r}", "finite numbers are allowed", "[[0, 1], [1, 0]]")
        found[a][b] = found[a].get(b, Fraction(0)) + (m if isinstance(m, Fraction) else Fraction(float(m)))
    return tuple(tuple(sorted((b, m) for b, m in row.items() if m)) for row in found)
