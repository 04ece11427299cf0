"""`python -m bench.monolith --port 8001`: serve the stand-in on 127.0.0.1."""

import argparse
import asyncio
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request

from bench.monolith import vision

_MODELS = Path(__file__).parents[2] / "models"


def build() -> FastAPI:
    """The whole application."""
    app = FastAPI()

    @app.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.post("/api/analyze")
    async def analyze(request: Request, max_holds: int | None = None) -> dict[str, Any]:
        photo = await request.body()
        done: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(_work(photo, max_holds, done))
        answer = await done  # A5: nobody tells it when the work has failed
        await task
        return answer

    return app


async def _work(photo: bytes, max_holds: int | None, done: "asyncio.Future[dict[str, Any]]") -> None:
    done.set_result(vision.analyze(photo, _MODELS, max_holds))  # A4: on the event loop


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(build(), host="127.0.0.1", port=parser.parse_args().port, log_level="warning")


if __name__ == "__main__":
    main()
