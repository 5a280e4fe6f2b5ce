"""The Python interface: what a user may call. The command line stands on the same functions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ntkfeyn.derivation.diagrams import full_diagrams
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.homogeneity import check_one_input, diagonal_recursions
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.errors import bad_request
from ntkfeyn.model.cumulants import Cumulant
from ntkfeyn.model.ensembles import GAUSSIAN, check_ensemble, check_shared
from ntkfeyn.model.layers import Conv, Dense, Graph
from ntkfeyn.model.network import Network
from ntkfeyn.model.targets import DEFAULT_EVALUATED, Target, default_targets, resolve
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.training.interface import train
from ntkfeyn.views import Depth, Diagram, Recursion

if TYPE_CHECKING:
    from ntkfeyn.referee.report import Check
    from ntkfeyn.render.latex.appendix import LatexOptions
    from ntkfeyn.sampling.estimation import Sampling
    from ntkfeyn.solve.request import Request
    from ntkfeyn.solve.results import Tensors
    from ntkfeyn.verification.certify import Certificate

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
    "train",
    "verify",
]


Notation = Symbols
Letters = Notation | str | PathLike[str] | None


def _notation(given: Letters) -> Notation:
    """The letters themselves, those of a file or of a notation that is shipped; without any, ours."""
    return given if isinstance(given, Notation) else Notation() if given is None else Notation.read(given)


def _one(name: str | None, legs: str | None, channel: str | None, order: int | None) -> Target:
    found = resolve([name] if name is not None else [], legs, channel, order)
    if len(found) != 1:
        listed = ", ".join(str(target.id) for target in found)
        raise bad_request(f"{len(found)} cumulants were asked for ({listed})", "one at a time", "channel='13.24'")
    return found[0]


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
    """
    symbols = _notation(notation)
    shape, power = _one(name, legs, channel, order)
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
) -> tuple[Diagram, ...]:
    """The diagrams of one tensor; ``full`` draws every choice of an Omega vertex apart.

    ``weights`` and ``notation`` as for ``derive``. Raises NtkfeynError.
    """
    symbols = _notation(notation)
    shape, power = _one(name, legs, channel, order)
    found = enumerate_diagrams(shape, power, weights).diagrams
    return tuple(Diagram(diagram, symbols) for diagram in (full_diagrams(found) if full else found))


def verify(
    name: str | None = None,
    order: int | None = None,
    *,
    legs: str | None = None,
    channel: str | None = None,
    layers: Sequence[int] = (2, 3),
    activation: str | Sequence[str] = "z + z**2/2",
    samples: int = 2,
    widths: Sequence[int] = (),
    seed: int = 1,
    controls: bool = True,
    weights: str = GAUSSIAN,
    network: Network | None = None,
) -> Certificate:
    """Compare a recursion with exact finite-width cumulants; ``.equal`` says whether every coefficient agrees.

    ``activation`` is a polynomial in z, or one a layer (a sequence, or between colons); ``widths`` are relative widths
    of the layers (default: equal). ``weights`` as for ``derive``. Instead of these ``network``, whose layers may share
    weights over positions; its couplings are not taken over, but drawn. Raises NtkfeynError for a bad request.
    """
    from ntkfeyn.model.polynomials import polynomials
    from ntkfeyn.verification.certify import certify, check_samples, random_setting
    from ntkfeyn.verification.networks import network_setting

    check_samples(samples)
    shape, power = _one(name, legs, channel, order)
    if network is not None:
        setting, named = network_setting(network, samples, seed)
        return certify(shape, power, layers, setting, seed, controls=controls, network=named)
    setting = random_setting(seed, polynomials(activation), samples, widths, weights=check_ensemble(weights))
    return certify(shape, power, layers, setting, seed, controls=controls)


