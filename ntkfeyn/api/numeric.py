"""Calls that end in numbers: solved recursions, sampled networks, trained ones, critical points.

Enters: networks and inputs; how to solve and sample, as records or single options. Leaves: numbers with errors, which
show themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ntkfeyn.api.asking import Letters, Solving, none_left, notation_of, numeric_request, options
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.network import Network
from ntkfeyn.model.targets import DEFAULT_EVALUATED
from ntkfeyn.model.tensors import TensorId

if TYPE_CHECKING:
    from ntkfeyn.sampling.estimation import Sampling
    from ntkfeyn.solve.request import Request
    from ntkfeyn.solve.results import Tensors
    from ntkfeyn.views.critical import Critical
    from ntkfeyn.views.numeric import ShownComparison, ShownTensors, ShownTraining

Networks = Network | Sequence[Network]
TRAINING = Solving(tolerance=1e-6)
CURVE = 61  # times of a figure


def evaluate(
    network: Networks,
    inputs: Any = None,
    names: str | Sequence[str] = DEFAULT_EVALUATED,
    order: int | None = None,
    *,
    gram: Any = None,
    components: str = "all",
    solving: Solving | None = None,
    notation: Letters = None,
    **single: Any,
) -> ShownTensors:
    """Tensors at every layer of a network, from the recursions (theory sections 3 to 5).

    ``inputs``: vectors, shape (inputs, n_0); or ``gram``: x.x'/n_0, shape (inputs, inputs). ``names`` as on the command
    line ("K", "Theta@1"). Several networks may differ in their widths alone. ``solving`` says how, or its fields
    ``tolerance``, ``jobs``, ``scheduler`` singly. Returns `ntkfeyn.records.ShownTensors`. Raises NtkfeynError for a bad
    request, an integral that does not converge or a tensor that does not exist.

    >>> import ntkfeyn as nf
    >>> network = nf.Network(depth=3, width=8, activation="relu", cw=2)
    >>> found = nf.evaluate(network, [[1.0, 0.5]], ["K", "V"])
    >>> found
    <Tensors K@0, V@1: 1 inputs, 3 layers, width 8>
    >>> round(found.value("V", (1, 1, 1, 1))[0], 6)  # 5 K^2 (l - 1) at layer l
    15.625
    """
    from ntkfeyn.solve.evaluation import evaluate_tensors
    from ntkfeyn.views.numeric import ShownTensors, shown

    how, rest = options(solving, Solving(), single)
    none_left("evaluate", rest, how)
    request, targets = numeric_request(network, inputs, gram, names, order)
    found = evaluate_tensors(request._replace(**how._asdict()), targets, components)
    return shown(ShownTensors, found, notation_of(notation))


def sample(
    network: Networks,
    inputs: Any = None,
    names: str | Sequence[str] = DEFAULT_EVALUATED,
    *,
    gram: Any = None,
    sampling: Sampling | None = None,
    solving: Solving | None = None,
    notation: Letters = None,
    **single: Any,
) -> ShownTensors:
    """Unbiased estimates from sampled networks, one standard error each; arguments as for ``evaluate``.

    K, Theta, V, D, F, A, B, P, Q, R, S, T, U are n^R times the cumulants at the width n; K@1 and Theta@1 are n (mean -
    K), n (mean - Theta). ``sampling`` says how, or its fields ``networks``, ``seed``, ``outputs`` (neurons that show P
    to U), ``target_error`` (it stops once each tensor's errors at the last layer are below that share of its largest
    component, after at most ``networks``), ``backend`` ("numpy", "jax") singly. The numbers depend on the seed alone.
    Returns `ntkfeyn.records.ShownTensors`. Raises NtkfeynError.

    >>> import ntkfeyn as nf
    >>> network = nf.Network(depth=2, width=8, activation="relu", cw=2)
    >>> found = nf.sample(network, [[1.0, 0.5]], "V", networks=6400, seed=1)
    >>> value, error = found.value("V", (1, 1, 1, 1))
    >>> abs(value - 5 * 1.25**2) < 5 * error
    True
    """
    from ntkfeyn.sampling import estimation
    from ntkfeyn.views.numeric import ShownTensors, shown

    how, rest = options(sampling, estimation.Sampling(), single)
    who, rest = options(solving, Solving(), rest)
    none_left("sample", rest, how, who)
    request, targets = numeric_request(network, inputs, gram, names, None)
    found = sample_request(request._replace(jobs=who.jobs, scheduler=who.scheduler), targets, how)
    return shown(ShownTensors, found, notation_of(notation))


def sample_request(request: Request, targets: Sequence[TensorId], sampling: Sampling) -> Tensors:
    """Estimates of a checked request; the means that K@1 and Theta@1 are measured from come from the recursions."""
    from ntkfeyn.sampling.estimation import check_targets, leading_means, sample_tensors
    from ntkfeyn.solve.evaluation import evaluate_tensors

    check_targets(targets)
    means = leading_means(targets)
    leading = evaluate_tensors(request._replace(advance=lambda _: None), means) if means else None
    return sample_tensors(request, targets, sampling, leading)


def compare(
    network: Networks,
    inputs: Any = None,
    names: str | Sequence[str] = DEFAULT_EVALUATED,
    order: int = 1,
    *,
    gram: Any = None,
    components: str = "all",
    max_pull: float = 5.0,
    sampling: Sampling | None = None,
    solving: Solving | None = None,
    notation: Letters = None,
    **single: Any,
) -> ShownComparison:
    """Theory up to ``order``, the highest power of 1/n, beside sampled networks; ``.passed`` says whether they agree.

    Arguments as for ``evaluate`` and ``sample``. They agree if no pull, (sampled - theory)/error, is above ``max_pull``
    and no chi^2 of all components at the output layer has p below 1e-6. Returns `ntkfeyn.records.ShownComparison`,
    whose ``.settings`` hold values, partial sums, pulls and chi^2 by width and layer; where they differ,
    ``.higher_orders`` the next orders on the same samples, if they take but a moment, and ``.advice()`` what to try.
    Raises NtkfeynError.

    >>> import ntkfeyn as nf
    >>> network = nf.Network(depth=3, width=8, activation="relu", cw=2)
    >>> found = nf.compare(network, [[1.0, 0.5]], "Theta", order=2, networks=3200)
    >>> found.passed, found.orders
    (True, {'Theta@0': (0, 1, 2)})
    """
    from ntkfeyn.sampling import comparison, estimation
    from ntkfeyn.views.numeric import ShownComparison, shown

    how, rest = options(sampling, estimation.Sampling(), single)
    who, rest = options(solving, Solving(), rest)
    none_left("compare", rest, how, who)
    request, targets = numeric_request(network, inputs, gram, names, None)
    request = request._replace(jobs=who.jobs, scheduler=who.scheduler)
    found = comparison.compare(request, targets, order, how, components, max_pull)
    return shown(ShownComparison, found, notation_of(notation))


def train(
    network: Networks,
    inputs: Any = None,
    targets: Any = None,
    *,
    test: Any = None,
    gram: Any = None,
    times: Sequence[float] | None = None,
    steps: Sequence[int] | None = None,
    rate: float | None = None,
    every_pair: bool = True,
    sampling: Sampling | None = None,
    solving: Solving | None = None,
    notation: Letters = None,
    **single: Any,
) -> ShownTraining:
    """Mean prediction and kernel of trained networks at orders 0 and 1 in 1/n (theory section 12).

    ``targets``: shape (training inputs,) or (training inputs, outputs); ``inputs`` are trained on, ``test`` are not; or
    ``gram``: x.x'/n_0 of all of them, training inputs first. The loss is 1/2 sum eps^2: gradient flow to each of
    ``times`` (inf is one; the default is 0.5, 1, 2, 5, inf), or gradient descent with ``rate`` after each of ``steps``.
    ``every_pair``: the kernel is followed also between different test inputs. With ``sampling``, or ``networks`` and
    ``seed``, as many are trained beside the theory. Returns `ntkfeyn.records.ShownTraining`: ``.order0``, ``.order1``
    have axes (times, points, outputs); ``.settings`` hold everything of each width. Raises NtkfeynError for what does
    not exist or diverges.

    >>> import ntkfeyn as nf
    >>> found = nf.train(nf.Network(2, 64, "linear"), [[1.0]], [0.8], times=[1.0])
    >>> round(float(found.order0[0, 0, 0]), 6)  # 0.8 (1 - exp(-2)): the kernel is 2
    0.691732
    """
    from ntkfeyn.sampling import estimation
    from ntkfeyn.training import request, run
    from ntkfeyn.views.numeric import ShownTraining, shown

    several = (network,) if isinstance(network, Network) else tuple(network)
    points, schedule = request.Points(targets, inputs, test, gram), request.schedule_for(times, steps, rate)
    if single.get("networks", 0) is None:
        del single["networks"]
    how, rest = options(sampling, estimation.Sampling(), single)
    who, rest = options(solving, TRAINING, rest)
    none_left("train", rest, how, who)
    trained = how if sampling is not None or "networks" in single else None
    asked = request.training_request(several, points, schedule, trained, every_pair, **who._asdict())
    return shown(ShownTraining, run.trained(asked._replace(curve=CURVE)), notation_of(notation))


def critical(
    activation: str,
    depth: int = 256,
    *,
    off: float = 0.1,
    lambda_w: float = 1.0,
    lambda_b: float = 0.0,
    weights: str = GAUSSIAN,
    scaling: bool = True,
    notation: Letters = None,
) -> Critical:
    """The critical (C_W, C_b) of an activation, and how every tensor grows with depth there and off it (section 8).

    ``off``: C_W times 1 - off and 1 + off off criticality; ``depth`` layers; without ``scaling`` only the points.
    Returns `ntkfeyn.records.Critical`: ``.points`` and ``.main`` are the points, ``.runs`` the values, ``.predicted``
    what is derived. Raises NtkfeynError.

    >>> import ntkfeyn as nf
    >>> nf.critical("relu", scaling=False)
    <Critical relu: C_W = 2, C_b = 0, scale-invariant>
    """
    from ntkfeyn.criticality.depth import Scaling
    from ntkfeyn.views.critical import critical_record

    how = Scaling(depth, off, lambda_w, lambda_b, weights)
    how.check()
    return critical_record(activation, how if scaling else None, notation_of(notation))
