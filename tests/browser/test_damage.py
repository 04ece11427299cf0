"""A photo of which a part is lost is shown with what was found, and with a sentence that says so."""

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize(
    ("locale", "words"), [("en-US", "Part of the photo's file is lost"), ("ko-KR", "사진 파일의 일부가 손상되어")]
)
def test_what_is_lost_of_a_photo_is_said_and_nothing_offered_that_would_not_help(
    open_page, sample_photo, tmp_path, locale, words
):
    whole = sample_photo.read_bytes()
    (tmp_path / "wall.jpg").write_bytes(whole[: len(whole) * 3 // 4])
    page = open_page("phone", locale=locale)
    page.set_input_files("#choose", tmp_path / "wall.jpg")
    expect(page.get_by_text(words)).to_be_visible(timeout=30_000)
    expect(page.locator(".hold").first).to_be_visible()
    expect(page.locator("#again")).to_be_hidden()
