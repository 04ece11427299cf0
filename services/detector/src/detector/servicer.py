"""The gRPC face: translates and delegates."""

import asyncio

from climbmate.detector.v1 import detector_pb2, detector_pb2_grpc
from climbmate.status.v1 import status_pb2
from servicekit.receipts import current_receipt
from servicekit.work import Worker

from detector import convert
from detector.finder import HoldFinder
from detector.room import Room


class DetectorServicer(detector_pb2_grpc.DetectorServiceServicer):
    """Answers `climbmate.detector.v1.DetectorService`."""

    def __init__(
        self,
        finder: HoldFinder,
        worker: Worker,
        room: Room,
        model: status_pb2.ModelInfo,
        *,
        max_holds: int,
        min_confidence: float,
    ) -> None:
        self._finder = finder
        self._worker = worker
        self._room = room
        self._model = model
        self._max_holds = max_holds
        self._min_confidence = min_confidence

    async def DetectHolds(
        self,
        request: detector_pb2.DetectHoldsRequest,
        context: object,  # noqa: ARG002 - the interceptor deals with it
    ) -> detector_pb2.DetectHoldsResponse:
        """Find the holds in one photo, off the event loop."""
        query = convert.to_query(request, max_holds=self._max_holds, min_confidence=self._min_confidence)
        header = await asyncio.to_thread(self._finder.read_header, query)  # a hostile one takes long to read
        async with self._room.reserved(query, header) as side_px:
            finding = await self._worker.run(self._finder.find, query, header, side_px)
        receipt = current_receipt()
        return detector_pb2.DetectHoldsResponse(
            photo_size=convert.from_size(finding.shown_wh),
            holds=convert.from_finding(finding),
            model=self._model,
            stages=receipt.to_proto() if receipt else [],
            reduced_resolution=side_px < self._finder.sides_px[0],
            damaged=finding.damaged,
            light=convert.from_light(finding.light) if query.with_crops else None,
        )
