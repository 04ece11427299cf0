"""Starts the services at their limits, floods them, and measures."""

import asyncio
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from climbmate_client.local import ANEW, LocalStack

from bench.flood.client import KEY, Outcome, send
from bench.flood.hostile import besiege
from bench.flood.kept import kept_bytes
from bench.flood.mix import Upload, bad_uploads, drawn, good_uploads
from bench.flood.report import Flood, Memory
from bench.profile import Profile

_UNLOADED_CLIENTS = 4
_WARM_UP_S = 1.0
_SETTLE_S = 10.0
_LONGEST_PAUSE_S = 2.0
_UNBOUNDED = "1000000"


@dataclass(frozen=True, slots=True)
class Plan:
    """How hard and how long.

    Attributes:
        seconds: Of the flood; the unloaded measurement before it takes a quarter of that on top.
        clients: At once.
        deadline_s: That each client sets.
    """

    seconds: float
    clients: int = 64
    deadline_s: float = 20.0


def flood(
    plan: Plan,
    profile: Profile,
    environment: Mapping[str, str] | None = None,
    write_log: Callable[[str], None] | None = None,
) -> Flood:
    """Run a flood against services of its own.

    Args:
        plan: How hard.
        profile: Memory limits and settings.
        environment: More variables for the services.
        write_log: Takes the lines of the services' log.
    """
    with (
        _keyed(profile.settings) as settings,
        LocalStack(
            own_settings={**ANEW, **(environment or {})},
            service_settings=settings,
            memory_limits_bytes=profile.limits_bytes,
            write_log=write_log,
        ) as stack,
    ):
        good, bad = good_uploads(), bad_uploads()
        asyncio.run(clients(stack.url, good[:1], Plan(_WARM_UP_S, 1, plan.deadline_s)))
        time.sleep(_SETTLE_S / 2)
        floors = {name: cgroup.pinned_bytes for name, cgroup in stack.cgroups.items()}
        unloaded_s = max(5.0, plan.seconds / 4)
        unloaded = asyncio.run(clients(stack.url, good, Plan(unloaded_s, _UNLOADED_CLIENTS, plan.deadline_s)))
        with restarting(stack) as restarts, pulse(stack.url) as pulse_ms:
            outcomes = asyncio.run(_all_at_once(stack.url, [*good, *bad], plan))
        time.sleep(_SETTLE_S)
        kept = {"gateway": kept_bytes(stack.url)}
        memory = {
            name: Memory(
                limit=profile.limits_bytes[name],
                floor=floors[name],
                peak=cgroup.peak_bytes,
                after=cgroup.pinned_bytes,
                kept=kept.get(name, 0),
                oom_kills=cgroup.oom_kills,
                restarts=restarts.get(name, 0),
            )
            for name, cgroup in stack.cgroups.items()
        }
        answered = sum(outcome.status == "200" for outcome in unloaded)
        return Flood(plan.seconds, plan.clients, outcomes, pulse_ms, answered / unloaded_s, memory)


async def _all_at_once(url: str, uploads: list[Upload], plan: Plan) -> list[Outcome]:
    """Send photos, and open hostile connections beside them."""
    end_s = time.perf_counter() + plan.seconds
    photos, hostile = await asyncio.gather(clients(url, uploads, plan), besiege(url, end_s))
    return [*photos, *hostile]


@contextmanager
def _keyed(settings: Mapping[str, Mapping[str, str]]) -> Iterator[dict[str, dict[str, str]]]:
    """The services' settings, with a gateway that asks for the key which the clients send."""
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as file:
        file.write(f"flood {hashlib.sha256(KEY.encode()).hexdigest()}\n")
        file.flush()
        keys = {
            "GATEWAY_API_KEYS_FILE": file.name,
            "GATEWAY_PHOTOS_PER_MINUTE": _UNBOUNDED,
            "GATEWAY_PHOTOS_BURST": _UNBOUNDED,
        }
        yield {name: {**own, **(keys if name == "gateway" else {})} for name, own in settings.items()}


async def clients(url: str, uploads: list[Upload], plan: Plan) -> list[Outcome]:
    """Send photos from all clients for the plan's time; how each request ended."""
    outcomes: list[Outcome] = []
    end_s = time.perf_counter() + plan.seconds
    await asyncio.gather(*(_client(url, drawn(uploads, seed), plan, end_s, outcomes) for seed in range(plan.clients)))
    return outcomes


async def _client(url: str, uploads: Iterator[Upload], plan: Plan, end_s: float, outcomes: list[Outcome]) -> None:
    """Send one photo after the other; wait as long as a refusal asks for, as a polite client does."""
    parts = urlsplit(url)
    dice = random.Random(id(uploads))  # noqa: S311 - no secret
    for upload in uploads:
        if time.perf_counter() >= end_s:
            return
        outcome = await send(
            upload, str(parts.hostname), parts.port or 80, deadline_s=plan.deadline_s, leave_after_s=dice.uniform(0, 1)
        )
        outcomes.append(outcome)
        await asyncio.sleep(min(outcome.retry_after_s, _LONGEST_PAUSE_S) * dice.uniform(0.5, 1))


@contextmanager
def pulse(url: str) -> Iterator[list[float]]:
    """Collect the milliseconds of /livez while the body runs; complete after it."""
    took_ms: list[float] = []
    with subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "bench.flood.pulse", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield took_ms
        output, _ = process.communicate(b"")
    took_ms.extend(json.loads(output))


@contextmanager
def restarting(stack: LocalStack) -> Iterator[dict[str, int]]:
    """Start services again that end, as an orchestrator would, and count it."""
    counts: dict[str, int] = {}
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.2):
            for name, process in stack.processes.items():
                if not process.running:
                    counts[name] = counts.get(name, 0) + 1
                    process.start()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield counts
    finally:
        stop.set()
        thread.join()
