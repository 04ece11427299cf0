"""Puts the gateway together from its settings."""

import contextlib
import importlib.metadata
from collections.abc import AsyncIterator

import grpc
from climbmate.analyzer.v1 import analyzer_pb2_grpc
from servicekit.budget import MemoryBudget
from servicekit.channel import open_channel
from servicekit.memory import MB
from servicekit.server import Lifecycle, Loaded

from gateway.admission import MAX_UPLOAD_BYTES, Admission
from gateway.coloring import Scatter
from gateway.core import Core
from gateway.feedback_file import FeedbackFile
from gateway.feedback_store import FeedbackStore
from gateway.keys import Keyring
from gateway.pipeline import Analyzer
from gateway.servicer import AnalyzerServicer
from gateway.settings import GatewaySettings
from gateway.tally import Tally
from gateway.upstream import GrpcColorizer, GrpcDescribed, GrpcDetector
from gateway.warm_up import warm_up
from gateway.watch import Dependency, Watch
from gateway.web.app import build_app
from gateway.web.connections import Patience
from gateway.web.jobs import Jobs
from gateway.web.server import bind, serving

NAME = "gateway"
SERVICES = ("climbmate.analyzer.v1.AnalyzerService",)
REQUEST_COPIES = 5
"""How often a photo that came over gRPC is in memory at most, as measured: reading it makes copies, the message keeps
one until the answer is given (`ClearField` frees nothing), and two are made to send it on."""


def max_request_bytes(settings: GatewaySettings) -> int:
    """The largest request over gRPC, which refuses larger ones before it reads them: all its copies fit the inbox."""
    return min(MAX_UPLOAD_BYTES, settings.inbox_mb * MB // REQUEST_COPIES)


@contextlib.asynccontextmanager
async def open_gateway(settings: GatewaySettings, lifecycle: Lifecycle) -> AsyncIterator[Loaded]:
    """Open the HTTP face, watch the dependencies, and yield what gRPC serves; close all at the end, channels last."""
    async with (
        open_channel(settings.gateway_detector_target) as detector,
        open_channel(settings.gateway_colorizer_target) as colorizer,
    ):
        core = put_together(settings, lifecycle, detector, colorizer)
        jobs = Jobs(
            core.analyzer,
            lifecycle.memory,
            room_bytes=settings.gateway_results_mb * MB,
            remember_s=settings.gateway_remember_s,
        )
        core.tally.watch_results(lambda: jobs.kept_bytes)
        await warm_up(settings.gateway_chunk_holds)
        lifecycle.ensure_room(settings.gateway_answers_mb * MB)
        with bind(settings.gateway_listen) as listener:
            http = serving(
                build_app(core, jobs),
                listener,
                stop=lifecycle.stop,
                patience=Patience(settings.gateway_max_connections, settings.gateway_head_timeout_s),
                drain_wait_s=settings.drain_wait_s,
                drain_limit_s=settings.drain_limit_s,
            )
            async with core.watch.running(), core.feedback.running(), jobs.running(), http:
                yield Loaded(
                    register=lambda server: analyzer_pb2_grpc.add_AnalyzerServiceServicer_to_server(
                        AnalyzerServicer(core), server
                    ),
                    services=SERVICES,
                    admit=core.keyring.admit_photo,
                )


def put_together(
    settings: GatewaySettings, lifecycle: Lifecycle, detector: grpc.aio.Channel, colorizer: grpc.aio.Channel
) -> Core:
    """Build the parts that both faces share."""
    admission = Admission(lifecycle.inbox, max_in_flight=settings.gateway_max_in_flight)
    tally = Tally(lifecycle.metrics, admission)
    answers = MemoryBudget(settings.gateway_answers_mb * MB, queue_limit=settings.gateway_max_in_flight)
    lifecycle.queues.append(lambda: answers.waiting)
    colors = GrpcColorizer(colorizer)
    scatter = Scatter(colors, chunk_holds=settings.gateway_chunk_holds, calls=settings.gateway_color_calls)
    return Core(
        settings=settings,
        lifecycle=lifecycle,
        admission=admission,
        analyzer=Analyzer(
            GrpcDetector(detector),
            scatter,
            answers=answers,
            max_holds=settings.max_holds,
            observe=tally.count_analysis,
        ),
        colorizer=colors,
        watch=Watch(
            Dependency("detector", GrpcDescribed(detector)),
            Dependency("colorizer", GrpcDescribed(colorizer)),
        ),
        tally=tally,
        keyring=Keyring.open(
            settings.gateway_api_keys_file,
            per_minute=settings.gateway_photos_per_minute,
            burst=settings.gateway_photos_burst,
        ),
        feedback=FeedbackStore(
            FeedbackFile.of(settings.gateway_feedback_file, max_bytes=settings.gateway_feedback_mb * MB),
            count_forgotten=tally.count_forgotten,
        ),
        version=importlib.metadata.version(f"climbmate-{NAME}"),
    )
