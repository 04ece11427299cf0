"""A gateway that answers from a script, over real HTTP and gRPC connections on free ports."""

import io
import json
import signal
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import grpc
import pytest
from climbmate.analyzer.v1 import analyzer_pb2 as analyzer
from climbmate.analyzer.v1 import analyzer_pb2_grpc
from climbmate.hold.v1 import hold_pb2 as hold
from climbmate.status.v1 import status_pb2
from PIL import Image


def _hold(number, left):
    return {
        "id": number,
        "kind": "hold",
        "confidence": 0.5,
        "box": [left, 100.0, left + 100, 200.0],
        "polygon": [[left, 100.0], [left + 100, 100.0], [left, 200.0]],
        "area_px": 5000,
    }


def _color(name, rgb):
    return {"name": name, "confidence": 0.75, "rgb": rgb}


ABSTAINED = {
    "name": "unknown",
    "confidence": 0,
    "rgb": None,
    "reason": "too small",
    "guesses": [{"name": "brown", "confidence": 0.3125}, {"name": "beige", "confidence": 0.25}],
}
COLORS = [_color("red", [196, 38, 44])] * 3 + [ABSTAINED]
OUTLINES = [_hold(number, 100.0 + 200 * number) for number in range(4)]
IMAGE = {"width": 1200, "height": 900}
ANSWER = {
    "request_id": "01JABC",
    "image": IMAGE,
    "holds": [
        {**outline, "color": color, "problem_id": "red-1" if color["name"] == "red" else None}
        for outline, color in zip(OUTLINES, COLORS, strict=True)
    ],
    "problems": [
        {
            "id": "red-1",
            "color": "red",
            "hold_ids": [0, 1, 2],
            "hold_count": 3,
            "box": [100.0, 100.0, 600.0, 200.0],
            "rgb": [196, 38, 44],
            "confidence": 0.875,
            "height_span": 1.0,
            "reach_mean": 2.0,
            "reach_max": 2.5,
            "small_share": 0.25,
        }
    ],
    "degraded": [],
    "models": {"detector": "toy-seg 0.1.0", "colorizer": "toy-clip 0.1.0"},
    "timings_ms": {"decode": 21.0, "detect": 60.0, "color": 31.0, "total": 118.0},
    "receipts": [
        {
            "service": "detector",
            "model_sha256": "ab",
            "stages": [{"name": "decode", "ms": 21.0, "memory_before_bytes": 1, "memory_after_bytes": 2}],
        }
    ],
    "added_later": True,
}
STEPS = [
    ("progress", {"stage": "detecting", "percent": 10, "message": "Finding holds"}),
    ("holds", {"image": IMAGE, "holds": OUTLINES}),
    ("colors", {"colors": [{"hold_id": number, "color": color} for number, color in enumerate(COLORS)]}),
    ("added_later", {"anything": 1}),
    ("progress", {"stage": "done", "percent": 100, "message": "Done"}),
    ("result", ANSWER),
]
PALETTE = {"colors": [{"name": "red", "prompts": ["a red hold"], "rgb": [214, 40, 40]}]}
_SERVICE = {"serving": True, "version": "0.1.0", "models": [], "memory": {"used_bytes": 140_000_000, "limit_bytes": 0}}
HEALTH = {
    "serving": True,
    "status": "serving",
    "services": dict.fromkeys(("gateway", "detector", "colorizer"), _SERVICE),
}


def failure(code, **details):
    return {"error": {"code": code, "message": f"It is {code}.", "request_id": "01JERR", "details": details}}


def sse(steps):
    return "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in steps).encode()


@dataclass
class Request:
    path: str
    params: dict
    headers: dict
    body: bytes


@dataclass
class FakeGateway:
    """`script[path]` holds the next answers (status, body, headers); the last one is given again and again."""

    url: str
    script: dict
    requests: list = field(default_factory=list)

    def answer(self, path, *answers):
        self.script[path] = deque(answers)


