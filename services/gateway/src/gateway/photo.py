"""A photo's file while the gateway has it."""

import contextlib
import hashlib
import io
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from servicekit.formats import HEAD_BYTES

HEADROOM_BYTES = 6
"""What is left free in front of a photo's file: a field's tag and the file's length, as protobuf writes them."""
_TAILROOM_BYTES = 64
"""What is left free behind it, for the fields that go with it."""


class Photo:
    """A photo's file, as it arrives and until it is sent on. Photos are what the gateway's memory is spent on.

    The file is in memory once: it is written behind some free bytes in which `take` puts what goes before it.

    Attributes:
        sending: Gives what is held while the file is sent on, which takes its memory once more.
    """

    def __init__(self, file: bytes | memoryview = b"", *, room_bytes: int = 0) -> None:
        """Begin with the first piece of a file.

        Args:
            file: That piece, or all of it.
            room_bytes: How large the file will be at most. Its room is taken at once, though no memory before it is
                written to: a buffer that grows is moved again and again, and leaves a hole each time.
        """
        self._buffer = io.BytesIO(bytes(HEADROOM_BYTES + max(room_bytes, len(file)) + _TAILROOM_BYTES))
        self._buffer.seek(HEADROOM_BYTES)
        self._digest = hashlib.sha256()
        self.size_bytes = 0
        self.sending: Callable[[], AbstractAsyncContextManager[object]] = contextlib.nullcontext
        self.add(file)

    def add(self, piece: bytes | memoryview) -> None:
        """Take the next piece of the file."""
        self._buffer.write(piece)
        self._digest.update(piece)
        self.size_bytes += len(piece)

    @property
    def head(self) -> bytes:
        """The first bytes of the file, which tell its format."""
        return bytes(self._buffer.getbuffer()[HEADROOM_BYTES:][: min(HEAD_BYTES, self.size_bytes)])

    @property
    def sha256(self) -> bytes:
        """The digest of the file so far."""
        return self._digest.digest()

    def take(self, head: bytes, tail: bytes) -> bytes:
        """Hand the file over between a head of `HEADROOM_BYTES` and a tail; the photo is empty afterwards."""
        buffer, self._buffer = self._buffer, io.BytesIO()
        self.size_bytes = 0
        buffer.write(tail)
        buffer.truncate()
        buffer.seek(0)
        buffer.write(head)
        return buffer.getvalue()  # does not copy
