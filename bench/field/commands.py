"""The command with what nobody should give it, and outputs that fail."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from climbmate_client.local.cgroup import MemoryCgroup

from bench.field.rows import Row

KIND = "command"
SAMPLE = Path(__file__).parents[2] / "assets" / "sample-wall.jpg"
_CLIMBMATE = (sys.executable, "-m", "climbmate_client")
_LIMIT_BYTES = 400 << 20
_TIMEOUT_S = 60
_START_LIMIT_S = 30.0
_SIGNALS, _BETWEEN_SIGNALS_S = 5, 0.2
_ENDED = (0, 130, -signal.SIGINT, -signal.SIGTERM)  # the last two from when Python itself is ending


@dataclass(frozen=True, slots=True)
class Ended:
    """How the command ended."""

    code: int
    said: str

    def as_row(self, name: str, codes: Sequence[int]) -> Row:
        """Judge it: one of these exit codes, and no traceback."""
        well = self.code in codes and "Traceback" not in self.said
        last = self.said.strip().splitlines()[-1:] or [""]
        return Row(
            KIND, name, f"exit code {' or '.join(map(str, codes))}, no traceback", f"{self.code}: {last[0]}", well
        )


def command_rows(url: str) -> Iterator[Row]:
    """Run the commands against the gateway at `url`, within a memory limit, and judge how each ends."""
    yield _run(["analyze", "/dev/zero", "--url", url]).as_row("analyze /dev/zero", (1, 2))
    with tempfile.NamedTemporaryFile(suffix=".jpg") as sparse:
        sparse.truncate(1 << 40)
        yield _run(["analyze", sparse.name, "--url", url]).as_row("analyze a file of 1 TiB", (1, 2))
    yield _run(["analyze", str(SAMPLE), "--url", url], stdout="/dev/full").as_row("analyze > /dev/full", (1,))
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    words = ["analyze", str(SAMPLE), "--url", url, "--palette", "빨강", "--palette", "red"]
    yield _run(words, environment=ascii_only).as_row("--palette 빨강 in an ASCII terminal", (0, 1, 2))
    with tempfile.TemporaryDirectory() as folder:
        name = os.fsencode(folder) + b"/w\xff.jpg"
        Path(os.fsdecode(name)).write_bytes(SAMPLE.read_bytes())
        yield _run(["analyze", folder, "--url", url, "--save", f"{folder}/answers.jsonl"]).as_row(
            "a folder with a name that is no UTF-8", (0,)
        )
    yield _ended_again_and_again().as_row("up, ended by ten signals", _ENDED)


def _run(words: Sequence[str], *, stdout: str | None = None, environment: Mapping[str, str] | None = None) -> Ended:
    """Run the command; what it says is its standard error, and its standard output where that goes nowhere else."""
    with MemoryCgroup("command", _LIMIT_BYTES) as cgroup, tempfile.TemporaryFile() as said:
        with (
            _opened(stdout) as output,
            _started(cgroup.wrap([*_CLIMBMATE, *words]), output or said, said, environment) as process,
        ):
            try:
                process.wait(_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
        said.seek(0)
        return Ended(process.returncode, said.read().decode(errors="replace"))


def _ended_again_and_again() -> Ended:
    """Start the services, and end them by signals in a row, as somebody impatient does."""
    with tempfile.TemporaryFile() as said:
        with _started([*_CLIMBMATE, "up", "--port", "0"], said, said) as process:
            end_s = time.monotonic() + _START_LIMIT_S
            while b"is ready at" not in _read(said) and time.monotonic() < end_s:
                time.sleep(0.1)
            for number in (signal.SIGINT, signal.SIGTERM) * _SIGNALS:
                process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_BETWEEN_SIGNALS_S)
            process.wait(_TIMEOUT_S)
        return Ended(process.returncode, _read(said).decode(errors="replace"))


def _started(
    command: Sequence[str], output: IO[bytes], said: IO[bytes], environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - ourselves
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=said, env={**os.environ, **(environment or {})}
    )


def _opened(file: str | None) -> contextlib.AbstractContextManager[IO[bytes] | None]:
    return contextlib.nullcontext() if file is None else Path(file).open("wb", buffering=0)


def _read(said: IO[bytes]) -> bytes:
    """All that was written; the writer's place in the file is its own."""
    return os.pread(said.fileno(), os.fstat(said.fileno()).st_size, 0)
