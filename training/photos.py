"""Where the labeled photos are: in the folder that SHARED names, by default beside the repository, and never in it."""

import os
from pathlib import Path


def data_dir() -> Path:
    """Give the folder with the photos, `train/`, `dev/` and `map.csv`.

    Raises:
        SystemExit: It is not there; one line says how to name it.
    """
    folder = Path(os.environ.get("SHARED", "../shared")) / "data"
    if not folder.is_dir():
        raise SystemExit(f"{folder} is missing: set SHARED to the folder that holds data/")
    return folder
