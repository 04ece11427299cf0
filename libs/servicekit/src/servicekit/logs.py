"""Logs: one JSON object a line on standard output, with the request's id where there is one.

A line is at most `MAX_LINE_BYTES` long, whatever strangers put into what is logged: a path, a name, an error's text.
"""

import logging
import sys
import warnings
from datetime import UTC, datetime

import msgspec

from servicekit.receipts import current_receipt

MAX_LINE_BYTES = 65_536
_MAX_TEXT_CHARS = 1_000
_MAX_TRACE_CHARS = 8_000  # a character takes six bytes at most, as \u0000
_CUT = " ...cut... "
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
            "event": _cut(record.getMessage(), _MAX_TEXT_CHARS),
        }
        if receipt is not None:
            entry["request_id"] = receipt.request_id
        fields = {name: _bounded(value) for name, value in getattr(record, "fields", {}).items()}
        trace = {"trace": _cut(self.formatException(record.exc_info), _MAX_TRACE_CHARS)} if record.exc_info else {}
        line = _encoder.encode({**entry, **fields, **trace})
        if len(line) > MAX_LINE_BYTES:
            line = _encoder.encode({**entry, **trace, "cut_bytes": len(line)})
        return line.decode()


def _bounded(value: object) -> object:
    """A field's value with all texts in it cut; those are few, or the line as a whole is too long."""
    match value:
        case str():
            return _cut(value, _MAX_TEXT_CHARS)
        case dict():
            return {_cut(str(name), _MAX_TEXT_CHARS): _bounded(one) for name, one in value.items()}
        case list() | tuple():
            return [_bounded(one) for one in value]
    return value


def _cut(text: str, most_chars: int) -> str:
    """A text without its middle, where it is too long: a trace tells the most at its two ends."""
    if len(text) <= most_chars:
        return text
    half = (most_chars - len(_CUT)) // 2
    return text[:half] + _CUT + text[-half:]


def configure(service: str, level: str) -> None:
    """Send all logs of this process to standard output as JSON. Called once by a service's start.

    Warnings of libraries are off, unless asked for by `PYTHONWARNINGS`: Python keeps the text of each for ever, and
    some tell the figures of a photo. Tests make errors of them.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
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
