"""How long people wait at the page, in a real browser: `make bench-page`.

Each round opens the page anew and chooses the photo, with other bytes behind its end so that no answer is a repeated
one. Measured by the page itself, from the choice until what is drawn is on the screen. Prints Markdown; with `--write`
the figures go to docs/performance.md as well.
"""

import argparse
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from climbmate_client.local import LocalStack
from playwright.sync_api import BrowserContext, Page, ViewportSize

from bench.browser import open_browser

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "performance.md"
_FIGURES = re.compile(r"(<!-- figures of make bench-page -->\n).*?(<!-- end -->)", re.DOTALL)
_WARM_UP_ROUNDS = 3
_PHONE = ViewportSize(width=390, height=844)
_LIMIT_S = 20
_ROWS = {
    "interactive": "page opened, until it takes a photo",
    "outlines": "photo chosen, until its outlines are on the screen",
    "result": "photo chosen, until colors and problems are",
}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path, default=ROOT / "assets" / "sample-wall.jpg")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--write", action="store_true", help=f"put the figures into {DOCUMENT.name} as well")
    args = parser.parse_args()
    with LocalStack() as stack, open_browser() as browser, tempfile.TemporaryDirectory() as folder:
        size_bytes = _page_bytes(browser.new_context(service_workers="block"), stack.url)
        page = browser.new_context(viewport=_PHONE, device_scale_factor=2, is_mobile=True).new_page()
        photo = args.photo.read_bytes()
        rounds = []
        for number in range(_WARM_UP_ROUNDS + args.rounds):
            other = Path(folder) / f"{number}.jpg"
            other.write_bytes(photo + number.to_bytes(4, "big"))
            rounds.append(_round(page, stack.url, other))
        figures = _table(rounds[_WARM_UP_ROUNDS:], size_bytes, browser.version)
    print(figures)
    if args.write:
        DOCUMENT.write_text(_FIGURES.sub(lambda found: f"{found[1]}{figures}\n{found[2]}", DOCUMENT.read_text()))


def _page_bytes(context: BrowserContext, url: str) -> int:
    """Everything that a browser fetches when it opens the page for the first time, heads included."""
    page = context.new_page()
    sizes: list[int] = []
    page.on(
        "requestfinished",
        lambda request: sizes.append(request.sizes()["responseBodySize"] + request.sizes()["responseHeadersSize"]),
    )
    page.goto(url, wait_until="networkidle")
    context.close()
    return sum(sizes)


def _round(page: Page, url: str, photo: Path) -> dict[str, float]:
    page.goto("about:blank")
    page.goto(url, wait_until="networkidle")
    interactive = page.evaluate("performance.getEntriesByName('interactive')[0].startTime")
    page.set_input_files("#choose", photo)
    return {"interactive": interactive, **_measures(page)}


def _measures(page: Page) -> dict[str, float]:
    """Wait for both measures of the page; asking now and then, because the page's policy forbids what waiting needs."""
    deadline_s = time.monotonic() + _LIMIT_S
    while time.monotonic() < deadline_s:
        found: list[list[str | float]] = page.evaluate(
            "performance.getEntriesByType('measure').map(({ name, duration }) => [name, duration])"
        )
        if len(found) == 2:
            return {str(name): float(duration) for name, duration in found}
        time.sleep(0.2)
    raise TimeoutError("The page has not shown a result.")


def _table(rounds: Sequence[Mapping[str, float]], size_bytes: int, version: str) -> str:
    lines = [f"Chromium {version}, {len(rounds)} photos, {size_bytes / 1000:.0f} kB for the whole page\n"]
    lines += ["| | p50 ms | p95 ms |", "|---|---:|---:|"]
    for name, meaning in _ROWS.items():
        p50, p95 = np.percentile([each[name] for each in rounds], [50, 95])
        lines.append(f"| {meaning} | {p50:.0f} | {p95:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
