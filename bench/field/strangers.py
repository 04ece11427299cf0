"""Thousands of requests from people whom nobody knows, none of which may leave anything behind."""

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.photos.encode import blotches, jpeg

SETTINGS = {"GATEWAY_CORS_ORIGINS": "https://climbing.example"}
"""Of the gateway that asks for keys, so that preflights are answered by a rule."""
_COUNT = 5_000
_CONNECTIONS = 8
_BAD_PHOTO_BYTES = 1_000
_LIMIT_S = 20.0
_PREFLIGHT = "Origin: https://x.example\r\nAccess-Control-Request-Method: GET\r\n"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Requests of one kind, each different.

    Attributes:
        name: What they are.
        request: The n-th one, whole.
        count: How many of them are sent.
    """

    name: str
    request: Callable[[int], bytes]
    count: int


def crowds(share: float) -> list[Crowd]:
    """Every kind for a gateway that is open to all, with this share of the usual count."""
    broken = jpeg(blotches(64, 64))[:_BAD_PHOTO_BYTES]
    asks_for_a_job = "Prefer: respond-async\r\n"
    kinds: dict[str, Callable[[int], bytes]] = {
        "paths that do not exist": lambda n: _asked(f"GET /{n}/x"),
        "unknown methods": lambda n: _asked(f"BREW{n} /api/analyze"),
        "request ids of their own": lambda n: _asked("GET /api/palette", f"X-Request-Id: own-{n}\r\n"),
        "bad parameters": lambda n: _posted(f"/api/analyze?p{n}=1", broken),
        "refused photos": lambda n: _posted("/api/analyze", broken + n.to_bytes(4, "big")),
        "refused photos, as jobs": lambda n: _posted("/api/analyze", broken + n.to_bytes(5, "big"), asks_for_a_job),
    }
    return [Crowd(name, request, int(_COUNT * share)) for name, request in kinds.items()]


def keyed_crowds(share: float) -> list[Crowd]:
    """Every kind for a gateway that asks for keys."""
    kinds: dict[str, Callable[[int], bytes]] = {
        "wrong keys, each for another path": lambda n: _asked(f"GET /api/{n}", _wrong_key(n)),
        "preflights, each for another path": lambda n: _asked(f"OPTIONS /api/{n}", _PREFLIGHT),
    }
    return [Crowd(name, request, int(_COUNT * share)) for name, request in kinds.items()]


def write_keys(folder: Path) -> dict[str, str]:
    """Write a file of one API key; gives the gateway's setting."""
    file = folder / "keys"
    file.write_text(f"field {hashlib.sha256(secrets.token_bytes()).hexdigest()}\n")
    return {"GATEWAY_API_KEYS_FILE": str(file)}


async def send_all(url: str, crowd: Crowd, numbers: range) -> int:
    """Send those of these numbers, a few at a time; gives how many were answered."""
    left = iter(numbers)
    return sum(await asyncio.gather(*(_send(url, crowd, left) for _ in range(_CONNECTIONS))))


async def _send(url: str, crowd: Crowd, left: Iterator[int]) -> int:
    parts, answered = urlsplit(url), 0
    for number in left:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_LIMIT_S):
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                writer.write(crowd.request(number))
                answered += (await reader.read(-1)).startswith(b"HTTP/1.1 ")
                writer.close()
    return answered


def _wrong_key(number: int) -> str:
    return f"Authorization: Bearer wrong-{number}\r\n"


def _asked(start: str, headers: str = "") -> bytes:
    return f"{start} HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n".encode()


def _posted(path: str, body: bytes, headers: str = "") -> bytes:
    length = f"Content-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n"
    return _asked(f"POST {path}", length + headers) + body
