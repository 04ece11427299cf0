"""The errors are the same set, with the same facts, wherever they are listed."""

import re

import pytest
from climbmate.errors.v1 import errors_pb2
from climbmate_client import errors as of_the_client
from gateway import messages
from gateway.web.failures import STATUS
from servicekit import errors

ROWS = re.compile(r"^\| `([A-Z_]+)` \| (\d+) \| `([A-Z_]+)` \| (.+) \|$", re.MULTILINE)
COMMENTS = re.compile(r"// ([A-Z_]+), HTTP (\d+), (.+)\.\n  ERROR_REASON_([A-Z_]+) = ")
RETRY = {"no retry": "no", "after RetryInfo": "after `Retry-After`", "retry at will": "yes"}


def facts():
    """Of every class: its reason, HTTP status, gRPC code, and whether to try again in the words of docs/api.md."""
    for kind in errors.ALL:
        again = "after `Retry-After`" if issubclass(kind, errors.RetryableError) else "no"
        yield kind.reason, kind.http_status, kind.code.name, "yes" if kind is errors.DeadlineExceeded else again


REASONS = {reason for reason, *_ in facts()}


def test_the_protos_list_them():
    assert {name.removeprefix("ERROR_REASON_") for name, number in errors_pb2.ErrorReason.items() if number} == REASONS


def test_the_protos_comments_tell_status_and_retry(root):
    text = (root / "protos/climbmate/errors/v1/errors.proto").read_text()
    told = {(reason, int(status), code, RETRY[again]) for code, status, again, reason in COMMENTS.findall(text)}
    assert told == set(facts())


def test_the_api_document_tells_status_and_retry(root):
    rows = ROWS.findall((root / "docs/api.md").read_text())
    assert {(code, int(status), grpc_code, again) for code, status, grpc_code, again in rows} == set(facts())


def test_http_has_a_status_for_each_and_people_a_text():
    assert set(STATUS) == REASONS
    assert messages.CODES == REASONS


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_operators_are_told_what_it_means(root, reason):
    assert f"`{reason}`" in (root / "docs/operations.md").read_text()


def test_the_client_has_a_class_for_each_and_knows_which_may_succeed_later():
    known = {kind.code: kind.retryable for kind in of_the_client.ALL}
    assert known == {reason: again != "no" for reason, _, _, again in facts()}
