"""`climbmate analyze DIR`: all photos of a folder, with a bar, into a file that an interrupted run goes on with."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from climbmate_client import photos
from climbmate_client.answers import Analysis
from climbmate_client.errors import RefusedError
from climbmate_client.journal import Journal
from climbmate_client.printable import printable

_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"))
_AT_ONCE = 4
_LAST_ANSWERS_S = 5.0


class _SomeFailed(click.ClickException):
    exit_code = 1


def photos_in(folder: Path) -> list[Path]:
    """Find the photos in a folder and below, by their names; hidden ones are left out."""
    named = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _SUFFIXES and path.is_file())
    return [path for path in named if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def analyze_folder(
    folder: Path, file: Path, ask: Callable[[bytes], Analysis], *, parameters: Mapping[str, str], aside: Console
) -> None:
    """Analyze what is not in the file yet; some photos at a time, so that memory does not depend on their number.

    Args:
        folder: Where the photos are.
        file: Takes a line of JSON for each photo. What the gateway refuses for good is a line, too; what failed for
            now, or could not be read, is left to the next run.
        ask: Analyzes one photo; called from several threads.
        parameters: What it asks for, to tell earlier answers to other questions apart.
        aside: Where the bar is shown.

    Raises:
        click.ClickException: Some photos failed for now; exit code 1.
        ClimbmateError: The gateway went away; nothing that was answered is lost.
    """
    found = photos_in(folder)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Journal(file, parameters) as journal, Progress(*columns, console=aside) as bar:
        task = bar.add_task("Photos", total=len(found))
        run = _Run(folder, ask, journal, say=lambda text: bar.console.print(printable(text)))
        pool = ThreadPoolExecutor(_AT_ONCE)
        futures = [pool.submit(run.analyze, photo) for photo in found]
        try:
            for done in as_completed(futures):
                done.result()
                bar.advance(task)
        finally:  # begin nothing more; what is under way may end, so that its answer is not lost
            pool.shutdown(wait=False, cancel_futures=True)
            wait(futures, timeout=_LAST_ANSWERS_S)
    if run.failed:
        raise _SomeFailed(f"{len(run.failed)} of {len(found)} photos failed for now; run the same command again.")


@dataclass(slots=True)
class _Run:
    """Photos on their way into the journal; `failed` are those that are left to the next run."""

    folder: Path
    ask: Callable[[bytes], Analysis]
    journal: Journal
    say: Callable[[str], None]
    failed: list[str] = field(default_factory=list)

    def analyze(self, photo: Path) -> None:
        name, content = _utf8(photo.relative_to(self.folder)), b""
        try:
            content = photos.read(photo)
            answer = None if self.journal.has(name, content) else self.ask(content)
        except RefusedError as error:
            self._refused(name, content, error)
        except OSError as error:
            self.say(f"{name}: {error.strerror}")
            self.failed.append(name)
        else:
            if answer is not None:
                self.journal.add(name, content, answer)

    def _refused(self, name: str, content: bytes, error: RefusedError) -> None:
        """Note what is refused for good; of a file that is too large to be read the content counts as empty."""
        self.say(f"{name}: {error.code}: {error.message}")
        if error.retryable:
            self.failed.append(name)
        elif not self.journal.has(name, content):
            self.journal.add(name, content, error)


def _utf8(path: Path) -> str:
    r"""A file's name for JSON, the same in every locale: bytes that are no UTF-8 are written as `\xff`."""
    return os.fsencode(path).decode(errors="backslashreplace")
