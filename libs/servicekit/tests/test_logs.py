"""Log lines: one JSON object each, and none longer than agreed, whatever is logged."""

import json
import logging
import subprocess
import sys

import pytest
from servicekit.logs import MAX_LINE_BYTES, JsonFormatter

LONG = "x" * 1_000_000


def line(message="request", *args, fields=None, error=None):
    exc_info = None
    if error is not None:
        try:
            raise error
        except Exception:
            exc_info = sys.exc_info()
    record = logging.LogRecord("http", logging.INFO, __file__, 1, message, args, exc_info)
    if fields is not None:
        record.fields = fields
    return JsonFormatter("gateway").format(record)


def test_what_is_short_is_told_as_it_is():
    fields = {
        "route": "/벽",
        "status": 404,
        "stages": {"decode": {"duration_ms": 1.5}},
        "top": ["a", "b"],
        "none": None,
    }
    told = json.loads(line(fields=fields))
    assert {name: told[name] for name in fields} == fields
    assert (told["event"], told["service"], told["level"]) == ("request", "gateway", "INFO")


@pytest.mark.parametrize(
    "fields",
    [
        {"path": LONG},
        {"path": "\x00" * 100_000},
        {"path": "벽" * 100_000},
        {"path": "\U0001f9d7" * 100_000},
        {"details": {"content-type": LONG}},
        {"details": {LONG: "value"}},
        {"names": [LONG] * 5},
        {f"field-{number}": LONG for number in range(1000)},
        {"many": list(range(100_000))},
        {"deep": [[[[LONG]]]]},
    ],
    ids=["path", "control", "korean", "emoji", "nested", "name", "list", "many fields", "many numbers", "deep"],
)
def test_a_line_is_bounded_whatever_its_fields_hold(fields):
    told = line(fields=fields)
    assert len(told.encode()) <= MAX_LINE_BYTES
    assert json.loads(told)["event"] == "request"


def test_a_message_and_its_arguments_are_cut():
    told = line("no such file: %s", LONG)
    assert len(told.encode()) <= MAX_LINE_BYTES
    assert json.loads(told)["event"].startswith("no such file: xxx")


def test_a_cut_text_shows_its_two_ends():
    told = json.loads(line(fields={"path": f"/begin{LONG}/end"}))["path"]
    assert told.startswith("/begin")
    assert told.endswith("/end")
    assert len(told) <= 1000


@pytest.mark.parametrize("text", [LONG, "벽" * 100_000, "\x01" * 100_000])
def test_a_trace_is_bounded_and_keeps_where_it_happened(text):
    told = line(error=ValueError(text))
    assert len(told.encode()) <= MAX_LINE_BYTES
    parsed = json.loads(told)
    assert parsed["trace"].startswith("Traceback")
    assert "test_logs.py" in parsed["trace"]


def test_a_very_deep_recursion_is_told():
    def again(depth):
        return again(depth + 1)

    try:
        again(0)
    except RecursionError as error:
        failure = error
    told = line(error=failure)
    assert len(told.encode()) <= MAX_LINE_BYTES
    assert "RecursionError" in json.loads(told)["trace"]


WARNS = """
import warnings
from servicekit import logs
logs.configure("gateway", "INFO")
for number in range(1000):
    warnings.warn(f"a picture of {number} pixels", UserWarning)
print(len(globals().get("__warningregistry__", {})))
"""


def test_warnings_that_tell_a_photos_figures_are_not_kept():
    done = subprocess.run([sys.executable, "-c", WARNS], check=True, capture_output=True, text=True)
    assert int(done.stdout) <= 1  # Python's own mark
    assert done.stderr == ""
