"""A grpc.aio server that no method name can end.

grpc.aio decodes the name of each method that it does not know, and its loop that accepts calls ends at the first name
that is no UTF-8: one request from anybody closes the port for all. A server that knows its methods beforehand, as the
generated code registers them, has no use for the names of others.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
from grpc._cython import cygrpc  # type: ignore[attr-defined] # its stubs leave it out

_NO_METHODS = cygrpc._MethodResolver([], {})  # noqa: SLF001 - grpcio is pinned, and a test asks for such names


class _Acceptor(cygrpc.AioServer):  # type: ignore[misc] # Cython's classes have no types
    """Answers calls of methods that are not registered by itself, without a look at their names."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *arguments: object) -> None:
        super().__init__(loop, *arguments)
        self._loop_of_answers = loop
        self._answers: set[asyncio.Task[None]] = set()

    async def _request_call(self) -> None:
        while True:
            call = await super()._request_call()
            unimplemented = cygrpc._handle_rpc("", _NO_METHODS, (), call, self._loop_of_answers, False)  # noqa: SLF001
            answer = self._loop_of_answers.create_task(unimplemented)
            self._answers.add(answer)
            answer.add_done_callback(self._answers.discard)


def open_server(
    interceptors: Sequence[grpc.aio.ServerInterceptor], options: Sequence[tuple[str, Any]]
) -> grpc.aio.Server:
    """A server whose methods are all registered; others are UNIMPLEMENTED."""
    server = grpc.aio.server()
    vars(server)["_server"] = _Acceptor(asyncio.get_running_loop(), None, (), tuple(interceptors), tuple(options), None)
    return server
