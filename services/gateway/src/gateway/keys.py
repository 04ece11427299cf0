"""API keys: who may use the gateway where it asks for keys, and how much.

`python -m gateway.keys NAME` makes a key: it prints the key for its user and the line for the file of keys, which holds
no more than digests. Keys are random, so one round of SHA-256 is enough: there is nothing to guess.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from servicekit.errors import RateLimited, Unauthenticated
from servicekit.server import StartError

_LINE = re.compile(r"([A-Za-z0-9._@-]{1,64})\s+([0-9a-f]{64})")
_BEARER = "bearer "


class Keyring:
    """The keys that are known; without any, everybody is welcome.

    A wrong key takes as long as a right one: every known digest is compared, each in constant time.
    """

    def __init__(self, digests: Sequence[tuple[str, bytes]], *, per_minute: float, burst: int) -> None:
        """Know keys by `(name, SHA-256)`; each may `burst` photos at once and `per_minute` in the long run."""
        self._digests = tuple(digests)
        self._buckets = {name: Bucket(per_minute / 60, burst) for name, _ in digests}

    @classmethod
    def open(cls, file: str, *, per_minute: float, burst: int) -> "Keyring":
        """Read a file of keys; no file is an open door.

        Raises:
            StartError: It cannot be read, a line is malformed, or there is no key in it.
        """
        return cls(_read(Path(file)) if file else (), per_minute=per_minute, burst=burst)

    def admit(self, presented: str) -> str:
        """Tell whose key it is; empty where no keys are asked for.

        Args:
            presented: What came as `Authorization: Bearer KEY`, with or without that scheme's name; empty for nothing.

        Raises:
            Unauthenticated: It is none of the keys.
        """
        if not self._digests:
            return ""
        scheme = presented[: len(_BEARER)].lower()
        key = presented[len(_BEARER) :].strip() if scheme == _BEARER else presented
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
        found = [name for name, known in self._digests if hmac.compare_digest(digest, known)]
        if not found:
            raise Unauthenticated("Send a valid API key as `Authorization: Bearer KEY`.")
        return found[0]

    def admit_photo(self, presented: str) -> None:
        """Admit a call that brings a photo, and charge its key.

        Raises:
            Unauthenticated, RateLimited: It may not come in, or not now.
        """
        self.charge(self.admit(presented))

    def charge(self, name: str) -> None:
        """Take one photo off the allowance of a key.

        Raises:
            RateLimited: It is spent for now.
        """
        if name:
            self._buckets[name].take()


class Bucket:
    """A token bucket that is filled by the passing of time."""

    def __init__(self, per_s: float, burst: int, spent: str = "The key's allowance is spent for now.") -> None:
        """Hold `burst` tokens, and get `per_s` more; `spent` is what callers are told when there is none."""
        self._spent = spent
        self._per_s = per_s
        self._burst = burst
        self._tokens = float(burst)
        self._at_s: float | None = None

    def take(self) -> None:
        """Take a token.

        Raises:
            RateLimited: There is none.
        """
        now_s = asyncio.get_running_loop().time()
        passed_s = 0.0 if self._at_s is None else now_s - self._at_s
        self._tokens, self._at_s = min(self._burst, self._tokens + passed_s * self._per_s), now_s
        if self._tokens < 1:
            raise RateLimited(self._spent, retry_after_s=(1 - self._tokens) / self._per_s)
        self._tokens -= 1


def _read(file: Path) -> list[tuple[str, bytes]]:
    try:
        lines = [line.partition("#")[0].strip() for line in file.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"cannot read the API keys in {file}: {error}") from None
    matches = [(number, _LINE.fullmatch(line)) for number, line in enumerate(lines, 1) if line]
    bad = [number for number, match in matches if match is None]
    if bad:
        raise StartError(f"{file}, line {bad[0]}: an API key is a name and a SHA-256 of 64 hexadecimal digits")
    if not matches:
        raise StartError(f"there are no API keys in {file}")
    digests = [(match[1], bytes.fromhex(match[2])) for _, match in matches if match]
    if len({name for name, _ in digests}) < len(digests):
        raise StartError(f"an API key's name is there twice in {file}")
    return digests


def main() -> int:
    """Make a key."""
    if len(sys.argv) != 2 or not _LINE.fullmatch(f"{sys.argv[1]} {'0' * 64}"):
        sys.stderr.write("usage: python -m gateway.keys NAME   (letters, digits, . _ @ -)\n")
        return 2
    key = secrets.token_urlsafe(32)
    sys.stderr.write(f"The key, for its user; it is shown only now:\n{key}\nThe line for GATEWAY_API_KEYS_FILE:\n")
    sys.stdout.write(f"{sys.argv[1]} {hashlib.sha256(key.encode()).hexdigest()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
