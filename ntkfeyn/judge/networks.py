"""The judge of a network: Gaussian weights, orthogonal ones, or weights shared over labels (THEORY section 6).

Enters: a ``Setting``. Leaves: the network whose moments are exact for it.
"""

from __future__ import annotations

from ntkfeyn.judge.exact import ExactNetwork
from ntkfeyn.judge.orthogonal import OrthogonalNetwork
from ntkfeyn.judge.setting import Setting
from ntkfeyn.judge.shared import SharedNetwork


def exact_network(setting: Setting, order: int) -> ExactNetwork:
    """The judge of a setting, after its weights."""
    if setting.sharing:
        return SharedNetwork(setting, order)
    return (OrthogonalNetwork if setting.weights == "orthogonal" else ExactNetwork)(setting, order)
