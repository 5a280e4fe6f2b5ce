"""Networks: layers with their widths, activations and couplings (theory section 1), checked once.

Enters: what the user asks for. Leaves: a frozen ``Network``, a tuple of ``Layer`` records: whatever is to be known of a
layer is asked of its record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import signature
from math import isfinite, prod
from numbers import Real
from typing import Any

from ntkfeyn.errors import NtkfeynError, bad_request, too_large
from ntkfeyn.model.activations import SEPARATOR, read_activations
from ntkfeyn.model.ensembles import GAUSSIAN, ORTHOGONAL, layer_ensembles, shortest_form
from ntkfeyn.model.layers import COMMON, Dense, LayerSpec
from ntkfeyn.model.sharing import MAX_POSITIONS, Shape, Sharing, positions_of

MAX_DEPTH = 1000
MAX_WIDTH = 10**9
MAX_ENTRIES = 10_000_000  # channels of an input


@dataclass(frozen=True)
class Layer:
    """One layer: its neurons, the activation applied after it, and the law of the weights and biases that lead to it.

    ``weights`` is the ensemble of its weights, ``sharing`` how they are shared over positions, if they are.

    The output layer has no width of its own (any number of neurons) and no activation after it: None.
    """

    width: int | None
    activation: str | None
    C_W: float = 1.0
    C_b: float = 0.0
    lambda_W: float = 1.0
    lambda_b: float = 0.0
    weights: str = GAUSSIAN
    sharing: Sharing | None = None

    @property
    def couplings(self) -> dict[str, float]:
        """The values of what multiplies the terms of a recursion that leads to this layer, by name."""
        return {"C_W": self.C_W, "lambda_W": self.lambda_W, "C_b": self.C_b, "lambda_b": self.lambda_b}


@dataclass(frozen=True, init=False, repr=False)
class Network:
    """A network with layers 1..depth; layer ``depth`` is the output.

    >>> import ntkfeyn as nf
    >>> network = nf.Network(depth=4, width=(32, 64, 32), activation="gelu", cw=1.98)
    >>> network
    Network(depth=4, width=(32, 64, 32), activation='gelu', cw=1.98)
    >>> network.hidden
    (32, 64, 32)
    """

    depth: int
    width: int | tuple[int, ...]
    activation: str | tuple[str, ...]
    cw: tuple[float, ...]
    cb: tuple[float, ...]
    lambda_w: tuple[float, ...]
    lambda_b: tuple[float, ...]
    weights: str | tuple[str, ...]
    layers: tuple[Layer, ...] = field(compare=False)
    shape: Shape | None
    specs: tuple[LayerSpec, ...]

    def __init__(
        self,
        depth: int | None = None,
        width: int | Sequence[int] = 1,
        activation: str | Sequence[str] = "relu",
        cw: float | Sequence[float] = 1.0,
        cb: float | Sequence[float] = 0.0,
        lambda_w: float | Sequence[float] = 1.0,
        lambda_b: float | Sequence[float] = 0.0,
        weights: str | Sequence[str] = GAUSSIAN,
        *,
        layers: Sequence[LayerSpec] | None = None,
        shape: Sequence[int] | None = None,
    ) -> None:
        """Values are one for all layers, or one a layer, as a sequence.

        ``width``, ``activation`` (a name or an expression in z, applied after the layer; also "gelu:tanh:linear") are
        of the hidden layers. ``cw``, ``cb``, ``lambda_w``, ``lambda_b``: C_W, C_b, lambda_W, lambda_b (section 1).
        ``weights``: "gaussian", or "orthogonal" in all layers but the first, whose n_0 is no width. Instead of
        ``depth``: ``layers``, a list of Dense, Conv and Graph, with the ``shape`` of an input, channels first
        (section 10); what they leave open is taken from the other arguments. Raises RequestError or LimitError.
        """
        given: dict[str, Any] = {
            "width": width, "activation": activation, "cw": cw, "cb": cb,
            "lambda_w": lambda_w, "lambda_b": lambda_b, "weights": weights,
        }  # fmt: skip
        specs, sizes = _specs(layers, depth, shape)
        _check_alone(specs)
        count = len(specs) if layers is not None else depth
        if type(count) is not int or count < 1:
            raise bad_request(f"depth {count!r} was asked for", "an integer from 1 up is allowed", "--depth 4")
        if count > MAX_DEPTH:
            raise too_large(f"depth {count} was asked for", f"at most {MAX_DEPTH} is allowed", "--depth 4")
        for name, value in {"depth": count, **given}.items():
            object.__setattr__(self, name, _filled(specs, name, value) if specs else value)
        shared = sharings(specs, sizes or ())
        object.__setattr__(self, "shape", sizes)
        object.__setattr__(self, "specs", specs if any(shared) else ())
        widths, activations = self._widths(), self._activations()
        couplings = [self._couplings(name, name == "cw") for name in ("cw", "cb", "lambda_w", "lambda_b")]
        ensembles = layer_ensembles(self.weights, count)
        object.__setattr__(self, "weights", shortest_form(ensembles))
        rows = zip([*widths, None], [*activations, None], *couplings, ensembles, shared or (None,) * count, strict=True)
        object.__setattr__(self, "layers", tuple(Layer(*row) for row in rows))
        self._check_ensembles()

    def __repr__(self) -> str:
        """What differs from the defaults, as it may be given; of layers that are given, what they leave open."""
        specs = self.specs or ((Dense(),) * self.depth if self.shape else ())
        said = f"layers={list(specs)!r}, shape={self.shape!r}" if specs else f"depth={self.depth}"
        for name in COMMON:
            some = specs[:-1] if name in ("width", "activation") else specs
            value = getattr(self, name)
            if isinstance(value, tuple) and len(set(value)) == 1:
                value = value[0]
            own = bool(some) and all(getattr(spec, name) is not None for spec in some)
            if not own and value != signature(Network).parameters[name].default:
                said += f", {name}={value!r}"
        return f"Network({said})"

    def _check_ensembles(self) -> None:
        for number, layer in enumerate(self.layers, 1):
            if layer.sharing is not None and layer.weights != GAUSSIAN:
                raise bad_request(
                    f"layer {number} was asked for with {layer.weights} weights shared over positions",
                    "Gaussian weights are allowed there",
                    f"--weights {GAUSSIAN}",
                )

    def _widths(self) -> tuple[int, ...]:
        """One a hidden layer; the field keeps the shortest form: 8:8 is 8, one text, one stream of random numbers."""
        given = tuple(self.width) if isinstance(self.width, Iterable) else (self.width,)
        if len(given) not in (1, self.depth - 1) or not all(type(n) is int and 1 <= n <= MAX_WIDTH for n in given):
            raise bad_request(
                f"width {':'.join(map(str, given))} was asked for at depth {self.depth}",
                f"one positive integer or {self.depth - 1} of them (one a hidden layer) are allowed",
                "--width 64, or --width 32:64:32 with --depth 4",
            )
        object.__setattr__(self, "width", given[0] if len(set(given)) == 1 else given)
        return given * (self.depth - 1) if len(given) == 1 else given

    def _activations(self) -> tuple[str, ...]:
        """One a hidden layer; the field keeps the shortest form of the names: gelu:gelu is gelu."""
        names = tuple(read.name for read in read_activations(self.activation))
        if not names or len(names) not in (1, self.depth - 1):
            raise bad_request(
                f"activation {SEPARATOR.join(names)} was asked for at depth {self.depth}",
                f"one activation or {self.depth - 1} of them (one a hidden layer) are allowed",
                "--activation gelu, or --activation gelu:tanh:linear with --depth 4",
            )
        object.__setattr__(self, "activation", names[0] if len(set(names)) == 1 else names)
        return names * (self.depth - 1) if len(names) == 1 else names

    def _couplings(self, name: str, positive: bool) -> tuple[float, ...]:
        """One a layer, which is what the field keeps."""
        value = getattr(self, name)
        given = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        option = "--" + name.replace("_", "-")
        for one in given:
            if not isinstance(one, Real) or isinstance(one, bool) or not isfinite(one):
                raise bad_request(f"{option} {one!r} was asked for", "a finite number is allowed", f"{option} 1.5")
            if one < 0 or (positive and one == 0):
                allowed = "a positive number is allowed" if positive else "a number from 0 up is allowed"
                raise bad_request(f"{option} {one} was asked for", allowed, f"{option} 1.5")
        if len(given) not in (1, self.depth):
            raise bad_request(
                f"{option} has {len(given)} values at depth {self.depth}",
                f"one number or {self.depth} of them (one a layer) are allowed",
                f"{option} 2",
            )
        every = tuple(map(float, given)) * (self.depth if len(given) == 1 else 1)
        object.__setattr__(self, name, every)
        return every

    @property
    def positions(self) -> tuple[int, ...]:
        """Of the input and of layers 1 .. depth; 1 each where no weights are shared."""
        return positions_of(layer.sharing for layer in self.layers)

    @property
    def shared(self) -> bool:
        """Whether any layer shares its weights over positions."""
        return bool(self.specs)

    def layout(self) -> dict[str, Any]:
        """The shape of an input and what each layer is, for results; empty for a plain fully connected network."""
        if not self.specs:
            return {}
        return {"shape": list(self.shape or ()), "layers": [spec.settings() for spec in self.specs]}

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths n_1 .. n_(depth-1)."""
        return widths_of(self.layers)

    @property
    def activations(self) -> tuple[str, ...]:
        """The activation after each of the layers 1 .. depth-1."""
        return activations_of(self.layers)

    @property
    def width_text(self) -> str:
        """64 for equal widths, else 32:64:32."""
        return str(self.width) if isinstance(self.width, int) else ":".join(map(str, self.width))

    @property
    def activation_text(self) -> str:
        """gelu for equal activations, else gelu:tanh:linear."""
        return self.activation if isinstance(self.activation, str) else SEPARATOR.join(self.activation)

    @property
    def weights_text(self) -> str:
        """The shortest form of its ensembles: gaussian, orthogonal, or one a layer."""
        return self.weights if isinstance(self.weights, str) else SEPARATOR.join(self.weights)

    @property
    def ensemble(self) -> str:
        """The ensemble of recursions that serve every layer: with tau = 0 orthogonal ones are Gaussian."""
        return ORTHOGONAL if any(layer.weights == ORTHOGONAL for layer in self.layers) else GAUSSIAN

    def couplings(self, layer: int) -> dict[str, float]:
        """The value of each coupling, by name, in the step from a layer to the next one; what is not there is zero."""
        known = {**self.layers[layer].couplings, "width_ratio": self.ratio(layer)}
        return {**known, "tau": self.tau(layer)} if self.tau(layer) else known

    def tau(self, layer: int) -> float:
        """n_l / max(n_l, n_(l+1)) for the step up from layer l to one with orthogonal weights, 0 to a Gaussian one.

        The output layer is taken to be no wider than the one below.
        """
        above = self.layers[layer]
        if above.weights != ORTHOGONAL:
            return 0.0
        width = self.hidden[layer - 1]
        return width / max(width, above.width or width)

    def ratios(self, layer: int) -> tuple[float, float]:
        """Everything that widths change in the step up from a layer."""
        return self.ratio(layer), self.tau(layer)

    def ratio(self, layer: int) -> float:
        """n_l / n_(l-1) for the step up from layer l; 1 at l = 1, where it multiplies nothing."""
        return self.hidden[layer - 1] / self.hidden[layer - 2] if layer > 1 else 1.0


