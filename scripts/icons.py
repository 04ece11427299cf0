"""Draws the page's icons in the sizes that phones want, from `icon.svg`: `python -m scripts.icons`."""

from pathlib import Path

from bench.browser import open_browser

FOLDER = Path(__file__).parents[1] / "services" / "gateway" / "src" / "gateway" / "web" / "static" / "page"
_INK = "#1f1c19"
_FULL, _SAFE = 100, 76  # percent of the side; phones cut a maskable icon to a circle of 80 %
_ICONS = {
    "icon-180.png": (180, _INK, _SAFE + 12),
    "icon-192.png": (192, "transparent", _FULL),
    "icon-512.png": (512, "transparent", _FULL),
    "icon-maskable.png": (512, _INK, _SAFE),
}
"""Side in pixels, background, and how much of the side the drawing takes."""


def main() -> None:
    """Draw all of them."""
    drawing = (FOLDER / "icon.svg").read_text()
    with open_browser() as browser:
        for name, (side_px, background, share) in _ICONS.items():
            page = browser.new_page(viewport={"width": side_px, "height": side_px})
            page.set_content(
                f"<body style='margin:0;display:grid;place-content:center;height:100vh;background:{background}'>"
                f"<div style='width:{side_px * share // 100}px'>{drawing}</div>"
            )
            page.screenshot(path=FOLDER / name, omit_background=True)
            page.close()


if __name__ == "__main__":
    main()
