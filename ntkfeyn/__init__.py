"""ntkfeyn: finite-width (1/n) corrections of neural tangent kernels, derived from Feynman diagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ntkfeyn.runtime.version import __version__ as __version__

if TYPE_CHECKING:
    from ntkfeyn.api import Cumulant, Diagram, Network, Recursion, derive, diagrams, emit, evaluate, sample, verify
    from ntkfeyn.errors import NtkfeynError

__all__ = [
    "Cumulant",
    "Diagram",
    "Network",
    "NtkfeynError",
    "Recursion",
    "derive",
    "diagrams",
    "emit",
    "evaluate",
    "sample",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Public names are imported on first use: start-up counts."""
    if name == "NtkfeynError":
        from ntkfeyn.errors import NtkfeynError

        return NtkfeynError
    if name in __all__:
        from ntkfeyn import api

        return getattr(api, name)
    raise AttributeError(f"module 'ntkfeyn' has no attribute '{name}'")
