"""What callers name: letters, one tensor, networks with their inputs.

Enters: arguments as typed. Leaves: symbols, targets, requests; bad ones are refused here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ntkfeyn.errors import bad_request
from ntkfeyn.model.network import Network
from ntkfeyn.model.targets import Target, resolve
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.render.symbols import Notation

if TYPE_CHECKING:
    from ntkfeyn.solve.request import Request

R = TypeVar("R", bound=NamedTuple)


class Solving(NamedTuple):
    """How recursions are solved, and who does it.

    >>> import ntkfeyn as nf
    >>> nf.Solving(tolerance=1e-6)
    Solving(tolerance=1e-06, jobs=1, scheduler=None)
    """

    tolerance: float = 1e-8
    """Relative to the largest component of each tensor."""
    jobs: int = 1
    """Processes; with more than one, call it from under ``if __name__ == "__main__"``."""
    scheduler: str | None = None
    """The address of a Dask scheduler that does the work instead."""


def options(record: R | None, default: R, given: Mapping[str, Any]) -> tuple[R, dict[str, Any]]:
    """A record of options with single ones over it, and the given options that are none of its fields."""
    own = {name: value for name, value in given.items() if name in default._fields}
    rest = {name: value for name, value in given.items() if name not in own}
    return (default if record is None else record)._replace(**own), rest


def none_left(function: str, rest: Mapping[str, Any], *records: Any) -> None:
    """Raises TypeError for options that no record has."""
    if rest:
        known = ", ".join(name for record in records for name in record._fields)
        raise TypeError(f"{function}() has no option {', '.join(rest)}; allowed are {known}")


Letters = Notation | str | PathLike[str] | None


def notation_of(given: Letters) -> Notation:
    """The letters themselves, those of a file or of a notation that is shipped; without any, ours."""
    return given if isinstance(given, Notation) else Notation() if given is None else Notation.read(given)


def one_target(name: str | None, legs: str | None, channel: str | None, order: int | None) -> Target:
    found = resolve([name] if name is not None else [], legs, channel, order)
    if len(found) != 1:
        listed = ", ".join(str(target.id) for target in found)
        raise bad_request(f"{len(found)} cumulants were asked for ({listed})", "one at a time", "channel='13.24'")
    return found[0]


def numeric_request(
    network: Network | Sequence[Network], inputs: Any, gram: Any, names: str | Sequence[str], order: int | None
) -> tuple[Request, list[TensorId]]:
    from ntkfeyn.solve.inputs import gram_matrix, gram_of, label_vectors
    from ntkfeyn.solve.request import Request

    networks = (network,) if isinstance(network, Network) else tuple(network)
    shape = networks[0].shape if networks else None
    if (inputs is None) == (gram is None):
        raise bad_request("inputs and gram", "exactly one of them is needed", "evaluate(network, [[1.0, 0.5]], ['K'])")
    given = label_vectors(inputs, shape) if gram is None else None
    kernel = gram_matrix(gram, shape) if given is None else gram_of(given)
    listed = [names] if isinstance(names, str) else names
    targets = [target.id for target in resolve(listed, order=order)]
    return Request(networks, kernel, inputs=given), targets
