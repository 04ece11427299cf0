"""What the page may cost, and that a phone can install it."""

import io
import json

from PIL import Image

PAGE_BYTES = 150_000
INTERACTIVE_MS = 1000


def test_the_whole_page_is_small_and_asks_nobody_else(browser, stack):
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    requests = []
    page.on("requestfinished", lambda request: requests.append(request))  # noqa: PLW0108 - a method takes no mark
    page.goto(stack.url, wait_until="networkidle")
    hosts = {request.url.removeprefix(stack.url).startswith("/") for request in requests}
    sizes = [request.sizes() for request in requests]
    total = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)
    context.close()
    assert hosts == {True}
    assert len(requests) > 10
    assert total <= PAGE_BYTES, f"{total} bytes"


def test_it_is_interactive_within_a_second(browser, stack):
    took_ms = []
    for _ in range(3):
        context = browser.new_context()
        page = context.new_page()
        page.goto(stack.url, wait_until="networkidle")
        took_ms.append(page.evaluate("performance.getEntriesByName('interactive')[0].startTime"))
        context.close()
    assert min(took_ms) <= INTERACTIVE_MS, took_ms


def test_a_phone_can_install_it(open_page):
    page = open_page("phone")
    page.evaluate("navigator.serviceWorker.ready")
    session = page.context.new_cdp_session(page)
    assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] in (
        [],
        [{"errorId": "in-incognito", "errorArguments": []}],  # as every context of a test is
    )
    manifest = json.loads(session.send("Page.getAppManifest")["data"])
    sizes = {icon["sizes"] for icon in manifest["icons"]}
    assert sizes >= {"192x192", "512x512", "any"}
    assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])


def test_the_icons_are_as_large_as_they_say(open_page):
    page = open_page()
    for size in (180, 192, 512):
        icon = page.request.get(page.url + f"static/page/icon-{size}.png")
        with Image.open(io.BytesIO(icon.body())) as image:
            assert image.size == (size, size)
