"""Calls that write files: appendices and programs.

Enters: tensors and a language. Leaves: the paths written, the one to open first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ntkfeyn.api.asking import Letters, notation_of
from ntkfeyn.model.ensembles import GAUSSIAN, check_ensemble, check_shared
from ntkfeyn.model.network import Network
from ntkfeyn.model.targets import Target, default_targets, resolve
from ntkfeyn.render.symbols import Symbols

if TYPE_CHECKING:
    from ntkfeyn.render.latex.appendix import LatexOptions


def emit(
    names: str | Sequence[str] | None = None,
    order: int | None = None,
    *,
    lang: str,
    directory: str | Path = "outputs",
    legs: str | None = None,
    channel: str | None = None,
    latex: LatexOptions | None = None,
    cse: bool = True,
    weights: str = GAUSSIAN,
    shared: bool = False,
    network: Network | None = None,
    notation: Letters = None,
    **document: Any,
) -> tuple[Path, ...]:
    """Write recursions to files, ``lang`` one of `ntkfeyn emit --lang`; returns the paths, the one to open first.

    Without names: every named tensor at its leading order, and K^{1}, Theta^{1}. Code holds the whole system: every
    tensor that the targets need; without ``cse`` it shares no tables and no partial sums. ``weights``, ``shared`` (not
    in C) and ``notation`` (the letters of formulas, pictures and comments) as for ``derive``. With a ``network`` Python
    and JAX are for it alone, whose layers they hold. ``document`` are fields of ``LatexOptions`` by name: closure=True,
    name="appendix", style="compact", title=.., authors=[..], pdf=True, depth=True (HTML has closure, name and title).
    Raises NtkfeynError.

    >>> import ntkfeyn as nf
    >>> [str(path) for path in nf.emit("F", lang="python", directory="code")]
    ['code/F_1.py']
    """
    from ntkfeyn.render.latex.appendix import documented

    symbols = latex.symbols if notation is None and latex is not None else notation_of(notation)
    listed = [names] if isinstance(names, str) else list(names or ())
    asked_for = listed or legs is not None or channel is not None
    targets = resolve(listed, legs, channel, order) if asked_for else default_targets(order)
    options = documented(lang, latex, document)
    check_ensemble(weights)
    asked: dict[str, Any] = {"cse": cse, "shared": shared, "network": network}
    return emit_targets(targets, lang, Path(directory), options, symbols=symbols, weights=weights, **asked)


def emit_targets(
    targets: Sequence[Target],
    lang: str,
    directory: Path,
    latex: LatexOptions | None = None,
    *,
    cse: bool = True,
    symbols: Symbols | None = None,
    weights: str = GAUSSIAN,
    shared: bool = False,
    network: Network | None = None,
) -> tuple[Path, ...]:
    """``emit`` for resolved targets; the file to open comes first."""
    from ntkfeyn.asymptotics.appendix import with_depth
    from ntkfeyn.codegen.backends import Emission, backend, check_language
    from ntkfeyn.runtime.files import write_below

    latex = with_depth(latex, lang, [one.id for one in targets], symbols, weights, shared or network is not None)
    row = backend(lang)
    shared = check_shared(shared or network is not None, weights)
    asked = Emission(targets, cse, latex, symbols, weights, shared, network)
    check_language(row, asked)
    return write_below(directory, row.files(asked))
