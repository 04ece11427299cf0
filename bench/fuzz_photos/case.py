"""One case: a photo made from a seed, what became of it, and what it took."""

import time
from dataclasses import dataclass
from pathlib import Path

from servicekit import heap
from servicekit.errors import ServiceError
from visionkit import codec, header

from bench.fuzz_photos.corpus import kinds, noise, profile
from bench.fuzz_photos.dice import Dice

MAX_SIDE_PX = 1280
MOST_BYTES = 100_000_000
"""What a photo may take; those that are predicted to take more are refused, as a service does."""

PROBE_BYTES = 8_000_000
"""Reading a header never takes more."""

SLOW_S = 10.0

_NOISE_SHARE = 0.02
_RESET_PEAK = "5"
_STATUS, _CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a photo.

    Attributes:
        name: `decoded`, `too large` or the class of the refusal.
        finding: What must not be, None if all is well.
        used_share: Of the predicted memory, how much was used at the peak.
    """

    name: str
    finding: str | None = None
    used_share: float = 0.0


def photo_of(seed: int, index: int) -> tuple[str, bytes]:
    """The kind and the bytes of a case."""
    dice = Dice(f"{seed}/{index}")
    if dice.chance(_NOISE_SHARE):
        return "noise", noise(dice)
    name = dice.choice(list(kinds()))
    photo, tamper = kinds()[name]
    return name, tamper(photo, dice, profile())


def warm_up() -> None:
    """Have every decoder's code in memory, so that it is not taken for what a photo takes."""
    for photo, _ in kinds().values():
        for max_side_px in (MAX_SIDE_PX, 50):
            codec.decode(photo, header.probe(photo), max_side_px=max_side_px)


def outcome_of(photo: bytes) -> Outcome:
    """Run a photo through the codec; twice where it took too much, for some code is only loaded when it is needed."""
    first = _measured(photo)
    return first if first.finding is None else _measured(photo)


def _measured(photo: bytes) -> Outcome:
    started_s = time.perf_counter()
    outcome = _unhurried(photo)
    took_s = time.perf_counter() - started_s
    return Outcome(outcome.name, f"took {took_s:.1f} s") if took_s > SLOW_S else outcome


def _unhurried(photo: bytes) -> Outcome:
    peak = _Peak()
    try:
        found = header.probe(photo)
    except ServiceError as error:
        return Outcome(type(error).__name__, peak.above(PROBE_BYTES))
    except Exception as error:
        return Outcome("failed", f"probe raised {error!r}")
    predicted_bytes = codec.predict_peak_bytes(found, file_bytes=len(photo), max_side_px=MAX_SIDE_PX)
    if (finding := peak.above(PROBE_BYTES)) or predicted_bytes > MOST_BYTES:
        return Outcome("too large", finding)
    peak = _Peak()
    try:
        decoded = codec.decode(photo, found, max_side_px=MAX_SIDE_PX)
    except ServiceError as error:
        return Outcome(type(error).__name__, peak.above(predicted_bytes), peak.bytes() / predicted_bytes)
    except Exception as error:
        return Outcome("failed", f"decode raised {error!r}")
    finding, share = peak.above(predicted_bytes), peak.bytes() / predicted_bytes
    if decoded.shown_wh != found.shown_wh or max(decoded.rgb.shape[:2]) != min(MAX_SIDE_PX, max(found.shown_wh)):
        finding = f"decoded to {decoded.rgb.shape} for {found.shown_wh}"
    return Outcome("decoded", finding, share)


class _Peak:
    """The most memory that this process had since now, as the kernel saw it, above what it has now."""

    def __init__(self) -> None:
        heap.trim()
        _CLEAR_REFS.write_text(_RESET_PEAK)
        self._before_bytes = _status_bytes("VmRSS")

    def bytes(self) -> int:
        return _status_bytes("VmHWM") - self._before_bytes

    def above(self, bound_bytes: int) -> str | None:
        used_bytes = self.bytes()
        return f"took {used_bytes} bytes of {bound_bytes}" if used_bytes > bound_bytes else None


def _status_bytes(key: str) -> int:
    status = _STATUS.read_text()
    return int(status[status.index(key) + len(key) + 1 :].split(maxsplit=1)[0]) * _KIB
