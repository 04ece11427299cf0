"""The smallest application that an HTTP server can be measured with: `bench.http_app:app`."""

import asyncio
from typing import Any


async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own
    """Answer `/` with a little, `/events` with a stream that waits, and all else once its body is read."""
    if scope["type"] != "http":
        return
    body = {"more_body": True}
    while scope["method"] == "POST" and body.get("more_body"):
        body = await receive()
    headers = [(b"content-type", b"text/plain")]
    if scope["path"] != "/events":
        headers.append((b"content-length", b"2"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if scope["path"] == "/events":
        await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})
        await asyncio.sleep(600)
    await send({"type": "http.response.body", "body": b"ok"})
