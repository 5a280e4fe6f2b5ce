"""Set before NumPy is loaded: many small matrix products, where threads of one product only wait for each other."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import settings

# the same examples in every run: whether one lands is not left to chance; tests/fuzz.py is what searches at random
settings.register_profile("suite", derandomize=True)
settings.load_profile("suite")