def _specs(layers: Any, depth: int | None, shape: Any) -> tuple[tuple[LayerSpec, ...], Shape | None]:
    """The layers and the shape as given, checked for what they are; none for a network given by its depth."""
    if layers is None:
        if shape is not None:
            raise bad_request("a shape without layers", "both together are allowed", "layers=[..], shape=(3, 8)")
        return (), None
    if depth is not None:
        raise bad_request(f"depth {depth} and {len(layers)} layers", "one of them is allowed", "layers=[..] alone")
    sizes = tuple(shape) if isinstance(shape, Iterable) else (shape,)
    if not 1 <= len(sizes) <= 3 or not all(type(size) is int and 1 <= size <= MAX_ENTRIES for size in sizes):
        raise bad_request(
            f"an input of shape {list(sizes)}",
            "channels and up to two axes of positions are allowed, each from 1 up",
            "shape = [3], [3, 8] or [3, 8, 8]",
        )
    if prod(sizes[1:]) > MAX_POSITIONS:
        asked = f"an input of {prod(sizes[1:])} positions was given"
        raise too_large(asked, f"at most {MAX_POSITIONS} are allowed", "shape = [3, 8, 8]")
    if not layers or not all(isinstance(one, LayerSpec) for one in layers):
        raise bad_request("layers that are none", "a list of Dense, Conv and Graph is allowed", "layers=[Dense()]")
    return tuple(layers), sizes


