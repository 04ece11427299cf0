"""`climbmate analyze`: one photo, its holds, colors and problems."""

import functools
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TypedDict

import click
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from climbmate_client import events, overlay, photos
from climbmate_client.answers import Analysis, Health, Rgb
from climbmate_client.cli import report
from climbmate_client.cli.exits import explained
from climbmate_client.cli.folder import analyze_folder
from climbmate_client.errors import ClimbmateError
from climbmate_client.http import Client
from climbmate_client.journal import JournalError
from climbmate_client.local import LocalStack
from climbmate_client.printable import printable
from climbmate_client.retry import Retry

_LINES = "climbmate.jsonl"
_PATIENT = Retry(attempts=5)
_FILE = click.Path(dir_okay=False, path_type=Path)
_PICTURES: dict[str, tuple[str, dict[str, int]]] = {
    ".png": ("PNG", {"compress_level": 3}),  # half the time of the default for 4 % more bytes
    ".jpg": ("JPEG", {"quality": 88}),
    ".jpeg": ("JPEG", {"quality": 88}),
    ".webp": ("WEBP", {"quality": 88}),
}


class _Wishes(TypedDict):
    """What is asked of the gateway beside the photo."""

    max_holds: int | None
    min_confidence: float | None
    min_holds: int | None
    palette: str | None


def _picture(_context: click.Context, _option: click.Parameter, file: Path | None) -> Path | None:
    """Refuse, before any work, a name in whose format nothing can be drawn."""
    if file is not None and file.suffix.lower() not in _PICTURES:
        raise click.BadParameter(f"{printable(str(file))} does not end in one of {', '.join(_PICTURES)}.")
    return file


def _utf8(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Read texts as UTF-8 whatever the terminal's encoding is."""
    try:
        return tuple(os.fsencode(text).decode() for text in texts)
    except UnicodeDecodeError:
        raise click.BadParameter("is not UTF-8.") from None


@click.command()
@click.argument("photo", metavar="PHOTO|DIR", type=click.Path(exists=True, readable=True, path_type=Path))
@click.option("--url", help="The gateway's address. Without it the services are started here for this call.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON instead of tables.")
@click.option(
    "--save", type=_FILE, help=f"Write the answer as JSON to this file; for DIR as lines, by default to {_LINES}."
)
@click.option(
    "--overlay",
    "overlay_file",
    type=_FILE,
    callback=_picture,
    help="Draw outlines and problems on the photo into this file (.png, .jpg, .webp).",
)
@click.option(
    "--overlay-side",
    type=click.IntRange(64, 16384),
    default=2048,
    show_default=True,
    help="The overlay's longer side in pixels; a smaller photo keeps its size.",
)
@click.option("--max-holds", type=click.IntRange(1, 300), help="At most this many holds, the largest ones.")
@click.option("--min-confidence", type=click.FloatRange(0.01, 1), help="Only holds at least this confident.")
@click.option("--min-holds", type=click.IntRange(2, 50), help="Fewer holds of a color give no problem.")
@click.option(
    "--palette",
    metavar="COLOR",
    multiple=True,
    callback=_utf8,
    help='Name holds by colors of your own: "mint", or "wood:a hold of bare wood". Give one for each color.',
)
def analyze(
    *,
    photo: Path,
    url: str | None,
    as_json: bool,
    save: Path | None,
    overlay_file: Path | None,
    overlay_side: int,
    max_holds: int | None,
    min_confidence: float | None,
    min_holds: int | None,
    palette: tuple[str, ...],
) -> None:
    """Find the holds, colors and problems in PHOTO, or in all photos in DIR and below.

    The answers for DIR are lines of JSON in one file. The same command goes on where an earlier run was interrupted.
    """
    aside = report.plain_console(stderr=True)
    wishes: _Wishes = {
        "max_holds": max_holds,
        "min_confidence": min_confidence,
        "min_holds": min_holds,
        "palette": ",".join(palette) or None,
    }
    if photo.is_dir():
        if overlay_file or as_json:
            raise click.UsageError("--overlay and --json are for one photo; the answers for DIR are lines in a file.")
        _analyze_all(photo, save or Path(_LINES), url, wishes, aside)
        return
    with explained():
        data = photos.read(photo)
        with _gateway(url, aside) as address, Client(address) as climbmate:
            analysis = _follow(climbmate.stream(data, **wishes), aside)
            health = climbmate.health()
            display_rgb = _display_rgb(climbmate) if overlay_file else {}
        if save:
            _write(save, analysis.to_json() + b"\n")
        if overlay_file:
            image = overlay.draw(data, analysis, palette=display_rgb, longer_side_px=overlay_side)
            _write(overlay_file, _encoded(image, overlay_file))
    if as_json:
        click.echo(analysis.to_json())
    else:
        _show(analysis, health, [file for file in (save, overlay_file) if file])


def _analyze_all(folder: Path, file: Path, url: str | None, wishes: _Wishes, aside: Console) -> None:
    parameters = {name: str(value) for name, value in wishes.items() if value is not None}
    with explained(), _gateway(url, aside) as address, Client(address, retry=_PATIENT) as climbmate:
        climbmate.health()  # a wrong address is noticed at once
        try:
            ask = functools.partial(climbmate.analyze, **wishes)
            analyze_folder(folder, file, ask, parameters=parameters, aside=aside)
        except JournalError as error:
            raise click.UsageError(printable(str(error))) from None
    click.echo(f"Wrote {printable(str(file))}")


@contextmanager
def _gateway(url: str | None, aside: Console) -> Iterator[str]:
    """Give the address of the gateway to ask; without one, start the services and stop them afterwards."""
    if url is not None:
        yield url
        return
    stack = LocalStack()
    with aside.status("Starting detector, colorizer and gateway"):
        stack.start()
    try:
        yield stack.url
    finally:
        with aside.status("Stopping the services"):
            stack.stop()


def _follow(steps: Iterator[events.Event], aside: Console) -> Analysis:
    """Show the progress of a stream once it has begun, and give its result."""
    with aside.status("Sending the photo"):
        first = next(steps)
    columns = (TextColumn("{task.description:<28}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=aside) as bar:
        task = bar.add_task("", total=100)
        for step in chain((first,), steps):
            if isinstance(step, events.Progress):
                bar.update(task, completed=step.percent, description=step.message)
            elif isinstance(step, Analysis):
                bar.update(task, completed=100)
                return step
    raise ClimbmateError("The stream ended without a result.")


def _display_rgb(climbmate: Client) -> dict[str, Rgb]:
    """Give the color to draw each name with; none while the colorizer is down: holds are drawn as photographed."""
    try:
        return {color.name: color.rgb for color in climbmate.palette()}
    except ClimbmateError:
        return {}


def _encoded(image: Image.Image, file: Path) -> bytes:
    """Encode a picture in the format of the file's name."""
    encoded = io.BytesIO()
    kind, options = _PICTURES[file.suffix.lower()]
    image.save(encoded, kind, **options)
    return encoded.getvalue()


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with photos.naming(file):
        file.write_bytes(content)


def _show(analysis: Analysis, health: Health, written: list[Path]) -> None:
    console = report.plain_console()
    for part in report.tables(analysis, health):
        console.print(part)
    for file in written:
        console.print(f"Wrote {printable(str(file))}")
