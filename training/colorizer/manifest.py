"""A model's table in `models/manifest.toml`."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "manifest.toml"


@dataclass(frozen=True, slots=True)
class ModelTable:
    """What the manifest says of a colorizer's model. `files` are names in the models folder by role."""

    name: str
    version: str
    licence: str
    data: str
    input: str
    files: Mapping[str, str]
    scores: Mapping[str, float]


def enter(folder: Path, table: ModelTable) -> None:
    """Put the table into the folder's manifest in place of the model's old one; other tables stay as they are."""
    manifest, name = folder / MANIFEST, re.escape(table.name)
    text = manifest.read_text() if manifest.exists() else ""
    own = re.compile(rf"^\[{name}\]\n.*?(?=^\[(?!{name}[.\]])|\Z)", re.MULTILINE | re.DOTALL)
    written = _written(folder, table)
    if own.search(text):
        manifest.write_text(own.sub(lambda _: f"{written}\n", text, count=1).rstrip() + "\n")
    else:
        manifest.write_text(f"{text.rstrip()}\n\n{written}".lstrip())


def _written(folder: Path, table: ModelTable) -> str:
    lines = [
        f"[{table.name}]",
        'service = "colorizer"',
        f'version = "{table.version}"',
        f"date = {dt.datetime.now(dt.UTC).date()}",
        f'licence = "{table.licence}"',
        f'data = "{table.data}"',
        f'input = "{table.input}"',
    ]
    for role, file in table.files.items():
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        lines += ["", f"[{table.name}.files.{role}]", f'path = "{file}"', f'sha256 = "{digest}"']
    if table.scores:
        lines += ["", f"[{table.name}.scores]", *[f"{name} = {value:.3f}" for name, value in table.scores.items()]]
    return "\n".join(lines) + "\n"
