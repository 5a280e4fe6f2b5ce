"""Set before NumPy is loaded: many small matrix products, where threads of one product only wait for each other."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import settings

# the same examples in every run: whether one lands is not left to chance; tests/fuzz.py is what searches at random
settings.register_profile("suite", derandomize=True)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked ``long`` is for tests/run --all."""
    if not os.environ.get("NTKFEYN_ALL"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="long: tests/run --all"))