def _check_alone(specs: tuple[LayerSpec, ...]) -> None:
    """What each layer says of itself, as of a network with one hidden layer; an output has no activation."""
    for number, spec in enumerate(specs, 1):
        with _naming(number, spec):
            for name in COMMON:
                if getattr(spec, name) is not None:
                    Network(2, **{name: getattr(spec, name)})
            if number == len(specs) and spec.activation is not None:
                asked = f"the output layer has the activation '{spec.activation}'"
                raise bad_request(asked, "none is applied there", "the last layer without it")


@contextmanager
def _naming(number: int, spec: LayerSpec) -> Iterator[None]:
    """Puts the layer in front of what is refused in it."""
    try:
        yield
    except NtkfeynError as error:
        raise type(error)(f"layer {number} ({spec.kind}): {error}") from error


def _filled(specs: tuple[LayerSpec, ...], name: str, given: Any) -> Any:
    """One value a layer, a layer's own where it has one; as a user may give it to a network by its depth."""
    if name == "depth":
        return given
    some = specs[:-1] if name in ("width", "activation") else specs
    own = [getattr(spec, name) for spec in some]
    if all(one is None for one in own):
        return given
    if name == "activation" and isinstance(given, str) and SEPARATOR in given:
        given = given.split(SEPARATOR)
    several = isinstance(given, Sequence) and not isinstance(given, str) and len(given) == len(own)
    open_ = list(given) if several else [given] * len(own)
    return [one if own_ is None else own_ for own_, one in zip(own, open_, strict=True)]


def sharings(specs: tuple[LayerSpec, ...], shape: Shape) -> tuple[Sharing | None, ...]:
    """How each layer shares its weights over positions, for an input of this shape. Raises NtkfeynError."""
    found, positions = [], shape[1:]
    for number, spec in enumerate(specs, 1):
        with _naming(number, spec):
            sharing, positions = spec.onto(positions)
        found.append(sharing)
    return tuple(found)


def widths_of(layers: Sequence[Layer]) -> tuple[int, ...]:
    """Widths of the hidden layers."""
    return tuple(layer.width for layer in layers if layer.width is not None)


def activations_of(layers: Sequence[Layer]) -> tuple[str, ...]:
    """The activation after each hidden layer."""
    return tuple(layer.activation for layer in layers if layer.activation is not None)


def width_below(hidden: Sequence[int], layer: int) -> int:
    """n of a layer's expansion in 1/n: the width of the layer below; 1 at layer 1, which has no corrections."""
    return hidden[layer - 2] if layer > 1 else 1
