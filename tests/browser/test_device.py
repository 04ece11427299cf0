"""What stays on the device: the page itself, the last walls, the theme."""

from playwright.sync_api import expect


def settle(page):
    """Wait until the worker has kept the page and serves it."""
    page.evaluate("""async () => {
      await navigator.serviceWorker.ready;
      while (!navigator.serviceWorker.controller) await new Promise((resolve) => setTimeout(resolve, 20));
    }""")


def test_without_a_network_the_page_opens_and_shows_the_last_walls(analyzed, keeps, shoot):
    page = analyzed("phone")
    settle(page)
    keeps(page)
    page.get_by_role("button", name="Back").click()
    expect(page.locator("#recent-list li")).to_have_count(1)
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("#recent-list img")).to_be_visible()
    shoot(page, "offline-start")
    page.get_by_role("button", name="Open").click()
    expect(page.locator(".hold.colored").first).to_be_visible()
    page.locator(".chip").nth(1).click()
    expect(page.locator("#overlay")).to_have_class("spotlight")
    shoot(page, "offline-wall")


def test_a_reload_shows_the_same_wall_and_back_goes_to_the_start(analyzed, keeps):
    page = analyzed()
    holds = page.locator(".hold").count()
    keeps(page)
    page.reload()
    expect(page.locator(".hold")).to_have_count(holds)
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.go_forward()
    expect(page.locator(".hold")).to_have_count(holds)


def test_a_correction_is_still_there_when_the_wall_is_opened_again(analyzed, keeps):
    page = analyzed()
    hold = page.locator(".hold").last
    hold.press("Enter")
    page.get_by_role("button", name="Wrong color?").click()
    page.get_by_role("button", name="Pink", exact=True).click()
    expect(page.locator("#sheet-outcome")).to_contain_text("Thank you")
    keeps(page, "({ answer }) => answer.holds.some(({ answered }) => answered)")
    page.reload()
    expect(hold).to_have_attribute("aria-label", "Pink hold, corrected by you")


def test_no_more_than_twelve_walls_are_kept_and_each_can_be_removed(open_page):
    page = open_page()
    page.evaluate("""async () => {
      const store = await import("/static/page/store.js");
      const answer = { holds: [], problems: [], degraded: [], timings_ms: { total: 1 } };
      for (let i = 0; i < 15; i++) {
        await store.keep({ key: `wall-${i}`, at: i, name: `${i}.jpg`, photo: new Blob(["x"]), thumb: null, answer });
      }
    }""")
    page.reload()
    walls = page.locator("#recent-list li")
    expect(walls).to_have_count(12)
    page.get_by_role("button", name="Remove").first.click()
    expect(walls).to_have_count(11)


def test_large_photos_make_room_for_each_other(open_page):
    page = open_page()
    kept = page.evaluate("""async () => {
      const store = await import("/static/page/store.js");
      const answer = { holds: [], problems: [] };
      for (let i = 0; i < 4; i++) {
        await store.keep({ key: `wall-${i}`, at: i, photo: new Blob([new Uint8Array(60e6)]), thumb: null, answer });
      }
      return (await store.walls()).map(({ key }) => key);
    }""")
    assert kept == ["wall-3", "wall-2"]


def test_the_theme_follows_the_system_until_it_is_chosen_and_then_stays(open_page):
    page = open_page(color_scheme="dark")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(background)
    toggle = page.get_by_role("button", name="Dark colors")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    toggle.click()
    light = page.evaluate(background)
    assert light != dark
    page.reload()
    assert page.evaluate(background) == light
    expect(toggle).to_have_attribute("aria-pressed", "false")
