"""The gateway over gRPC, for code that waits."""

from collections.abc import Iterator
from types import TracebackType
from typing import Self

import grpc
from climbmate.analyzer.v1 import analyzer_pb2 as analyzer
from climbmate.analyzer.v1.analyzer_pb2_grpc import AnalyzerServiceStub
from climbmate.hold.v1 import hold_pb2 as hold

from climbmate_client import from_grpc, photos
from climbmate_client.answers import Analysis
from climbmate_client.events import Event
from climbmate_client.palettes import Palette, as_pairs
from climbmate_client.retry import NO_RETRY, Retry

DEFAULT_TARGET = "127.0.0.1:50050"
_LARGEST_MESSAGE_BYTES = 32 * 1024 * 1024  # a photo of 24 MiB and what surrounds it


class GrpcClient:
    """A gateway reached over gRPC: the same answers as `Client`, with exact masks left to the raw stubs.

    Example:
        >>> with GrpcClient(target) as climbmate:
        ...     analysis = climbmate.analyze("wall.jpg", max_holds=100)
        >>> [problem.id for problem in analysis.problems]
        ['red-1']

    Args:
        target: A gRPC name: `host:port`, `dns:///host:port` or `unix:/path`.
        timeout_s: The deadline of a call; it travels to every service.
        retry: How to repeat calls that may succeed later; by default they are not.
        channel: Replaces the plain-text channel, for example by one with TLS; the caller closes it.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        timeout_s: float = 60.0,
        retry: Retry = NO_RETRY,
        channel: grpc.Channel | None = None,
    ) -> None:
        self.target = target
        self._timeout_s = timeout_s
        self._retry = retry
        self._channel = channel or grpc.insecure_channel(target, options=_options())
        self._owns_channel = channel is None
        self._stub = AnalyzerServiceStub(self._channel)

    def analyze(
        self,
        photo: photos.Photo,
        *,
        max_holds: int | None = None,
        min_confidence: float | None = None,
        min_holds: int | None = None,
        palette: Palette | None = None,
    ) -> Analysis:
        """Analyze one photo and wait for the whole answer; see `Client.analyze`."""
        request = analyzer.AnalyzePhotoRequest(
            photo=photos.read(photo), options=_look_for(max_holds, min_confidence, min_holds, palette)
        )

        def attempt() -> Analysis:
            try:
                return from_grpc.analysis(self._stub.AnalyzePhoto(request, timeout=self._timeout_s))
            except grpc.RpcError as error:
                raise from_grpc.failure(error, self.target) from None

        return self._retry.call(attempt)

    def stream(
        self,
        photo: photos.Photo,
        *,
        max_holds: int | None = None,
        min_confidence: float | None = None,
        min_holds: int | None = None,
        palette: Palette | None = None,
    ) -> Iterator[Event]:
        """Analyze one photo and yield each step as it is known; the last one is the `Analysis`. Never repeated.

        Example:
            >>> *steps, analysis = GrpcClient(target).stream("wall.jpg")
            >>> [type(step).__name__ for step in steps]
            ['Progress', 'HoldsFound', 'ColorsFound', 'Progress']
        """
        request = analyzer.StreamAnalysisRequest(
            photo=photos.read(photo), options=_look_for(max_holds, min_confidence, min_holds, palette)
        )
        call = self._stub.StreamAnalysis(request, timeout=self._timeout_s)
        try:
            yield from (event for event in map(from_grpc.event, call) if event is not None)
        except grpc.RpcError as error:
            raise from_grpc.failure(error, self.target) from None
        finally:
            call.cancel()  # nothing happens when it has ended; stops the work when the caller leaves early

    def close(self) -> None:
        """Close the channel, unless it was given."""
        if self._owns_channel:
            self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _look_for(
    max_holds: int | None, min_confidence: float | None, min_holds: int | None, palette: Palette | None
) -> analyzer.AnalysisOptions:
    return analyzer.AnalysisOptions(
        max_holds=max_holds or 0,
        min_confidence=min_confidence,
        min_holds=min_holds or 0,
        palette=[hold.ColorPrompt(name=name, prompt=words) for name, words in as_pairs(palette)],
    )


def _options() -> list[tuple[str, int]]:
    return [
        ("grpc.max_send_message_length", _LARGEST_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", _LARGEST_MESSAGE_BYTES),
    ]
