"""Photos that were tampered with: no crash, no exception but ours, no more memory than was predicted."""

import sys

import pytest
from visionkit import codec

from bench.fuzz_photos.case import outcome_of, photo_of
from bench.fuzz_photos.corpus import kinds
from bench.fuzz_photos.run import run

SECONDS = 60
LEAST_CASES = 1_000

DIES_AT_THE_THIRD = """
import json, os, sys
for index in range(int(sys.argv[2]), int(sys.argv[2]) + int(sys.argv[3])):
    if index == 2:
        os.abort()
    print(json.dumps([index, "png gray", "decoded", None, 0.5]), flush=True)
"""


def test_a_minute_of_tampered_photos_does_nothing_that_must_not_be():
    report = run(2026, cases=sys.maxsize, seconds=SECONDS)
    assert report.findings == []
    assert report.cases > LEAST_CASES
    assert {kind for kind, outcome in report.outcomes if outcome == "decoded"} == {"jpeg", "png", "webp", "heic"}


@pytest.mark.parametrize("name", kinds())
def test_every_photo_is_sound_before_it_is_tampered_with(name):
    assert outcome_of(kinds()[name][0]).name == "decoded"


def test_a_case_can_be_run_again():
    assert [photo_of(7, index) for index in range(50)] == [photo_of(7, index) for index in range(50)]
    assert photo_of(7, 1) != photo_of(8, 1)


def test_a_prediction_that_is_too_low_is_noticed(monkeypatch):
    monkeypatch.setattr(codec, "predict_peak_bytes", lambda *_, **__: 1)
    assert "took" in outcome_of(kinds()["png color"][0]).finding


def test_an_exception_of_a_library_is_noticed(monkeypatch):
    def fail(*_, **__):
        raise KeyError("unheard of")

    monkeypatch.setattr(codec, "decode", fail)
    assert "unheard of" in outcome_of(kinds()["png color"][0]).finding


def test_a_case_that_ends_the_process_is_named_and_those_behind_it_are_run():
    report = run(1, cases=5, seconds=60, worker=("-c", DIES_AT_THE_THIRD))
    (finding,) = report.findings
    assert finding.startswith("1/2 ")
    assert "ended the process with -6" in finding
    assert report.outcomes["png", "decoded"] == 4
