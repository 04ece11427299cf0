"""Starts workers one after the other, and finds the case that ended or held up one."""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.fuzz_photos.case import photo_of

FOLDER = Path(__file__).parents[2] / "out" / "fuzz-photos"
_ROOT = Path(__file__).parents[2]
_CASES_EACH = 5_000
_WORKER = ("-m", "bench.fuzz_photos.worker")
_STALLED_S = 60.0


@dataclass(slots=True)
class Report:
    """What became of all cases.

    Attributes:
        outcomes: How many of each format ended how.
        findings: What must not be, with the case's seed and number.
        used_share: The largest share of its prediction that a photo used.
        took_s: Wall-clock time.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    used_share: float = 0.0
    took_s: float = 0.0

    @property
    def cases(self) -> int:
        """How many were run."""
        return self.outcomes.total()


def run(seed: int, *, cases: int, seconds: float, worker: Sequence[str] = _WORKER) -> Report:
    """Run `cases` cases, or as many as fit into the time; `worker` are the arguments of Python that start one."""
    report, started_s, index = Report(), time.monotonic(), 0
    while index < cases and time.monotonic() - started_s < seconds:
        count = min(_CASES_EACH, cases - index)
        left_s = seconds - (time.monotonic() - started_s)
        index = _run_some(report, worker, seed, range(index, index + count), left_s)
    report.took_s = time.monotonic() - started_s
    return report


def _run_some(report: Report, worker: Sequence[str], seed: int, cases: range, seconds: float) -> int:
    """Run one worker for a while; the number of the next case."""
    with tempfile.NamedTemporaryFile() as progress:
        arguments = [str(number) for number in (seed, cases.start, len(cases))]
        command = [sys.executable, *worker, *arguments, progress.name]
        with subprocess.Popen(  # noqa: S603 - ourselves
            command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            watch = _Watch(process, Path(progress.name), seconds)
            done = cases.start
            for line in process.stdout or ():
                index, kind, outcome, finding, used_share = json.loads(line)
                report.outcomes[kind.split()[0], outcome] += 1
                report.used_share = max(report.used_share, used_share)
                if finding:
                    _keep(report, seed, index, kind, finding)
                done = index + 1
        watch.stop()
        ended = process.returncode
    if watch.out_of_time:
        return sys.maxsize
    if not ended:
        return done
    kind, _ = photo_of(seed, done)
    report.outcomes[kind.split()[0], "crashed"] += 1
    _keep(report, seed, done, kind, "took for ever" if watch.stalled else f"ended the process with {ended}")
    return done + 1


def _keep(report: Report, seed: int, index: int, kind: str, finding: str) -> None:
    """Write a photo out, to be looked at and tried again."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{seed}-{index}.{kind.split(maxsplit=1)[0]}").write_bytes(photo_of(seed, index)[1])
    report.findings.append(f"{seed}/{index} {kind}: {finding}")


class _Watch:
    """Ends a worker that is out of time, or that stays with one case for too long."""

    def __init__(self, worker: "subprocess.Popen[str]", progress: Path, seconds: float) -> None:
        self._worker, self._progress = worker, progress
        self._ends_s = time.monotonic() + seconds
        self._stopped = threading.Event()
        self.out_of_time = self.stalled = False
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        """Leave the worker alone; it has ended."""
        self._stopped.set()

    def _watch(self) -> None:
        seen, since_s = b"", time.monotonic()
        while not self._stopped.wait(0.2):
            now_s, case = time.monotonic(), self._progress.read_bytes() if self._progress.exists() else seen
            if case != seen:
                seen, since_s = case, now_s
            self.out_of_time, self.stalled = now_s > self._ends_s, now_s - since_s > _STALLED_S
            if self.out_of_time or self.stalled:
                self._worker.kill()
                return
