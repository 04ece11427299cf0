"""Request messages with their size on the wire, which protobuf could only tell by writing them out again."""

from collections.abc import Callable
from typing import Any, NamedTuple

READING_COPIES = 3
"""How often a message is in memory while grpcio reads it, as measured: gRPC's own buffer, its parts as Python's bytes,
and those joined."""


class Received(NamedTuple):
    """A request message as a handler's `context.read()` gives it."""

    message: Any
    size_bytes: int


def sized_codecs(handler: Any) -> tuple[Callable[[bytes], Received], Callable[[Any], bytes]]:  # noqa: ANN401 - grpc's
    """The two codecs of a method handler; the one for requests gives them with their size."""
    parse = handler.request_deserializer
    return lambda data: Received(parse(data), len(data)), handler.response_serializer
