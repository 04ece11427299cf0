"""`climbmate analyze DIR`: all photos of a folder, with a bar, into a file that an interrupted run goes on with."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from climbmate_client.answers import Analysis
from climbmate_client.errors import RefusedError
from climbmate_client.journal import Journal

_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"))
_AT_ONCE = 4


class _SomeFailed(click.ClickException):
    exit_code = 1


def photos_in(folder: Path) -> list[Path]:
    """Find the photos in a folder and below, by their names; hidden ones are left out."""
    found = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _SUFFIXES and path.is_file())
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def analyze_folder(
    folder: Path, file: Path, ask: Callable[[bytes], Analysis], *, parameters: Mapping[str, str], aside: Console
) -> None:
    """Analyze what is not in the file yet; some photos at a time, so that memory does not depend on their number.

    Args:
        folder: Where the photos are.
        file: Takes a line of JSON for each photo. What the gateway refuses for good is a line, too; what failed for
            now is left to the next run.
        ask: Analyzes one photo; called from several threads.
        parameters: What it asks for, to tell earlier answers to other questions apart.
        aside: Where the bar is shown.

    Raises:
        click.ClickException: Some photos failed for now; exit code 1.
        ClimbmateError: The gateway went away; nothing that was answered is lost.
    """
    photos = photos_in(folder)
    failed: list[str] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Journal(file, parameters) as journal, Progress(*columns, console=aside) as bar:
        task = bar.add_task("Photos", total=len(photos))

        def work(photo: Path) -> None:
            name, content = str(photo.relative_to(folder)), photo.read_bytes()
            if not journal.has(name, content):
                try:
                    journal.add(name, content, ask(content))
                except RefusedError as error:
                    bar.console.print(f"{name}: {error.code}: {error.message}", highlight=False)
                    if error.retryable:
                        failed.append(name)
                    else:
                        journal.add(name, content, error)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            futures = [pool.submit(work, photo) for photo in photos]
            try:
                for done in as_completed(futures):
                    done.result()
                    bar.advance(task)
            finally:
                _stop(futures)
    if failed:
        raise _SomeFailed(f"{len(failed)} of {len(photos)} photos failed for now; run the same command again.")


def _stop(futures: list[Future[None]]) -> None:
    """Begin nothing more; what is under way ends, so that its answer is not lost."""
    for future in futures:
        future.cancel()
