"""Figures in the docs stand between markers, where the command that measured them puts them with `--write`."""

import argparse
import re
from pathlib import Path

MEMORY = Path(__file__).parents[1] / "docs" / "memory.md"


def add_write_option(parser: argparse.ArgumentParser) -> None:
    """Add `--write`."""
    parser.add_argument("--write", action="store_true", help=f"put the figures into {MEMORY.name} as well")


def tell(figures: str, command: str, *, write: bool, document: Path = MEMORY) -> None:
    """Print the figures, and put them between the markers of `command` if they are to be written.

    Raises:
        ValueError: The document has no such markers.
    """
    print(figures)
    if write:
        marked = re.compile(rf"(<!-- figures of {command} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, found = marked.subn(lambda markers: f"{markers[1]}{figures}\n{markers[2]}", document.read_text())
        if not found:
            raise ValueError(f"{document.name} has no figures of {command}")
        document.write_text(text)
