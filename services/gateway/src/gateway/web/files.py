"""The files of the pages, read once."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from starlette.responses import Response

_MEDIA_TYPES = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",  # kept, but asked for again
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file as it is sent."""

    content: bytes
    media_type: str

    @classmethod
    def of(cls, name: str, content: bytes) -> "PageFile":
        """Prepare a file, whose type its name tells."""
        return cls(content, _MEDIA_TYPES[name.rpartition(".")[2]])

    def answer(self) -> Response:
        """Send it."""
        return Response(self.content, headers=_HEADERS, media_type=self.media_type)


def read_all() -> dict[str, PageFile]:
    """All files by their path below `static/`."""
    return {path: PageFile.of(path, content) for path, content in _walk(resources.files("gateway.web") / "static")}


def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
