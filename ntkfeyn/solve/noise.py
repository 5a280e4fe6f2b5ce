"""Noise: what a compared run changes on purpose, so that its difference from the first shows what becomes of rounding.

Enters: kernels, expectations and tensors of one layer, with the sizes of the sums that they were left over from.
Leaves: the same, each off by many times what it is rounded by. All layers above amplify this as they amplify the
rounding of the first run: nothing has to be known of how. Signs are random but fixed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.keys import EPSILON

Array = NDArray[np.float64]
NOISE = 64 * EPSILON  # relative to the sum of absolute values; far above its rounding, so that chance hides nothing


class Noise(NamedTuple):
    """The noise of one layer in the run with this ``coarsening``."""

    layer: int
    coarsening: float

    def on(self, values: Array, sizes: Array, which: int) -> Array:
        """Values of the sums whose absolute values add up to ``sizes``; ``which`` tells arrays of a layer apart."""
        rng = np.random.default_rng([self.layer, which, round(1000 * self.coarsening)])
        signs = 1 - 2 * rng.integers(0, 2, size=len(values))
        return np.asarray(values + NOISE * signs * sizes)
