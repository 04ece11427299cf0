"""A photo on its way to the gateway: where its bytes come from and what they are."""

import os
from pathlib import Path

Photo = bytes | str | os.PathLike[str]
"""A photo file's bytes, or its path."""


def read(photo: Photo) -> bytes:
    """Give a photo's bytes, untouched.

    Raises:
        OSError: The file cannot be read.
    """
    return photo if isinstance(photo, bytes) else Path(photo).read_bytes()


def media_type(data: bytes) -> str:
    r"""Tell a photo's media type from its first bytes; the gateway decides which kinds of HEIF it reads.

    Example:
        >>> media_type(b"\x89PNG\r\n\x1a\n")
        'image/png'
        >>> media_type(b"hello")
        'application/octet-stream'
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return "image/heic"
    return "application/octet-stream"
