"""Eight clients that never tire; three in ten of their requests are left in the middle of the stream."""

import asyncio
import contextlib
import random
from collections import Counter
from urllib.parse import urlsplit

CLIENTS = 8
LEAVING = 0.3
_LIMIT_S = 30.0
_LONGEST_STAY_S = 0.05
_ENDS = (b'"request_id"', b'"error"')


async def send_all(url: str, photo: bytes, count: int, seed: int) -> Counter[str]:
    """Send `count` photos.

    Returns:
        How many were answered, left, refused and broken off.
    """
    parts = urlsplit(url)
    ends: Counter[str] = Counter()
    numbers = iter(range(count))

    async def client(number: int) -> None:
        dice = random.Random(CLIENTS * seed + number)  # noqa: S311 - no secret
        for _ in numbers:
            ends[await _one(str(parts.hostname), parts.port or 80, photo, dice)] += 1

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return ends


async def _one(host: str, port: int, photo: bytes, dice: random.Random) -> str:
    leaves = dice.random() < LEAVING
    path = "/api/analyze-stream" if leaves or dice.random() < 0.5 else "/api/analyze"
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: image/jpeg\r\ncontent-length: {len(photo)}\r\n"
    reader, writer = await asyncio.open_connection(host, port)
    try:
        with contextlib.suppress(ConnectionError):
            writer.write(head.encode() + b"connection: close\r\n\r\n" + photo)
            if leaves:
                await reader.read(1)  # the stream has begun
                await asyncio.sleep(dice.uniform(0, _LONGEST_STAY_S))
                return "left"
            answer = await asyncio.wait_for(reader.read(-1), _LIMIT_S)
            return _named(answer)
        return "broken off"
    except TimeoutError:
        return "late"
    finally:
        writer.close()


def _named(answer: bytes) -> str:
    answered, failed = (word in answer for word in _ENDS)
    if failed:
        return "refused"
    return "answered" if answered else "broken off"
