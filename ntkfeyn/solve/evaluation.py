"""Evaluation: tensors of networks from the derived recursions.

Enters: networks of one depth, inputs or a Gram matrix, targets. Leaves: ``Tensors``. Equal inputs are solved once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.recursion import System, derive_system
from ntkfeyn.errors import bad_request
from ntkfeyn.expectations.activations import functions
from ntkfeyn.expectations.kernels import Kernel
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.network import width_below
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.runtime.version import TOOL
from ntkfeyn.runtime.workers import workers
from ntkfeyn.solve.components import Family, all_tuples, maximal, subsets_up_to
from ntkfeyn.solve.convergence import LayerValues
from ntkfeyn.solve.existence import check_existence
from ntkfeyn.solve.inputs import gram_of
from ntkfeyn.solve.labels import first_gram, first_vectors, labels_of
from ntkfeyn.solve.moments import Component, Moment, Number
from ntkfeyn.solve.plan import make_plan, standard_samples
from ntkfeyn.solve.request import Request, settings_json
from ntkfeyn.solve.results import Setting, Tensors, TensorValues
from ntkfeyn.solve.scaling import scaled_back, scaling
from ntkfeyn.solve.solver import solve
from ntkfeyn.solve.stack import Stack, layered, uniform

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def evaluate_tensors(request: Request, targets: Sequence[TensorId], components: str = "all") -> Tensors:
    """Tensors (name, absolute order) at every layer of each network. Raises NtkfeynError."""
    labels, positions = request.labels, request.networks[0].positions[-1]
    wanted = wanted_components(targets, components, labels, positions)
    settings = evaluate_tuples(request, wanted)
    return Tensors(_meta(request, list(wanted), components), settings)


def evaluate_tuples(request: Request, wanted: dict[TensorId, Ints]) -> tuple[Setting, ...]:
    """The same for given index tuples, samples from 0 by slot of each tensor's representative."""
    request.check()
    networks = request.networks
    if not wanted:
        return tuple(Setting(n.width_text, n.hidden, ({},) * n.depth) for n in networks)
    problem = planned(request, wanted)
    solved: dict[tuple[float, ...], list[LayerValues]] = {}
    settings = []
    power = scaling(networks[0].layers, functions(networks[0]), problem.inputs.matrix)
    some = problem.inputs.rescaled(-power)
    with workers(request.jobs, request.scheduler) as mapped:
        for network in networks:
            ratios = tuple(ratio for layer in range(1, network.depth) for ratio in network.ratios(layer))
            if ratios not in solved:
                with np.errstate(all="ignore"):  # what is not finite is refused with a message
                    solved[ratios] = solve(problem.stack, network, some, request.tolerance, mapped, request.advance)
            layers = tuple(_row(problem, number, layer, power) for number, layer in enumerate(solved[ratios], 1))
            settings.append(Setting(network.width_text, network.hidden, layers))
    return tuple(settings)


class Problem(NamedTuple):
    """``inputs`` of layer 1, what is planned for them, and what is wanted: index tuples over all labels.

    ``place``: for each label of the output the number of the label that stands for it. ``whole``: the layers whose
    tensors are reported: all, or the output alone, where layers have labels of their own. ``positions`` of the output.
    """

    stack: Stack
    inputs: Kernel
    wanted: dict[TensorId, Ints]
    place: Ints
    whole: bool = True
    positions: int = 1


def planned(request: Request, wanted: dict[TensorId, Ints]) -> Problem:
    """All that is done before numbers. Raises NtkfeynError for tensors that do not exist or too many components."""
    network = request.networks[0]
    system = derive_system(wanted, network.ensemble)
    check_existence(system, functions(network))
    return _labelled(request, system, wanted) if network.shared else _sampled(request, system, wanted)


def _sampled(request: Request, system: System, wanted: dict[TensorId, Ints]) -> Problem:
    """Labels are samples at every layer; one plan serves all of its steps."""
    inputs = request.kernel
    place = _distinct(inputs)
    kept = np.unique(place, return_index=True)[1]
    plan = make_plan(system, {target: _family(place[rows]) for target, rows in wanted.items()}, len(kept))
    return Problem(uniform(plan, request.networks[0].depth), inputs.at(kept), wanted, place)


