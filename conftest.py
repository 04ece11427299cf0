"""Rules for every test of the repository."""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime reads it when it is first imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

OPTIONAL = "optional: "
"""How the reason of a skip begins that is all right in CI too."""

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge the skip of a test."""
    return _must_run((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge the skip of a whole file."""
    return _must_run((yield))


def _must_run(report: Report) -> Report:
    """In CI, where everything that a test needs is there, turn a skip into a failure."""
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not reason.removeprefix("Skipped: ").startswith(OPTIONAL):
            report.outcome, report.longrepr = "failed", f"skipped in CI: {reason}"
    return report
