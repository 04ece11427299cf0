"""The receipt of a request: its id, and what each stage of the work took in time and memory."""

import contextlib
import logging
import re
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from climbmate.status.v1 import status_pb2
from ulid import ULID

REQUEST_ID_KEY = "x-request-id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_log = logging.getLogger("stage")


class Meter(Protocol):
    """Anything that knows the memory in use."""

    limit_bytes: int

    def used_bytes(self) -> int:
        """The working set in bytes."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage of the work took."""

    name: str
    duration_ms: float
    memory_before_bytes: int
    memory_after_bytes: int

    def to_fields(self, limit_bytes: int) -> dict[str, float]:
        """The same for a log line, in milliseconds and MB of 10^6 bytes; `limit_pct` only where there is a limit."""
        fields = {
            "duration_ms": round(self.duration_ms, 1),
            "before_mb": round(self.memory_before_bytes / 1e6, 1),
            "after_mb": round(self.memory_after_bytes / 1e6, 1),
            "delta_mb": round((self.memory_after_bytes - self.memory_before_bytes) / 1e6, 1),
        }
        if limit_bytes:
            fields["limit_pct"] = round(100 * self.memory_after_bytes / limit_bytes, 1)
        return fields


@dataclass(slots=True)
class Receipt:
    """Collects the stages of one request. Stages may be added from any thread."""

    request_id: str
    meter: Meter
    stages: list[Stage] = field(default_factory=list)
    closed: bool = False

    def to_fields(self) -> dict[str, dict[str, float]]:
        """The stages so far, for a log line."""
        return {stage.name: stage.to_fields(self.meter.limit_bytes) for stage in self.stages}

    def to_proto(self) -> list[status_pb2.Stage]:
        """The stages so far, for an answer."""
        return [
            status_pb2.Stage(
                name=stage.name,
                duration_ms=stage.duration_ms,
                memory_before_bytes=stage.memory_before_bytes,
                memory_after_bytes=stage.memory_after_bytes,
            )
            for stage in self.stages
        ]


_current: ContextVar[Receipt | None] = ContextVar("receipt", default=None)


def new_request_id() -> str:
    """A ULID: unique, and sorted by time as text."""
    return str(ULID())


def is_request_id(text: str) -> bool:
    """Whether a caller's id may be used and logged as it is: short, and letters, digits, `-` and `_` only."""
    return _REQUEST_ID.fullmatch(text) is not None


@contextlib.contextmanager
def open_receipt(request_id: str, meter: Meter) -> Iterator[Receipt]:
    """Collect the stages of what runs inside, also in a `Worker`'s threads."""
    receipt = Receipt(request_id, meter)
    before = _current.set(receipt)
    try:
        yield receipt
    finally:
        receipt.closed = True
        _current.reset(before)


def current_receipt() -> Receipt | None:
    """The receipt of the request that is being served here; None outside of one.

    Tasks that outlive the request that started them have none either.
    """
    receipt = _current.get()
    return None if receipt is None or receipt.closed else receipt


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Measure what runs inside as a stage of the current request; outside of a request it does nothing.

    The stage is recorded when it fails, too.
    """
    receipt = current_receipt()
    if receipt is None:
        yield
        return
    before_bytes = receipt.meter.used_bytes()
    start_s = time.perf_counter()
    try:
        yield
    finally:
        duration_ms = (time.perf_counter() - start_s) * 1000
        done = Stage(name, duration_ms, before_bytes, receipt.meter.used_bytes())
        receipt.stages.append(done)
        _log.debug("memory", extra={"fields": {"stage": name, **done.to_fields(receipt.meter.limit_bytes)}})
