"""Which model files ship, and whether the files on disk are really those."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from visionkit.errors import ModelError

MANIFEST_NAME = "manifest.toml"


class ModelFile(msgspec.Struct, frozen=True):
    """One file of a model: `path` relative to the models folder, `sha256` in lower-case hex."""

    path: str
    sha256: str


class _ModelTable(msgspec.Struct, frozen=True):
    """A model's table in the manifest; license, data and scores are for people and not read here."""

    version: str
    service: str
    files: dict[str, ModelFile]


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the manifest. `files` maps a role, such as "network" or "palette", to its file."""

    name: str
    version: str
    service: str
    files: Mapping[str, ModelFile]
    models_dir: Path

    def verified_path(self, role: str) -> Path:
        """Return the path of the file in this role once its digest has been checked (reads the whole file).

        Raises:
            ModelError: The manifest has no such role, the file is missing, or its content is not what was listed.
        """
        if role not in self.files:
            raise ModelError(f"model {self.name}: the manifest lists no file {role!r}")
        listed = self.files[role]
        path = self.models_dir / listed.path
        found = _sha256(path)
        if found != listed.sha256:
            raise ModelError(f"model {self.name}: {path} has sha256 {found}, the manifest says {listed.sha256}")
        return path


@dataclass(frozen=True, slots=True)
class Manifest:
    """All models of a models folder, by name."""

    models: Mapping[str, ModelEntry]

    def model(self, name: str) -> ModelEntry:
        """Return the model of this name.

        Raises:
            ModelError: There is none; the message lists those there are.
        """
        if name not in self.models:
            raise ModelError(f"no model {name!r} in the manifest; it lists {', '.join(sorted(self.models)) or 'none'}")
        return self.models[name]


def load(models_dir: Path) -> Manifest:
    """Read `models_dir`/manifest.toml. No model file is opened yet.

    Raises:
        ModelError: The manifest is missing or not as it should be.
    """
    path = models_dir / MANIFEST_NAME
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        tables = msgspec.convert(document, dict[str, _ModelTable])
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # TOML, UTF-8 and msgspec errors are all ValueErrors
        raise ModelError(f"{path} is not a model manifest: {error}") from error
    return Manifest({name: _entry(name, table, models_dir) for name, table in tables.items()})


def _entry(name: str, table: _ModelTable, models_dir: Path) -> ModelEntry:
    return ModelEntry(name, table.version, table.service, table.files, models_dir)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
