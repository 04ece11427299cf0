"""The gRPC face: translates and delegates."""

from collections.abc import Sequence

from climbmate.colorizer.v1 import colorizer_pb2, colorizer_pb2_grpc
from climbmate.status.v1 import status_pb2
from servicekit.budget import MemoryBudget
from servicekit.errors import InvalidParameter
from servicekit.memory import MB
from servicekit.receipts import current_receipt
from servicekit.work import Worker

from colorizer import convert
from colorizer.colorist import Colorist
from colorizer.palette import Prompt


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
        async with self._budget.reserve(self._cost_bytes(len(request.crops), palette)):
            colors = await self._worker.run(
                self._colorist.name, convert.to_crops(request), palette, convert.to_light(request)
            )
        receipt = current_receipt()
        return colorizer_pb2.ColorHoldsResponse(
            colors=convert.from_colors(colors), model=self._model, stages=receipt.to_proto() if receipt else []
        )

    def _cost_bytes(self, count: int, palette: Sequence[Prompt]) -> int:
        """What a request will take.

        Raises:
            InvalidParameter: It would fit, but for the text tower that reads the palette; that is the caller's to know.
        """
        cost_bytes = self._colorist.cost_bytes(count, palette)
        if self._colorist.cost_bytes(count) <= self._budget.capacity_bytes < cost_bytes:
            figures = f"{cost_bytes / MB:.0f} MB are needed, {self._budget.capacity_bytes / MB:.0f} MB are there"
            raise InvalidParameter(
                "This colorizer's memory is too small for colors of one's own.", details={"palette": figures}
            )
        return cost_bytes

    async def GetPalette(
        self,
        request: colorizer_pb2.GetPaletteRequest,  # noqa: ARG002 - it has no parameters
        context: object,  # noqa: ARG002
    ) -> colorizer_pb2.GetPaletteResponse:
        """Answer with the palette."""
        return self._palette
