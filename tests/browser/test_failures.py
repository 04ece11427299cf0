"""Every error of the service's table as people see it: what happened, what to do, and a way on."""

import json
import os
import re
from pathlib import Path

import httpx
import pytest
from climbmate_client import Client
from gateway import messages
from gateway.web.failures import OF_HTTP, STATUS
from playwright.sync_api import TimeoutError as Late
from playwright.sync_api import expect

NOT_ANALYZING = {"NOT_STORED"}
CODES = sorted(set(STATUS) - OF_HTTP - NOT_ANALYZING)
RETRYABLE = {"RATE_LIMITED", "OVERLOADED", "UNAVAILABLE", "DEADLINE_EXCEEDED"}
ROUTE = "**/api/analyze-stream*"


@pytest.fixture
def failing(open_page, sample_photo):
    """Open a page whose service fails with a code, and give it the sample."""

    def fail(code, retry_after_s=None, **options):
        page = open_page("phone", **options)
        error = {"code": code, "message": messages.error(code, "en"), "request_id": "01TEST", "details": {}}
        headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        page.route(ROUTE, lambda route: route.fulfill(status=STATUS[code], headers=headers, json={"error": error}))
        page.set_input_files("#choose", sample_photo)
        expect(page.locator("#failure")).to_be_visible()
        return page

    return fail


@pytest.mark.parametrize("code", CODES)
def test_every_error_says_what_happened_and_offers_a_way_on(failing, shoot, code):
    page = failing(code)
    card = page.locator("#failure")
    heading = card.get_by_role("heading")
    expect(heading).to_be_focused()
    assert heading.inner_text() != messages.error(code, "en"), "the page has words of its own for it"
    expect(card.get_by_role("button", name="Choose another photo")).to_be_visible()
    expect(card.get_by_role("button", name="Try again")).to_have_count(1 if code in RETRYABLE else 0)
    assert code not in card.inner_text()
    shoot(page, "card")


def test_the_wait_that_the_service_asks_for_is_kept(failing, choose):
    page = failing("OVERLOADED", retry_after_s=3)
    again = page.get_by_role("button", name=re.compile("Try again"))
    expect(again).to_have_text("Try again in 3 s")
    expect(again).to_be_disabled()
    page.unroute(ROUTE)
    expect(again).to_be_enabled(timeout=5_000)
    again.click()
    expect(page.locator(".chip").first).to_be_visible(timeout=15_000)
    expect(page.locator("#failure")).to_be_hidden()


def test_a_bug_shows_the_request_to_report(failing):
    expect(failing("INTERNAL").locator("#failure")).to_contain_text("01TEST")


def test_a_service_with_keys_asks_for_one_and_keeps_it(failing):
    page = failing("UNAUTHENTICATED")
    page.unroute(ROUTE)
    page.get_by_label("Key", exact=True).fill("sesame")
    with page.expect_request(ROUTE) as sent:
        page.get_by_role("button", name="Use this key").click()
    assert sent.value.headers["authorization"] == "Bearer sesame"
    expect(page.locator(".chip").first).to_be_visible(timeout=15_000)


def test_an_error_in_the_middle_of_the_stream_is_shown_too(open_page, sample_photo):
    page = open_page()
    told = {"code": "DEADLINE_EXCEEDED", "message": "", "request_id": "", "details": {"reason": "late"}}
    events = f"event: error\ndata: {json.dumps({'error': told})}\n\n"
    page.route(ROUTE, lambda route: route.fulfill(status=200, content_type="text/event-stream", body=events))
    page.set_input_files("#choose", sample_photo)
    expect(page.get_by_role("heading", name="That took too long")).to_be_visible()


@pytest.mark.parametrize("body", ["", 'event: progress\ndata: {"percent": 5, "message": "…"}\n\n'])
def test_a_stream_that_breaks_off_is_no_connection(open_page, sample_photo, body):
    page = open_page()
    page.route(ROUTE, lambda route: route.fulfill(status=200, content_type="text/event-stream", body=body))
    page.set_input_files("#choose", sample_photo)
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()


def test_an_answer_of_something_else_in_between_is_understood_by_its_status(open_page, sample_photo):
    page = open_page()
    page.route(ROUTE, lambda route: route.fulfill(status=502, body="<html>bad gateway</html>"))
    page.set_input_files("#choose", sample_photo)
    expect(page.get_by_role("heading", name="Still warming up")).to_be_visible()


