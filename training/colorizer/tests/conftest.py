"""These tests need torch, which is in `training/.venv` and not in the services' environment."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["test_*.py"]
