"""The Python interface: what a user may call. The command line stands on the same functions."""

from ntkfeyn.api.asking import Solving
from ntkfeyn.api.emission import emit, emit_targets
from ntkfeyn.api.numeric import compare, critical, evaluate, sample, sample_request, train
from ntkfeyn.api.symbolic import check, depth, derive, diagrams, explain, verify
from ntkfeyn.model.cumulants import Cumulant
from ntkfeyn.model.layers import Conv, Dense, Graph
from ntkfeyn.model.network import Network
from ntkfeyn.render.symbols import Notation
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
    "Solving",
    "check",
    "compare",
    "critical",
    "depth",
    "derive",
    "diagrams",
    "emit",
    "emit_targets",
    "evaluate",
    "explain",
    "sample",
    "sample_request",
    "train",
    "verify",
]
