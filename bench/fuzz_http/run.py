"""Opens many connections to a gateway of its own, and checks it meanwhile."""

import asyncio
import contextlib
import itertools
import re
import socket
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from climbmate_client.local import ServiceProcess
from climbmate_client.settings import service_environment

from bench.fuzz_http.answers import Fault, judge
from bench.fuzz_http.cases import Case, case

AT_ONCE = 24
END_S = 20.0
"""By when something has come: the longest of the deadlines is that of a correction's body, 10 s."""
_KEPT_S = 0.3
_WARM_UP = 0.3
_SETTINGS = {
    "GATEWAY_HEAD_TIMEOUT_S": "5",
    "GATEWAY_UPLOAD_GRACE_S": "1",
    "GATEWAY_UPLOAD_DEADLINE_S": "2",
    "GATEWAY_REMEMBER_S": "1",
    "GATEWAY_CORS_ORIGINS": "https://app.example",
    "REQUEST_DEADLINE_S": "2",
}


@dataclass(slots=True)
class Result:
    """What a run has found.

    Attributes:
        faults: Sentences, each with the number of its case.
        answers: How many connections were answered how often.
        growth_bytes: The gateway's memory at the end beyond that after the warm-up.
        slowest_s: The slowest of the health checks in between.
    """

    connections: int = 0
    faults: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    growth_bytes: int = 0
    slowest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway between services that answer at once."""

    process: ServiceProcess
    host: str
    port: int

    def memory_bytes(self) -> int:
        """Its anonymous memory: what a memory limit counts, and cannot take back."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)
        return int(found[1]) * 1024 if found else 0


@contextlib.contextmanager
def gateway(said: list[str]) -> Iterator[Gateway]:
    """Run one; what its log has of errors is put into `said`."""
    with contextlib.ExitStack() as parts:
        folder = parts.enter_context(tempfile.TemporaryDirectory(prefix="fuzz-"))
        with socket.create_server(("127.0.0.1", 0)) as free:
            host, port = free.getsockname()
        services = f"unix:{folder}/s"
        own = {"GATEWAY_LISTEN": f"{host}:{port}", "GATEWAY_GRPC_LISTEN": f"unix:{folder}/g"}
        own |= {"GATEWAY_DETECTOR_TARGET": services, "GATEWAY_COLORIZER_TARGET": services}
        own |= {"GATEWAY_FEEDBACK_FILE": f"{folder}/feedback.db"}

        def listen(line: str) -> None:
            if "Traceback" in line or '"level":"ERROR"' in line:
                said.append(line)

        environ = service_environment(own | _SETTINGS)
        instant = ServiceProcess("instant", [sys.executable, "-m", "bench.instant_services", services], environ, print)
        process = ServiceProcess("gateway", [sys.executable, "-m", "gateway"], environ, listen)
        for part in (instant, process):
            part.start()
            parts.callback(part.stop)
        _wait_ready(f"http://{host}:{port}")
        yield Gateway(process, host, port)


def fuzz(seed: int, *, connections: int, seconds: float, first: int = 0) -> Result:
    """Open connections until there were so many, or so long."""
    said: list[str] = []
    with gateway(said) as target:
        result = asyncio.run(_Run(target, seed, first, connections, seconds).all())
        if not target.process.running:
            result.faults.append(f"the gateway has ended: {target.process.exit_code}")
    result.faults += [f"the log says: {line[-1500:]}" for line in said]
    return result


class _Run:
    def __init__(self, target: Gateway, seed: int, first: int, connections: int, seconds: float) -> None:
        self._target = target
        self._seed = seed
        self._numbers = itertools.count(first)
        self._last = first + connections
        self._connections = connections
        self._seconds = seconds
        self._result = Result()

    async def all(self) -> Result:
        pulse = asyncio.create_task(self._pulse())
        start_s = time.monotonic()
        await self._some(int(self._connections * _WARM_UP), start_s + self._seconds * _WARM_UP)
        warm_bytes = await self._settled_bytes()
        await self._some(self._connections, start_s + self._seconds)
        self._result.growth_bytes = await self._settled_bytes() - warm_bytes
        pulse.cancel()
        await asyncio.gather(pulse, return_exceptions=True)
        return self._result

    async def _some(self, connections: int, end_s: float) -> None:
        async def one_after_the_other() -> None:
            while self._result.connections < connections and time.monotonic() < end_s:
                self._result.connections += 1
                await self._one(next(self._numbers))

        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))

    async def _settled_bytes(self) -> int:
        """The least of many looks within 12 s, by which what was in flight has ended."""
        looks = []
        for _ in range(24):
            await asyncio.sleep(0.5)
            looks.append(self._target.memory_bytes())
        return min(looks)

    async def _one(self, number: int) -> None:
        this, answer = case(self._seed, number), bytearray()
        try:
            async with asyncio.timeout(3 * END_S):
                ended = await _exchange(self._target, this, answer)
            count = judge(bytes(answer), whole=ended)
            self._result.answers[count] += 1
            if this.ending in ("half-close", "wait") and this.sent.strip(b"\r\n") and not (count if ended else answer):
                raise Fault("no answer")
        except TimeoutError:
            self._tell(number, this, answer, "it hangs")
        except Fault as fault:
            self._tell(number, this, answer, str(fault))

    def _tell(self, number: int, this: Case, answer: bytearray, what: str) -> None:
        sent = [(pause_s, piece[:600]) for pause_s, piece in this.pieces]
        told = (
            f"{what} (--seed {self._seed} --only {number}, {this.ending})\n  sent {sent}\n  got {bytes(answer[:600])!r}"
        )
        self._result.faults.append(told)

    async def _pulse(self) -> None:
        """What health checks meet meanwhile."""
        async with httpx.AsyncClient(base_url=f"http://{self._target.host}:{self._target.port}", timeout=5) as http:
            while True:
                start_s = time.perf_counter()
                try:
                    if (await http.get("/livez")).status_code != 200:
                        self._result.faults.append("a health check was refused")
                except httpx.TransportError as error:
                    self._result.faults.append(f"a health check failed: {error!r}")
                self._result.slowest_s = max(self._result.slowest_s, time.perf_counter() - start_s)
                await asyncio.sleep(0.1)


async def _exchange(target: Gateway, this: Case, answer: bytearray) -> bool:
    """Send and read; whether the gateway has come to an end of what it says."""
    reader, writer = await asyncio.open_connection(target.host, target.port)
    sending = asyncio.create_task(_send(this, writer))
    try:
        if this.ending in ("close", "abort"):
            await sending
            return False
        while piece := await asyncio.wait_for(reader.read(65536), _patience_s(this, answer)):
            answer += piece
    except ConnectionError:
        return False  # after a refusal the gateway does not read for ever
    except TimeoutError:
        if this.ending == "half-close" or not answer:
            raise
        return False  # the connection is kept for more
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()
    return True


def _patience_s(this: Case, answer: bytearray) -> float:
    return _KEPT_S if this.ending == "wait" and answer else END_S


async def _send(this: Case, writer: asyncio.StreamWriter) -> None:
    for pause_s, piece in this.pieces:
        await asyncio.sleep(pause_s)
        writer.write(piece)
        await writer.drain()
    if this.ending == "half-close":
        writer.write_eof()
    elif this.ending == "abort":
        linger = struct.pack("ii", 1, 0)  # a reset instead of an end
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def _wait_ready(url: str) -> None:
    for _ in range(200):
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz", trust_env=False).is_success:
                return
        time.sleep(0.05)
    raise TimeoutError("the gateway did not become ready")
