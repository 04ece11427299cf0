from typing import get_args

import pytest
from climbmate.errors.v1 import errors_pb2
from gateway import messages
from gateway.domain import StageName
from gateway.web.failures import OF_HTTP, STATUS

_NAMES = errors_pb2.ErrorReason.DESCRIPTOR.values_by_name
REASONS = {name.removeprefix("ERROR_REASON_") for name in _NAMES} - {"UNSPECIFIED"}


@pytest.mark.parametrize("language", messages.LANGUAGES)
@pytest.mark.parametrize("code", sorted(STATUS))
def test_every_code_has_a_message_in_every_language(code, language):
    assert messages.error(code, language).endswith(".")


def test_every_reason_has_an_http_status():
    assert set(STATUS) == REASONS | OF_HTTP | {"NOT_STORED"}


@pytest.mark.parametrize("language", messages.LANGUAGES)
@pytest.mark.parametrize("stage", get_args(StageName))
def test_every_stage_has_a_message_in_every_language(stage, language):
    assert messages.progress(stage, language).endswith(".")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"),
        ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("fr,ko;q=0.5", "ko"),
        ("fr", "en"),
        ("*", "en"),
        ("ko;q=0", "en"),
        ("ko;q=x", "en"),
        (";;,,q=,ko;", "ko"),
    ],
)
def test_the_language_is_the_one_that_the_caller_likes_best(header, language):
    assert messages.choose_language(header) == language
