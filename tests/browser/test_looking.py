"""Zoom, pan, and everything by keyboard."""

import re

import pytest
from playwright.sync_api import expect


def zoom_of(page):
    return float(page.evaluate("getComputedStyle(canvas).getPropertyValue('--zoom')"))


def test_the_wheel_zooms_at_the_pointer(analyzed):
    page = analyzed()
    hold = page.locator(".hold").last
    before = middle(hold)
    page.mouse.move(*before)
    page.mouse.wheel(0, -500)
    assert zoom_of(page) == pytest.approx(2.718, abs=0.01)
    assert middle(hold) == pytest.approx(before, abs=12)


def middle(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_two_fingers_pinch_and_one_moves(analyzed, shoot):
    page = analyzed("phone")
    touch = page.context.new_cdp_session(page)

    def send(kind, *points):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    send("touchStart", (150, 400), (230, 400))
    for step in range(1, 9):
        send("touchMove", (150 - 10 * step, 400), (230 + 10 * step, 400))
    send("touchEnd")
    assert zoom_of(page) == pytest.approx(3, abs=0.2)
    shoot(page, "pinched")
    before = middle(page.locator(".hold").first)
    send("touchStart", (200, 400))
    for step in range(1, 6):
        send("touchMove", (200 + 10 * step, 400))
    send("touchEnd")
    assert middle(page.locator(".hold").first)[0] - before[0] == pytest.approx(50, abs=12)
    expect(page.locator("#sheet")).to_be_hidden()  # moving is no tap


def test_the_wall_cannot_be_moved_out_of_sight(analyzed):
    page = analyzed()
    page.locator("#stage").focus()
    for _ in range(40):
        page.keyboard.press("ArrowLeft")
    stage, photo = page.locator("#stage").bounding_box(), page.locator("#photo").bounding_box()
    assert stage["x"] <= photo["x"] <= stage["x"] + stage["width"] - photo["width"]


def test_everything_can_be_done_by_keys(analyzed, shoot):
    page = analyzed()
    stage = page.locator("#stage")
    stage.focus()
    page.keyboard.press("+")
    assert zoom_of(page) == 1.5
    page.keyboard.press("0")
    assert zoom_of(page) == 1

    page.keyboard.press("Tab")
    first = focused_hold(page)
    moved = set()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        moved.add(focused_hold(page))
    assert len(moved | {first}) > 2
    shoot(page, "focused-hold")
    last = focused_hold(page)
    page.keyboard.press("Enter")
    expect(page.locator("#sheet-title")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Wrong color?")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".swatch").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#sheet")).to_be_hidden()
    assert focused_hold(page) == last


def focused_hold(page):
    hold = page.evaluate("document.activeElement.dataset.id ?? null")
    assert hold is not None
    return hold


def test_holds_have_names_for_those_who_hear_them(analyzed):
    names = analyzed().locator(".hold").evaluate_all("nodes => nodes.map((node) => node.getAttribute('aria-label'))")
    assert all(re.fullmatch(r"\w+ (hold|volume), \d+ % sure", name) for name in names)


def test_a_thumb_beside_a_small_hold_still_means_it(analyzed):
    page = analyzed("phone")
    smallest = page.locator(".hold").last  # small ones are drawn last
    box = smallest.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] + 6, box["y"] + box["height"] / 2)
    expect(smallest).to_have_class(re.compile("marked"))


def test_a_tap_on_the_bare_wall_closes_what_is_open(analyzed):
    page = analyzed()
    page.locator(".chip").nth(1).click()
    expect(page.locator("#sheet")).to_be_visible()
    stage = page.locator("#stage").bounding_box()
    page.mouse.click(stage["x"] + 20, stage["y"] + 20)
    expect(page.locator("#sheet")).to_be_hidden()
    expect(page.locator(".chip").first).to_have_attribute("aria-pressed", "true")
