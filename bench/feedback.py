"""What it costs to remember answers for corrections: `python -m bench.feedback`. Prints Markdown."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gateway.feedback_file import Correction, FeedbackFile, GivenAnswer
from gateway.feedback_store import MAX_PENDING, FeedbackStore
from servicekit.receipts import new_request_id

_ANSWERS, _TOGETHER = 100_000, 25
_ROUNDS = 200


def main() -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feedback.db"
        file = FeedbackFile(path, max_bytes=64_000_000)
        for _ in range(_ANSWERS // 1000):
            file.remember(_answers(1000))
        rows = {
            "bytes of the file an answer": path.stat().st_size / _ANSWERS,
            "µs of the event loop an answer": asyncio.run(_loop_us(file)),
            "ms to write one answer, in the thread": _ms(lambda: file.remember(_answers(1))),
            f"ms to write {_TOGETHER} together, in the thread": _ms(lambda: file.remember(_answers(_TOGETHER))),
            "ms to store a correction, in the thread": _corrections_ms(file),
        }
    print("| | |\n|---|---:|")
    for name, value in rows.items():
        print(f"| {name} | {value:.2f} |")


def _answers(count: int) -> list[GivenAnswer]:
    return [GivenAnswer("", new_request_id(), 40) for _ in range(count)]


async def _loop_us(file: FeedbackFile) -> float:
    """What an answer waits for: that it is put in line."""
    store = FeedbackStore(file, count_forgotten=lambda: None)
    given = _answers(MAX_PENDING)
    start_s = time.perf_counter()
    for one in given:
        store.remember(one)
    return (time.perf_counter() - start_s) / len(given) * 1e6


def _corrections_ms(file: FeedbackFile) -> float:
    given = _answers(_ROUNDS)
    file.remember(given)
    corrections = iter([Correction(request_id=one.request_id, hold_id=0, color="red") for one in given])
    return _ms(lambda: file.put(next(corrections)))


def _ms(work: Callable[[], None]) -> float:
    start_s = time.perf_counter()
    for _ in range(_ROUNDS):
        work()
    return (time.perf_counter() - start_s) / _ROUNDS * 1000


if __name__ == "__main__":
    main()
