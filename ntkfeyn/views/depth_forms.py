"""What ``depth`` returns: forms in the number of layers, as table, LaTeX and JSON (theory section 11).

Enters: ``DepthForms``. Leaves: ``Depth``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntkfeyn.errors import bad_request
from ntkfeyn.model.targets import resolve
from ntkfeyn.render.json import to_text
from ntkfeyn.render.records import Formats, Record
from ntkfeyn.render.symbols import Symbols

if TYPE_CHECKING:
    from ntkfeyn.asymptotics.answer import DepthForms as DepthRecord
    from ntkfeyn.asymptotics.forms import Form


@dataclass(frozen=True, repr=False)
class Depth(Record):
    """How tensors depend on the depth, at one input: ``forms`` by NAME@R, ``symbols`` the letters of formulas.

    ``str()`` is the table of `ntkfeyn depth`.

    >>> import ntkfeyn as nf
    >>> print(nf.depth(["V", "F"], activation="relu"))
    relu, one input: C_W = 2, C_b = 0, λ_W = 1, λ_b = 0, equal widths
    q = x·x/n_0; exact at every layer ℓ
    <BLANKLINE>
      V  20 q^2 (ℓ - 1)
      F  2 q^2 ℓ (ℓ - 1)
    <BLANKLINE>
    """

    record: DepthRecord
    symbols: Symbols = field(default_factory=Symbols, repr=False)

    @property
    def forms(self) -> Mapping[str, Form]:
        """``Exact`` or ``Asymptotic`` records of ntkfeyn.asymptotics.forms."""
        return self.record.forms

    def at(self, name: str, layer: int, **letters: float) -> float:
        """The value of a tensor, as "F" or "F@1", at a layer: of an exact form, or of the terms of a series.

        ``letters`` are the values of letters that were left open: q = x.x'/n_0 (default 1), a, chi, .. Raises
        RequestError for a tensor that was not asked for, or a letter without a value.
        """
        [target] = resolve([name])
        if str(target.id) not in self.forms:
            raise bad_request(f"'{name}' at a layer", f"allowed are {', '.join(self.forms)}", next(iter(self.forms)))
        return self.forms[str(target.id)].at(layer, {"q": 1.0, **letters})

    def latex(self) -> str:
        """An align* environment."""
        from ntkfeyn.asymptotics.writing import depth_latex

        return depth_latex(self.record, self.symbols)

    def to_json(self) -> str:
        """After the schema ntkfeyn.depth/1."""
        from ntkfeyn.asymptotics.writing import depth_json

        return to_text(depth_json(self.record, self.symbols))

    def formats(self) -> Formats:
        return {".json": self.to_json, ".tex": self.latex, ".txt": self.__str__}

    def __repr__(self) -> str:
        return f"<Depth {', '.join(self.forms)}: {self.record.request.activation}>"

    def __str__(self) -> str:
        from ntkfeyn.asymptotics.writing import depth_text

        return depth_text(self.record, self.symbols)

    def _repr_latex_(self) -> str:
        return self.latex()
