"""Debian's Chromium, without a window, for the tests of the page, its bench and its icons."""

import contextlib
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "chromium"
MISSING = "Chromium is missing; on Debian: apt-get install chromium"
_FLAGS = (
    "--no-sandbox",  # of no use to root, as which CI runs
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.contextmanager
def open_browser() -> Iterator[Browser]:
    """Start it with a profile of its own, which is gone afterwards.

    Raises:
        FileNotFoundError: It is not installed; the text says how to get it.
    """
    path = shutil.which(CHROMIUM)
    if path is None:
        raise FileNotFoundError(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()
