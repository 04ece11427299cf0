"""What `/openapi.json` says of the operations: parameters, bodies, answers, errors, examples."""

import inspect
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from gateway.web import answers, examples, failures, parameters, reports
from gateway.web.answers import Answer
from gateway.web.questions import AnalyzeHeaders, AnalyzeQuery, FollowHeaders
from gateway.web.routes import OPEN, Operation

_REF = "#/components/schemas/{name}"
_KEY_ERRORS = ("UNAUTHENTICATED", "RATE_LIMITED")  # only where the operator asks for keys, but for corrections
_HEAD_ERRORS = ("INVALID_REQUEST", "URI_TOO_LONG", "HEADERS_TOO_LARGE")
_PHOTO_ERRORS = (
    *_KEY_ERRORS,
    "INVALID_IMAGE",
    "IMAGE_TOO_LARGE",
    "UNSUPPORTED_FORMAT",
    "INVALID_PARAMETER",
    "INTERNAL",
    "OVERLOADED",
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
)
_FEEDBACK_ERRORS = (
    *_KEY_ERRORS,
    "UNSUPPORTED_FORMAT",
    "INVALID_PARAMETER",
    "NOT_FOUND",
    "NOT_STORED",
    "OVERLOADED",
    "DEADLINE_EXCEEDED",
)
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_QUERY = tuple(parameters.described("query", AnalyzeQuery))


def _form(image: dict[str, Any]) -> dict[str, Any]:
    """A form's schema: the photo or photos, and the parameters that may be fields, too."""
    fields = {one["name"]: {**one["schema"], "description": one["description"]} for one in _QUERY}
    return {
        "type": "object",
        "required": ["image"],
        "properties": {**fields, "image": image},
        "additionalProperties": False,
    }


_PHOTO = {
    "parameters": (*_QUERY, *parameters.described("header", AnalyzeHeaders)),
    "requestBody": {
        "required": True,
        "description": "A JPEG, PNG, WebP or HEIC photo, at most 24 MiB: the form field `image` (or `file`), or raw. "
        "The query's parameters may be fields of the form instead.",
        "content": {
            "multipart/form-data": {"schema": _form({"type": "string", "format": "binary"})},
            "image/*": _BINARY,
        },
    },
}
_JOB_ID = {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string"}}


def operation(described: Sequence[Operation], version: str) -> Operation:
    """`GET /openapi.json`, which describes the others."""
    body = msgspec.json.encode(_document(described, version))

    async def send(_: Request) -> Response:
        return Response(body, headers={"cache-control": "no-cache"}, media_type="application/json")

    return Operation("GET", "/openapi.json", send, None, OPEN)


def _document(described: Sequence[Operation], version: str) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for one in described:
        if one.about is not None:
            name = one.endpoint.__name__
            told = {"operationId": name, "summary": name.replace("_", " ").capitalize()}
            told["description"] = inspect.getdoc(one.endpoint) or ""
            paths.setdefault(one.path, {})[one.method.lower()] = {**told, **one.about}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "climbmate",
            "summary": "Holds, colors and boulder problems of an indoor climbing wall, from one photo.",
            "version": version,
        },
        "paths": paths,
        "components": {"schemas": _schemas()},
    }


def _schemas() -> dict[str, Any]:
    kinds = (
        answers.Feedback,
        answers.FeedbackKept,
        answers.Analysis,
        answers.BatchLine,
        answers.BatchEnd,
        answers.JobReport,
        answers.ProgressEvent,
        answers.HoldsEvent,
        answers.ColorsEvent,
        answers.Palette,
        failures.FailureAnswer,
        reports.Health,
        reports.Probe,
    )
    _, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    return components


def _json(description: str, example: Answer) -> dict[str, Any]:
    reference = {"$ref": _REF.format(name=type(example).__name__)}
    return {
        "description": description,
        "content": {"application/json": {"schema": reference, "example": msgspec.to_builtins(example)}},
    }


