"""The catalogue of the page is whole in both languages."""

import pytest
from climbmate_client import Client
from gateway.web.failures import OF_HTTP, STATUS

KEYS = """(texts) => {
  const keys = (value, path = "") => typeof value === "object" && !Array.isArray(value)
    ? Object.entries(value).flatMap(([key, inner]) => keys(inner, `${path}.${key}`)) : [path];
  return Object.fromEntries(Object.entries(texts).map(([language, own]) => [language, keys(own).sort()]));
}"""


@pytest.fixture
def texts(open_page):
    page = open_page()
    return page, page.evaluate_handle("import('/static/page/texts.js').then(({ TEXTS }) => TEXTS)")


def test_both_languages_say_the_same_things(texts):
    page, catalogue = texts
    keys = page.evaluate(KEYS, catalogue)
    assert set(keys) == {"en", "ko"}
    assert keys["en"] == keys["ko"]


def test_every_text_that_the_page_asks_for_is_there(texts):
    page, catalogue = texts
    asked = page.evaluate("""() => [...document.querySelectorAll("[data-text], [data-label], [data-alt]")]
      .flatMap(({ dataset }) => [dataset.text, dataset.label, dataset.alt]).filter(Boolean)""")
    known = page.evaluate("(texts) => Object.keys(texts.en)", catalogue)
    assert set(asked) <= set(known)


def test_every_color_and_every_error_has_words(texts, stack):
    page, catalogue = texts
    colors, failures = page.evaluate("({ en }) => [Object.keys(en.colors), Object.keys(en.failures)]", catalogue)
    with Client(stack.url) as climbmate:
        assert {color.name for color in climbmate.palette()} | {"unknown"} == set(colors)
    assert set(failures) >= set(STATUS) - OF_HTTP - {"NOT_STORED"}
