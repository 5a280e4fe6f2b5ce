"""JSON: the published schemas, and the same bytes whatever the hash seed."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import jsonschema
import pytest

import ntkfeyn
from ntkfeyn.cli import main
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.recursion import _derive, derive_recursion
from ntkfeyn.derivation.reduction import placements
from ntkfeyn.errors import LimitError
from ntkfeyn.model.cumulants import cumulant, standard
from ntkfeyn.render.json import diagrams_json, recursion_json, recursion_pieces, recursions_json, to_text

SCHEMAS = Path(ntkfeyn.__file__).parent / "schemas"
FIVE = cumulant("tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5", "01.23.45")


def schema(name: str) -> dict:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text())


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda p: p.stem)
def test_schemas_are_valid_schemas(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text()))


def test_every_schema_that_is_written_is_shipped() -> None:
    texts = [path.read_text() for path in SCHEMAS.parent.rglob("*.py")]
    written = {name for text in texts for name in re.findall(r'"schema": "ntkfeyn\.([a-z]+)/1"', text)}
    assert "comparison" in written
    assert written <= {path.name.removesuffix("-1.schema.json") for path in SCHEMAS.glob("*.json")}


def test_list_follows_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    for order in ((), ("--order", "0")):
        with pytest.raises(SystemExit):
            main(["list", "--format", "json", *order])
        data = json.loads(capsys.readouterr().out)
        jsonschema.Draft202012Validator(schema("list-1")).validate(data)
    assert [row["name"] for row in data["tensors"]] == ["K", "Theta"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "tensors": [{**data["tensors"][0], "channel": "1-2"}]}, schema("list-1"))


@pytest.mark.parametrize(
    "asked", [standard("K"), standard("F"), standard("R"), standard("C0C1"), FIVE], ids=lambda c: c.name
)
def test_recursion_follows_its_schema(asked) -> None:  # type: ignore[no-untyped-def]
    data = json.loads(to_text(recursion_json(derive_recursion(asked))))
    jsonschema.validate(data, schema("recursion-1"))
    assert data["order"] == asked.leading_order
    slots = [sample for _, samples in data["cumulant"]["legs"] for sample in samples]
    assert sorted(v for pair in data["cumulant"]["channel"] for v in pair) == list(range(1, len(slots) + 1))
    for term in data["terms"]:
        assert {s for mean in term["expectations"] for s, _ in mean} <= set(slots)


@pytest.mark.parametrize("names", [["F"], ["K"], ["V", "Theta", "T"]], ids=" ".join)
def test_pieces_are_the_whole(names: list[str]) -> None:
    """Written piece by piece nothing changes, and no recursion keeps its expanded terms."""
    recursions = [derive_recursion(FIVE)] + [
        _derive(standard(name), standard(name).leading_order, ()) for name in names
    ]
    for asked in (recursions, recursions[1:2]):
        pieces = list(recursion_pieces(asked))
        assert not any("_expansion" in vars(recursion) for recursion in asked[1:])
        assert len(pieces) > sum(len(recursion.expanded) for recursion in asked)
        assert "".join(pieces) == to_text(recursions_json(asked))
        asked[-1].__dict__.pop("_expansion", None)


@pytest.mark.parametrize(("name", "order"), [("K", 0), ("F", 1), ("A", 1), ("Theta", 2), ("T", 1)])
def test_products_follow_the_schema_and_expand_to_the_terms(name: str, order: int) -> None:
    recursion = derive_recursion(standard(name), order)
    data = json.loads("".join(recursion_pieces([recursion], products=True)))
    jsonschema.validate(data, schema("recursion-1"))
    assert "terms" not in data
    assert len(data["products"]) == len(recursion.terms)
    written = 0
    for term in data["products"]:
        labels = [v for tensor in term["tensors"] for _, slots in tensor["legs"] for v in slots if isinstance(v, str)]
        assert sorted(labels) == sorted(v for group in term["groups"] for v in group["derivatives"])
        written += math.prod(len(group["domain"]) ** len(group["derivatives"]) for group in term["groups"])
    assert written == placements(recursion.terms)


def test_products_are_given_where_the_expansion_is_too_long() -> None:
    recursion = derive_recursion(standard("C0C0C0C0"), 4)
    with pytest.raises(LimitError, match="--products"):
        recursion_pieces([recursion])
    assert sum(map(len, recursion_pieces([recursion], products=True))) > 100_000


def test_broken_json_is_refused_by_the_schema() -> None:
    data = json.loads(to_text(recursion_json(derive_recursion(standard("F")))))
    data["terms"][0]["coefficient"] = "0.5"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema("recursion-1"))


def test_the_example_of_the_interface() -> None:
    data = recursion_json(derive_recursion(standard("F"), 1))
    assert data["cumulant"] == {
        "name": "F",
        "legs": [["z", [1]], ["z", [2]], ["NTK", [3, 4]]],
        "channel": [[1, 3], [2, 4]],
    }
    assert {
        "coefficient": "1", "C_W": 2, "lambda_W": 0, "C_b": 0, "lambda_b": 0, "width_ratio": 1,
        "expectations": [[[1, 1], [3, 1]], [[2, 0], [4, 2]]],
        "tensors": [
            {"name": "F", "order": 1, "legs": [["z", [1]], ["z", [4]], ["NTK", [3, 4]]], "channel": [[1, 3], [2, 4]]}
        ],
        "diagrams": ["F:1:2"],
    } in data["terms"]  # fmt: skip
    constant = recursion_json(derive_recursion(standard("K"), 0))["terms"]
    assert {
        "coefficient": "1", "C_W": 0, "lambda_W": 0, "C_b": 1, "lambda_b": 0, "width_ratio": 0,
        "expectations": [], "tensors": [], "diagrams": [],
    } in constant  # fmt: skip


def test_several_recursions_answer_together() -> None:
    data = recursions_json([derive_recursion(standard(name)) for name in ("K", "F")])
    jsonschema.validate(data, schema("recursions-1"))
    for part in data["recursions"]:
        jsonschema.validate(part, schema("recursion-1"))


@pytest.mark.parametrize(("name", "order"), [("A", 1), ("T", 1), ("V", 2), ("C0C1", 2)])
def test_diagrams_follow_their_schema(name: str, order: int) -> None:
    shape = standard(name)
    found = enumerate_diagrams(shape, order)
    jsonschema.validate(json.loads(to_text(diagrams_json(shape, order, found, found.diagrams))), schema("diagrams-1"))