def _failed(codes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """One entry for each status; codes that share one are told apart by `code`."""
    by_status: dict[str, dict[str, Any]] = {}
    for code in (*codes, *_HEAD_ERRORS):
        number = failures.STATUS[code]
        status = str(number)
        if status in by_status:
            by_status[status]["description"] += f" or `{code}`"
        else:
            by_status[status] = _json(f"`{code}`", examples.failure(code))
        if number in (429, 503):
            retry = {"description": "Seconds until it makes sense to try again.", "schema": {"type": "integer"}}
            by_status[status]["headers"] = {"Retry-After": retry}
    return by_status


_EVENT = {
    "type": "object",
    "required": ["id", "event", "data"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "event": {"enum": [*examples.EVENTS, "error"]},
        "data": {"type": "string"},
    },
}


def _event_stream() -> dict[str, Any]:
    sent = "".join(
        f"event: {name}\ndata: {answers.encode(example).decode()}\n\n" for name, example in examples.EVENTS.items()
    )
    description = (
        "Events `progress`, `holds`, `colors` (by chunk), and last `result` or `error` (an error's JSON). "
        "Data is JSON; the schemas are ProgressEvent, HoldsEvent, ColorsEvent, Analysis and FailureAnswer."
    )
    return {
        "description": description,
        "content": {"text/event-stream": {"schema": _EVENT, "example": sent}},
    }


def _text(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"text/plain": {"schema": {"type": "string"}}}}


ANALYZE: dict[str, Any] = {
    "responses": {
        "200": _json(
            "Everything that is known about the photo; by `Accept: image/svg+xml` its outlines as a drawing.",
            examples.ANALYSIS,
        ),
        "202": _json("By `Prefer: respond-async` a job, whose address is in `Location`.", examples.JOB),
        **_failed(_PHOTO_ERRORS),
    },
    **_PHOTO,
}
ANALYZE_BATCH: dict[str, Any] = {
    "responses": {
        "200": {
            "description": "Lines of JSON: a BatchLine for every photo in the order of completion, and a BatchEnd.",
            "content": {
                "application/x-ndjson": {
                    "schema": {"type": "string"},
                    "example": "".join(f"{answers.encode(line).decode()}\n" for line in examples.BATCH),
                }
            },
        },
        **_failed((*_KEY_ERRORS, "UNSUPPORTED_FORMAT", "INVALID_PARAMETER", "IMAGE_TOO_LARGE", "OVERLOADED")),
    },
    "parameters": _QUERY,
    "requestBody": {
        "required": True,
        "description": "At most 20 photos as form fields `image` (or `file`), each at most 24 MiB. The query's "
        "parameters may be fields of the form instead, before the photos.",
        "content": {
            "multipart/form-data": {
                "schema": _form({"type": "array", "items": {"type": "string", "format": "binary"}}),
            }
        },
    },
}
JOB: dict[str, Any] = {
    "parameters": [_JOB_ID],
    "responses": {
        "200": _json("How far it is.", examples.JOB_DONE),
        **_failed(("UNAUTHENTICATED", "NOT_FOUND")),
    },
}
JOB_EVENTS: dict[str, Any] = {
    "parameters": [_JOB_ID, *parameters.described("header", FollowHeaders)],
    "responses": {"200": _event_stream(), **_failed(("UNAUTHENTICATED", "INVALID_PARAMETER", "NOT_FOUND"))},
}
JOB_DELETE: dict[str, Any] = {
    "parameters": [_JOB_ID],
    "responses": {
        "204": {"description": "Forgotten; stopped where nobody else waits for it."},
        **_failed(("UNAUTHENTICATED", "NOT_FOUND")),
    },
}
ANALYZE_STREAM: dict[str, Any] = {
    "responses": {"200": _event_stream(), **_failed(_PHOTO_ERRORS)},
    **_PHOTO,
}
PALETTE: dict[str, Any] = {
    "responses": {
        "200": _json("The palette.", examples.PALETTE),
        **_failed(("UNAUTHENTICATED", "UNAVAILABLE", "DEADLINE_EXCEEDED")),
    }
}
HEALTH: dict[str, Any] = {
    "responses": {
        "200": _json("All serve.", examples.health("serving")),
        "503": _json("Not all serve.", examples.health("degraded")),
    }
}
LIVEZ: dict[str, Any] = {"responses": {"200": _json("Alive.", reports.Probe("alive"))}}
READYZ: dict[str, Any] = {
    "responses": {"200": _json("Ready.", reports.Probe("ready")), "503": _json("Not ready.", reports.Probe("unready"))}
}
FEEDBACK: dict[str, Any] = {
    "responses": {
        "201": _json("Stored.", examples.FEEDBACK_KEPT),
        **_failed(_FEEDBACK_ERRORS),
    },
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": _REF.format(name="Feedback")}, "example": examples.FEEDBACK}
        },
    },
}
METRICS: dict[str, Any] = {"responses": {"200": _text("Prometheus text format.")}}