def check(
    formula: Any,
    name: str | None = None,
    order: int | None = None,
    *,
    weights: str = GAUSSIAN,
    shared: bool = False,
    notation: Letters = None,
) -> Check:
    """Whether a recursion is right: LaTeX (a text), a SymPy expression in the names of ntkfeyn.symbols, a Recursion.

    ``name`` and ``order`` say what it claims to be where that cannot be read off; ``weights``, ``shared`` and
    ``notation`` as for ``derive``; a Recursion says itself which weights it is for. ``.equal`` is the answer; ``str()``
    and ``.to_json()`` say what is missing, extra or wrong. Raises NtkfeynError for what is not understood.
    """
    from ntkfeyn.referee import report, source, verdict
    from ntkfeyn.referee.formats import check_format, check_sympy

    symbols, target = _notation(notation), None if name is None else _one(name, None, None, order)
    if isinstance(formula, str):
        read = source.text_source(formula)
        found = verdict.check_source(read, symbols, target, weights=check_ensemble(weights), shared=shared)
        return report.Check(tuple(found), read)
    if isinstance(formula, Recursion):
        read, found = check_format(formula.to_json(), "json", target, symbols)
        return report.Check(tuple(found), read)
    if target is None:
        raise bad_request(
            "a SymPy expression was given without a name", "the tensor is needed", 'check(expression, "F")'
        )
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
    """
    from ntkfeyn.asymptotics.answer import answered

    return Depth(answered((names or (), legs, channel, order), activation, settings), _notation(notation))


def evaluate(
    network: Network | Sequence[Network],
    inputs: Any = None,
    names: str | Sequence[str] = DEFAULT_EVALUATED,
    order: int | None = None,
    *,
    gram: Any = None,
    components: str = "all",
    tolerance: float = 1e-8,
    jobs: int = 1,
    scheduler: str | None = None,
) -> Tensors:
    """Tensors at every layer of a network, from the recursions (theory sections 3 to 5).

    ``inputs``: vectors, shape (inputs, n_0); or ``gram``: x.x'/n_0, shape (inputs, inputs). ``names`` as on the command
    line ("K", "Theta@1"). Several networks may differ in their widths alone. ``tolerance`` is relative to the largest
    component of each tensor. ``jobs`` > 1 starts processes: call it from under ``if __name__ == "__main__"``;
    ``scheduler`` is the address of a Dask scheduler that does the work instead. Raises NtkfeynError for a bad request,
    an integral that does not converge or a tensor that does not exist.
    """
    from ntkfeyn.solve.evaluation import evaluate_tensors

    request, targets = _numeric_request(network, inputs, gram, names, order)
    return evaluate_tensors(request._replace(tolerance=tolerance, jobs=jobs, scheduler=scheduler), targets, components)


def sample(
    network: Network | Sequence[Network],
    inputs: Any = None,
    names: str | Sequence[str] = DEFAULT_EVALUATED,
    *,
    gram: Any = None,
    networks: int = 3200,
    seed: int = 1,
    outputs: int = 2,
    target_error: float | None = None,
    backend: str = "numpy",
    jobs: int = 1,
    scheduler: str | None = None,
) -> Tensors:
    """Unbiased estimates from sampled networks, one standard error each; arguments as for ``evaluate``.

    K, Theta, V, D, F, A, B, P, Q, R, S, T, U are n^R times the cumulants at the width n; K@1 and Theta@1 are n (mean -
    K), n (mean - Theta). ``outputs`` neurons show P to U. With ``target_error`` it stops once each tensor's errors at
    the last layer are below that share of its largest component, after at most ``networks``. ``backend`` "numpy" or
    "jax". The numbers depend on the seed alone. Raises NtkfeynError.
    """
    from ntkfeyn.sampling import estimation

    request, targets = _numeric_request(network, inputs, gram, names, None)
    sampling = estimation.Sampling(networks, seed, outputs=outputs, target_error=target_error, backend=backend)
    return sample_request(request._replace(jobs=jobs, scheduler=scheduler), targets, sampling)


def sample_request(request: Request, targets: Sequence[TensorId], sampling: Sampling) -> Tensors:
    """Estimates of a checked request; the means that K@1 and Theta@1 are measured from come from the recursions."""
    from ntkfeyn.sampling.estimation import check_targets, leading_means, sample_tensors
    from ntkfeyn.solve.evaluation import evaluate_tensors

    check_targets(targets)
    means = leading_means(targets)
    leading = evaluate_tensors(request._replace(advance=lambda _: None), means) if means else None
    return sample_tensors(request, targets, sampling, leading)


def _numeric_request(
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
    """
    from ntkfeyn.render.latex.appendix import documented

    symbols = latex.symbols if notation is None and latex is not None else _notation(notation)
    listed = [names] if isinstance(names, str) else list(names or ())
    targets = resolve(listed, legs, channel, order) if listed or legs or channel else default_targets(order)
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
