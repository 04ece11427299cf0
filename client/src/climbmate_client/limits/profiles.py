"""Where the limits of a profile stand in a clone: read its settings there, and write its limits there."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from climbmate_client.limits.search import MIB
from climbmate_client.local.stack import SERVICES

_SETTING = re.compile(r'\{name: ([A-Z_]+), value: "([^"]*)"\}')
_NOT_OURS = re.compile(r"_(TARGET|LISTEN)$|^DRAIN_")  # where things are, and how they end, is the trial's own affair
_K8S_MEMORY = re.compile(r"memory: (\d+)Mi")
_COMPOSE_MEMORY = re.compile(r"(mem(?:swap)?_limit:) \d+m")


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of the manifests: `small` or `standard`."""

    root: Path
    name: str

    def settings(self) -> dict[str, dict[str, str]]:
        """What the manifests tell each service."""
        return {name: dict(_settings(self._part(name))) for name in SERVICES}

    def limits(self) -> dict[str, int]:
        """The limits in bytes that the manifests give."""
        found = {name: _K8S_MEMORY.search(self._part(name)) for name in SERVICES}
        return {name: int(memory[1]) * MIB for name, memory in found.items() if memory}

    def write(self, limits_bytes: Mapping[str, int]) -> list[Path]:
        """Write the limits into all files that have them; gives the files."""
        for name, limit_bytes in limits_bytes.items():
            self._write_manifest(name, f"memory: {limit_bytes // MIB}Mi")
            if self.name == "small":
                self._write_compose(name, limit_bytes // MIB)
        files = [self._manifest(name) for name in limits_bytes]
        return [*dict.fromkeys(files), *([self._compose] if self.name == "small" else [])]

    def write_table(self, document: Path, table: str) -> None:
        """Put the table between the profile's markers in a Markdown file."""
        marked = re.compile(rf"(<!-- limits of {self.name} -->\n).*?(<!-- end -->)", re.DOTALL)
        document.write_text(marked.sub(lambda found: f"{found[1]}{table}\n{found[2]}", document.read_text()))

    @property
    def _compose(self) -> Path:
        return self.root / "compose.yaml"

    def _manifest(self, service: str) -> Path:
        small = self.root / "k8s/overlays/small/memory.yaml"
        return small if self.name == "small" else self.root / "k8s/base" / service / "deployment.yaml"

    def _part(self, service: str) -> str:
        """The text of the service's Deployment, alone in its file or one of several documents."""
        parts = self._manifest(service).read_text().split("\n---\n")
        return next(part for part in parts if f"name: climbmate-{service}\n" in part)

    def _write_manifest(self, service: str, memory: str) -> None:
        manifest, part = self._manifest(service), self._part(service)
        manifest.write_text(manifest.read_text().replace(part, _K8S_MEMORY.sub(memory, part)))

    def _write_compose(self, service: str, limit_mib: int) -> None:
        text = self._compose.read_text()
        start = text.index(f"\n  {service}:\n")
        end = text.index("environment:", start)
        limited = _COMPOSE_MEMORY.sub(rf"\1 {limit_mib}m", text[start:end])
        self._compose.write_text(text[:start] + limited + text[end:])


def _settings(part: str) -> Iterator[tuple[str, str]]:
    for name, value in _SETTING.findall(part):
        if not _NOT_OURS.search(name):
            yield name, value
