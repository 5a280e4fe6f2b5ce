"""Properties of any request: what is written can be read, what is derived is well formed, what is told is a message."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import fuzz
import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_cumulants import shapes

import ntkfeyn as nf
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.errors import LimitError, NtkfeynError
from ntkfeyn.expectations.activations import activation
from ntkfeyn.model.cumulants import Cumulant, cumulant, standard
from ntkfeyn.model.legs import parse_legs
from ntkfeyn.render.json import recursion_json
from ntkfeyn.solve.inputs import gram_of, read_array, vectors

SCHEMA = json.loads((Path(nf.__file__).parent / "schemas" / "recursion-1.schema.json").read_text())
FEW = settings(max_examples=40)


@given(shapes())
@settings(max_examples=150)
def test_texts_of_legs_and_channels_read_back(shape: Cumulant) -> None:
    again = cumulant(shape.legs_text(), shape.channel_text())
    assert (again.legs, again.channel) == (shape.legs, shape.channel)
    assert parse_legs(" ".join(map(str, shape.legs))) == shape.legs
    assert standard(shape.name).name == shape.name


@given(shapes(), st.integers(0, 1))
@FEW
def test_any_recursion_is_well_formed(shape: Cumulant, more: int) -> None:
    """Any legs, channel and order: the schema, the weights, the orders, the width factor, and JSON read back."""
    if len(shape.labels) > 6 - 2 * more:
        return
    order = shape.leading_order + more
    try:
        recursion = derive_recursion(shape, order)
        document = recursion_json(recursion)
    except LimitError:
        return
    jsonschema.validate(document, SCHEMA)
    assert json.loads(json.dumps(document)) == document
    ids = [diagram.id for diagram in recursion.diagrams]
    assert len(set(ids)) == len(ids)
    slots = set(shape.labels)
    for diagram in recursion.diagrams:
        assert 0 < diagram.weight <= 1
        assert (1 / diagram.weight).denominator == 1
    for term in document["terms"]:
        assert Fraction(term["coefficient"])
        assert set(term["diagrams"]) <= set(ids)
        cost = sum(tensor["order"] for tensor in term["tensors"])
        assert term["width_ratio"] == cost
        assert {sample for mean in term["expectations"] for sample, _ in mean} <= slots
        assert term["C_W"] + term["lambda_W"] <= len(shape.channel) or order == 0


@given(shapes(), st.randoms(use_true_random=False))
@FEW
def test_relabelling_a_request_relabels_the_answer(shape: Cumulant, rng: Any) -> None:
    """Slots named otherwise: as many diagrams, terms and the same coefficients."""
    if len(shape.labels) > 4:
        return
    names = rng.sample(range(10, 60), len(shape.labels))
    renamed = dict(zip(shape.labels, names, strict=True))
    first = derive_recursion(shape)
    second = derive_recursion(shape.relabelled([renamed[label] for label in shape.labels]))
    assert len(first.diagrams) == len(second.diagrams)
    described = [
        sorted((str(t.coefficient), tuple(t.couplings), len(t.tensors)) for t in r.expanded) for r in (first, second)
    ]
    assert described[0] == described[1]


# expressions beside what they mean
LEAVES = [("z", lambda z: z), ("2", lambda z: 2.0 + 0 * z), ("0.5", lambda z: 0.5 + 0 * z), ("z**2", lambda z: z * z)]
SIGNS = {"+": np.add, "-": np.subtract, "*": np.multiply}
FUNCTIONS = {"tanh": np.tanh, "sin": np.sin}
Meaning = tuple[str, Any]


def joined(a: Meaning, sign: str, b: Meaning) -> Meaning:
    return f"({a[0]} {sign} {b[0]})", lambda z: SIGNS[sign](a[1](z), b[1](z))


def applied(name: str, a: Meaning) -> Meaning:
    return f"{name}({a[0]})", lambda z: FUNCTIONS[name](a[1](z))


EXPRESSIONS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.builds(joined, inner, st.sampled_from([*SIGNS]), inner),
        st.builds(applied, st.sampled_from([*FUNCTIONS]), inner),
    ),
    max_leaves=5,
)


@given(EXPRESSIONS)
@settings(max_examples=40)
def test_expressions_mean_what_they_say(expression: Meaning) -> None:
    """Values as NumPy gives them, slopes as difference quotients."""
    text, meaning = expression
    if "z" not in text:
        return
    z, step = np.array([-0.8, 0.1, 0.7]), 1e-4
    try:
        found = activation(text).table(z, 1)  # type: ignore[union-attr]
    except NtkfeynError:
        assert np.ptp(meaning(z)) < 1e-12, "only constants are refused"
        return
    value, up, down = (meaning(at) for at in (z, z + step, z - step))
    assert np.allclose(found[0], value, rtol=1e-10, atol=1e-10)
    scale = 1 + np.max(np.abs(value))
    assert np.allclose(found[1], (up - down) / (2 * step), rtol=1e-4, atol=1e-4 * scale)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10**6))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_format_of_inputs_is_the_same(tmp_path: Path, inputs: int, size: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(inputs, size)).round(6)
    (tmp_path / "x.json").write_text(json.dumps(x.tolist()))
    np.savetxt(tmp_path / "x.csv", x, delimiter=",", fmt="%.17g")
    np.save(tmp_path / "x.npy", x)
    grams = [gram_of(vectors(read_array(tmp_path / f"x.{ending}"))) for ending in ("json", "csv", "npy")]
    assert all(np.array_equal(grams[0], other) for other in grams[1:])
    assert np.allclose(grams[0], x @ x.T / size)


def test_a_minute_of_fuzzing_would_find_nothing() -> None:
    """Some rounds of it here, with a seed; tests/long_checks.py goes on for ten minutes."""
    found = fuzz.fuzz(60.0, seed=20261124, rounds=1200)
    assert found.findings == {}
    assert min(found.calls[kind] for kind in fuzz.TEXT_TARGETS) > 4


HOSTILE = [
    "__import__('os').system('touch owned')", "open('/etc/passwd').read()", "z.__class__", "exec('z')", "z if z else z",
    "z**z**z**z", "z**10**9", "((((z)))" * 40, "tanh(" * 300 + "z" + ")" * 300, "9" * 400 + "*z", "[z for z in z]",
    "(lambda: z)()", "z" * 600, "{z}", "f'{z}'", "z := 1", "*z", "exp(exp(exp(exp(z))))*0 + z.real",
]  # fmt: skip


def used(text: str) -> None:
    activation(text).table(np.array([0.5]), 2)  # type: ignore[union-attr]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_activations_do_nothing(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NtkfeynError):
        used(text)
    assert list(tmp_path.iterdir()) == []
