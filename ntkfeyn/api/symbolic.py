"""Calls that end in formulas and verdicts: recursions, diagrams, depth, certificates.

Enters: tensors by name, or legs and a channel. Leaves: views, certificates, checks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from ntkfeyn.api.asking import Letters, notation_of, one_target
from ntkfeyn.derivation.diagrams import full_diagrams
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.homogeneity import check_one_input, diagonal_recursions
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.model.ensembles import GAUSSIAN, check_ensemble
from ntkfeyn.model.network import Network
from ntkfeyn.model.targets import one_labelled
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.views import Depth, Diagram, Diagrams, Explained, Recursion, explanation

if TYPE_CHECKING:
    from ntkfeyn.referee.report import Check
    from ntkfeyn.views.verdicts import ShownCertificate


def derive(
    name: str | None = None,
    order: int | None = None,
    *,
    legs: str | None = None,
    channel: str | None = None,
    without: Collection[str] = (),
    homogeneous: bool = False,
    weights: str = GAUSSIAN,
    shared: bool = False,
    notation: Letters = None,
) -> Recursion:
    """The recursion of one tensor, as derive("F", order=1) or derive(legs="z1 z2 NTK34", channel="13.24").

    ``order`` is the absolute power of 1/n (default: the leading one); ``without`` switches off named rewrites;
    ``homogeneous`` gives the recursion at one input for z s'(z) = s(z), as ReLU has it, and its record says what
    vanishes; ``weights`` are "gaussian" or "orthogonal", those of layer l+1; ``shared``: they are shared over labels,
    as in convolutions, pooling and graphs (theory section 10); ``notation`` are the letters of formulas and pictures:
    a file, "paper", "pdlt" or a ``Notation``. Raises NtkfeynError for a bad request.

    >>> import ntkfeyn as nf
    >>> F = nf.derive("F")
    >>> F
    <Recursion F@1: 2 product terms>
    >>> F.diagrams
    <2 diagrams: F:1:1, F:1:2>
    >>> nf.derive("K", order=0).sympy().subs(nf.symbols.C_W, 2)
    C_b + 2*<s_1 s_2>
    """
    symbols = notation_of(notation)
    shape, power = one_target(name, legs, channel, order)
    skipped = [without] if isinstance(without, str) else without
    if homogeneous:
        check_one_input(shared)
        return Recursion(diagonal_recursions([TensorId(shape.name, power)], skipped, weights)[0], symbols)
    return Recursion(derive_recursion(shape, power, skipped, weights, shared), symbols)


def diagrams(
    name: str | None = None,
    order: int | None = None,
    *,
    legs: str | None = None,
    channel: str | None = None,
    full: bool = False,
    weights: str = GAUSSIAN,
    notation: Letters = None,
) -> Diagrams:
    """The diagrams of one tensor; ``full`` draws every choice of an Omega vertex apart.

    ``weights`` and ``notation`` as for ``derive``. Returns a tuple, `ntkfeyn.records.Diagrams`, which a notebook
    shows as pictures. Raises NtkfeynError.

    >>> import ntkfeyn as nf
    >>> nf.diagrams("T")[0]
    <Diagram T:1:1, weight 1>
    >>> len(nf.diagrams("V", order=2))
    10
    """
    symbols = notation_of(notation)
    shape, power = one_target(name, legs, channel, order)
    found = enumerate_diagrams(shape, power, weights).diagrams
    return Diagrams(Diagram(diagram, symbols) for diagram in (full_diagrams(found) if full else found))


def explain(
    diagram: str | Diagram, *, legs: str | None = None, channel: str | None = None, notation: Letters = None
) -> Explained:
    """How a diagram becomes its term, step by step, and why its factor is what it is (theory sections 3 to 5).

    ``diagram``: an id, cumulant : order : number, of any artefact, or a Diagram. ``legs`` and ``channel``, as given
    to ``derive``: an id is explained in these labels. Returns `ntkfeyn.records.Explained`. Raises NtkfeynError.

    >>> import ntkfeyn as nf
    >>> nf.explain("V:1:2")
    <Explanation of V:1:2, weight 1/4>
    """
    from ntkfeyn.derivation.identifiers import find_diagram

    if isinstance(diagram, Diagram):
        return Explained(explanation(diagram.record, diagram.symbols if notation is None else notation_of(notation)))
    labelled = None if legs is None and channel is None else one_labelled(legs, channel)
    return Explained(explanation(find_diagram(diagram, labelled), notation_of(notation)))


def verify(
    name: str | None = None,
    order: int | None = None,
    *,
    legs: str | None = None,
    channel: str | None = None,
    layers: Sequence[int] = (2, 3),
    activation: str | Sequence[str] | None = None,
    samples: int = 2,
    widths: Sequence[int] = (),
    seed: int = 1,
    controls: bool = True,
    weights: str = GAUSSIAN,
    network: Network | None = None,
) -> ShownCertificate:
    """Compare a recursion with exact finite-width cumulants; ``.equal`` says whether every coefficient agrees.

    ``activation`` is a polynomial in z, or one a layer (a sequence, or between colons); default: of the lowest degree
    at which no diagram is zero, see ``ntkfeyn verify --help``. ``widths`` are relative widths of the layers (default:
    equal). ``weights`` as for ``derive``. Instead of these ``network``, whose layers may share weights over positions;
    its couplings are not taken over, but drawn. Returns `ntkfeyn.records.ShownCertificate`. Raises NtkfeynError for a
    bad request.

    >>> import ntkfeyn as nf
    >>> nf.verify("F", layers=(2,), controls=False)
    <Certificate F@1: equal>
    """
    from ntkfeyn.model.polynomials import DEFAULT, polynomials
    from ntkfeyn.verification.certify import certify, check_samples, random_setting
    from ntkfeyn.verification.defaults import with_defaults
    from ntkfeyn.verification.networks import network_setting
    from ntkfeyn.verification.per_layer import check_surplus
    from ntkfeyn.views.verdicts import ShownCertificate

    check_samples(samples)
    shape, power = one_target(name, legs, channel, order)
    if network is not None:
        setting, named = network_setting(network, samples, seed)
        return ShownCertificate.of(certify(shape, power, layers, setting, seed, controls=controls, network=named))
    given = polynomials(DEFAULT if activation is None else activation)
    setting = random_setting(seed, given, samples, widths, weights=check_ensemble(weights))
    check_surplus(max(layers, default=1), setting)
    if activation is None:
        setting = with_defaults(setting, shape, power, layers)
    return ShownCertificate.of(certify(shape, power, layers, setting, seed, controls=controls))


def check(
    formula: Any,
    name: str | None = None,
    order: int | None = None,
    *,
    weights: str = GAUSSIAN,
    shared: bool = False,
    notation: Letters = None,
) -> Check:
    """Whether a recursion is right: LaTeX (a text), SymPy in the names of ntkfeyn.symbols, a Recursion.

    ``name`` and ``order`` say what it claims to be where that cannot be read off; ``weights``, ``shared`` and
    ``notation`` as for ``derive``; a Recursion says itself which weights it is for. Returns `ntkfeyn.records.Check`,
    whose ``.equal`` is the answer; ``str()`` and ``.to_json()`` say what is missing, extra or wrong. Raises
    NtkfeynError for what is not understood.

    >>> import ntkfeyn as nf
    >>> nf.check(nf.derive("F").latex())
    <Check: F@1 right>
    >>> nf.check(nf.derive("F").equation())
    <Check: F@1 right>
    """
    from ntkfeyn.referee import report, source, verdict
    from ntkfeyn.referee.formats import check_format, check_sympy

    symbols, target = notation_of(notation), None if name is None else one_target(name, None, None, order)
    if isinstance(formula, str):
        read = source.text_source(formula)
        found = verdict.check_source(read, symbols, target, weights=check_ensemble(weights), shared=shared)
        return report.Check(tuple(found), read)
    if isinstance(formula, Recursion):
        read, found = check_format(formula.to_json(), "json", target, symbols)
        return report.Check(tuple(found), read)
    return report.Check(
        (check_sympy(formula, target, symbols, check_ensemble(weights), shared),), source.text_source("")
    )


def depth(
    names: str | Sequence[str] | None = None,
    order: int | None = None,
    *,
    activation: str,
    legs: str | None = None,
    channel: str | None = None,
    notation: Letters = None,
    **settings: Any,
) -> Depth:
    """How tensors depend on the number of layers, at one input; ``settings`` are the other options of `ntkfeyn depth`.

    Without names: those of ``emit`` that exist. Raises NtkfeynError for what has no answer.

    >>> import ntkfeyn as nf
    >>> found = nf.depth("V", activation="relu")
    >>> found
    <Depth V@1: relu>
    >>> found.at("V", layer=3, q=0.625)  # q is x.x'/n_0
    15.625
    """
    from ntkfeyn.asymptotics.answer import answered

    return Depth(answered((names or (), legs, channel, order), activation, settings), notation_of(notation))
