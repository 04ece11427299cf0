"""The files of SHARED's field/make.py: made by it, in this process, and copied nowhere."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path


def reported_files(shared: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file.

    Raises:
        FileNotFoundError: SHARED is not there.
    """
    script = shared / "field" / "make.py"
    spec = importlib.util.spec_from_file_location("field_make", script)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(script)
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    yield from make.files()
