"""No serious finding of axe-core in any state of the page, light and dark, phone and desktop."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

SERIOUS = {"serious", "critical"}


def assert_accessible(page):
    page.wait_for_timeout(400)  # colors in the middle of a transition have another contrast
    found = Axe().run(page).response
    assert len(found["passes"]) > 10, "axe has looked"
    worst = [
        (each["id"], [node["html"] for node in each["nodes"]])
        for each in found["violations"]
        if each["impact"] in SERIOUS
    ]
    assert worst == []


@pytest.mark.parametrize("device", ["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_from_the_start_to_a_correction(open_page, choose, device, scheme):
    page = open_page(device, color_scheme=scheme)
    expect(page.locator("body")).to_be_visible()
    assert_accessible(page)
    choose(page)
    assert_accessible(page)
    page.locator(".chip").nth(1).click()
    assert_accessible(page)
    page.locator(".hold.chosen").first.press("Enter")
    page.get_by_role("button", name="Wrong color?").click()
    assert_accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_when_something_went_wrong(open_page, scheme):
    page = open_page("phone", color_scheme=scheme)
    page.set_input_files("#choose", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"})
    expect(page.locator("#failure")).to_be_visible()
    assert_accessible(page)


def test_axe_finds_nothing_serious_in_the_description_of_the_api(open_page):
    page = open_page(path="/docs")
    expect(page.locator("#schemas details").first).to_be_visible()
    assert_accessible(page)
