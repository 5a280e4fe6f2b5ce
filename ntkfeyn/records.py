"""What the functions of `ntkfeyn` return, and what these records are made of; nobody needs to make one.

A notebook shows them; `str()` is the text that the command line prints, `to_json()` follows the JSON Schemas in
`ntkfeyn/schemas`, `save()` writes files, and where there are numbers `figure()` draws them.

    >>> import ntkfeyn as nf
    >>> found = nf.evaluate(nf.Network(3, 8, "relu", cw=2), [[1.0, 0.5]], "V")
    >>> isinstance(found, nf.records.Tensors)
    True
    >>> print(found)
    width 8, relu, layers 1 .. 3
    <BLANKLINE>
    V@1              error at most 7.5e-14 at the last layer
      1-1-1-1                    0         7.8125         15.625
    <BLANKLINE>
"""

from ntkfeyn import Cumulant, Depth, Diagram, NtkfeynError, Recursion, Sampling
from ntkfeyn.errors import LimitError, RequestError
from ntkfeyn.model.layers import LayerSpec
from ntkfeyn.referee.report import Check
from ntkfeyn.render.latex.appendix import LatexOptions
from ntkfeyn.render.records import Record
from ntkfeyn.sampling.chi_square import ChiSquare
from ntkfeyn.sampling.comparison import Compared, ComparedSetting, Comparison, HigherOrder
from ntkfeyn.solve.results import Setting, Tensors, TensorValues
from ntkfeyn.training.results import Pulls, Trained, TrainedSetting
from ntkfeyn.verification.certify import Certificate
from ntkfeyn.views import Diagrams, Explained, Picture
from ntkfeyn.views.critical import Critical
from ntkfeyn.views.numeric import ShownComparison, ShownTensors, ShownTraining
from ntkfeyn.views.verdicts import ShownCertificate

__all__ = [  # noqa: RUF022 - in the order of the reference, what a record is made of after it
    "Recursion", "Diagrams", "Diagram", "Picture", "Cumulant", "Explained", "Check", "ShownCertificate", "Certificate",
    "Depth", "Critical", "ShownTensors", "Tensors", "Setting", "TensorValues", "ShownComparison", "Comparison",
    "ComparedSetting", "Compared", "ChiSquare", "HigherOrder", "ShownTraining", "Trained", "TrainedSetting", "Pulls",
    "Record", "Sampling", "LayerSpec", "LatexOptions", "NtkfeynError", "RequestError", "LimitError",
]  # fmt: skip
