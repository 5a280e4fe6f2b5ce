"""The Python interface of training; numbers are imported when it is called.

Enters: networks, inputs, targets. Leaves: ``Trained``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ntkfeyn.model.network import Network

if TYPE_CHECKING:
    from ntkfeyn.training.results import Trained


def train(
    network: Network | Sequence[Network],
    inputs: Any = None,
    targets: Any = None,
    *,
    test: Any = None,
    gram: Any = None,
    times: Sequence[float] | None = None,
    steps: Sequence[int] | None = None,
    rate: float | None = None,
    networks: int | None = None,
    seed: int = 1,
    every_pair: bool = True,
    tolerance: float = 1e-6,
    jobs: int = 1,
    scheduler: str | None = None,
) -> Trained:
    """Mean prediction and kernel of trained networks at orders 0 and 1 in 1/n (theory section 12).

    ``targets``: shape (training inputs,) or (training inputs, outputs); ``inputs`` are trained on, ``test`` are not; or
    ``gram``: x.x'/n_0 of all of them, training inputs first. The loss is 1/2 sum eps^2: gradient flow to each of
    ``times`` (inf is one; the default is 0.5, 1, 2, 5, inf), or gradient descent with ``rate`` after each of ``steps``.
    ``every_pair``: the kernel is followed also between different test inputs. With ``networks`` as many are trained
    beside the theory. ``.order0``, ``.order1`` have axes (times, points,
    outputs); ``.settings`` hold everything of each width. Raises NtkfeynError for what does not exist or diverges.
    """
    from ntkfeyn.sampling.estimation import Sampling
    from ntkfeyn.training import request, run

    several = (network,) if isinstance(network, Network) else tuple(network)
    points, schedule = request.Points(targets, inputs, test, gram), request.schedule_for(times, steps, rate)
    sampling = None if networks is None else Sampling(networks, seed)
    solving = {"tolerance": tolerance, "jobs": jobs, "scheduler": scheduler}
    return run.trained(request.training_request(several, points, schedule, sampling, every_pair, **solving))
