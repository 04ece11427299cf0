"""Photos sent at once while something happens to the services, and what may come of them."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from climbmate_client.local import LocalStack
from climbmate_client.local.keep_running import keep_running

from bench.flood.client import Outcome, send
from bench.flood.mix import Upload

SAMPLE = (Path(__file__).parents[2] / "assets" / "sample-wall.jpg").read_bytes()
PHOTO = Upload("sample", SAMPLE, 1)
DEADLINE_S = 2.0
RECOVERY_S = 30.0
TYPED = ("OVERLOADED", "UNAVAILABLE", "DEADLINE_EXCEEDED")
_JPEG = {"content-type": "image/jpeg"}


async def requests(
    url: str, count: int, *, deadline_s: float = DEADLINE_S, during: Callable[[], object] | None = None
) -> list[Outcome]:
    """Send photos at once, do something to the services meanwhile, and give the outcomes."""
    parts = urlsplit(url)
    sending = [
        asyncio.create_task(send(PHOTO, str(parts.hostname), parts.port or 80, deadline_s=deadline_s))
        for _ in range(count)
    ]
    if during is not None:
        await asyncio.sleep(0.3)
        await asyncio.to_thread(during)
    return await asyncio.gather(*sending)


def untyped(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Outcomes that did not end in time in 200, or in 503 or 504 with a code."""
    return [
        outcome
        for outcome in outcomes
        if outcome.status != "200" and not (outcome.status in ("503", "504") and outcome.code in TYPED)
    ]


def recovers(url: str) -> bool:
    """Wait until a photo is analyzed in full again, without human help; false when that does not happen."""
    end_s = time.monotonic() + RECOVERY_S
    with httpx.Client(base_url=url, timeout=20, trust_env=False) as http:
        while time.monotonic() < end_s:
            with contextlib.suppress(httpx.TransportError):
                answer = http.post("/api/analyze", content=SAMPLE, headers=_JPEG)
                if answer.status_code == 200 and not answer.json()["degraded"]:
                    return True
            time.sleep(0.3)
    return False


@contextlib.contextmanager
def watched(stack: LocalStack) -> Iterator[LocalStack]:
    """Run a stack, each service started again when it ends, as any orchestrator does."""
    with stack:
        stop = threading.Event()
        watching = threading.Thread(target=keep_running, args=(stack, stop))
        watching.start()
        try:
            yield stack
        finally:
            stop.set()
            watching.join()


def target_of(stack: LocalStack, name: str) -> str:
    """Where a running service of the stack listens, by the environment of its gateway."""
    environ = Path(f"/proc/{stack.processes['gateway'].pid}/environ").read_text().split("\0")
    (target,) = [line.partition("=")[2] for line in environ if line.startswith(f"GATEWAY_{name.upper()}_TARGET=")]
    return target
