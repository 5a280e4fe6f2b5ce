"""Orthogonal weights: cumulants of an orthogonal matrix, diagrams with weight blocks, recursions, pictures, solvers."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from oracles.pictures import crossings, faults

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.derivation.diagrams import full_diagrams
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.homogeneity import diagonal_recursions
from ntkfeyn.derivation.identifiers import find_diagram
from ntkfeyn.derivation.recursion import Recursion, derive_recursion
from ntkfeyn.derivation.terms import Powers
from ntkfeyn.derivation.weingarten import joint_cumulant, leading_power, loops_of, moment
from ntkfeyn.model.combinatorics import perfect_matchings
from ntkfeyn.model.cumulants import canonical_labels, standard
from ntkfeyn.model.tensors import NAMES, TensorId
from ntkfeyn.render.drawing.layout import layout
from ntkfeyn.render.explain.explanation import explain_diagram
from ntkfeyn.render.explain.steps import explanation_json
from ntkfeyn.render.json import diagrams_json, recursion_json
from ntkfeyn.render.symbols import Symbols

SCHEMAS = Path(nf.__file__).parent / "schemas"
ORDER_ONE = [(name, 1) for name in NAMES]


def orthogonal(name: str, order: int) -> Recursion:
    return derive_recursion(standard(name), order, weights="orthogonal")


# --- cumulants of an orthogonal matrix ---


def polynomial(*roots: int) -> list[int]:
    """The coefficients of 1, 1/N, .. of prod (1 + root/N)."""
    found = [1]
    for root in roots:
        found = [a + root * b for a, b in zip([*found, 0], [0, *found], strict=True)]
    return found


@pytest.mark.parametrize(
    ("loops", "numerator", "roots"),
    [  # numerator over N^.. times prod (1 + root/N), from tables of the orthogonal Weingarten function
        ((1,), {1: 1}, ()),
        ((2,), {3: -1}, (-1, 2)),
        ((1, 1), {2: 1, 3: 1}, (-1, 2)),
        ((3,), {5: 2}, (-1, -2, 2, 4)),
        ((1, 2), {4: -1, 5: -2}, (-1, -2, 2, 4)),
        ((1, 1, 1), {3: 1, 4: 3, 5: -2}, (-1, -2, 2, 4)),
    ],
)
def test_moments_are_the_weingarten_function(loops: tuple, numerator: dict, roots: tuple) -> None:
    below = polynomial(*roots)
    for power in range(12):
        series = sum(moment(loops, power - k) * factor for k, factor in enumerate(below))
        assert series == numerator.get(power, 0)


def test_moments_invert_the_gram_matrix() -> None:
    """Four pairs, N = 10^4: the sum over matchings of N^loops Wg is 1 for equal matchings and else 0."""
    n = Fraction(10_000)
    [first, *_] = matchings = [tuple(one) for one in perfect_matchings(range(8))]
    weingarten = {
        loops: sum(moment(loops, power) / n**power for power in range(4, 16))
        for loops in {loops_of(first, other) for other in matchings}
    }
    for chosen in (first, matchings[1], matchings[40], matchings[-1]):
        total = sum(n ** len(loops_of(chosen, other)) * weingarten[loops_of(first, other)] for other in matchings)
        assert abs(total - (chosen == first)) < Fraction(1, 10**28)


@pytest.mark.parametrize(
    ("loops", "series"),
    [
        ((1,), {1: 1, 2: 0, 3: 0}),
        ((2,), {3: -1, 4: 1, 5: -3}),
        ((1, 1), {4: 2, 5: -2, 6: 6}),
        ((3,), {5: 2, 6: -6}),
        ((1, 2), {6: -8, 7: 24}),
    ],
)
def test_cumulants_of_theory_section_9(loops: tuple[int, ...], series: dict[int, int]) -> None:
    assert {power: joint_cumulant(loops, power) for power in series} == series


@pytest.mark.parametrize("loops", [(1,), (2,), (1, 1), (1, 2), (3,), (1, 1, 1), (2, 2), (1, 3), (4,), (1, 1, 2), (5,)])
def test_the_leading_power_of_a_cumulant(loops: tuple[int, ...]) -> None:
    first = leading_power(loops)
    assert [joint_cumulant(loops, power) for power in range(first)] == [0] * first
    assert joint_cumulant(loops, first) != 0
    assert first - sum(loops) >= sum(loops) - 1


# --- diagrams and recursions ---


def merged(recursion: Recursion) -> int:
    """Expanded terms at two inputs, 1212.., and equal widths: rho and tau are 1."""
    sample = dict(zip(sorted(recursion.cumulant.labels), (1, 2) * 6, strict=False))
    sums: dict[Any, Fraction] = {}
    for term in recursion.expanded:
        key = (
            tuple(pair for pair in term.couplings if pair[0] not in ("tau", "width_ratio")),
            tuple(sorted(tuple(sorted((sample[s], m) for s, m in mean)) for mean in term.expectations)),
            tuple(sorted((t.name, t.order, canonical_labels(t.name, tuple(map(sample.get, t.labels))))  # type: ignore[arg-type]
                         for t in term.tensors)),
        )  # fmt: skip
        sums[key] = sums.get(key, Fraction(0)) + term.coefficient
    return sum(value != 0 for value in sums.values())


COUNTS = {
    "K": (9, 64), "Theta": (26, 226), "V": (9, 178), "D": (22, 613), "F": (6, 153), "A": (34, 983), "B": (3, 93),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_counts_of_expanded_terms(name: str) -> None:
    assert tuple(merged(orthogonal(name, order)) for order in (1, 2)) == COUNTS[name]


def test_the_recursion_of_V() -> None:
    terms = {(t.coefficient, t.couplings, tuple(g.samples for g in t.groups)): t for t in orthogonal("V", 1).terms}
    own, block = Powers.of(C_W=2), Powers.of(C_W=2, tau=1)
    assert set(terms) == {
        (Fraction(1), own, ((1, 2, 3, 4),)),
        (Fraction(-1), own, ((1, 2), (3, 4))),
        (Fraction(-1), block, ((1, 3), (2, 4))),
        (Fraction(-1), block, ((1, 4), (2, 3))),
        (Fraction(1, 4), Powers.of(C_W=2, width_ratio=1), ((1, 2), (3, 4))),
    }


@pytest.mark.parametrize(("name", "order"), [*ORDER_ONE, ("V", 2), ("D", 2), ("F", 2), ("P", 2), ("C2", 2)])
def test_without_blocks_they_are_the_diagrams_of_gaussian_weights(name: str, order: int) -> None:
    """Which come first, with the same numbers; terms without tau are those of Gaussian weights: tau = 0 is Gaussian."""
    ours, plain = enumerate_diagrams(standard(name), order, "orthogonal"), enumerate_diagrams(standard(name), order)
    count = len(plain.diagrams)
    for one, other in zip(ours.diagrams[:count], plain.diagrams, strict=True):
        assert one.id == f"orthogonal:{other.id}"
        assert (one.cubic_vertices, one.tensor_vertices, one.propagators, one.weight) == (
            other.cubic_vertices, other.tensor_vertices, other.propagators, other.weight,
        )  # fmt: skip
    assert all(diagram.weight_blocks for diagram in ours.diagrams[count:])
    without = [term._replace(diagrams=()) for term in orthogonal(name, order).terms if not term.couplings.power("tau")]
    gaussian = derive_recursion(standard(name), order)
    assert without == [term._replace(diagrams=()) for term in gaussian.terms]
    assert gaussian.hash != orthogonal(name, order).hash
    assert gaussian.weights == "gaussian"


@pytest.mark.parametrize(("name", "order"), [*ORDER_ONE, ("V", 2), ("F", 2), ("B", 2), ("C0C1", 2), ("R3", 2)])
def test_power_counting_with_blocks(name: str, order: int) -> None:
    import networkx

    shape = standard(name)
    for diagram in full_diagrams(enumerate_diagrams(shape, order, "orthogonal").diagrams):
        pairs, neurons = len(diagram.cubic_vertices), len(diagram.propagators)
        assert pairs - neurons + diagram.cost + diagram.block_cost == order
        assert sorted(slot for vertex in diagram.cubic_vertices for slot in vertex.slots) == sorted(shape.labels)
        assert networkx.is_connected(diagram.graph)
        for block in diagram.weight_blocks:
            hidden = [diagram.cubic_vertices[i] for i in block.cubic_vertices]
            assert {vertex.coupling for vertex in hidden} == {"weight block"}
            assert sorted(s for vertex in hidden for s in vertex.slots) == sorted(block.slots)
            assert block.loops == loops_of(block.pairs, [vertex.slots for vertex in hidden])
            assert block.coefficient == joint_cumulant(block.loops, len(block.pairs) + block.cost) != 0
        assert {i for block in diagram.weight_blocks for i in block.cubic_vertices} == {
            i for i, vertex in enumerate(diagram.cubic_vertices) if vertex.coupling == "weight block"
        }


def test_each_diagram_occurs_once() -> None:
    for name, order in [*ORDER_ONE, ("V", 2), ("C1R1", 2)]:
        found = full_diagrams(enumerate_diagrams(standard(name), order, "orthogonal").diagrams)
        keys = [(d.cubic_vertices, d.weight_blocks, sorted(map(repr, d.tensor_vertices)), d.propagators) for d in found]
        assert len({repr(key) for key in keys}) == len(found)


def test_a_relabelled_request_has_relabelled_blocks() -> None:
    [plain] = [d for d in nf.diagrams("F", weights="orthogonal") if d.record.weight_blocks]
    [asked] = [
        d for d in nf.diagrams(legs="NTK78 z5 z6", channel="57.68", weights="orthogonal") if d.record.weight_blocks
    ]
    assert asked.id == plain.id
    assert plain.record.weight_blocks[0].pairs == ((1, 3), (2, 4))
    assert sorted(map(sorted, asked.record.weight_blocks[0].pairs)) == [[5, 7], [6, 8]]


@pytest.mark.parametrize("target", ["K@1", "Theta@1", "K@2", "Theta@2"])
def test_means_have_no_blocks_of_their_own_and_vanish_for_homogeneous_activations(target: str) -> None:
    name, _, order = target.partition("@")
    recursion = orthogonal(name, int(order))
    assert not any(diagram.weight_blocks for diagram in recursion.diagrams)
    [diagonal] = diagonal_recursions([TensorId(name, int(order))], weights="orthogonal")
    assert diagonal.vanishing
    assert diagonal.weights == "orthogonal"


# --- what is written ---


@pytest.mark.parametrize(("name", "order"), [("V", 1), ("Theta", 1), ("F", 2), ("T", 1)])
def test_json_says_which_weights(name: str, order: int) -> None:
    recursion = orthogonal(name, order)
    document = json.loads(json.dumps(recursion_json(recursion)))
    Draft202012Validator(json.loads((SCHEMAS / "recursion-1.schema.json").read_text())).validate(document)
    assert document["weights"] == "orthogonal"
    for term, row in zip(recursion.expanded, document["terms"], strict=True):
        assert row.get("tau", 0) == term.couplings.power("tau")
        assert ("tau" in row) == bool(row.get("tau", 0))
    found = enumerate_diagrams(standard(name), order, "orthogonal")
    listed = json.loads(json.dumps(diagrams_json(standard(name), order, found, found.diagrams)))
    Draft202012Validator(json.loads((SCHEMAS / "diagrams-1.schema.json").read_text())).validate(listed)
    assert [row["tau"] for row in listed["diagrams"]] == [d.block_cost for d in found.diagrams]
    plain = recursion_json(derive_recursion(standard(name), order))
    assert "weights" not in plain
    assert not any("tau" in row for row in plain["terms"])
    assert not any("weight_blocks" in row for row in plain["diagrams"])


def test_ids_name_their_weights() -> None:
    diagram = find_diagram("orthogonal:V:1:3")
    assert (diagram.id, diagram.weights, diagram.block_cost) == ("orthogonal:V:1:3", "orthogonal", 1)
    assert find_diagram("orthogonal:D:1:2a").id == "orthogonal:D:1:2a"
    with pytest.raises(nf.NtkfeynError, match="1 to 2"):
        find_diagram("V:1:3")
    with pytest.raises(nf.NtkfeynError, match=r"1 to 4.*--weights orthogonal"):
        find_diagram("orthogonal:V:1:5")
    with pytest.raises(nf.NtkfeynError, match="unknown cumulant"):
        find_diagram("unitary:V:1:1")


@pytest.mark.parametrize(("name", "order"), [*ORDER_ONE, ("V", 2), ("F", 2), ("B", 2), ("P", 2), ("C0C1", 2)])
def test_no_picture_of_a_block_can_be_misread(name: str, order: int) -> None:
    for diagram in enumerate_diagrams(standard(name), order, "orthogonal").diagrams:
        for plainly in (False, True) if diagram.weight_blocks else ():
            drawing = layout(diagram, Symbols(), plainly=plainly)
            assert not list(faults(drawing)), diagram.id
            assert all(angle > 20 for angle in crossings(drawing)), diagram.id
            [block] = diagram.weight_blocks
            [vertex] = [mark for mark in drawing.marks if mark.radius == 0.13]
            ends = [p for path in drawing.paths for p in (path.points[0], path.points[-1])]
            meeting = [p for p in ends if abs(p[0] - vertex.centre[0]) + abs(p[1] - vertex.centre[1]) < 0.2]
            assert len(meeting) >= 3 * len(block.pairs)
            texts = [label.plain for label in drawing.labels]
            assert ("/n" if block.cost == 1 else "/n²") in texts


@pytest.mark.parametrize(("name", "order"), [("V", 1), ("F", 1), ("Q", 1), ("V", 2)])
def test_explanations_tell_the_block(name: str, order: int) -> None:
    schema = json.loads((SCHEMAS / "explanation-1.schema.json").read_text())
    for diagram in enumerate_diagrams(standard(name), order, "orthogonal").diagrams:
        found = explain_diagram(diagram, Symbols())
        assert found.weight == diagram.weight
        document = json.loads(json.dumps(explanation_json(found)))
        Draft202012Validator(schema).validate(document)
        counted = document["counting"]
        assert counted["cubic_vertices"] - counted["propagators"] + counted["cost"] + counted["blocks"] == order
        text = "\n".join(line for step in document["steps"] for line in step["lines"])
        assert ("κ(" in text) == bool(diagram.weight_blocks)
        assert ("τ" in text) == bool(diagram.weight_blocks)


# --- numbers ---


def solved(network: nf.Network, names: list[str], gram: Any = ((1.3,),)) -> dict[str, np.ndarray]:
    """Every component at the last layer, in the order of the JSON."""
    data = nf.evaluate(network, gram=np.array(gram), names=names).to_json()["data"]
    [layers] = data.values()
    last = layers[f"layer-{network.depth}"]
    return {name: np.array([row["value"] for row in rows.values()]) for name, rows in last.items()}


def expansion(ratios: list[tuple[Fraction, Fraction]], below: int, most: int) -> list[Fraction]:
    """prod (1 + 2/n)/(1 + 2/N) in powers of 1/n of the last layer; ratios are (below/n, below/N)."""
    series = [Fraction(1), *[Fraction(0)] * most]
    for up, down in ratios:
        factor = [Fraction(1), *(2 * (up - down) * (-2 * down) ** (k - 1) for k in range(1, most + 1))]
        series = [sum((series[i] * factor[k - i] for i in range(k + 1)), Fraction(0)) for k in range(most + 1)]
    return series


@pytest.mark.parametrize("widths", [(6, 6, 6, 6), (8, 4, 6, 3), (3, 6, 9, 8), (4, 8, 2, 4)])
def test_linear_networks_conserve_the_norm(widths: tuple[int, ...]) -> None:
    """E[z_i^2 z_j^2] of one input, at every order: a wider layer has the same norm in more directions.

    z^(1) is a normal vector. A square orthogonal matrix, or rows of one, leaves it so; from n to N > n neurons it
    becomes a vector of N with (N/n) times the norm squared and every direction alike, so that the moment is multiplied
    by (1 + 2/n)/(1 + 2/N).
    """
    wider = [(n, above) for n, above in pairwise(widths) if above > n]
    below = widths[-1]
    series = expansion([(Fraction(below, n), Fraction(below, above)) for n, above in wider], below, 3)
    found = solved(nf.Network(5, widths, "linear", weights="orthogonal"), ["V", "V@2", "V@3", "K", "K@1", "K@2"])
    for order in (1, 2, 3):
        assert found[f"V@{order}"][0] == pytest.approx(float(series[order]) * 1.3**2, abs=1e-11)
    assert found["K@0"][0] == pytest.approx(1.3)
    assert found["K@1"][0] == found["K@2"][0] == 0


def test_linear_networks_of_equal_widths_at_two_inputs() -> None:
    """z^(L) is normal; NTK_ij is delta_ij times a sum over L - 1 layers of z.z/n, which the layers conserve."""
    gram, depth = np.array([[1.2, 0.4], [0.4, 0.9]]), 5
    names = ["V", "F", "B", "D", "A", "P", "R", "U", "K@1", "Theta@1", "V@2", "F@2", "D@2", "A@2"]
    data = nf.evaluate(nf.Network(depth, 8, "linear", weights="orthogonal"), gram=gram, names=names).to_json()["data"]
    last = data["width-8"][f"layer-{depth}"]
    for name, rows in last.items():
        for key, row in rows.items():
            a, b, c, d = [int(x) - 1 for x in key.split("-")] if key.count("-") == 3 else (0, 0, 0, 0)
            v = gram[a, c] * gram[b, d] + gram[a, d] * gram[b, c]
            expected = {"D@1": (depth - 1) * v, "A@1": (depth - 1) ** 2 * v}.get(name, 0.0)
            assert row["value"] == pytest.approx(expected, abs=1e-11), (name, key)


def test_relu_grows_more_slowly() -> None:
    """One input, C_W = 2: the source of V is 4 <s^4> - 3 K^2 = 3 K^2, where Gaussian weights have 5 K^2."""
    for weights, factor in (("gaussian", 5), ("orthogonal", 3)):
        found = solved(nf.Network(6, 8, "relu", cw=2.0, weights=weights), ["V", "K@1", "Theta@1"])
        assert found["V@1"][0] == pytest.approx(factor * 5 * 2.6**2, rel=1e-12)
        assert found["K@1"][0] == found["Theta@1"][0] == pytest.approx(0, abs=1e-12)


def test_order_zero_and_gaussian_layers_are_those_of_gaussian_weights() -> None:
    names = ["K", "Theta", "V", "F", "B", "Q", "V@2"]
    given = {"activation": "tanh", "cw": 1.2, "cb": 0.1, "lambda_b": 0.3}
    gram = [[1.2, 0.4], [0.4, 0.9]]
    plain = solved(nf.Network(3, (4, 6), **given), names, gram)
    first = solved(nf.Network(3, (4, 6), **given, weights=["gaussian"] * 3), names, gram)
    ours = solved(nf.Network(3, (4, 6), **given, weights="orthogonal"), names, gram)
    one = solved(nf.Network(3, (4, 6), **given, weights="gaussian:gaussian:orthogonal"), names, gram)
    assert all((plain[name] == first[name]).all() for name in plain)
    for name in ("K@0", "Theta@0"):
        assert np.allclose(plain[name], ours[name], rtol=1e-12)
        assert np.allclose(plain[name], one[name], rtol=1e-12)
    for name in ("V@1", "V@2", "F@1"):
        assert len({tuple(np.round(found[name], 9)) for found in (plain, ours, one)}) == 3, name


def test_tanh_saturates_at_criticality() -> None:
    """At C_W = 1 order-1 tensors over powers of K and Theta grow as the depth for Gaussian weights, and else not."""
    powers = {"V@1": (2, 0), "F@1": (1, 1), "K@1": (1, 0), "Theta@1": (0, 1)}
    grown: dict[str, dict[str, float]] = {}
    for weights in ("gaussian", "orthogonal"):
        network = nf.Network(60, 50, "tanh", weights=weights)
        data = nf.evaluate(network, gram=[[1.0]], names=["K", "Theta", *powers]).to_json()["data"]["width-50"]

        def at(layer: int, name: str, rows: Any = data) -> float:
            return next(iter(rows[f"layer-{layer}"][name].values()))["value"]

        def ratio(layer: int, name: str) -> float:
            a, b = powers[name]
            return at(layer, name) / (at(layer, "K@0") ** a * at(layer, "Theta@0") ** b)

        grown[weights] = {name: ratio(60, name) / ratio(30, name) for name in powers}
    assert all(1.9 < value < 2.4 for value in grown["gaussian"].values()), grown
    assert all(0.9 < value < 1.2 for value in grown["orthogonal"].values()), grown  # slowly: logarithms of the depth


def test_the_committed_depth_scaling() -> None:
    """outputs/orthogonal/critical.json: what `critical --activation tanh --weights orthogonal` writes."""
    path = Path(__file__).parent.parent / "outputs" / "orthogonal" / "critical.json"
    document = json.loads(path.read_text())
    Draft202012Validator(json.loads((SCHEMAS / "critical-1.schema.json").read_text())).validate(document)
    assert document["meta"]["weights"] == "orthogonal"
    critical = document["scaling"]["critical"]["tensors"]
    for name in ("V@1", "F@1", "P@1", "R@1", "S@1", "K@1", "Theta@1"):
        assert abs(critical[name]["ratio"]["exponent"]) < 0.02, name  # over powers of K and Theta they are constant
    network = nf.Network(12, 50, "tanh", weights="orthogonal")
    gram = document["scaling"]["critical"]["gram"]
    [layers] = nf.evaluate(network, gram=[[gram]], names=["K", "V", "F", "Theta@1"]).to_json()["data"].values()
    for number in range(1, 13):
        for name, rows in layers[f"layer-{number}"].items():
            [row] = rows.values()
            assert row["value"] == pytest.approx(critical[name]["values"][number - 1], rel=1e-6, abs=1e-12)


def test_emitted_python_is_evaluate(tmp_path: Path) -> None:
    from test_code import load

    names = ["V", "F", "Q", "K@1", "V@2"]
    [path] = nf.emit(names, lang="python", weights="orthogonal", directory=tmp_path)
    assert path.name == "orthogonal_V_1_F_1_Q_1_K_1_and_4_more.py" or path.name.startswith("orthogonal_")
    module = load(path)
    widths, gram = (6, 9, 4), np.array([[1.2, 0.4], [0.4, 0.9]])
    ours = module.solve(gram=gram, depth=4, widths=list(widths), activation="tanh", C_W=1.3, C_b=0.1, lambda_b=0.2)
    network = nf.Network(4, widths, "tanh", cw=1.3, cb=0.1, lambda_b=0.2, weights="orthogonal")
    [layers] = nf.evaluate(network, gram=gram, names=names).to_json()["data"].values()
    for number, found in enumerate(ours, 1):
        for name, rows in layers[f"layer-{number}"].items():
            values = np.array([row["value"] for row in rows.values()]).reshape(found[name].shape)
            assert np.allclose(found[name], values, rtol=1e-6, atol=1e-9), (number, name)


def test_emitted_c_is_emitted_python(tmp_path: Path) -> None:
    from test_code import CC, FLAGS, load

    if CC is None:
        pytest.skip("no C compiler")
    import subprocess

    nf.emit(["V", "F"], lang="c", weights="orthogonal", directory=tmp_path)
    [path] = nf.emit(["V", "F"], lang="python", weights="orthogonal", directory=tmp_path)
    sources = [str(one) for one in tmp_path.glob("*.c")]
    run = subprocess.run([CC, *FLAGS, "-o", str(tmp_path / "run"), *sources, "-lm"], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    arguments = [str(tmp_path / "run"), "tanh", "4", "8", "1.2", "0", "1", "0", "1e-9"]
    text = subprocess.run(arguments, input="2 1\n1.1\n0.7\n", capture_output=True, text=True, check=True).stdout
    solved_ = load(path).solve(inputs=[[1.1], [0.7]], depth=4, widths=8, activation="tanh", C_W=1.2, tolerance=1e-9)
    rows = [line.split() for line in text.splitlines() if "error" not in line and line.startswith("layer-4 V@1")]
    assert len(rows) == 16
    for _, name, key, value in rows:
        index = tuple(int(k) - 1 for k in key.split("-"))
        assert float(value) == pytest.approx(solved_[-1][name][index], rel=1e-6, abs=1e-10)


def test_latex_has_the_block_in_its_rules(tmp_path: Path) -> None:
    paths = nf.emit("V", lang="latex", weights="orthogonal", directory=tmp_path)
    assert r"\title{Finite-width recursions for orthogonal weights from Feynman diagrams}" in paths[0].read_text()
    texts = {path.name: path.read_text() for path in paths}
    assert r"\kappa_{2}=-N^{-3}+N^{-4}-3N^{-5}+\ldots" in texts["rules.tex"]
    assert "Haar-random orthogonal" in texts["conventions.tex"]
    assert "nkfTau" in texts["macros.tex"]
    assert "orthogonal-V-1-3.tex" in texts
    assert "orthogonal weights" in texts["V-1.tex"]
    cited = {
        key for text in texts.values() for keys in re.findall(r"Cite\{(nkf:[^}]*)\}", text) for key in keys.split(",")
    }
    listed = {*re.findall(r"\\bibitem\{([^}]*)\}", texts[paths[0].name])}
    assert {"nkf:day", "nkf:saturation"} <= cited == listed - {"nkf:ntkfeyn"}
    plain = {path.name: path.read_text() for path in nf.emit("V", lang="latex", directory=tmp_path / "gaussian")}
    assert not any("kappa" in text or "nkfTau" in text or "orthogonal" in text for text in plain.values())


# --- the command line ---


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return (int(stopped.value.code or 0), *capsys.readouterr())


def test_commands_take_weights(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--weights", "orthogonal"]
    assert "- τ C_W^2 ⟨σ_1 σ_3⟩ ⟨σ_2 σ_4⟩" in run(["derive", "V", *asked], capsys)[1]
    assert run(["diagrams", "V", "--count", *asked], capsys) == (0, "4\n", "")
    assert "blocks [1-2, 3-4 as 1-3, 2-4]/n_ℓ" in run(["diagrams", "V", *asked], capsys)[1]
    text = run(["explain", "orthogonal:V:1:3"], capsys)[1]
    assert "`ntkfeyn emit --lang c V@1 --weights orthogonal` writes" in text
    critical = ["critical", "--activation", "tanh", "--depth", "16", "--format", "json", *asked]
    document = json.loads(run(critical, capsys)[1])
    assert document["meta"]["weights"] == "orthogonal"
    Draft202012Validator(json.loads((SCHEMAS / "critical-1.schema.json").read_text())).validate(document)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["derive", "V", "--weights", "unitary"], "allowed are gaussian, orthogonal"),
        (["derive", "V", "--weights", "orthogonal:gaussian"], "allowed are gaussian, orthogonal"),
        (["diagrams", "V", "--weights", "ortogonal"], "Try: --weights orthogonal"),
        (["emit", "--lang", "c", "V", "--weights", "haar"], "allowed are gaussian, orthogonal"),
        (["critical", "--activation", "tanh", "--weights", "a"], "allowed are gaussian, orthogonal"),
    ],
)
def test_bad_weights_are_refused(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, error = run(arguments, capsys)
    assert (code, out, message in error) == (2, "", True), error


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("haar", "allowed are gaussian, orthogonal"),
        ("gaussian:orthogonal", "has 2 values at depth 3"),
        ("gaussian:orthogonal:", "allowed are gaussian, orthogonal"),
    ],
)
def test_networks_refuse_bad_weights(weights: str, message: str) -> None:
    with pytest.raises(nf.NtkfeynError, match=message):
        nf.Network(3, 8, "tanh", weights=weights)


def test_networks_know_the_weights_of_their_layers() -> None:
    network = nf.Network(4, (4, 8, 2), "tanh", weights="orthogonal")
    assert [layer.weights for layer in network.layers] == ["gaussian", *["orthogonal"] * 3]
    assert [network.tau(layer) for layer in (1, 2, 3)] == [0.5, 1.0, 1.0]
    assert network == nf.Network(4, (4, 8, 2), "tanh", weights=["gaussian", *["orthogonal"] * 3])
    mixed = nf.Network(4, (4, 8, 2), "tanh", weights="gaussian:gaussian:orthogonal:gaussian")
    assert [mixed.tau(layer) for layer in (1, 2, 3)] == [0.0, 1.0, 0.0]
    assert (mixed.weights_text, mixed.ensemble) == ("gaussian:gaussian:orthogonal:gaussian", "orthogonal")
    plain = nf.Network(4, (4, 8, 2), "tanh", weights="gaussian:gaussian:gaussian:gaussian")
    assert plain == nf.Network(4, (4, 8, 2), "tanh")
    assert "tau" not in plain.couplings(1)
    assert prod(mixed.ratios(2)) == 2.0
