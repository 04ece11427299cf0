"""Runs a gateway and sends it every kind of refused request; tells by how much each kind made it grow."""

import asyncio
import hashlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.refused import grpc_client, http_client
from bench.refused.kinds import HTTP, KEY, ORIGIN, Kind

ROOT = Path(__file__).parents[2]
MOST_GROWTH_BYTES = 1_000_000
MOST_TOGETHER_BYTES = 3_000_000  # with the megabyte of results that the warm-up may have left half empty
_MOST_NEW_SERIES = 64  # an outcome that the warm-up had by chance not yet is sixteen
_SETTLE_S = 5.0  # within which the gateway gives back what its heap keeps
_START_S = 30.0


@dataclass(frozen=True, slots=True)
class Growth:
    """What one kind of request left behind.

    Attributes:
        kind: What was sent.
        ends: How the requests ended, by status or code.
        growth_bytes: Private memory of the gateway after them, less that before.
        new_series: Lines of `/metrics` after them, less those before.
        unexpected: Ends that the kind may not have.
        known_bytes: What of the growth is known, and gRPC's.
        most_bytes: How much more it may be.
    """

    kind: str
    ends: Counter[str]
    growth_bytes: int
    new_series: int
    unexpected: tuple[str, ...]
    took_s: float
    known_bytes: int = 0
    most_bytes: int = MOST_GROWTH_BYTES

    @property
    def is_bounded(self) -> bool:
        """Whether it was answered as it should, and left nothing behind."""
        growth_bytes = self.growth_bytes - self.known_bytes
        return growth_bytes <= self.most_bytes and self.new_series <= _MOST_NEW_SERIES and not self.unexpected


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway."""

    pid: int
    port: int
    grpc_address: str

    def private_bytes(self) -> int:
        """Memory that is its own alone."""
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return 1024 * sum(int(kib) for kib in re.findall(r"^(?:Private_\w+|Swap):\s+(\d+) kB$", rollup, re.MULTILINE))

    def series(self) -> int:
        """Lines of its metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as response:
            return sum(not line.startswith(b"#") for line in response)

    def ready(self) -> bool:
        """Whether it takes photos."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz"):
                return True
        except OSError:
            return False


def measure(
    count: int, warm_up: int, *, settle: bool = True, tell: Callable[[Growth], None] = lambda _: None
) -> list[Growth]:
    """Send `count` of each kind, after `warm_up` of all kinds and again of that one; the last figure is that of all.

    So what is kept for callers within its bound, results above all, is of the same kind before and after.

    With `settle` the gateway has time before each kind to give back what its heap keeps. Without, that may hide what a
    kind leaves behind, and only the last figure tells.
    """
    with running() as gateway:
        ways = [_over_http(gateway, kind) for kind in HTTP] + [_over_grpc(gateway, call) for call in grpc_client.GRPC]
        for way in ways:
            way.send(range(warm_up))
        time.sleep(_SETTLE_S)
        found, start_bytes = [], gateway.private_bytes()
        for way in ways:
            way.send(range(warm_up, 2 * warm_up))
            if settle:
                time.sleep(_SETTLE_S)
            found.append(_growth(gateway, way, range(2 * warm_up, 2 * warm_up + count)))
            tell(found[-1])
        time.sleep(_SETTLE_S)
        new_series = sum(growth.new_series for growth in found)
        took_s = sum(growth.took_s for growth in found)
        known_bytes = sum(growth.known_bytes for growth in found)
        ends = sum((growth.ends for growth in found), Counter[str]())
        growth_bytes = gateway.private_bytes() - start_bytes
        found.append(
            Growth("all together", ends, growth_bytes, new_series, (), took_s, known_bytes, MOST_TOGETHER_BYTES)
        )
        tell(found[-1])
    return found


@dataclass(frozen=True, slots=True)
class _Way:
    """One kind of request, and how it is sent."""

    name: str
    send: Callable[[range], Counter[str]]
    expected: tuple[str, ...]
    grpc_bytes: int = 0


def _over_http(gateway: Gateway, kind: Kind) -> _Way:
    def send(numbers: range) -> Counter[str]:
        statuses = asyncio.run(http_client.send_all(gateway.port, kind, numbers))
        return Counter({str(status): count for status, count in statuses.items()})

    return _Way(kind.name, send, tuple(map(str, kind.statuses)), kind.grpc_bytes)


def _over_grpc(gateway: Gateway, call: grpc_client.Call) -> _Way:
    def send(numbers: range) -> Counter[str]:
        return asyncio.run(grpc_client.call_all(gateway.grpc_address, call, numbers))

    return _Way(f"gRPC: {call.name}", send, call.codes)


def _growth(gateway: Gateway, way: _Way, numbers: range) -> Growth:
    series, before_bytes, start_s = gateway.series(), gateway.private_bytes(), time.monotonic()
    ends = way.send(numbers)
    took_s = time.monotonic() - start_s
    end_s = time.monotonic() + _SETTLE_S
    growth_bytes = gateway.private_bytes() - before_bytes
    while growth_bytes > MOST_GROWTH_BYTES / 2 and time.monotonic() < end_s:
        time.sleep(0.2)
        growth_bytes = min(growth_bytes, gateway.private_bytes() - before_bytes)
    unexpected = tuple(sorted(set(ends) - set(way.expected)))
    known_bytes = way.grpc_bytes * len(numbers)
    return Growth(way.name, ends, growth_bytes, gateway.series() - series, unexpected, took_s, known_bytes)


@contextmanager
def running() -> Iterator[Gateway]:
    """A gateway with one key, one origin and a megabyte for results, before services that answer at once."""
    with ExitStack() as parts:
        folder = parts.enter_context(tempfile.TemporaryDirectory(prefix="refused-"))
        keys = Path(folder) / "keys"
        keys.write_text(f"bench {hashlib.sha256(KEY.encode()).hexdigest()}\n")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        services, rpc = f"unix:{folder}/services", f"unix:{folder}/gateway"
        own = {
            "PATH": os.environ["PATH"],
            "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "GATEWAY_GRPC_LISTEN": rpc,
            "GATEWAY_DETECTOR_TARGET": services,
            "GATEWAY_COLORIZER_TARGET": services,
            "GATEWAY_API_KEYS_FILE": str(keys),
            "GATEWAY_PHOTOS_PER_MINUTE": "1000000",
            "GATEWAY_PHOTOS_BURST": "1000000",
            "GATEWAY_CORS_ORIGINS": ORIGIN,
            "GATEWAY_FEEDBACK_FILE": f"{folder}/feedback.db",
            "GATEWAY_RESULTS_MB": "1",
            "LOG_LEVEL": "WARNING",
        }
        instant = [sys.executable, "-m", "bench.instant_services", services, "--holds", "3"]
        _run(parts, instant, None)
        gateway = _run(parts, [sys.executable, "-m", "gateway"], own)
        found = Gateway(gateway.pid, port, rpc)
        end_s = time.monotonic() + _START_S
        while not found.ready():
            if time.monotonic() > end_s:
                raise TimeoutError("the gateway did not become ready")
            time.sleep(0.05)
        yield found


def _run(parts: ExitStack, command: list[str], environment: dict[str, str] | None) -> "subprocess.Popen[bytes]":
    process = parts.enter_context(
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own services
    )
    parts.callback(process.terminate)
    return process
