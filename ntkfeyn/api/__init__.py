"""The Python interface: what a user may call. The command line stands on the same functions."""

from ntkfeyn.api.asking import Notation
from ntkfeyn.api.emission import emit, emit_targets
from ntkfeyn.api.numeric import evaluate, sample, sample_request
from ntkfeyn.api.symbolic import check, depth, derive, diagrams, verify
from ntkfeyn.model.cumulants import Cumulant
from ntkfeyn.model.layers import Conv, Dense, Graph
from ntkfeyn.model.network import Network
from ntkfeyn.training.interface import train
from ntkfeyn.views import Depth, Diagram, Recursion

__all__ = [
    "Conv",
    "Cumulant",
    "Dense",
    "Depth",
    "Diagram",
    "Graph",
    "Network",
    "Notation",
    "Recursion",
    "check",
    "depth",
    "derive",
    "diagrams",
    "emit",
    "emit_targets",
    "evaluate",
    "sample",
    "sample_request",
    "train",
    "verify",
]
