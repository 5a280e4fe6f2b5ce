"""A run of training: theory, and sampled networks beside it.

Enters: a ``TrainingRequest``. Leaves: ``Trained``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ntkfeyn.runtime.version import TOOL
from ntkfeyn.training.expansion import expanded, warnings
from ntkfeyn.training.request import BLOCK, TrainingRequest, training_json
from ntkfeyn.training.results import Trained, TrainedSetting
from ntkfeyn.training.sampled import sampled_training


def trained(request: TrainingRequest, begin: Callable[[], Callable[[str], None]] | None = None) -> Trained:
    """Theory, then as many networks as are asked for; ``begin`` is called in between, and tells of progress since.

    Raises NtkfeynError for what does not exist, diverges, or cannot be sampled.
    """
    request.check()
    found = expanded(request)
    sampled: list[Any] = [None] * len(found)
    if request.sampling is not None:
        rates = [_rates(one.modes.values.tolist()) for one in found]
        sampled = sampled_training(request, rates, (lambda _: None) if begin is None else begin())
    points = len(request.numbers.gram)
    names = [f"train-{a + 1}" for a in range(request.trained)]
    names += [f"test-{a + 1}" for a in range(points - request.trained)]
    meta: dict[str, Any] = {"tool": TOOL, "command": "train", **training_json(request)}
    if request.sampling is not None:
        meta["networks"] = request.blocks * BLOCK
        meta["step_errors"] = [one.step_error for one in sampled]
    settings = tuple(
        TrainedSetting(network.width_text, one, beside, request.schedule.times)
        for network, one, beside in zip(request.numbers.networks, found, sampled, strict=True)
    )
    return Trained(meta, request.schedule.labels, tuple(names), settings, tuple(warnings(request, found[0])))


def _rates(eigenvalues: list[float]) -> tuple[float, float]:
    """The largest eigenvalue and the least that is not zero."""
    return max(eigenvalues), min(value for value in eigenvalues if value > 0)
