"""What the gateway itself costs: its services answer at once. `python -m bench.gateway_overhead`.

Prints Markdown: milliseconds from the request to the answer for one photo after the other, what of it the services take
when a bare client calls them, and the gateway's memory at rest, after those, with many uploads of 12 MB at once, and
with many idle event streams.
"""

import argparse
import os
import re
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import grpc
import httpx
import numpy as np
from climbmate.colorizer.v1 import colorizer_pb2
from climbmate.detector.v1 import detector_pb2, detector_pb2_grpc
from climbmate_client.local import ServiceProcess
from climbmate_client.local.cgroup import MemoryCgroup
from climbmate_client.settings import service_environment
from servicekit.limits import MAX_MESSAGE_BYTES

ROOT = Path(__file__).parents[1]
_JPEG = {"content-type": "image/jpeg", "cache-control": "no-cache"}
_WARM_UP = 20
_UPLOADS = 64
_POD_BYTES = 1_000_000_000
_LISTENERS = 1000
_UPLOAD = b"\xff\xd8\xff\xe0" + bytes(12_000_000)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path, default=ROOT / "assets" / "sample-wall.jpg")
    parser.add_argument("--rounds", type=int, default=200)
    args = parser.parse_args()
    photo = args.photo.read_bytes()
    with _bench() as bench:
        gateway = bench.gateway
        rows = {"memory at rest, MB": _status_mb(gateway, "VmRSS")}
        for name, body in {"tiny": photo[:1000], f"{len(photo) / 1e6:.1f} MB": photo}.items():
            rows |= {f"{name} photo, {row}": value for row, value in _overhead(bench, body, args.rounds).items()}
        rows["memory after that, MB"] = _status_mb(gateway, "VmRSS")
        with ThreadPoolExecutor(_UPLOADS) as pool:
            answers = list(
                pool.map(lambda _: bench.http.post("/api/analyze", content=_UPLOAD, headers=_JPEG), range(_UPLOADS))
            )
        rows["of these answered with 200"] = sum(response.status_code == 200 for response in answers)
        rows[f"peak memory with {_UPLOADS} uploads of 12 MB, MB"] = _status_mb(gateway, "VmHWM")
        if bench.cgroup:
            rows["the same, as a memory limit counts it, MB"] = bench.cgroup.peak_bytes / 1e6
    rows |= _idle_listeners()
    print("| | |\n|---|---:|")
    for name, value in rows.items():
        print(f"| {name} | {value:.1f} |")


def _overhead(bench: "_Bench", photo: bytes, rounds: int) -> dict[str, float]:
    """Ask the gateway and the services themselves in turns, so that both find the machine as busy."""
    with bench.caller() as caller, bench.bare_caller(photo) as bare:
        for _ in range(_WARM_UP):
            _spent_ms(caller, photo)
        gateway_ms, bare_ms, cpu_ms = [], [], 0.0
        for _ in range(rounds):
            before_ms = _cpu_ms(bench.gateway)
            gateway_ms.append(_spent_ms(caller, photo))
            cpu_ms += _cpu_ms(bench.gateway) - before_ms
            bare_ms.append(bare())
    return {
        "CPU ms of the gateway": cpu_ms / rounds,
        "p50 ms": float(np.median(gateway_ms)),
        "p95 ms": float(np.percentile(gateway_ms, 95)),
        "p50 ms of the services alone": float(np.median(bare_ms)),
        "p50 ms of the gateway itself": float(np.median(gateway_ms) - np.median(bare_ms)),
    }


def _idle_listeners() -> dict[str, float]:
    """What callers cost who have nothing to do but wait for the events of one job."""
    detector = ["--delay-s", "60"]
    with _bench(detector, {"GATEWAY_MAX_CONNECTIONS": str(_LISTENERS + 8)}) as bench, ExitStack() as open_:
        headers = {"content-type": "image/jpeg", "prefer": "respond-async"}
        address = bench.http.post("/api/analyze", content=_UPLOAD[:1000], headers=headers).headers["location"]
        before_mb = _status_mb(bench.gateway, "VmRSS")
        for _ in range(_LISTENERS):
            _listen(open_, bench.host, bench.port, f"{address}/events")
        return {f"{_LISTENERS} idle event streams, MB": _status_mb(bench.gateway, "VmRSS") - before_mb}


