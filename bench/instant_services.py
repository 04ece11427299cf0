"""A detector and a colorizer that answer at once, so that what is left is the gateway.

`python -m bench.instant_services ADDRESS` serves both there, with forty holds of a usual size in every photo;
`--holds 300 --side-px 96` are the most and the largest that there can be. A photo that ends with `REFUSED` is refused.
"""

# ruff: noqa: ARG002 - the signatures are those of the RPCs

import argparse
import asyncio
from typing import Any

import grpc
from climbmate.colorizer.v1 import colorizer_pb2, colorizer_pb2_grpc
from climbmate.detector.v1 import detector_pb2, detector_pb2_grpc
from climbmate.hold.v1 import hold_pb2
from climbmate.status.v1 import status_pb2, status_pb2_grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from servicekit.errors import InvalidImage
from servicekit.limits import MAX_MESSAGE_BYTES
from servicekit.rich_status import to_trailers

REFUSED = b"refused"
_POINTS = 30
_SERVING = health_pb2.HealthCheckResponse.SERVING
_Context = grpc.aio.ServicerContext[Any, Any]


class InstantDetector(detector_pb2_grpc.DetectorServiceServicer):
    """Finds the same holds in every photo."""

    def __init__(self, holds: int, side_px: int, delay_s: float) -> None:
        self._delay_s = delay_s
        mask = hold_pb2.Mask(width=side_px, height=side_px, bits=bytes(side_px * side_px // 8))
        box = hold_pb2.Box(x_min=100.5, y_min=200.25, x_max=190.5, y_max=280.75)
        polygon = hold_pb2.Polygon(xy=[100.125 + index for index in range(2 * _POINTS)])
        self._answer = detector_pb2.DetectHoldsResponse(
            photo_size=hold_pb2.PhotoSize(width=4032, height=3024),
            holds=[
                detector_pb2.DetectedHold(
                    hold=hold_pb2.Hold(
                        id=number,
                        kind=hold_pb2.HOLD_KIND_HOLD,
                        confidence=0.9,
                        box=box,
                        polygon=polygon,
                        area_px=5000,
                        mask=mask,
                    ),
                    crop_rgb=bytes(side_px * side_px * 3),
                )
                for number in range(holds)
            ],
        )

    async def DetectHolds(
        self, request: detector_pb2.DetectHoldsRequest, context: _Context
    ) -> detector_pb2.DetectHoldsResponse:
        """Answer or refuse at once, or after the delay."""
        await asyncio.sleep(self._delay_s)
        if request.photo.endswith(REFUSED):
            error = InvalidImage("The JPEG ends before its last row.")
            await context.abort(error.code, error.message, to_trailers(error))
        return self._answer


class InstantColorizer(colorizer_pb2_grpc.ColorizerServiceServicer):
    """Finds every hold red."""

    async def ColorHolds(
        self, request: colorizer_pb2.ColorHoldsRequest, context: _Context
    ) -> colorizer_pb2.ColorHoldsResponse:
        """Answer at once."""
        red = hold_pb2.Color(name="red", confidence=0.97, rgb=hold_pb2.Rgb(red=196, green=38, blue=44))
        return colorizer_pb2.ColorHoldsResponse(
            colors=[colorizer_pb2.HoldColor(hold_id=crop.hold_id, color=red) for crop in request.crops]
        )

    async def GetPalette(
        self, request: colorizer_pb2.GetPaletteRequest, context: _Context
    ) -> colorizer_pb2.GetPaletteResponse:
        """Answer with no colors."""
        return colorizer_pb2.GetPaletteResponse()


class _Status(status_pb2_grpc.StatusServiceServicer):
    async def GetStatus(self, request: status_pb2.GetStatusRequest, context: _Context) -> status_pb2.GetStatusResponse:
        return status_pb2.GetStatusResponse()


async def serve(address: str, holds: int, side_px: int, delay_s: float) -> None:
    """Serve at an address until the process ends."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)])
    detector_pb2_grpc.add_DetectorServiceServicer_to_server(InstantDetector(holds, side_px, delay_s), server)
    colorizer_pb2_grpc.add_ColorizerServiceServicer_to_server(InstantColorizer(), server)
    status_pb2_grpc.add_StatusServiceServicer_to_server(_Status(), server)
    checks = health.aio.HealthServicer()
    for name in ("climbmate.detector.v1.DetectorService", "climbmate.colorizer.v1.ColorizerService"):
        await checks.set(name, _SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("--holds", type=int, default=40)
    parser.add_argument("--side-px", type=int, default=64)
    parser.add_argument("--delay-s", type=float, default=0.0)
    args = parser.parse_args()
    asyncio.run(serve(args.address, args.holds, args.side_px, args.delay_s))
