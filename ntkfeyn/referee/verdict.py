"""Verdicts: a document's recursions, each judged twice and independently, and what to change.

Enters: a source, letters. Leaves: ``Verdict`` records. Semantically: exact values at random points (points).
Formally: canonical terms (canonical, matching), which name what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Protocol

from ntkfeyn.derivation.expansion import check_written, expand, written_terms
from ntkfeyn.derivation.recursion import Recursion, derive_recursion
from ntkfeyn.derivation.reduction import split_omega
from ntkfeyn.derivation.rules import TAU
from ntkfeyn.derivation.terms import Factor, Group, ProductTerm
from ntkfeyn.errors import LimitError, bad_request
from ntkfeyn.model.ensembles import GAUSSIAN, check_shared
from ntkfeyn.model.targets import Target
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.referee import expressions as e
from ntkfeyn.referee import semantics
from ntkfeyn.referee.averaging import Fault, averages, without_operators
from ntkfeyn.referee.canonical import Canonical, derived
from ntkfeyn.referee.claims import Claim
from ntkfeyn.referee.evaluation import Evaluator
from ntkfeyn.referee.letters import Vocabulary, vocabulary
from ntkfeyn.referee.matching import Edit, Unit, edits
from ntkfeyn.referee.parser import Parser, Term
from ntkfeyn.referee.points import Point
from ntkfeyn.referee.scaling import Scaling, scaled, total
from ntkfeyn.referee.semantics import SEED, at_points, conditions, first_point
from ntkfeyn.referee.source import Source
from ntkfeyn.referee.survey import Survey, read_claims
from ntkfeyn.render.symbols import DEFAULT, Symbols

PARAMETERS = ("lambda_W", "C_W")  # that some parametrisations set to 1
MAX_DERIVATIVES = 40
MAX_RECURSIONS = 1000  # of a document
MAX_ORDER, MAX_WRITTEN = 4, 30_000


class Follow(Protocol):
    """Who is told how far the work is."""

    def read(self, survey: Survey, source: Source) -> None: ...
    def judged(self, done: int, total: int) -> None: ...


class Form(Enum):
    """In what a recursion is written: terms are shown and corrected in the same."""

    LATEX = "tex"
    JSON = "json"  # lines of a file
    PYTHON = "sympy"  # code in a file
    SYMPY = "expression"  # without a file


@dataclass(frozen=True)
class Verdict:
    """On one recursion. ``under``: conditions under which it is right; ``scaling``: a factor of the whole tensor.

    Of shared weights ``terms`` stand without their averaging operators, ``faults`` are what is wrong with those.
    """

    claim: Claim
    recursion: Recursion
    terms: tuple[Term, ...]
    equal: bool
    edits: tuple[Edit, ...] = ()
    under: tuple[str, ...] = ()
    scaling: Scaling | None = None
    values: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    words: Vocabulary | None = None
    form: Form = Form.LATEX
    faults: tuple[Fault, ...] = ()
    assumed: tuple[str, ...] = ()  # how the edits were found, where the author has no letter for a coupling


def check_source(
    source: Source,
    symbols: Symbols = DEFAULT,
    target: Target | None = None,
    follow: Follow | None = None,
    weights: str = GAUSSIAN,
    shared: bool = False,
) -> list[Verdict]:
    """Every recursion of a document. Raises NtkfeynError for what is not understood, or if there is none.

    ``follow`` is told what was read, and how far the judging is; ``weights`` is the ensemble that they are for,
    ``shared`` over labels or not.
    """
    words = vocabulary(symbols, [target.shape.name] if target and target.shape.name not in NAMES else ())
    survey = read_claims(source, words, target)
    if follow:
        follow.read(survey, source)
    if len(survey.claims) > MAX_RECURSIONS:
        place = source.place(survey.claims[MAX_RECURSIONS].equation.offset)
        raise LimitError(f"{place}: the document has {len(survey.claims)} recursions", f"{MAX_RECURSIONS} are the most")
    if not survey.claims:
        wanted = f" of {target.id}" if target else ""
        raise bad_request(
            f"no recursion{wanted} was found{survey.nearest(source)}",
            "a tensor such as F^{(\\ell+1)}_{1324} on the left and means in brackets on the right are read",
            "a TARGET such as F, or --notation FILE for other letters",
        )
    found = []
    for said in survey.claims:
        found.append(judge(said._replace(weights=weights, shared=check_shared(shared, weights)), words, source))
        if follow:
            follow.judged(len(found), len(survey.claims))
    return found


def judge(said: Claim, words: Vocabulary, source: Source) -> Verdict:
    """The verdict on one recursion."""
    place = str(source.place(said.equation.offset))
    try:
        if said.order > MAX_ORDER:
            raise LimitError(f"a recursion of order {said.order}", f"orders up to {MAX_ORDER} are judged")
        recursion = derive_recursion(said.shape, said.order, weights=said.weights)
        if (count := written_terms(recursion.terms)) > MAX_WRITTEN:
            raise LimitError(f"a recursion that has {count} terms after Leibniz", f"at most {MAX_WRITTEN} are judged")
        others = [tensor.name for tensor in recursion.dependencies if tensor.name not in NAMES]
        known = vocabulary(words.symbols, [*others, *(n for n in words.tensors.values() if n not in NAMES)])
        terms = tuple(Parser(said.equation.right, known, source, said.labels, said.layer).terms())
        return judge_terms(said, terms, known, place)
    except LimitError as error:
        raise LimitError(f"{place}: {error}") from error


def judge_terms(
    said: Claim, terms: Sequence[Term], words: Vocabulary, place: str = "", form: Form = Form.LATEX
) -> Verdict:
    """The verdict on terms that are read; outside of LaTeX each is one product after Leibniz. Raises NtkfeynError."""
    recursion = derive_recursion(said.shape, said.order, weights=said.weights, shared=said.shared)
    check_written(recursion.terms)
    faults: tuple[Fault, ...] = ()
    if said.shared and form is not Form.JSON:  # which says it of all terms together
        terms, faults = without_operators(said, terms)
    elif any(averages(term.node) for term in terms):
        where = f"{place}: " if place else ""
        raise bad_request(
            f"{where}an averaging operator stands here", "it is read for shared weights alone", "--shared"
        )
    highest = max((_derivatives(term.node) for term in terms), default=0)
    if highest > MAX_DERIVATIVES:
        where = f"{place}: " if place else ""
        raise bad_request(f"{where}derivatives of order {highest}", f"at most {MAX_DERIVATIVES} are read")
    terms = tuple(terms)
    top = max((order for term in recursion.expanded for mean in term.expectations for _, order in mean), default=0)
    size, highest = len(said.samples), max(highest, top)
    values = at_points(said, terms, recursion, highest)
    equal = all(written == right for written, right in values)
    shown = next((pair for pair in values if pair[0] != pair[1]), values[0])
    if equal:
        return Verdict(said, recursion, terms, not faults, values=shown, words=words, form=form, faults=faults)
    point, expanded = Point(SEED, size, highest), form is not Form.LATEX and not any(_differs(t.node) for t in terms)
    listed: list[Edit] = []
    scaling: Scaling | None = None
    assumed: tuple[str, ...] = ()
    with suppress(LimitError):  # a formula too long to be written out: what is wrong there is not named
        listed, scaling = _formally(said, terms, recursion, point, expanded=expanded)
        parameters = PARAMETERS if said.weights == GAUSSIAN else (*PARAMETERS, TAU)
        unused = tuple(name for name in parameters if not any(mentions(term.node, name) for term in terms))
        if listed and unused and len(terms) > 1:
            fewer, other = _formally(said, terms, recursion, point, unused, expanded)
            if fewer and _weight(fewer) < _weight(listed):
                listed, scaling, assumed = fewer, other, tuple(f"{name} = 1" for name in unused)
                ones = dict.fromkeys(unused, Fraction(1))
                shown = semantics.values(said, terms, recursion, first_point(size, highest, ones))
    under = conditions(said, terms, recursion)
    return Verdict(said, recursion, terms, False, tuple(listed), under, scaling, shown, words, form, faults, assumed)


def _weight(listed: Sequence[Edit]) -> tuple[int, int]:
    """How much there is to change, and how much of it in couplings."""
    return len(listed), sum(edit.kind == "couplings" for edit in listed)


def _derivatives(node: e.Node) -> int:
    """The highest order of a derivative of an activation that could stand in a node."""
    if isinstance(node, e.Activation):
        return node.order
    own = len(node.labels) if isinstance(node, e.Derivative) else 0
    return own + max(map(_derivatives, e.children(node)), default=0) + (1 if isinstance(node, e.Omega) else 0)


def _after_leibniz(recursion: Recursion) -> tuple[ProductTerm, ...]:
    """Our terms one product each."""
    return tuple(
        ProductTerm(
            term.coefficient,
            term.couplings,
            term.tensors,
            tuple(Group(tuple(Factor(*factor) for factor in mean), (), ()) for mean in term.expectations),
            term.diagrams,
        )
        for term in recursion.expanded
    )


def _formally(
    said: Claim,
    terms: Sequence[Term],
    recursion: Recursion,
    point: Point,
    ones: tuple[str, ...] = (),
    expanded: bool = False,
) -> tuple[list[Edit], Scaling | None]:
    """The edits, and the factor of the whole tensor if that is all that differs.

    Where several edits seem to be needed, our terms are taken coarser (those of one diagram together, as the author may
    write a covariance) and finer (one product each); the fewest edits count.
    """
    ring = Canonical(point, ones)
    evaluator = Evaluator(ring, said.samples)
    inverse = ring.reciprocal(evaluator.value(said.scale))
    written = [
        ring.multiply(inverse, ring.multiply(ring.number(Fraction(t.sign)), evaluator.value(t.node))) for t in terms
    ]

    def unit(*members: ProductTerm) -> Unit:
        return Unit(members, derived(expand(members)[0], said.by_slot, point, ones))

    names = [_tensors(term.node) for term in terms]

    def levels() -> Iterator[list[tuple[Unit, ...]]]:
        """Each unit of ours, with its halves where an Omega is written out."""
        if not expanded:
            yield [(unit(term), *map(unit, split_omega(term))) for term in recursion.terms]
            yield [(unit(*members),) for members in _by_diagrams(recursion.terms)]
        yield [(unit(term),) for term in _after_leibniz(recursion)]

    best: list[Edit] | None = None
    scaling: Scaling | None = None
    for units in levels():
        if best is None:
            scaling = scaled(total(written), total([first.sum for first, *_ in units]), recursion)
            if scaling and not scaling.tensors and len(units) > 1:
                return [], scaling
        found = edits(written, [first for first, *_ in units], [tuple(halves) for _, *halves in units], names)
        best = found if best is None or _weight(found) < _weight(best) else best
        if len(best) <= 1:
            break
    if scaling and scaling.tensors and len(best or ()) > 1:
        return [], scaling
    return best or [], scaling  # of one edit nobody can say which of both it is


def _by_diagrams(terms: Sequence[ProductTerm]) -> list[list[ProductTerm]]:
    found: dict[tuple[str, ...], list[ProductTerm]] = {}
    for term in terms:
        found.setdefault(term.diagrams, []).append(term)
    return list(found.values())


def _tensors(node: e.Node) -> tuple[str, ...]:
    """The names of the tensors that stand in a node, sorted."""
    own = (node.name,) if isinstance(node, e.Tensor) else ()
    return tuple(sorted({*own, *(name for child in e.children(node) for name in _tensors(child))}))


def _differs(node: e.Node) -> bool:
    """Whether a derivative or an Omega stands there: terms before Leibniz."""
    return isinstance(node, e.Derivative | e.Omega | e.Fluctuation) or any(map(_differs, e.children(node)))


def mentions(node: e.Node, coupling: str) -> bool:
    """Whether a coupling stands in a node; Omega has C_W and lambda_W."""
    if isinstance(node, e.Omega | e.Coupling):
        return isinstance(node, e.Omega) or node.name == coupling
    return any(mentions(child, coupling) for child in e.children(node))