def test_without_a_network_the_photo_waits_for_it(open_page, sample_photo, shoot):
    page = open_page("phone")
    page.context.set_offline(True)
    page.set_input_files("#choose", sample_photo)
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    shoot(page, "offline")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".chip").first).to_be_visible(timeout=15_000)


@pytest.mark.parametrize(
    ("name", "content", "heading"),
    [
        ("note.jpg", b"no photo at all", "This photo cannot be read"),
        ("film.gif", b"GIF89a" + bytes(60), "This is not a photo that works here"),
        ("huge.jpg", b"\xff\xd8\xff\xe0" + bytes(25 * 1024 * 1024), "This photo is too large"),
    ],
)
def test_the_service_itself_refuses_what_is_no_good_photo(open_page, name, content, heading):
    page = open_page()
    page.set_input_files("#choose", {"name": name, "mimeType": "image/jpeg", "buffer": content})
    expect(page.get_by_role("heading", name=heading)).to_be_visible(timeout=10_000)


def test_a_wall_without_its_colors_is_shown_and_can_be_tried_again(open_page, choose, stack, sample_photo):
    page = open_page()
    other = {"name": "other.jpg", "mimeType": "image/jpeg", "buffer": sample_photo.read_bytes() + os.urandom(8)}
    stack.processes["colorizer"].kill()
    try:
        page.set_input_files("#choose", other)
        expect(page.locator("#status")).to_contain_text("The colors could not be told this time.", timeout=15_000)
        expect(page.locator(".hold").first).to_be_visible()
    finally:
        stack.processes["colorizer"].start()
        with Client(stack.url) as climbmate:
            while not climbmate.health().serving:
                page.wait_for_timeout(100)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".chip").first).to_be_visible(timeout=15_000)


def test_a_correction_that_cannot_be_sent_is_kept_and_sent_later(analyzed):
    page = analyzed()
    page.route("**/api/feedback", lambda route: route.abort())
    page.locator(".hold").last.press("Enter")
    page.get_by_role("button", name="Wrong color?").click()
    page.get_by_role("button", name="Pink", exact=True).click()
    expect(page.locator("#sheet-outcome")).to_contain_text("Kept on this device")
    page.unroute("**/api/feedback")
    with page.expect_request("**/api/feedback") as sent:
        page.reload()
    assert json.loads(sent.value.post_data)["color"] == "pink"
    assert sent.value.response().status == 201
    with pytest.raises(Late), page.expect_request("**/api/feedback", timeout=1_000):
        page.reload()


def test_a_service_without_corrections_says_so(analyzed):
    page = analyzed()
    error = {"error": {"code": "NOT_FOUND", "message": "", "request_id": "", "details": {}}}
    page.route("**/api/feedback", lambda route: route.fulfill(status=404, json=error))
    page.locator(".hold").last.press("Enter")
    page.get_by_role("button", name="Wrong color?").click()
    page.get_by_role("button", name="Pink", exact=True).click()
    expect(page.locator("#sheet-outcome")).to_contain_text("takes no correction")
    page.locator(".chip").nth(1).click()
    expect(page.locator("#sheet-outcome")).to_be_empty()


def test_a_lost_stream_is_taken_up_where_it_broke_off(open_page, sample_photo, stack):
    page = open_page("phone")
    asked = {"content-type": "image/jpeg", "prefer": "respond-async", "cache-control": "no-cache"}
    whole = httpx.post(f"{stack.url}/api/analyze-stream", content=Path(sample_photo).read_bytes(), headers=asked)
    begun, number, _ = whole.text.partition("id: 4\n")
    page.route(
        ROUTE,
        lambda route: route.fulfill(
            status=200,
            headers={"content-type": "text/event-stream", "content-location": whole.headers["content-location"]},
            body=f"{begun}{number}event: ",
        ),
    )
    with page.expect_request("**/api/jobs/*/events") as again:
        page.set_input_files("#choose", sample_photo)
    assert again.value.headers["last-event-id"] == "3"
    expect(page.locator(".chip").first).to_be_visible(timeout=15_000)
    expect(page.locator("#failure")).to_be_hidden()
