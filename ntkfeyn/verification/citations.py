"""Citations: a certificate from a file is cited only if it can be made again, number by number.

Enters: a file of `verify`, which anybody may have written, and the recursions that are emitted. Leaves: a line for a
footnote by recursion hash. What a file says is a request: its seed and sizes give the parameters, and the comparison
and its controls are repeated on the recursion at hand. Nothing that the file claims is taken over unchecked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.errors import NtkfeynError, RequestError, bad_request
from ntkfeyn.judge.setting import Maps
from ntkfeyn.model.ensembles import GAUSSIAN, check_ensemble, weights_asked
from ntkfeyn.model.polynomials import MAX_DEGREE
from ntkfeyn.render.json import cumulant_json
from ntkfeyn.runtime.files import read_file
from ntkfeyn.verification.certificates import certificate_json
from ntkfeyn.verification.certify import (
    COUPLINGS,
    MAX_LABELS,
    MAX_LAYER,
    MAX_SAMPLES,
    Certificate,
    certify,
    random_setting,
)

MAX_BYTES = 1 << 24
MAX_WIDTH = 10**6
RATIONAL = re.compile(r"-?[0-9]{1,700}(/[0-9]{1,700})?", re.ASCII)


def read_certificates(
    path: Path, recursions: Sequence[Recursion], advance: Callable[[str], None] = lambda _: None
) -> dict[str, str]:
    """A footnote line by recursion hash; the first certificate of each of the recursions is made again.

    Raises NtkfeynError if the file is no certificate or is for none of the recursions, if a verdict is not "equal", or
    if the certificate made again is another one.
    """
    found = _parsed(path)
    if not all(one.get("verdict") == "equal" for one in found):
        raise bad_request(
            f"the certificate '{path}' does not say equal", "only equality is cited", "ntkfeyn verify --layers 2,3"
        )
    lines = {}
    for recursion in recursions:
        own = next((one for one in found if _concerns(one, recursion)), None)
        if own is not None:
            lines[recursion.hash] = _footnote(_made_again(own, recursion, path))
            advance(str(recursion.id))
    if not lines:
        raise bad_request(
            f"the certificate '{path}' is for none of the recursions that are emitted",
            "it must be of one of them",
            f"ntkfeyn verify {recursions[0].id}{weights_asked(recursions[0].weights)} --certificate FILE",
        )
    return lines


def _parsed(path: Path) -> list[dict[str, Any]]:
    """The certificates that a file holds. Raises RequestError for a file that is something else."""
    try:
        data = json.loads(read_file(path, MAX_BYTES), parse_constant=_no_number)
        found = data["certificates"] if data["schema"] == "ntkfeyn.certificates/1" else [data]
        if not found or not all(one["schema"] == "ntkfeyn.certificate/1" for one in found):
            raise ValueError("no certificate")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise bad_request(
            f"'{path}' is no certificate", "a file of `ntkfeyn verify` is allowed", "--certificate FILE"
        ) from error
    return list(found)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _concerns(data: dict[str, Any], recursion: Recursion) -> bool:
    """By its hash, or by what it says that it is about: if these two do not go together, it is refused later."""
    about = (data.get("cumulant"), data.get("order"), _weights(data.get("parameters")))
    own = (cumulant_json(recursion.cumulant), recursion.order, recursion.weights)
    return data.get("hash") == recursion.hash or about == own


def _weights(parameters: Any) -> Any:
    return parameters.get("weights", GAUSSIAN) if isinstance(parameters, dict) else None


def _made_again(data: dict[str, Any], recursion: Recursion, path: Path) -> Certificate:
    """The certificate as ``verify`` gives it now. Raises RequestError where the file says anything else."""
    asked = f"the certificate of {recursion.id} in '{path}'"
    hint = f"ntkfeyn verify {recursion.id}{weights_asked(recursion.weights)} --certificate FILE"
    if data.get("hash") != recursion.hash:
        raise bad_request(f"{asked} is of another derivation", f"its hash must be {recursion.hash[:16]}..", hint)
    try:
        request = _request(data)
        again = certify(recursion.cumulant, recursion.order, **request)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, NtkfeynError) as error:
        raise bad_request(f"{asked} says nothing that can be made again", "a file of `verify` can", hint) from error
    made = certificate_json(again)
    for key, value in made.items():
        if key != "tool" and not _same(data.get(key), value):
            raise bad_request(f"{asked} does not hold: made again, its '{key}' is another one", "it must agree", hint)
    if not again.probed:
        raise bad_request(f"{asked} compared nothing but zeros", "a coefficient that is not zero is needed", hint)
    return again


def _same(told: Any, made: Any) -> bool:
    """Equal in value and in kind: 1 is neither 1.0 nor true."""
    return json.dumps(told, sort_keys=True) == json.dumps(made, sort_keys=True)


def _request(data: dict[str, Any]) -> dict[str, Any]:
    """What ``certify`` is to be asked. Raises ValueError, or what wrong kinds raise, for sizes out of range."""
    given = data["parameters"]
    samples, corrections = len(given["kernel"]), len(given["kernel"][0][0]) - 1
    sharing = tuple(map(_maps, given.get("sharing", ())))
    activation = tuple(map(_rational, given["activation"]))
    layers = sorted({_whole(c["layer"], MAX_LAYER) for c in data["comparisons"]})
    widths = [_whole(width, MAX_WIDTH) for width in given["widths"]]
    seed = data["seed"]
    most = MAX_LABELS if sharing else MAX_SAMPLES
    sizes = samples <= most and max(len(sharing), len(widths)) <= MAX_LAYER and corrections <= MAX_LAYER
    if type(seed) is not int or not sizes or not 2 <= len(activation) <= MAX_DEGREE + 1:
        raise ValueError("out of range")
    couplings = {name: _rational(given[name]) for name in COUPLINGS}
    weights = check_ensemble(_weights(given))
    setting = random_setting(seed, activation, samples, widths, corrections, couplings, weights, sharing)
    return {"layers": layers, "setting": setting, "seed": seed, "controls": data["controls"] is not None}


def _maps(steps: Any) -> Maps:
    """The label maps of a step. Raises ValueError, or what wrong kinds raise, for what is none."""
    if len(steps) > MAX_LABELS or any(len(one["rows"]) > MAX_LABELS for one in steps):
        raise ValueError("out of range")
    return tuple(
        (
            _rational(one["weight"]),
            tuple(tuple((_whole(b, MAX_LABELS) - 1, _rational(entry)) for b, entry in row) for row in one["rows"]),
        )
        for one in steps
    )


def _rational(text: Any) -> Fraction:
    if not isinstance(text, str) or not RATIONAL.fullmatch(text):
        raise RequestError("no rational number")
    return Fraction(text)


def _whole(value: Any, most: int) -> int:
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError("out of range")
    return value


def _footnote(certificate: Certificate) -> str:
    layers = ", ".join(str(layer) for layer in sorted({c.layer for c in certificate.comparisons}))
    weights = certificate.setting.weights
    kind = "a polynomial activation" + ("" if weights == GAUSSIAN else f" and {weights} weights")
    kind += " and weights shared over labels" if certificate.setting.sharing else ""
    counted = "labels" if certificate.setting.sharing else "samples"
    line = (
        f"Certified: all {len(certificate.comparisons)} coefficients of $1/n$ up to order {certificate.recursion.order}"
        f" equal the exact cumulants of a network with {kind} at layer {layers}, {counted}:"
        f" {len(certificate.setting.kernel)}, seed: {certificate.seed}"
    )
    if certificate.controls:
        outcomes = [outcome for c in certificate.controls for outcome in (c.dropped, c.doubled)]
        line += f"; {outcomes.count('caught')} of {len(outcomes)} spoiled versions were caught"
    return line + "."
