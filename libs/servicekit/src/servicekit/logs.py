"""Logs: one JSON object a line on standard output, with the request's id where there is one."""

import logging
import sys
from datetime import UTC, datetime

import msgspec

from servicekit.receipts import current_receipt

_encoder = msgspec.json.Encoder()


class JsonFormatter(logging.Formatter):
    """Writes a record as JSON: time, level, service, event, the record's `fields`, and the trace if there is one."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        receipt = current_receipt()
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "event": record.getMessage(),
        }
        if receipt is not None:
            entry["request_id"] = receipt.request_id
        entry.update(getattr(record, "fields", {}))
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return _encoder.encode(entry).decode()


def configure(service: str, level: str) -> None:
    """Send all logs of this process to standard output as JSON. Called once by a service's start."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("asyncio", "grpc", "PIL"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("grpc._cython.cygrpc").addFilter(_is_no_callers_text)


def _is_no_callers_text(record: logging.LogRecord) -> bool:
    """Leave out what grpcio logs as an error, with a trace, of each metadata value that is no UTF-8."""
    return not str(record.msg).startswith("Invalid encoding on")
