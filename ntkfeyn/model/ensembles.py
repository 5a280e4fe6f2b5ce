"""Ensembles of weights by name: the laws that the weights of a layer may have (theory sections 1 and 9)."""

from __future__ import annotations

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
