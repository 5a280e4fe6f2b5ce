"""Ensembles of weights by name: the laws that the weights of a layer may have (theory sections 1 and 9)."""

from __future__ import annotations

from collections.abc import Sequence

from ntkfeyn.errors import bad_request, closest

GAUSSIAN, ORTHOGONAL = "gaussian", "orthogonal"
ENSEMBLES = (GAUSSIAN, ORTHOGONAL)


def weights_asked(name: str) -> str:
    """The option that asks for it on a command line; nothing for the default."""
    return "" if name == GAUSSIAN else f" --weights {name}"


def check_ensemble(name: str) -> str:
    """The name itself. Raises RequestError for one that is no ensemble."""
    if name not in ENSEMBLES:
        raise bad_request(
            f"weights '{str(name)[:60]}' were asked for",
            f"allowed are {', '.join(ENSEMBLES)}",
            f"--weights {closest(str(name), ENSEMBLES) or ORTHOGONAL}",
        )
    return name


def check_shared(shared: bool, weights: str) -> bool:
    """``shared`` itself, and whether weights of this ensemble may be shared over labels (theory section 10).

    Raises RequestError: what joins several pairs of slots, as a block of orthogonal weights does, would average all
    their labels at once, and not pair by pair.
    """
    if shared and weights != GAUSSIAN:
        raise bad_request(
            f"weights shared over labels were asked for with {weights} weights",
            f"{GAUSSIAN} weights are allowed: a block of {weights} weights joins several pairs, and the labels of all"
            " of them would be averaged together",
            f"--shared --weights {GAUSSIAN}",
        )
    return shared


def layer_ensembles(given: str | Sequence[str], depth: int) -> tuple[str, ...]:
    """The ensemble of each layer from one name, or from one a layer (a sequence, or between colons).

    One name other than "gaussian" is of all layers but the first. Raises RequestError.
    """
    names = tuple(given.split(":")) if isinstance(given, str) else tuple(given)
    for name in names:
        check_ensemble(name)
    if len(names) == 1:
        return (GAUSSIAN, *names * (depth - 1))
    if len(names) != depth:
        raise bad_request(
            f"--weights has {len(names)} values at depth {depth}",
            f"one name or {depth} of them (one a layer) are allowed",
            "--weights orthogonal, or --weights gaussian:orthogonal:gaussian with --depth 3",
        )
    if names[0] != GAUSSIAN:
        raise bad_request(
            f"layer 1 was asked for with {names[0]} weights",
            "a Gaussian first layer is allowed: its matrix has n_0 columns, which is no width of the network",
            f"--weights {':'.join((GAUSSIAN, *names[1:]))}",
        )
    return names


def shortest_form(names: tuple[str, ...]) -> str | tuple[str, ...]:
    """One name where it says the same, else one a layer."""
    rest = set(names[1:])
    if len(rest) > 1:
        return names
    return names[1] if rest else GAUSSIAN
