"""The page in a real browser, with the real services behind it. Not a part of `make test`: `make test-browser`."""

import itertools
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from bench.browser import open_browser

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "out" / "browser"
DEVICES = {
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
    "desktop": {"viewport": {"width": 1280, "height": 800}},
}
RECORDER = """
  window.seen = { percents: [], events: [] };
  const note = (event) => seen.events.includes(event) || seen.events.push(event);
  new MutationObserver(() => {
    const progress = document.getElementById("progress");
    if (progress && !progress.hidden && seen.percents.at(-1) !== progress.value) seen.percents.push(progress.value);
    if (document.querySelector(".hold")) note("outlines");
    if (document.querySelector(".hold.colored")) note("colors");
    if (document.querySelector(".chip")) note("problems");
  }).observe(document, { subtree: true, childList: true, attributes: true });
"""
"""Notes what appears, in its order; a test may look too late to see it come."""


@pytest.fixture(scope="session")
def browser():
    try:
        with open_browser() as browser:
            yield browser
    except FileNotFoundError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def open_page(browser, stack):
    """Open the page on a device; at the end there was no error in it and no request to anybody else."""
    contexts = []
    complaints = []

    def open_one(device="desktop", path="/", **options) -> Page:
        context = browser.new_context(**{"locale": "en-US", **DEVICES[device], **options})
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(RECORDER)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", lambda line: complaints.append(line.text) if "Content Security" in line.text else None)
        page.on("request", lambda request: complaints.extend(_foreign(request.url, stack.url)))
        page.goto(stack.url + path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def _foreign(url, own):
    parts = urlsplit(url)
    return [] if parts.scheme in ("blob", "data") or url.startswith(own) else [f"request to {parts.netloc}"]


@pytest.fixture
def analyzed(open_page, choose):
    """Open the page and let it analyze the sample."""

    def analyze(device="desktop", **options) -> Page:
        page = open_page(device, **options)
        choose(page)
        return page

    return analyze


@pytest.fixture
def choose(sample_photo):
    """Choose a photo (the sample unless told) and wait for its problems."""

    def choose_one(page, photo=sample_photo):
        page.set_input_files("#choose", photo)
        expect(page.locator(".chip").first).to_be_visible(timeout=15_000)

    return choose_one


@pytest.fixture
def keeps():
    """Wait until a wall that the device keeps has something: a JavaScript function of the wall."""

    def wait(page, has="() => true"):
        found = page.evaluate_handle(f"""async () => {{
          const {{ walls }} = await import("/static/page/store.js");
          const deadline = Date.now() + 10_000;
          while (Date.now() < deadline && !(await walls()).some({has})) await new Promise((on) => setTimeout(on, 50));
          return (await walls()).some({has});
        }}""")
        assert found.json_value()

    return wait


@pytest.fixture
def shoot(request):
    """Keep a picture of a page in out/browser, for people."""
    numbers = itertools.count(1)
    base = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower()).strip("-")

    def save(page, name):
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{base}-{next(numbers)}-{name}.png", animations="disabled")

    return save