def _labelled(request: Request, system: System, wanted: dict[TensorId, Ints]) -> Problem:
    """Labels are (input, position); each step is planned at what the next one reads."""
    network, sharing = request.networks[0], request.networks[0].layers[0].sharing
    inputs = len(request.gram) // network.positions[0]
    vectors = None if request.inputs is None else first_vectors(sharing, request.inputs, inputs)
    gram = first_gram(sharing, request.gram, inputs) if vectors is None else gram_of(vectors)
    labels = labels_of(network, inputs, gram if vectors is None else vectors, gram)
    place = labels.places[-1]
    stack = layered(system, {target: place[rows] for target, rows in wanted.items()}, labels, request.advance)
    first = request._replace(gram=gram, inputs=vectors).kernel.at(labels.kept)
    return Problem(stack, first, wanted, place, False, network.positions[-1])


def evaluate_moment(request: Request, moment: Moment) -> list[list[list[Number]]]:
    """Coefficients of n^0, n^-1, .. with errors, for each network and layer; n is the width of the layer below."""
    needed = sorted(moment.components())
    if moment.samples > request.labels:
        raise bad_request(
            f"{moment.text} has sample {moment.samples}", f"samples 1 to {request.labels} are allowed", "--inputs"
        )
    wanted: dict[TensorId, Any] = {}
    for tensor, samples in needed:
        wanted.setdefault(tensor, []).append(samples)
    tuples = {tensor: np.array(rows, dtype=np.int64) for tensor, rows in wanted.items()}
    expansions = []
    for setting in evaluate_tuples(request, tuples):
        rows = []
        for _, layer in setting.reported():
            values: dict[Component, Number] = {}
            for tensor, listed in wanted.items():
                found = layer[str(tensor)]
                for samples, value, error in zip(listed, found.values, found.errors, strict=True):
                    values[tensor, samples] = (float(value), float(error))
            rows.append(moment.expansion(values))
        expansions.append(rows)
    return expansions


def moment_json(request: Request, moment: Moment, expansions: list[list[list[Number]]]) -> dict[str, Any]:
    """After the schema ntkfeyn.moments/1: coefficients of n^0, n^-1, .. and their sum at n, the width below."""
    data = {}
    for network, rows in zip(request.networks, expansions, strict=True):
        layers = {}
        for layer, row in enumerate(rows, 1 + network.depth - len(rows)):
            n = width_below(network.hidden, layer)
            layers[f"layer-{layer}"] = {
                "n": n,
                "value": sum(value / n**r for r, (value, _) in enumerate(row)),
                "coefficients": [{"value": value, "error": error} for value, error in row],
            }
        data[f"width-{network.width_text}"] = layers
    meta = {"tool": TOOL, "command": "evaluate", **settings_json(request), "moment": moment.text, "order": moment.order}
    return {"schema": "ntkfeyn.moments/1", "meta": meta, "data": data}


def _meta(request: Request, targets: Sequence[TensorId], components: str) -> dict[str, Any]:
    return {
        "tool": TOOL,
        "command": "evaluate",
        **settings_json(request),
        "tensors": [str(target) for target in targets],
        "components": components,
    }


def _distinct(inputs: Kernel) -> Ints:
    """For each input the number of the input that it equals, counted without repetition."""
    gram = inputs.matrix
    place = np.zeros(len(gram), dtype=np.int64)
    count = 0
    for a in range(len(gram)):
        equal = [b for b in range(a) if (gram[a] == gram[b]).all() and inputs.minus[a, b] == 0]
        place[a] = place[equal[0]] if equal else count
        count += not equal
    return place


