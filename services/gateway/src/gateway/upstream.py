"""The model services as the gateway calls them. Every call fails at once when the service is not there."""

import functools
from collections.abc import Awaitable, Sequence
from typing import Protocol, TypeVar

import grpc
from climbmate.colorizer.v1 import colorizer_pb2, colorizer_pb2_grpc
from climbmate.detector.v1 import detector_pb2
from climbmate.status.v1 import status_pb2, status_pb2_grpc
from servicekit.channel import ask, upload
from servicekit.rich_status import from_rpc_error

from gateway import convert
from gateway.domain import Coloring, Crop, Detection, Looks, Options, PaletteColor, ServiceStatus
from gateway.photo import Photo

T = TypeVar("T")


class Detector(Protocol):
    """Finds the holds of a photo."""

    async def detect(self, photo: Photo, options: Options, *, timeout_s: float) -> Detection:
        """Take the photo and return its holds with their crops, or raise a `ServiceError`."""


class Colorizer(Protocol):
    """Names the colors of holds."""

    async def color(self, crops: Sequence[Crop], looks: Looks, *, timeout_s: float) -> Coloring:
        """Return the colors of at most 300 crops of one photo, or raise a `ServiceError`."""

    async def palette(self, *, timeout_s: float) -> tuple[PaletteColor, ...]:
        """Return the colors to choose from, or raise a `ServiceError`."""


class Describes(Protocol):
    """Tells about itself."""

    async def describe(self, *, timeout_s: float) -> ServiceStatus:
        """Return the service's health and status, or raise a `ServiceError`."""


class GrpcDetector:
    """The detector behind a channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        # Not by the stub, because the request comes serialized, and as a stream of one, see `upload`.
        self._detect_holds: grpc.aio.StreamUnaryMultiCallable[bytes, detector_pb2.DetectHoldsResponse]
        self._detect_holds = channel.stream_unary(
            "/climbmate.detector.v1.DetectorService/DetectHolds",
            response_deserializer=detector_pb2.DetectHoldsResponse.FromString,
        )

    async def detect(self, photo: Photo, options: Options, *, timeout_s: float) -> Detection:
        """See `Detector`."""
        take = functools.partial(convert.detect_request, photo, options)
        answer = upload(self._detect_holds, take, timeout_s=timeout_s, sending=photo.sending())
        return convert.detection(await _answer(answer))


class GrpcColorizer:
    """The colorizer behind a channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._get_palette = colorizer_pb2_grpc.ColorizerServiceStub(channel).GetPalette
        # Not by the stub, because the request comes serialized.
        self._color_holds: grpc.aio.UnaryUnaryMultiCallable[bytes, colorizer_pb2.ColorHoldsResponse]
        self._color_holds = channel.unary_unary(
            "/climbmate.colorizer.v1.ColorizerService/ColorHolds",
            response_deserializer=colorizer_pb2.ColorHoldsResponse.FromString,
        )

    async def color(self, crops: Sequence[Crop], looks: Looks, *, timeout_s: float) -> Coloring:
        """See `Colorizer`."""
        request = convert.color_request(crops, looks)
        return convert.coloring(await _answer(ask(self._color_holds, request, timeout_s=timeout_s)))

    async def palette(self, *, timeout_s: float) -> tuple[PaletteColor, ...]:
        """See `Colorizer`."""
        request = colorizer_pb2.GetPaletteRequest()
        return convert.palette(await _answer(ask(self._get_palette, request, timeout_s=timeout_s)))


class GrpcDescribed:
    """Any climbmate service behind a channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._get_status = status_pb2_grpc.StatusServiceStub(channel).GetStatus

    async def describe(self, *, timeout_s: float) -> ServiceStatus:
        """See `Describes`. One call, so that one replica tells both its health and its memory."""
        request = status_pb2.GetStatusRequest()
        return convert.service_status(await _answer(ask(self._get_status, request, timeout_s=timeout_s)))


async def _answer(call: Awaitable[T]) -> T:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error
