"""Calls that end in numbers: solved recursions, sampled networks.

Enters: networks and inputs. Leaves: tensors with errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ntkfeyn.api.asking import numeric_request
from ntkfeyn.model.network import Network
from ntkfeyn.model.targets import DEFAULT_EVALUATED
from ntkfeyn.model.tensors import TensorId

if TYPE_CHECKING:
    from ntkfeyn.sampling.estimation import Sampling
    from ntkfeyn.solve.request import Request
    from ntkfeyn.solve.results import Tensors


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

    request, targets = numeric_request(network, inputs, gram, names, order)
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

    request, targets = numeric_request(network, inputs, gram, names, None)
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
