"""Tests that need torch run with `make test-training`, in their own environment; `make test` leaves them alone."""

import importlib.util

NEED_TORCH = (
    "detector/tests/test_samples.py",
    "detector/tests/test_learning.py",
    "detector/tests/test_networks.py",
    "detector/tests/test_shipped.py",
    "colorizer/tests/test_*.py",
)

collect_ignore_glob = [] if importlib.util.find_spec("torch") else list(NEED_TORCH)
