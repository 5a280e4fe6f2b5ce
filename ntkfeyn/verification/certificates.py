"""Certificates as JSON and as text (schemas ntkfeyn.certificate/1 and certificates/1).

Enters: ``Certificate`` records. Leaves: plain dicts in stable order, and the lines that `verify` prints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from ntkfeyn.derivation.rules import DRAWN_COUPLINGS
from ntkfeyn.judge.setting import Maps, Setting
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.render.json import cumulant_json
from ntkfeyn.runtime.version import TOOL
from ntkfeyn.verification.certify import Certificate, Comparison, NamedNetwork
from ntkfeyn.verification.controls import CONTROL_LAYER


def certificate_json(certificate: Certificate) -> dict[str, Any]:
    """Request, hash, parameters, both exact numbers of every comparison, the controls and the verdict."""
    recursion, controls = certificate.recursion, None
    if certificate.control_setting is not None:
        controls = {
            "parameters": _parameters(certificate.control_setting),
            "comparisons": [_comparison(c) for c in certificate.control_comparisons],
            "diagrams": [{"id": c.diagram, "dropped": c.dropped, "doubled": c.doubled} for c in certificate.controls],
        }
        if certificate.average_controls:
            controls["averages"] = [
                {"pair": [v + 1 for v in c.pair], "omitted": c.omitted} for c in certificate.average_controls
            ]
    return {
        "schema": "ntkfeyn.certificate/1",
        "tool": TOOL,
        "cumulant": cumulant_json(recursion.cumulant),
        "order": recursion.order,
        "hash": recursion.hash,
        "seed": certificate.seed,
        "verdict": "equal" if certificate.equal else "different",
        "probed": certificate.probed,
        **({} if certificate.network is None else {"network": _network(certificate.network)}),
        "parameters": _parameters(certificate.setting),
        "comparisons": [_comparison(c) for c in certificate.comparisons],
        "controls": controls,
    }


def certificates_json(certificates: Sequence[Certificate]) -> dict[str, Any]:
    """One certificate answers with certificate/1, several with certificates/1."""
    if len(certificates) == 1:
        return certificate_json(certificates[0])
    return {
        "schema": "ntkfeyn.certificates/1",
        "verdict": "equal" if all(c.equal for c in certificates) else "different",
        "certificates": [certificate_json(c) for c in certificates],
    }


def _parameters(setting: Setting) -> dict[str, Any]:
    def matrix(rows: tuple[tuple[tuple[Any, ...], ...], ...]) -> list[Any]:
        return [[[str(c) for c in series] for series in row] for row in rows]

    polynomials = [[str(c) for c in coefficients] for coefficients in setting.activations]
    return {
        "activation": polynomials[0] if len(polynomials) == 1 else polynomials,
        **{name: str(getattr(setting, name)) for name in DRAWN_COUPLINGS},
        "kernel": matrix(setting.kernel),
        "ntk": matrix(setting.ntk),
        "widths": list(setting.widths),
        **({} if setting.weights == GAUSSIAN else {"weights": setting.weights}),
        **({} if not setting.sharing else {"sharing": list(map(_maps, setting.sharing))}),
    }


def _maps(maps: Maps) -> list[dict[str, Any]]:
    return [
        {"weight": str(weight), "rows": [[[label + 1, str(value)] for label, value in row] for row in rows]}
        for weight, rows in maps
    ]


def _network(network: NamedNetwork) -> dict[str, Any]:
    return {**network.layout, "inputs": network.inputs, "positions": list(network.positions)}


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "layer": comparison.layer,
        "samples": [sample + 1 for sample in comparison.samples],
        "order": comparison.order,
        "exact": str(comparison.exact),
        "derived": str(comparison.derived),
        "equal": comparison.equal,
    }


def certificate_text(certificate: Certificate) -> str:
    """The verdict in a line, layer by layer, then the controls and, on a difference, where it is first seen."""
    recursion = certificate.recursion
    verdict = "equal" if certificate.equal else "DIFFERENT"
    channel = f"legs {recursion.cumulant.legs_text()}, channel {recursion.cumulant.channel_text()}"
    weights = "" if recursion.weights == GAUSSIAN else f"{recursion.weights} weights, "
    lines = [f"{recursion.name}@{recursion.order}: {verdict}   ({weights}{channel}, seed {certificate.seed})"]
    if certificate.network is not None:
        lines.append(f"  network: {network_text(certificate.network)}")
    given = ":".join(map(polynomial_text, certificate.setting.activations))
    samples = len(certificate.setting.kernel)
    fed = f", {samples} sample{'s' if samples > 1 else ''}" if certificate.network is None else ""
    lines.append(f"  activation {given}{fed}")
    for layer in sorted({c.layer for c in certificate.comparisons}):
        here = [c for c in certificate.comparisons if c.layer == layer]
        same = sum(c.equal for c in here)
        highest = [c for c in here if c.order == recursion.order and c.exact]
        orders = f"orders 0..{recursion.order}" if recursion.order else "order 0"
        zero = "" if highest else f"; at order {recursion.order} all are zero"
        lines.append(f"  layer {layer}: {same} of {len(here)} coefficients equal exactly ({orders}){zero}")
    if certificate.controls:
        outcomes = [outcome for c in certificate.controls for outcome in (c.dropped, c.doubled)]
        counts = ", ".join(f"{outcomes.count(kind)} {kind}" for kind in ("caught", "missed", "not probed"))
        lines.append(f"  controls: {len(certificate.controls)} diagrams each left out and counted twice: {counts}")
        lines += _sleep_lines(certificate)
    if certificate.average_controls:
        averages = [c.omitted for c in certificate.average_controls]
        counts = ", ".join(f"{averages.count(kind)} {kind}" for kind in ("caught", "missed", "not probed"))
        lines.append(f"  controls: without the average over labels at each of its pairs in turn: {counts}")
    first = certificate.first_difference
    if first is not None:
        network = certificate.network
        names = [str(s + 1) if network is None else network.label(first.layer, s) for s in first.samples]
        where = "-".join(names)
        lines.append(
            f"  first difference: layer {first.layer}, order {first.order}, samples {where}:"
            f" exact {first.exact}, derived {first.derived}"
        )
    return "\n".join(lines) + "\n"


def _sleep_lines(certificate: Certificate) -> list[str]:
    """What the comparisons above say nothing of, and which control does."""
    asleep, woken = certificate.asleep, certificate.woken
    if not asleep or certificate.control_setting is None:
        return []
    degree = len(certificate.control_setting.activations[0]) - 1
    lines = [f"  asleep in the comparisons above, where they are zero: {', '.join(asleep)}"]
    if woken:
        rest = "" if woken == asleep else f": {', '.join(woken)}"
        lines.append(f"    awake in the controls, layer {CONTROL_LAYER}, an activation of degree {degree}{rest}")
    return lines


def polynomial_text(coefficients: Sequence[Fraction]) -> str:
    """z + 1/2 z^2"""
    text = ""
    for power, c in enumerate(coefficients):
        if c:
            size = "" if abs(c) == 1 and power else f"{abs(c)} " if power else str(abs(c))
            sign = ("-" if c < 0 else "") if not text else " - " if c < 0 else " + "
            text += sign + size + ("" if not power else "z" if power == 1 else f"z^{power}")
    return text or "0"


def network_text(network: NamedNetwork) -> str:
    """Its layers, and what it was fed with, in a line."""
    shape = " x ".join(map(str, network.layout["shape"]))
    inputs = "1 input" if network.inputs == 1 else f"{network.inputs} inputs"
    layers = ", ".join(map(_layer_text, network.layout["layers"]))
    return f"{layers}; {inputs} of shape {shape}; couplings and kernels of layer 1 drawn at random"


def _layer_text(layer: Mapping[str, Any]) -> str:
    """conv kernel 3 stride 2 zero, graph matrix, dense mean."""
    words = [layer["kind"], *(["matrix"] if "matrix" in layer else [])]
    words += [f"kernel {layer['kernel']}"] if "kernel" in layer else []
    words += [f"{name} {layer[name]}" for name in ("stride", "dilation") if layer.get(name, 1) != 1]
    words += [layer[name] for name in ("padding", "normalisation", "pool") if name in layer]
    return " ".join(words)
