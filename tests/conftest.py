"""Set before NumPy is loaded: many small matrix products, where threads of one product only wait for each other."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
