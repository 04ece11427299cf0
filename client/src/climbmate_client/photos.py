"""A photo on its way to the gateway: where its bytes come from and what they are."""

import errno
import os
import select
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from climbmate_client.errors import ImageTooLarge

MAX_PHOTO_BYTES = 24 * 1024 * 1024
"""The largest photo that a gateway takes; of larger files no more is read than shows that they are."""
_SILENCE_S = 10.0
_CHUNK_BYTES = 1 << 20

Photo = bytes | str | os.PathLike[str] | BinaryIO
"""A photo file's bytes, its path, or a file that is open for reading bytes."""


def read(photo: Photo) -> bytes:
    """Give a photo's bytes, untouched.

    Raises:
        ImageTooLarge: A file has more than `MAX_PHOTO_BYTES`, or does not end.
        OSError: The file cannot be read, or is a pipe in which nothing comes for 10 seconds.
    """
    if isinstance(photo, bytes):
        return photo
    if isinstance(photo, str | os.PathLike):
        with naming(photo):
            return _from_path(photo)
    return _bounded(photo.read)


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


@contextmanager
def naming(file: str | os.PathLike[str]) -> Iterator[None]:
    """Give the name of a file to errors that come without: those of reading and of writing it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(file)) from None


def _bounded(read_some: Callable[[int], bytes]) -> bytes:
    """Read to the end, or a byte more than is allowed; `read_some` reads at most as many bytes as it is given."""
    content = bytearray()
    while left_bytes := MAX_PHOTO_BYTES + 1 - len(content):
        chunk = read_some(min(left_bytes, _CHUNK_BYTES))
        if not chunk:
            return bytes(content)
        content += chunk
    raise _too_large()


def _too_large() -> ImageTooLarge:
    limit = {"limit_bytes": str(MAX_PHOTO_BYTES)}
    return ImageTooLarge(f"The file has more than {MAX_PHOTO_BYTES} bytes.", details=limit)


def _from_path(path: str | os.PathLike[str]) -> bytes:
    """Read a file of any kind; one that is too large by its own word not at all."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode):
            return _bounded(lambda size: _patiently(number, size))
        if status.st_size > MAX_PHOTO_BYTES:
            raise _too_large()
        return _bounded(lambda size: os.read(number, size))
    finally:
        os.close(number)


def _patiently(number: int, size: int) -> bytes:
    """Read from a pipe, a terminal or another device once it has something, or its end."""
    ready = select.poll()
    ready.register(number, select.POLLIN)
    if not ready.poll(_SILENCE_S * 1000):
        raise TimeoutError(errno.ETIMEDOUT, f"nothing came from it for {_SILENCE_S:g} s")
    return os.read(number, size)
