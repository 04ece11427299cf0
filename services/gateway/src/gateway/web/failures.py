"""Errors as HTTP answers: one shape, the status of the design's table, in the caller's language."""

import math
from collections.abc import Mapping
from typing import Any

from servicekit.errors import (
    ALL,
    Internal,
    MethodNotAllowed,
    NotFound,
    RetryableError,
    ServiceError,
    Unauthenticated,
)
from servicekit.receipts import current_receipt
from servicekit.tracebacks import forget
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from gateway import messages
from gateway.web.answers import Answer, Failure, encode
from gateway.web.request_state import state_of

STATUS: dict[str, int] = {kind.reason: kind.http_status for kind in ALL}
"""The HTTP status of every code."""
OF_HTTP = frozenset(("NOT_FOUND", "METHOD_NOT_ALLOWED", "INVALID_REQUEST", "URI_TOO_LONG", "HEADERS_TOO_LARGE"))
"""Those of requests that ask for nothing there is; gRPC has its own for them."""

_CODE_BY_STATUS = {kind.http_status: kind.reason for kind in (NotFound, MethodNotAllowed)}


class FailureAnswer(Answer, frozen=True):
    """The shape of every error."""

    error: Failure


def describe(error: ServiceError, scope: Scope) -> FailureAnswer:
    """An error in the language of the request, with the English particulars as `details.reason`; it ends here."""
    forget(error)
    details = {"reason": error.message} | error.details
    if isinstance(error, RetryableError):
        details["retry_after_s"] = f"{error.retry_after_s:.3g}"
    return _describe(scope, error.reason, details)


def respond(error: ServiceError, scope: Scope) -> Response:
    """The whole answer to a failed request."""
    headers = {}
    if isinstance(error, RetryableError):
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s)))
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = "Bearer"
    return _respond(describe(error, scope), headers, scope)


def language_of(scope: Scope) -> messages.Language:
    """The language that the caller of a request likes best."""
    accepted = [value.decode("latin-1") for name, value in scope["headers"] if name == b"accept-language"]
    return messages.choose_language(",".join(accepted))


def note_outcome(scope: Scope, outcome: str) -> None:
    """Remember for the log and the metrics how a request ended; `OK` unless noted."""
    state_of(scope).outcome = outcome


async def _on_service_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)  # noqa: S101 - as it was registered
    return respond(error, request.scope)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as it was registered
    code = _CODE_BY_STATUS.get(error.status_code, "INTERNAL")
    return _respond(_describe(request.scope, code, {}), error.headers or {}, request.scope)


async def _on_bug(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the trace is logged outside
    return respond(Internal(), request.scope)


def _describe(scope: Scope, code: str, details: dict[str, str]) -> FailureAnswer:
    note_outcome(scope, code)
    receipt = current_receipt()
    request_id = "" if receipt is None else receipt.request_id
    return FailureAnswer(Failure(code, messages.error(code, language_of(scope)), request_id, details))


def _respond(failure: FailureAnswer, headers: Mapping[str, str], scope: Scope) -> Response:
    told = {"content-language": language_of(scope), "vary": "Accept-Language", **headers}
    return Response(encode(failure), STATUS[failure.error.code], told, "application/json")


HANDLERS: dict[Any, Any] = {
    ServiceError: _on_service_error,
    HTTPException: _on_http_error,
    Exception: _on_bug,
}
"""What makes the application answer every error in this shape."""
