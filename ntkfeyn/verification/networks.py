"""The exact setting of a network with layers of its own: label maps over (input, position), polynomial activations.

Enters: a ``Network``, a number of inputs, a seed. Leaves: a ``Setting`` with random couplings and first-layer kernels,
and the name of the network for its certificates (THEORY section 10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import gcd

from ntkfeyn.errors import NtkfeynError, bad_request
from ntkfeyn.judge.setting import Setting
from ntkfeyn.model.activations import SEPARATOR
from ntkfeyn.model.ensembles import ENSEMBLES
from ntkfeyn.model.network import Network
from ntkfeyn.model.polynomials import Coefficients, polynomial
from ntkfeyn.verification.certify import NamedNetwork, check_labels, random_setting


def network_setting(
    network: Network,
    inputs: int,
    seed: int,
    *,
    widths: Sequence[int] | None = None,
    couplings: Mapping[str, Fraction] | None = None,
) -> tuple[Setting, NamedNetwork | None]:
    """What ``certify`` takes of a network; no name for a plain fully connected one, whose setting is as without it.

    ``widths``: relative widths, default those of the network. Its couplings are not taken over: they are drawn but for
    ``couplings``. Raises RequestError for an activation that is no polynomial, or ensembles that differ within layers
    2, 3, .., LimitError for too many labels.
    """
    weights = network.weights_text
    if weights not in ENSEMBLES:
        raise bad_request(
            f"weights {weights} of the network", "one law of the layers from 2 up is allowed", "--weights orthogonal"
        )
    if network.shared:
        for number, positions in enumerate(network.positions[1:], start=1):
            check_labels(number, inputs * positions)
    sharing = tuple(layer.sharing.over(inputs).maps if layer.sharing else () for layer in network.layers[1:])
    setting = random_setting(
        seed,
        _polynomials(network),
        inputs * network.positions[1],
        _relative(network.hidden) if widths is None else widths,
        couplings=couplings,
        weights=weights,
        sharing=sharing if any(sharing) else (),
    )
    if not setting.sharing:
        return setting, None
    return setting, NamedNetwork(network.layout(), inputs, network.positions[1:])


def _polynomials(network: Network) -> tuple[Coefficients, ...]:
    """One, or one a hidden layer where they differ."""
    found = []
    for layer, text in enumerate(network.activation_text.split(SEPARATOR), start=1):
        try:
            found.append(polynomial("z" if text == "linear" else text))
        except NtkfeynError as error:
            raise type(error)(f"layer {layer}: {error}") from error
    return tuple(found)


def _relative(hidden: Sequence[int]) -> tuple[int, ...]:
    """Widths in units of their greatest common divisor; none where all are equal."""
    unit = gcd(*hidden)
    return () if len(set(hidden)) <= 1 else tuple(width // unit for width in hidden)