def _listen(open_: ExitStack, host: str, port: int, path: str) -> None:
    """Follow a job until it has told that the detector is at work."""
    connection = open_.enter_context(socket.create_connection((host, port)))
    connection.sendall(f"GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
    told = b""
    while b"detecting" not in told:
        told += connection.recv(4096)


@dataclass(frozen=True, slots=True)
class _Bench:
    """A gateway, where it listens, the address of the services behind it, and its cgroup where root may make one."""

    gateway: ServiceProcess
    http: httpx.Client
    host: str
    port: int
    services: str
    cgroup: MemoryCgroup | None

    @contextmanager
    def caller(self) -> Iterator[HTTPConnection]:
        """One connection that costs less than `http`, to be timed with."""
        with closing(HTTPConnection(self.host, self.port, timeout=120)) as connection:
            yield connection

    @contextmanager
    def bare_caller(self, photo: bytes) -> Iterator[Callable[[], float]]:
        """Milliseconds of the two calls that a photo takes; all that could be written or read before and after is."""
        options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
        with grpc.insecure_channel(self.services, options=options) as channel:
            asked = detector_pb2.DetectHoldsRequest(photo=photo, with_crops=True)
            holds = detector_pb2_grpc.DetectorServiceStub(channel).DetectHolds(asked).holds
            crops = [colorizer_pb2.Crop(hold_id=one.hold.id, mask=one.hold.mask, rgb=one.crop_rgb) for one in holds]
            chunk = colorizer_pb2.ColorHoldsRequest(crops=crops)
            calls: list[tuple[grpc.UnaryUnaryMultiCallable[bytes, bytes], bytes]] = [
                (channel.unary_unary("/climbmate.detector.v1.DetectorService/DetectHolds"), asked.SerializeToString()),
                (channel.unary_unary("/climbmate.colorizer.v1.ColorizerService/ColorHolds"), chunk.SerializeToString()),
            ]

            def spent_ms() -> float:
                start_s = time.perf_counter()
                for method, request in calls:
                    method(request)
                return (time.perf_counter() - start_s) * 1000

            yield spent_ms


@contextmanager
def _bench(services_options: Sequence[str] = (), own: Mapping[str, str] | None = None) -> Iterator[_Bench]:
    """A gateway between services that answer at once."""
    with ExitStack() as parts:
        folder = parts.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        with socket.create_server(("127.0.0.1", 0)) as free:
            host, port = free.getsockname()
        listen = f"{host}:{port}"
        services = f"unix:{folder}/services"
        environ = service_environment(
            {
                "GATEWAY_LISTEN": listen,
                "GATEWAY_GRPC_LISTEN": f"unix:{folder}/gateway",
                "GATEWAY_FEEDBACK_FILE": f"{folder}/feedback.db",
                "GATEWAY_DETECTOR_TARGET": services,
                "GATEWAY_COLORIZER_TARGET": services,
                "REQUEST_DEADLINE_S": "120",
                "LOG_LEVEL": "WARNING",
                **(own or {}),
            }
        )
        instant = [sys.executable, "-m", "bench.instant_services", services, *services_options]
        gateway = [sys.executable, "-m", "gateway"]
        cgroup = None
        if MemoryCgroup.available():
            cgroup = parts.enter_context(MemoryCgroup("gateway", _POD_BYTES))
            gateway = cgroup.wrap(gateway)
        processes = [
            ServiceProcess(name, command, environ, print)
            for name, command in (("instant", instant), ("gateway", gateway))
        ]
        for process in processes:
            process.start()
            parts.callback(process.stop)
        limits = httpx.Limits(max_connections=_UPLOADS)
        http = parts.enter_context(
            httpx.Client(base_url=f"http://{listen}", timeout=120, trust_env=False, limits=limits)
        )
        _wait_ready(http)
        yield _Bench(processes[-1], http, host, port, services, cgroup)


def _wait_ready(http: httpx.Client) -> None:
    for _ in range(200):
        try:
            if http.get("/readyz").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise TimeoutError("the gateway did not become ready")


def _spent_ms(caller: HTTPConnection, photo: bytes) -> float:
    start_s = time.perf_counter()
    caller.request("POST", "/api/analyze", photo, _JPEG)
    response = caller.getresponse()
    response.read()
    if response.status != 200:
        raise RuntimeError(f"the gateway answered with {response.status}")
    return (time.perf_counter() - start_s) * 1000


def _cpu_ms(process: ServiceProcess) -> float:
    """CPU time of a process so far; what a busy machine does not change."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status_mb(process: ServiceProcess, field: str) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


if __name__ == "__main__":
    main()
