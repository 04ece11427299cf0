"""Which file format a photo's first bytes claim; nothing is decoded."""

from servicekit.errors import InvalidImage, UnsupportedFormat
from servicekit.formats import is_heic

_REFUSED = (
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"%PDF", "PDF"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML"),
)


def check(head: bytes) -> str:
    """Return a photo's format, `jpeg`, `png`, `webp` or `heic`, by its first `servicekit.formats.HEAD_BYTES` bytes.

    Raises:
        UnsupportedFormat: A known format that is not served.
        InvalidImage: No bytes at all, or nothing that looks like a photo.
    """
    if not head:
        raise InvalidImage("The photo is empty.")
    served = _served(head)
    if served is not None:
        return served
    refused = next((name for magic, name in _REFUSED if head.startswith(magic)), None)
    if refused is None and head[4:8] == b"ftyp":
        refused = head[8:12].decode("ascii", "replace").strip()
    if refused is not None:
        raise UnsupportedFormat(f"{refused} is not served.", details={"format": refused})
    raise InvalidImage("The bytes are not a photo.")


def _served(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if is_heic(head):
        return "heic"
    return None
