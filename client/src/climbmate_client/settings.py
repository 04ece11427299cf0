"""What the command takes from the environment; nothing else in the client reads it."""

import os
from collections.abc import Mapping
from pathlib import Path

_HERE = Path(__file__).resolve()


def service_environment(own: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of a local service: the present one, in which `own` wins.

    The heap, the algebra's threads and ONNX Runtime's telemetry are set as in the services' images, and Python writes
    its log lines at once.
    """
    as_in_the_images = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1"}
    return {**as_in_the_images, **os.environ, "PYTHONUNBUFFERED": "1", **own}


def feedback_file() -> str:
    """Where `climbmate up` keeps corrections: `GATEWAY_FEEDBACK_FILE`, else the gateway's own choice, a file here."""
    return os.environ.get("GATEWAY_FEEDBACK_FILE") or "feedback.db"


def models_dir() -> Path | None:
    """Find the models: `MODELS_DIR`, else `models/` here or above, else that of the clone this package runs from."""
    named = os.environ.get("MODELS_DIR")
    if named:
        return Path(named).resolve()
    here = Path.cwd()
    for folder in (here, *here.parents, *_HERE.parents):
        if (folder / "models" / "manifest.toml").is_file():
            return folder / "models"
    return None