def wanted_components(
    targets: Collection[TensorId], components: str, samples: int, positions: int = 1
) -> dict[TensorId, Ints]:
    """Index tuples to report, samples from 0 by slot of the tensor's representative, sorted in index order.

    Samples are labels (input, position), written input:position where there are several positions.

    ``components``: all, pairs (at most two different samples), or a list such as 1-1-2-2,1-2-1-2, which applies to
    tensors with that many indices; tensors with another number get all components over the samples listed together.
    Raises RequestError for a tuple that has the indices of no target, LimitError for too many components.
    """
    names = dict.fromkeys(target.name for target in targets)
    listed: list[tuple[int, ...]] = []
    if components == "all":
        family: Family = frozenset({tuple(range(samples))})
    elif components == "pairs":
        family = subsets_up_to(samples, 2)
    else:
        listed = _listed(components, samples, positions)
        _check_lengths(components, listed, names)
        family = maximal(listed)
    tuples = {name: _tuples(name, listed, family, samples) for name in names}
    return {target: tuples[target.name] for target in targets}


def _tuples(name: str, listed: list[tuple[int, ...]], family: Family, samples: int) -> Ints:
    """Those of a list that have as many indices as the tensor, or else all over a family of sample sets."""
    own = sorted({row for row in listed if len(row) == len(standard(name).labels)})
    if own:
        return np.array([standard_samples(name, row) for row in own], dtype=np.int64)
    return all_tuples(name, family, samples)


def _check_lengths(components: str, listed: list[tuple[int, ...]], names: Collection[str]) -> None:
    """A tuple that is the index of no target is a slip, not a choice of samples."""
    sizes = {name: len(standard(name).labels) for name in names}
    for word, row in zip(components.split(","), listed, strict=True):
        if sizes and len(row) not in sizes.values():
            allowed = ", ".join(f"{name} {size}" for name, size in sizes.items())
            label = word.partition("-")[0]
            raise bad_request(
                f"component {word} was asked for, which has {len(row)} indices",
                f"allowed are as many as a tensor has: {allowed}",
                "--components " + "-".join([label] * next(iter(sizes.values()))),
            )


def _listed(components: str, samples: int, positions: int) -> list[tuple[int, ...]]:
    number = "[0-9]{1,6}" if positions == 1 else "[0-9]{1,6}:[0-9]{1,6}"
    example = "1-1-2-2" if positions == 1 else "1:1-1:2-2:1-2:2"
    rows = []
    for word in components.split(","):
        if not re.fullmatch(rf"{number}(-{number})*", word, re.ASCII):
            raise bad_request(
                f"components '{components[:60]}' were asked for",
                f"all, pairs, or index tuples such as {example} separated by commas are allowed",
                "--components pairs",
            )
        places = [[int(one) - 1 for one in label.split(":")] for label in word.split("-")]
        row = tuple(place[0] * positions + place[-1] * (positions > 1) for place in places)
        inside = all(0 <= a < samples for a in row) and all(0 <= p[-1] < positions for p in places if positions > 1)
        if not inside:
            labels = f"samples 1 to {samples // positions}" + f" and positions 1 to {positions}" * (positions > 1)
            raise bad_request(f"component {word} was asked for", f"{labels} are allowed", "--components all")
        rows.append(row)
    return rows


def _family(tuples: Ints) -> Family:
    """The sample sets that occur in index tuples, none inside another."""
    ordered = np.unique(np.sort(tuples, axis=1), axis=0)
    return maximal(tuple(dict.fromkeys(row)) for row in ordered.tolist())


def _row(problem: Problem, number: int, layer: LayerValues, power: int) -> dict[str, TensorValues]:
    found: dict[str, TensorValues] = {}
    steps = problem.stack.steps
    if not problem.whole and number <= len(steps):
        return found
    of = problem.stack.last
    for tensor, tuples in problem.wanted.items():
        numbers = of[tensor].find(problem.place[tuples])
        index = tuples[:, list(standard(tensor.name).index)] + 1
        values, errors = scaled_back(tensor, layer.values[tensor][numbers], layer.errors[tensor][numbers], power)
        found[str(tensor)] = TensorValues(index, values, errors, problem.positions)
    return found
