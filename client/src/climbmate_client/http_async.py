"""The gateway over HTTP, for asyncio."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import httpx

from climbmate_client import wire
from climbmate_client.answers import Analysis, Health, PaletteColor
from climbmate_client.events import Event
from climbmate_client.palettes import Palette
from climbmate_client.photos import Photo
from climbmate_client.retry import NO_RETRY, Retry


class AsyncClient:
    """`Client` for asyncio: the same arguments, answers and errors. A cancelled call stops the work in the services.

    Example:
        >>> async def red_problems() -> list[str]:
        ...     async with AsyncClient(url) as climbmate:
        ...         analysis = await climbmate.analyze("wall.jpg")
        ...     return [problem.id for problem in analysis.problems]
        >>> asyncio.run(red_problems())
        ['red-1']
    """

    def __init__(
        self,
        url: str = wire.DEFAULT_URL,
        *,
        timeout_s: float = 60.0,
        retry: Retry = NO_RETRY,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._retry = retry
        self._http = httpx.AsyncClient(transport=transport, **wire.client_options(self.url, timeout_s))

    async def analyze(
        self,
        photo: Photo,
        *,
        max_holds: int | None = None,
        min_confidence: float | None = None,
        min_holds: int | None = None,
        palette: Palette | None = None,
    ) -> Analysis:
        """Analyze one photo and wait for the whole answer; see `Client.analyze`."""
        upload = await _upload(photo, max_holds, min_confidence, min_holds, palette)
        request = self._http.build_request("POST", "/api/analyze", **upload)

        async def attempt() -> Analysis:
            return wire.read_answer(await self._send(request), Analysis)

        return await self._retry.call_async(attempt)

    async def stream(
        self,
        photo: Photo,
        *,
        max_holds: int | None = None,
        min_confidence: float | None = None,
        min_holds: int | None = None,
        palette: Palette | None = None,
    ) -> AsyncIterator[Event]:
        """Analyze one photo and yield each step as it is known; see `Client.stream`.

        Example:
            >>> async def last_percent() -> int:
            ...     steps = [step async for step in AsyncClient(url).stream("wall.jpg") if isinstance(step, Progress)]
            ...     return steps[-1].percent
            >>> asyncio.run(last_percent())
            100
        """
        upload = await _upload(photo, max_holds, min_confidence, min_holds, palette)
        request = self._http.build_request("POST", "/api/analyze-stream", **upload)
        response = await self._retry.call_async(lambda: self._open_stream(request))
        async with aclosing(response):
            reader = wire.EventReader()
            try:
                async for line in response.aiter_lines():
                    for event in reader.feed(line):
                        yield event
            except wire.BROKEN as error:
                raise wire.transport_failure(error, self.url) from error
            reader.end()

    async def palette(self) -> tuple[PaletteColor, ...]:
        """Give the colors that answers name; see `Client.palette`."""
        request = self._http.build_request("GET", "/api/palette")

        async def attempt() -> tuple[PaletteColor, ...]:
            return wire.read_answer(await self._send(request), wire.PaletteAnswer).colors

        return await self._retry.call_async(attempt)

    async def health(self) -> Health:
        """Tell how the gateway and the services behind it are; see `Client.health`."""
        return wire.decode_answer(await self._send(self._http.build_request("GET", "/api/health")), Health)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        try:
            return await self._http.send(request, stream=stream)
        except wire.BROKEN as error:
            raise wire.transport_failure(error, self.url) from error

    async def _open_stream(self, request: httpx.Request) -> httpx.Response:
        response = await self._send(request, stream=True)
        if response.is_success:
            return response
        async with aclosing(response):
            await response.aread()
            raise wire.refusal(response)


async def _upload(
    photo: Photo,
    max_holds: int | None,
    min_confidence: float | None,
    min_holds: int | None,
    palette: Palette | None,
) -> dict[str, Any]:
    return await asyncio.to_thread(wire.photo_request, photo, max_holds, min_confidence, min_holds, palette)
