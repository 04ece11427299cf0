"""The sample photo through the page, as people go: choose, watch, light up a problem, put a color right."""

import csv
import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from PIL import Image
from playwright.sync_api import expect

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def corrections(feedback_file):
    """All corrections that the service has stored, as it writes them out for training."""

    def read():
        command = [sys.executable, "-m", "gateway.feedback", feedback_file]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return list(csv.DictReader(io.StringIO(done.stdout)))

    return read


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_the_sample_goes_from_the_photo_to_a_corrected_color(open_page, choose, corrections, shoot, device):
    page = open_page(device)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    shoot(page, "start")

    choose(page)
    expect(page.get_by_role("status").first).to_have_text(re.compile(r"^\d+ holds, \d+ problems in [\d.]+ s$"))
    shoot(page, "result")

    chip = page.locator(".chip").nth(1)
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#overlay")).to_have_class("spotlight")
    assert page.locator(".hold.chosen").count() == int(re.search(r"\d+$", chip.inner_text())[0])
    expect(page.locator(".hold:not(.chosen)").first).to_have_css("opacity", "0")
    expect(page.locator("#shade")).to_have_css("opacity", "0.68")
    expect(page.locator(".facts li")).to_have_count(5)
    shoot(page, "problem")
    chip.click()
    expect(page.locator("#overlay")).not_to_have_class("spotlight")

    tap(page, page.locator(".hold").last)
    title = page.locator("#sheet-title")
    expect(title).to_have_text(re.compile(" hold$"))
    expect(page.locator("#sheet-content")).to_contain_text("% sure")
    shoot(page, "hold")
    page.get_by_role("button", name="Wrong color?").click()
    shoot(page, "colors")
    page.get_by_role("button", name="Pink", exact=True).click()
    expect(title).to_have_text("Pink hold")
    expect(page.locator("#sheet-outcome")).to_have_text("Thank you! Pink it is.")
    expect(page.locator("#sheet-content")).to_contain_text("corrected by you")
    shoot(page, "corrected")

    correction = corrections()[-1]
    assert correction["color"] == "pink" != correction["was"]
    assert re.fullmatch("[0-9a-f]{64}", correction["photo_sha256"])
    assert float(correction["x_min"]) < float(correction["x_max"]) <= int(correction["width"])


def tap(page, hold):
    """Tap the middle of a hold."""
    box = hold.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_progress_only_grows_and_outlines_come_before_their_colors(open_page, choose, sample_photo):
    page = open_page()
    other = sample_photo.read_bytes() + os.urandom(8)  # no answer that is known already
    choose(page, {"name": "other.jpg", "mimeType": "image/jpeg", "buffer": other})
    seen = page.evaluate("seen")
    assert seen["percents"] == sorted(seen["percents"])
    assert len(seen["percents"]) >= 3
    assert seen["events"] == ["outlines", "colors", "problems"]


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_photo_can_be_dropped_or_pasted(open_page, sample_photo, way):
    page = open_page()
    page.evaluate("""() => {
      const input = Object.assign(document.createElement("input"), { type: "file", id: "from-disk" });
      document.body.append(input);
    }""")
    page.set_input_files("#from-disk", sample_photo)
    page.evaluate(
        """(way) => {
          const data = new DataTransfer();
          data.items.add(document.getElementById("from-disk").files[0]);
          const given = way === "drop" ? new DragEvent(way, { dataTransfer: data, bubbles: true })
            : new ClipboardEvent(way, { clipboardData: data, bubbles: true });
          document.body.dispatchEvent(given);
        }""",
        way,
    )
    expect(page.locator(".chip").first).to_be_visible(timeout=15_000)


def test_a_photo_that_was_taken_sideways_is_shown_upright(open_page, choose, sample_photo, tmp_path):
    with Image.open(sample_photo) as photo:
        exif = photo.getexif()
        exif[0x0112] = 6  # to be turned clockwise
        sideways = tmp_path / "sideways.jpg"
        photo.resize((900, 1200)).rotate(90, expand=True).save(sideways, exif=exif)
    page = open_page()
    choose(page, sideways)
    assert page.evaluate("[photo.naturalWidth, photo.naturalHeight]") == [900, 1200]
    assert page.locator("#overlay").get_attribute("viewBox") == "0 0 900 1200"
    photo, overlay = page.locator("#photo").bounding_box(), page.locator("#overlay").bounding_box()
    assert photo == overlay
    assert photo["height"] > photo["width"]


def test_a_wall_without_holds_gets_advice(open_page):
    page = open_page()
    plain = io.BytesIO()
    Image.new("RGB", (800, 600), "#886644").save(plain, "JPEG")
    page.set_input_files("#choose", {"name": "plain.jpg", "mimeType": "image/jpeg", "buffer": plain.getvalue()})
    expect(page.locator("#status")).to_contain_text("No holds found", timeout=15_000)


def test_the_picture_is_saved_with_outlines_and_labels(analyzed, tmp_path):
    page = analyzed()
    with Image.open(save(page, "Picture (PNG)", tmp_path)) as png:
        assert png.size == (1536, 2048)
        assert len(png.convert("RGB").getcolors(1 << 22)) > 10_000, "the photo is in it"
    svg = save(page, "Drawing (SVG)", tmp_path)
    root = ET.parse(svg).getroot()
    assert root.find(f"{SVG}image").get("href").startswith("data:image/jpeg;base64,")
    assert len(root.findall(f".//{SVG}path")) == 2 * page.locator(".hold").count()
    problems = page.locator(".chip").count() - 1
    assert len(root.findall(f".//{SVG}text")) == problems
    assert "<script" not in svg.read_text()


def save(page, choice, folder):
    page.get_by_role("button", name="Save", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name=choice).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_korean_browsers_get_korean(analyzed, shoot):
    page = analyzed("phone", locale="ko-KR", color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.locator("#status")).to_have_text(re.compile(r"^홀드 \d+개, 문제 \d+개"))
    page.locator(".chip").nth(1).click()
    shoot(page, "dark")


def test_a_wall_of_more_than_100_holds_offers_the_rest(open_page, choose, sample_photo, tmp_path):
    wide = tmp_path / "wide.jpg"
    with Image.open(sample_photo) as photo:
        tile = photo.resize((1512, 2016))
        four = Image.new("RGB", (3024, 4032))
        for corner in ((0, 0), (1512, 0), (0, 2016), (1512, 2016)):
            four.paste(tile, corner)
        four.save(wide)
    page = open_page("phone")
    choose(page, wide)
    expect(page.locator(".hold")).to_have_count(100)
    page.get_by_role("button", name="Find more holds").click()
    expect(page.locator("#status")).to_have_text(re.compile(r"^1[5-9]\d holds"), timeout=15_000)
    expect(page.locator("#more")).to_be_hidden()