@pytest.fixture
def gateway():
    script = {
        "/api/analyze": deque([(200, ANSWER)]),
        "/api/analyze-stream": deque([(200, sse(STEPS))]),
        "/api/palette": deque([(200, PALETTE)]),
        "/api/health": deque([(200, HEALTH)]),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            params = {name: values[0] for name, values in parse_qs(parts.query).items()}
            fake.requests.append(Request(parts.path, params, dict(self.headers), body))
            answers = script.get(parts.path) or deque([(404, failure("NOT_FOUND"))])
            status, content, *headers = answers.popleft() if len(answers) > 1 else answers[0]
            content = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**(headers[0] if headers else {}), "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake = FakeGateway(f"http://127.0.0.1:{server.server_port}", script)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield fake
        server.shutdown()
        thread.join()


def _hold_message(outline):
    return hold.Hold(
        id=outline["id"],
        kind=hold.HOLD_KIND_HOLD,
        confidence=outline["confidence"],
        box=hold.Box(**dict(zip(("x_min", "y_min", "x_max", "y_max"), outline["box"], strict=True))),
        polygon=hold.Polygon(xy=[number for point in outline["polygon"] for number in point]),
        area_px=outline["area_px"],
    )


def _color_message(color):
    rgb = color["rgb"] and hold.Rgb(red=color["rgb"][0], green=color["rgb"][1], blue=color["rgb"][2])
    return hold.Color(
        name=color["name"],
        confidence=color["confidence"],
        rgb=rgb,
        unknown_reason=color.get("reason", ""),
        guesses=[hold.ColorGuess(**guess) for guess in color.get("guesses", ())],
    )


def answer_message():
    """`ANSWER` as the gateway's protobuf message."""
    return analyzer.AnalyzePhotoResponse(
        request_id=ANSWER["request_id"],
        photo_size=hold.PhotoSize(**IMAGE),
        holds=[
            analyzer.AnalyzedHold(
                hold=_hold_message(each), color=_color_message(each["color"]), problem_id=each["problem_id"] or ""
            )
            for each in ANSWER["holds"]
        ],
        problems=[
            analyzer.Problem(
                id="red-1",
                color="red",
                hold_ids=[0, 1, 2],
                box=hold.Box(x_min=100, y_min=100, x_max=600, y_max=200),
                rgb=hold.Rgb(red=196, green=38, blue=44),
                confidence=0.875,
                height_span=1.0,
                reach_mean=2.0,
                reach_max=2.5,
                small_share=0.25,
            )
        ],
        models=[
            status_pb2.ModelInfo(name="toy-seg", version="0.1.0", sha256="ab"),
            status_pb2.ModelInfo(name="toy-clip", version="0.1.0", sha256="cd"),
        ],
        timings=analyzer.Timings(decode_ms=21, detect_ms=60, color_ms=31, total_ms=118),
        receipts=[
            analyzer.ServiceReceipt(
                service="detector",
                stages=[status_pb2.Stage(name="decode", duration_ms=21, memory_before_bytes=1, memory_after_bytes=2)],
            )
        ],
    )


class _Analyzer(analyzer_pb2_grpc.AnalyzerServiceServicer):
    def __init__(self):
        self.requests = []

    def AnalyzePhoto(self, request, context):
        self.requests.append(request)
        if not request.photo:
            context.set_trailing_metadata(self.trailers)
            context.abort(*self.refusal)
        return answer_message()

    def StreamAnalysis(self, request, context):
        self.requests.append(request)
        if not request.photo:
            context.set_trailing_metadata(self.trailers)
            context.abort(*self.refusal)
        size = hold.PhotoSize(**IMAGE)
        yield analyzer.StreamAnalysisResponse(progress=analyzer.Progress(stage="detecting", percent=10))
        found = analyzer.HoldsFound(photo_size=size, holds=map(_hold_message, OUTLINES))
        yield analyzer.StreamAnalysisResponse(holds=found)
        colors = [analyzer.HoldColored(hold_id=n, color=_color_message(color)) for n, color in enumerate(COLORS)]
        yield analyzer.StreamAnalysisResponse(colors=analyzer.ColorsFound(colors=colors))
        yield analyzer.StreamAnalysisResponse(progress=analyzer.Progress(stage="done", percent=100))
        yield analyzer.StreamAnalysisResponse(result=answer_message())

    refusal = (grpc.StatusCode.INTERNAL, "nothing was set")
    trailers = ()


@pytest.fixture
def grpc_gateway():
    """A gRPC target; the servicer's `refusal` and `trailers` are given for an empty photo."""
    server = grpc.server(ThreadPoolExecutor(2))
    servicer = _Analyzer()
    analyzer_pb2_grpc.add_AnalyzerServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    servicer.target = f"127.0.0.1:{port}"
    yield servicer
    server.stop(0).wait()


@pytest.fixture
def until_it_listens():
    """Wait until a command's process takes signals, which it does before it loads anything."""

    def wait(process):
        status, bit = Path(f"/proc/{process.pid}/status"), 1 << (signal.SIGHUP - 1)
        while not int(status.read_text().split("SigCgt:")[1].split()[0], 16) & bit:
            time.sleep(0.001)

    return wait


@pytest.fixture
def wall_jpeg():
    """A photo with the size that the fake's answer tells."""
    encoded = io.BytesIO()
    Image.new("RGB", (IMAGE["width"], IMAGE["height"]), (128, 128, 128)).save(encoded, "JPEG")
    return encoded.getvalue()


@pytest.fixture
def wall_file(tmp_path, wall_jpeg, monkeypatch):
    """The same as `wall.jpg` in the current folder, which is empty otherwise."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "wall.jpg"
    file.write_bytes(wall_jpeg)
    return file
