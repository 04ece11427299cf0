"""The gRPC face: translates and delegates."""

from climbmate.colorizer.v1 import colorizer_pb2, colorizer_pb2_grpc
from climbmate.status.v1 import status_pb2
from servicekit.budget import MemoryBudget
from servicekit.receipts import current_receipt
from servicekit.work import Worker

from colorizer import convert
from colorizer.colorist import Colorist


class ColorizerServicer(colorizer_pb2_grpc.ColorizerServiceServicer):
    """Answers `climbmate.colorizer.v1.ColorizerService`."""

    def __init__(self, colorist: Colorist, worker: Worker, budget: MemoryBudget, model: status_pb2.ModelInfo) -> None:
        self._colorist = colorist
        self._worker = worker
        self._budget = budget
        self._model = model
        self._palette = convert.from_palette(colorist.palette)

    async def ColorHolds(
        self,
        request: colorizer_pb2.ColorHoldsRequest,
        context: object,  # noqa: ARG002 - the interceptor deals with it
    ) -> colorizer_pb2.ColorHoldsResponse:
        """Name the colors of a chunk of crops, off the event loop."""
        convert.check(request)
        palette = convert.to_palette(request)
        async with self._budget.reserve(self._colorist.cost_bytes(len(request.crops), palette)):
            colors = await self._worker.run(
                self._colorist.name, convert.to_crops(request), palette, convert.to_light(request)
            )
        receipt = current_receipt()
        return colorizer_pb2.ColorHoldsResponse(
            colors=convert.from_colors(colors), model=self._model, stages=receipt.to_proto() if receipt else []
        )

    async def GetPalette(
        self,
        request: colorizer_pb2.GetPaletteRequest,  # noqa: ARG002 - it has no parameters
        context: object,  # noqa: ARG002
    ) -> colorizer_pb2.GetPaletteResponse:
        """Answer with the palette."""
        return self._palette
