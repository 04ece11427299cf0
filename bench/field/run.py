"""Tries everything, in an order in which no trial disturbs the next."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from climbmate_client.local import LocalStack

from bench.faults.requests import SAMPLE
from bench.field import calls, commands, connections, strangers
from bench.field.expected import MADE, REPORTED, Expected, Unknown
from bench.field.members import all_members
from bench.field.reported import reported_files
from bench.field.rows import Refused, Row
from bench.field.watching import SETTLE_S, Watched, most_used, watched
from bench.photos.bombs import BOMBS
from bench.photos.cache import photo_path

_PHOTO_LIMIT_S = 40
_MOST_LEFT_BYTES = 1_000_000  # by thousands of requests
_MOST_HELD_BYTES = 8_000_000  # of what is poured into a connection; where sockets count, theirs too
_JPEG = {"content-type": "image/jpeg", "cache-control": "no-cache"}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is tried.

    Attributes:
        shared: The folder with field/make.py and field/wire.py.
        share: Of the thousands of requests that strangers send.
        commands: Whether the command is tried, too; `up` takes its seconds.
    """

    shared: Path
    share: float = 1.0
    commands: bool = True


def try_all(plan: Plan, write_log: Callable[[str], None] | None = None) -> list[Row]:
    """Try everything against services of its own."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        keyed = {"gateway": {**strangers.write_keys(Path(folder)), **strangers.SETTINGS}}
        with watched("open to all", rows, {}, write_log) as services:
            rows.extend(_photo_rows(services, plan.shared))
            rows.extend(_connection_rows(services, plan.shared))
            rows.extend(calls.call_rows(services.stack.grpc_target, SAMPLE))
            if plan.commands:
                rows.extend(commands.command_rows(services.stack.url))
            rows.extend(_stranger_rows(services.stack, strangers.crowds(plan.share)))
        with watched("with keys", rows, keyed, write_log) as services:
            rows.extend(_stranger_rows(services.stack, strangers.keyed_crowds(plan.share)))
    return rows


def _photo_rows(services: Watched, shared: Path) -> Iterator[Row]:
    for name, content in reported_files(shared):
        yield _posted(services, "reported photo", name, content, REPORTED.get(name, Unknown()))
    for name, make in all_members():
        yield _posted(services, "photo of the kind", name, make(), MADE[name])
    for name in BOMBS:
        yield _posted(services, "bomb", name, photo_path(name, BOMBS).read_bytes(), MADE[name])


def _posted(services: Watched, kind: str, name: str, content: bytes, expected: Expected) -> Row:
    ends = services.ends
    try:
        answer = httpx.post(f"{services.stack.url}/api/analyze", content=content, headers=_JPEG, timeout=_PHOTO_LIMIT_S)
        status, body = answer.status_code, answer.content
    except httpx.TransportError:
        status, body = 0, b""
    return services.harmless(expected.judged(kind, name, status, body), ends)


def _connection_rows(services: Watched, shared: Path) -> Iterator[Row]:
    url = services.stack.url
    for exchange in connections.exchanges():
        yield connections.exchanged(url, exchange)
    yield _form_row(url)
    for torrent in connections.torrents():
        yield _endured(services, torrent)
    for plan, command in connections.wire_plans(shared):
        ends = services.ends
        said = connections.run_wire(url, command)
        row = Row("wire.py", plan, "an answer, and nobody is killed", said[-80:], "closed without" not in said)
        yield services.harmless(row, ends)


def _form_row(url: str) -> Row:
    """A parameter as a field of the form, as people of curl's -F write it: read, or refused by name."""
    answer = httpx.post(f"{url}/api/analyze", files={"image": SAMPLE}, data={"max_holds": "3"}, timeout=_PHOTO_LIMIT_S)
    if answer.is_success:
        holds = len(answer.json()["holds"])
        return Row(connections.KIND, "max_holds=3 in the form", "3 holds, or 422", f"{holds} holds", holds == 3)
    refused = Refused((422,), ("INVALID_PARAMETER",), "max_holds")
    return refused.judged(connections.KIND, "max_holds=3 in the form", answer.status_code, answer.content)


def _endured(services: Watched, torrent: connections.Torrent) -> Row:
    ends = services.ends
    with most_used(services.stack.cgroups["gateway"]) as most:
        taken = connections.pour(services.stack.url, torrent)
        time.sleep(0.5)
    right = f"at most {_MOST_HELD_BYTES / 1e6:.0f} MB are held"
    came = f"{most[0] / 1e6:.1f} MB of {taken / 1e6:.1f} MB"
    return services.harmless(Row("torrent", torrent.name, right, came, most[0] <= _MOST_HELD_BYTES), ends)


def _stranger_rows(stack: LocalStack, crowds: list[strangers.Crowd]) -> Iterator[Row]:
    """Send a quarter of each crowd first, after which caches and pools have their size; then the rest, one by one."""
    for crowd in crowds:
        asyncio.run(strangers.send_all(stack.url, crowd, range(crowd.count // 4)))
    time.sleep(SETTLE_S)
    for crowd in crowds:
        before = stack.cgroups["gateway"].pinned_bytes
        numbers = range(crowd.count // 4, crowd.count)
        answered = asyncio.run(strangers.send_all(stack.url, crowd, numbers))
        time.sleep(SETTLE_S)
        left = stack.cgroups["gateway"].pinned_bytes - before
        right = f"all answered, <= {_MOST_LEFT_BYTES / 1e6:.0f} MB left behind"
        came = f"{answered} of {len(numbers)}, {left / 1e6:+.1f} MB"
        yield Row("strangers", crowd.name, right, came, answered == len(numbers) and left <= _MOST_LEFT_BYTES)
