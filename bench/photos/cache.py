"""Made photos, kept in a folder, so that each is encoded once."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "out" / "photos"


def photo_path(name: str, makers: Mapping[str, Callable[[], bytes]], folder: Path = FOLDER) -> Path:
    """The file of that name; made now if it is not there yet."""
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_bytes(makers[name]())
        part.replace(path)  # another process may be making the same
    return path
