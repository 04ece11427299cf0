"""`python toy.py ADDRESS`: a service of all kinds of methods, run as the real ones are."""

import asyncio
import contextlib
import sys

from climbmate.analyzer.v1 import analyzer_pb2, analyzer_pb2_grpc
from climbmate.colorizer.v1 import colorizer_pb2, colorizer_pb2_grpc
from climbmate.detector.v1 import detector_pb2, detector_pb2_grpc
from servicekit.deadlines import within
from servicekit.receipts import stage
from servicekit.server import Loaded, Service, run
from servicekit.settings import ServiceSettings

MAX_REQUEST_BYTES = 9_000_000
MODULES = {"AnalyzerService": analyzer_pb2, "ColorizerService": colorizer_pb2, "DetectorService": detector_pb2}
SERVICES = [module.DESCRIPTOR.services_by_name[name].full_name for name, module in MODULES.items()]


class Detector(detector_pb2_grpc.DetectorServiceServicer):
    async def DetectHolds(self, request, context):
        return detector_pb2.DetectHoldsResponse()


class Colorizer(colorizer_pb2_grpc.ColorizerServiceServicer):
    async def ColorHolds(self, request, context):
        return colorizer_pb2.ColorHoldsResponse()


class Analyzer(analyzer_pb2_grpc.AnalyzerServiceServicer):
    async def AnalyzePhoto(self, request, context):
        with stage("look"):
            await asyncio.sleep(0.005)
        return analyzer_pb2.AnalyzePhotoResponse(request_id="x" * 100_000)

    async def StreamAnalysis(self, request, context):
        async with within(5):
            for _ in range(20):
                with stage("step"):
                    yield analyzer_pb2.StreamAnalysisResponse(result={"request_id": "x" * 20_000})
                    await asyncio.sleep(0.001)


def register(server):
    analyzer_pb2_grpc.add_AnalyzerServiceServicer_to_server(Analyzer(), server)
    colorizer_pb2_grpc.add_ColorizerServiceServicer_to_server(Colorizer(), server)
    detector_pb2_grpc.add_DetectorServiceServicer_to_server(Detector(), server)


@contextlib.asynccontextmanager
async def opened(lifecycle):
    yield Loaded(register, SERVICES)


if __name__ == "__main__":
    settings = ServiceSettings(inbox_mb=27)
    sys.exit(run(Service("servicekit", settings, sys.argv[1], "", opened, MAX_REQUEST_BYTES, 2)))
