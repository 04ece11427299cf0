"""The gateway over HTTP, for code that waits."""

from collections.abc import Iterator
from contextlib import closing
from types import TracebackType
from typing import Self

import httpx

from climbmate_client import wire
from climbmate_client.answers import Analysis, Health, PaletteColor
from climbmate_client.events import Event
from climbmate_client.palettes import Palette
from climbmate_client.photos import Photo
from climbmate_client.retry import NO_RETRY, Retry


class Client:
    """A gateway reached over HTTP. Keeps connections open; close it, or use it in a `with`.

    Example:
        >>> with Client(url) as climbmate:
        ...     analysis = climbmate.analyze("wall.jpg", max_holds=100)
        >>> [problem.id for problem in analysis.problems]
        ['red-1']

    Args:
        url: The gateway's address.
        timeout_s: How long to wait for an answer, and for each step of a stream.
        retry: How to repeat requests that may succeed later; by default they are not.
        transport: Replaces the network, for tests.
    """

    def __init__(
        self,
        url: str = wire.DEFAULT_URL,
        *,
        timeout_s: float = 60.0,
        retry: Retry = NO_RETRY,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._retry = retry
        self._http = httpx.Client(transport=transport, **wire.client_options(self.url, timeout_s))

    def analyze(
        self,
        photo: Photo,
        *,
        max_holds: int | None = None,
        min_confidence: float | None = None,
        min_holds: int | None = None,
        palette: Palette | None = None,
    ) -> Analysis:
        """Analyze one photo and wait for the whole answer.

        Args:
            photo: The photo file's bytes or path.
            max_holds: At most this many holds, 1 to 300; None for the gateway's default.
            min_confidence: Only holds at least this confident, 0.01 to 1; None for the gateway's default.
            min_holds: Fewer holds of a color give no problem, 2 to 50; None for the gateway's default.
            palette: Colors of your own to name holds by, `["mint", "neon yellow"]` or, with what to look for in words,
                `{"wood": "a hold of bare wood"}`; None for the gateway's, see `palette`.

        Raises:
            ClimbmateError: See `climbmate_client.errors`.
            OSError: The photo's file cannot be read.
            ValueError: The palette cannot be written; see `climbmate_client.palettes`.
        """
        upload = wire.photo_request(photo, max_holds, min_confidence, min_holds, palette)
        request = self._http.build_request("POST", "/api/analyze", **upload)
        return self._retry.call(lambda: wire.read_answer(self._send(request), Analysis))

    def stream(
        self,
        photo: Photo,
        *,
        max_holds: int | None = None,
        min_confidence: float | None = None,
        min_holds: int | None = None,
        palette: Palette | None = None,
    ) -> Iterator[Event]:
        """Analyze one photo and yield each step as it is known; the last one is the `Analysis`.

        Only the start of the stream is repeated, never a stream that has begun. Arguments and errors are those of
        `analyze`.

        Example:
            >>> for event in climbmate.stream("wall.jpg"):
            ...     print(type(event).__name__)
            Progress
            HoldsFound
            ColorsFound
            Progress
            Analysis
        """
        upload = wire.photo_request(photo, max_holds, min_confidence, min_holds, palette)
        request = self._http.build_request("POST", "/api/analyze-stream", **upload)
        response = self._retry.call(lambda: self._open_stream(request))
        with closing(response):
            yield from self._events(response)

    def palette(self) -> tuple[PaletteColor, ...]:
        """Give the colors that answers name.

        Example:
            >>> {color.name: color.rgb for color in climbmate.palette()}["red"]
            (214, 40, 40)
        """
        request = self._http.build_request("GET", "/api/palette")
        return self._retry.call(lambda: wire.read_answer(self._send(request), wire.PaletteAnswer)).colors

    def health(self) -> Health:
        """Tell how the gateway and the services behind it are; answers also when they are not well.

        Example:
            >>> climbmate.health().services["detector"].serving
            True
        """
        return wire.decode_answer(self._send(self._http.build_request("GET", "/api/health")), Health)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        try:
            return self._http.send(request, stream=stream)
        except wire.BROKEN as error:
            raise wire.transport_failure(error, self.url) from error

    def _open_stream(self, request: httpx.Request) -> httpx.Response:
        response = self._send(request, stream=True)
        if response.is_success:
            return response
        with closing(response):
            response.read()
            raise wire.refusal(response)

    def _events(self, response: httpx.Response) -> Iterator[Event]:
        reader = wire.EventReader()
        try:
            for line in response.iter_lines():
                yield from reader.feed(line)
        except wire.BROKEN as error:
            raise wire.transport_failure(error, self.url) from error
        reader.end()
