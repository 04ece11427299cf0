"""Request messages from bytes: looked through before protobuf makes objects of them, and refused with our errors."""

from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError

from servicekit.errors import InvalidParameter

READING_COPIES = 3
"""How often a message is in memory while grpcio reads it, as measured: gRPC's own buffer, its parts as Python's bytes,
and those joined."""
MAX_FIELDS = 10_000
"""The most fields of a request, those of its messages' messages included; 300 crops and a palette of 64 colors have
2,300. An empty message of a repeated field takes 2 bytes on the wire and 28 times as many in memory, so a request
within its bound of bytes could take a service's whole limit otherwise."""
_VARINT, _BYTES = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}  # by wire type; groups, which are 3 and 4, are in none of our messages


def parse(deserialize: Any, data: bytes) -> Any:  # noqa: ANN401 - any message
    """Read a request message.

    Args:
        deserialize: `FromString` of the message's class, as the generated code gives it to handlers.
        data: The message as it came.

    Raises:
        InvalidParameter: It is no such message, or has more than `MAX_FIELDS` fields.
    """
    kind: Descriptor = deserialize.__self__.DESCRIPTOR
    try:
        _check_fields(data, kind)
        return deserialize(data)
    except (DecodeError, IndexError, KeyError):
        told = {"request": f"must be a {kind.full_name}"}
        raise InvalidParameter("The request is not a message of this method.", details=told) from None


def _check_fields(data: bytes, kind: Descriptor) -> None:
    """Walk through the wire format (protobuf.dev/programming-guides/encoding) without taking memory.

    Raises:
        InvalidParameter: There are too many fields.
        DecodeError, IndexError, KeyError: The format is not kept.
    """
    fields, pending = 0, [(0, len(data), kind)]
    while pending:
        at, end, kind = pending.pop()
        while at < end:
            fields += 1
            if fields > MAX_FIELDS:
                told = {"request": f"must have at most {MAX_FIELDS} fields"}
                raise InvalidParameter("The request has too many fields.", details=told)
            tag, at = _varint(data, at)
            if tag & 7 == _BYTES:
                size, at = _varint(data, at)
                field = kind.fields_by_number.get(tag >> 3)
                if field is not None and field.message_type is not None:
                    pending.append((at, at + size, field.message_type))
                at += size
            elif tag & 7 == _VARINT:
                _, at = _varint(data, at)
            else:
                at += _FIXED_BYTES[tag & 7]
        if at > end:
            raise DecodeError


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place behind it."""
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
        if shift > 63:
            raise DecodeError
