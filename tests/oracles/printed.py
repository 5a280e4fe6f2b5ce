"""The order-1 recursions of z and NTK as theory section 5 prints them, expanded by hand-written Leibniz.

Imports nothing of ntkfeyn. A recursion is {key: coefficient}; a key is (couplings, expectations, tensors): powers of
(C_W, lambda_W, C_b, lambda_b, rho), sorted expectations of sorted (sample, derivative order), sorted tensors
(name, order, samples in index order, least under the symmetry group).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product

Sum = Counter
# index positions that may be permuted, as generators of each symmetry group
GENERATORS: dict[str, list[tuple[int, ...]]] = {
    "K": [(1, 0)],
    "Theta": [(1, 0)],
    "V": [(1, 0, 2, 3), (2, 3, 0, 1)],
    "D": [(1, 0, 2, 3), (0, 1, 3, 2)],
    "F": [(2, 3, 0, 1)],
    "A": [(1, 0, 2, 3), (2, 3, 0, 1)],
    "B": [(2, 3, 0, 1), (1, 0, 3, 2)],
}
# slots (legs in order) -> index order
INDEX = {"F": (0, 2, 1, 3), "B": (0, 2, 1, 3)}


def least(name: str, samples: tuple[int, ...]) -> tuple[int, ...]:
    orbit, frontier = {samples}, [samples]
    while frontier:
        current = frontier.pop()
        for generator in GENERATORS[name]:
            image = tuple(current[g] for g in generator)
            if image not in orbit:
                orbit.add(image)
                frontier.append(image)
    return min(orbit)


def tensor(name: str, order: int, *samples: int) -> tuple:
    return (name, order, least(name, samples))


def term(coefficient, C_W=0, lambda_W=0, C_b=0, lambda_b=0, rho=0, means=(), tensors=()) -> Sum:
    key = (
        (C_W, lambda_W, C_b, lambda_b, rho),
        tuple(sorted(tuple(sorted(mean)) for mean in means)),
        tuple(sorted(tensors)),
    )
    return Counter({key: Fraction(coefficient)})


def add(*sums: Sum) -> Sum:
    total: Sum = Counter()
    for one in sums:
        for key, value in one.items():
            total[key] += value
    return Counter({key: value for key, value in total.items() if value})


def derivatives(factors: tuple, count: int) -> Iterator[tuple[tuple[int, ...], tuple]]:
    """Leibniz: each of ``count`` labels b runs over the samples of the product and derives that factor."""
    for hits in product(range(len(factors)), repeat=count):
        orders = [order for _, order in factors]
        for hit in hits:
            orders[hit] += 1
        samples = tuple(sample for sample, _ in factors)
        yield tuple(samples[hit] for hit in hits), tuple(zip(samples, orders, strict=True))


def omega(a: int, b: int) -> list[tuple[tuple[int, int], tuple, tuple]]:
    """Omega_ab as (powers of C_W and lambda_W, tensors, factors)."""
    return [((0, 1), (), ((a, 0), (b, 0))), ((1, 0), (tensor("Theta", 0, a, b),), ((a, 1), (b, 1)))]


def plain(a: int, b: int, order: int = 0) -> list:
    return [((0, 0), (), ((a, order), (b, order)))]


def connected(prefix: int, left: list, right: list) -> Sum:
    """C_W^prefix (<f g> - <f><g>) over the choices inside f and g."""
    sums = []
    for (c1, l1), t1, f in left:
        for (c2, l2), t2, g in right:
            powers = {"C_W": prefix + c1 + c2, "lambda_W": l1 + l2, "tensors": t1 + t2}
            sums += [term(1, means=[f + g], **powers), term(-1, means=[f, g], **powers)]
    return add(*sums)


def spread(coefficient, prefix: int, name: str, left: list, right: list, pattern) -> Sum:
    """rho * coefficient * C_W^prefix * T_pattern <d^k f><d^m g>; pattern(bs of f, bs of g) gives (samples, k, m)."""
    sums = []
    k, m, label = pattern
    for (c1, l1), t1, f in left:
        for (c2, l2), t2, g in right:
            for bf, df in derivatives(f, k):
                for bg, dg in derivatives(g, m) if g else [((), ())]:
                    means = [df, dg] if g else [df]
                    sums.append(
                        term(
                            coefficient,
                            C_W=prefix + c1 + c2,
                            lambda_W=l1 + l2,
                            rho=1,
                            means=means,
                            tensors=(*t1, *t2, tensor(name, 1, *label(bf, bg))),
                        )
                    )
    return add(*sums)


NOTHING = [((0, 0), (), ())]


def _A() -> Sum:
    return add(
        connected(0, omega(1, 2), omega(3, 4)),
        spread(Fraction(1, 4), 0, "V", omega(1, 2), omega(3, 4), (2, 2, lambda f, g: (*f, *g))),
        spread(Fraction(1, 2), 1, "D", omega(1, 2), plain(3, 4, 1), (2, 0, lambda f, g: (*f, 3, 4))),
        spread(Fraction(1, 2), 1, "D", plain(1, 2, 1), omega(3, 4), (0, 2, lambda f, g: (*g, 1, 2))),
        spread(1, 2, "A", plain(1, 2, 1), plain(3, 4, 1), (0, 0, lambda f, g: (1, 2, 3, 4))),
    )


def recursions() -> dict[tuple[str, int], Sum]:
    """Right-hand sides by (name, order), printed sample labels, expanded."""
    quarter, half, eighth = Fraction(1, 4), Fraction(1, 2), Fraction(1, 8)
    four = (2, 2, lambda f, g: (*f, *g))
    return {
        ("K", 0): add(term(1, C_b=1), term(1, C_W=1, means=[((1, 0), (2, 0))])),
        ("Theta", 0): add(
            term(1, lambda_b=1), *(term(1, C_W=c, lambda_W=w, means=[f], tensors=t) for (c, w), t, f in omega(1, 2))
        ),
        ("V", 1): add(connected(2, plain(1, 2), plain(3, 4)), spread(quarter, 2, "V", plain(1, 2), plain(3, 4), four)),
        ("K", 1): add(
            spread(half, 1, "K", plain(1, 2), NOTHING, (2, 0, lambda f, g: f)),
            spread(eighth, 1, "V", plain(1, 2), NOTHING, (4, 0, lambda f, g: f)),
        ),
        ("D", 1): add(
            connected(1, plain(1, 2), omega(3, 4)),
            spread(quarter, 1, "V", plain(1, 2), omega(3, 4), four),
            spread(half, 2, "D", plain(1, 2), plain(3, 4, 1), (2, 0, lambda f, g: (*f, 3, 4))),
        ),
        ("F", 1): add(
            term(1, C_W=2, means=[((1, 0), (2, 0), (3, 1), (4, 1))], tensors=(tensor("Theta", 0, 3, 4),)),
            spread(
                1,
                2,
                "F",
                [((0, 0), (), ((1, 0), (3, 1)))],
                [((0, 0), (), ((2, 0), (4, 1)))],
                (1, 1, lambda f, g: (f[0], 3, g[0], 4)),
            ),
        ),
        ("A", 1): _A(),
        ("B", 1): add(
            term(
                1,
                C_W=2,
                means=[((1, 1), (2, 1), (3, 1), (4, 1))],
                tensors=(tensor("Theta", 0, 1, 2), tensor("Theta", 0, 3, 4)),
            ),
            spread(1, 2, "B", plain(1, 3, 1), plain(2, 4, 1), (0, 0, lambda f, g: (1, 3, 2, 4))),
        ),
        ("Theta", 1): add(
            spread(1, 1, "Theta", plain(1, 2, 1), NOTHING, (0, 0, lambda f, g: (1, 2))),
            spread(half, 0, "K", omega(1, 2), NOTHING, (2, 0, lambda f, g: f)),
            spread(eighth, 0, "V", omega(1, 2), NOTHING, (4, 0, lambda f, g: f)),
            spread(half, 1, "D", plain(1, 2, 1), NOTHING, (2, 0, lambda f, g: (*f, 1, 2))),
            spread(1, 1, "F", plain(1, 2, 1), NOTHING, (2, 0, lambda f, g: (f[0], 1, f[1], 2))),
        ),
    }


def from_json(data: dict) -> Sum:
    """A recursion in the schema ntkfeyn.recursion/1 as such a sum."""
    sums = []
    for entry in data["terms"]:
        tensors = []
        for item in entry["tensors"]:
            slots = [sample for _, samples in item["legs"] for sample in samples]
            order = INDEX.get(item["name"], range(len(slots)))
            tensors.append(tensor(item["name"], item["order"], *(slots[v] for v in order)))
        sums.append(
            term(
                Fraction(entry["coefficient"]),
                *(entry[k] for k in ("C_W", "lambda_W", "C_b", "lambda_b")),
                rho=entry["width_ratio"],
                means=[tuple(map(tuple, mean)) for mean in entry["expectations"]],
                tensors=tensors,
            )
        )
    return add(*sums)


def difference(a: Sum, b: Sum) -> Sum:
    return add(a, Counter({key: -value for key, value in b.items()}))


def brute_force_symmetries(edges: set[frozenset[int]], channel: set[frozenset[int]], size: int) -> set[tuple[int, ...]]:
    """Every permutation of slots that keeps the contractions and the channel."""

    def kept(pairs: set[frozenset[int]], image: tuple[int, ...]) -> bool:
        return {frozenset(image[v] for v in pair) for pair in pairs} == pairs

    return {image for image in permutations(range(size)) if kept(edges, image) and kept(channel, image)}
