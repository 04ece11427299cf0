"""The HTTP clients against a real server; what is true of the one is true of the other."""

import asyncio
import json

import pytest
from climbmate_client import Analysis, AsyncClient, Client, NotClimbmate, RefusedError, Retry, Unreachable, errors

AGAIN_AT_ONCE = Retry(attempts=3, first_wait_s=0)
JPEG = b"\xff\xd8\xff rest"


class InLoop:
    """`AsyncClient` with the face of `Client`."""

    def __init__(self, url, **options):
        self._loop = asyncio.Runner()
        self._client = AsyncClient(url, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._loop.run(self._client.aclose())
        self._loop.close()

    def __getattr__(self, name):
        return lambda *args, **options: self._loop.run(getattr(self._client, name)(*args, **options))

    def stream(self, *args, **options):
        async def collect():
            return [event async for event in self._client.stream(*args, **options)]

        return self._loop.run(collect())


@pytest.fixture(params=[Client, InLoop])
def connect(request):
    return request.param


def error_of(call):
    with pytest.raises(errors.ClimbmateError) as caught:
        call()
    return caught.value


def test_an_answer_is_read_whole_and_writes_the_same_json(gateway, connect):
    with connect(gateway.url) as climbmate:
        analysis = climbmate.analyze(JPEG)
    assert [hold.color.name for hold in analysis.holds] == ["red", "red", "red", "unknown"]
    assert analysis.holds[3].color.reason == "too small"
    assert analysis.problems[0].hold_ids == (0, 1, 2)
    assert analysis.receipts[0].stages[0].ms == 21.0
    written = json.loads(analysis.to_json())
    sent = json.loads(json.dumps(gateway.script["/api/analyze"][0][1]))
    assert sent.pop("added_later")
    sent["holds"][3]["color"].pop("rgb")
    assert written == sent


def test_the_bytes_travel_untouched_with_their_type_and_only_the_given_parameters(gateway, connect):
    with connect(gateway.url) as climbmate:
        climbmate.analyze(JPEG, max_holds=80)
        climbmate.analyze(b"no photo")
    first, second = gateway.requests
    assert (first.body, first.params, first.headers["Content-Type"]) == (JPEG, {"max_holds": "80"}, "image/jpeg")
    assert (second.params, second.headers["Content-Type"]) == ({}, "application/octet-stream")


@pytest.mark.parametrize(
    "palette", ["mint,wood:bare wood", ["mint", "wood:bare wood"], {"mint": "", "wood": "bare wood"}]
)
def test_colors_of_ones_own_travel_as_one_parameter(gateway, connect, palette):
    with connect(gateway.url) as climbmate:
        climbmate.analyze(JPEG, palette=palette)
        list(climbmate.stream(JPEG, palette=palette))
    assert [request.params for request in gateway.requests] == [{"palette": "mint,wood:bare wood"}] * 2


def test_a_palette_that_is_too_long_for_an_address_goes_with_the_photo_as_a_form(gateway, connect):
    palette = {f"색 {number}": "벽에 달린 홀드" * 4 for number in range(64)}
    with connect(gateway.url) as climbmate:
        climbmate.analyze(JPEG, palette=palette, max_holds=80)
        list(climbmate.stream(JPEG, palette=palette))
    for request in gateway.requests:
        assert request.params == {}
        assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
        assert JPEG in request.body
        assert ",".join(f"{name}:{words}" for name, words in palette.items()).encode() in request.body
    assert b'name="max_holds"\r\n\r\n80\r\n' in gateway.requests[0].body


@pytest.mark.parametrize("palette", [["mint, or so"], {"mint": "pale, cool green"}, {"mint:": ""}])
def test_a_color_that_cannot_be_written_is_refused_before_it_is_sent(gateway, connect, palette):
    with connect(gateway.url) as climbmate, pytest.raises(ValueError, match="mint"):
        climbmate.analyze(JPEG, palette=palette)
    assert not gateway.requests


def test_a_hold_of_no_probable_color_has_two_guesses(gateway, connect):
    with connect(gateway.url) as climbmate:
        color = climbmate.analyze(JPEG).holds[3].color
    assert [(guess.name, guess.confidence) for guess in color.guesses] == [("brown", 0.3125), ("beige", 0.25)]


def test_a_stream_gives_each_step_it_knows_and_the_result_last(gateway, connect):
    with connect(gateway.url) as climbmate:
        steps = list(climbmate.stream(JPEG))
    assert [type(step).__name__ for step in steps] == ["Progress", "HoldsFound", "ColorsFound", "Progress", "Analysis"]
    assert [hold.color for hold in steps[1].holds] == [None] * 4
    assert steps[2].colors[3].color.reason == "too small"
    assert isinstance(steps[-1], Analysis)


def test_palette_and_health_are_read_also_when_a_service_is_down(gateway, connect):
    down = {"serving": False, "status": "unavailable", "services": {"detector": {"serving": False}}}
    gateway.answer("/api/health", (503, down))
    with connect(gateway.url) as climbmate:
        assert climbmate.palette()[0].rgb == (214, 40, 40)
        health = climbmate.health()
    assert not health.serving
    assert health.services["detector"].memory is None


@pytest.mark.parametrize("path", ["/api/analyze", "/api/analyze-stream"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidImage),
        (415, errors.UnsupportedFormat),
        (422, errors.InvalidParameter),
        (413, errors.ImageTooLarge),
        (401, errors.Unauthenticated),
        (429, errors.RateLimited),
        (503, errors.Overloaded),
        (504, errors.DeadlineExceeded),
        (503, errors.Unavailable),
        (500, errors.Internal),
    ],
)
def test_every_code_is_a_class_with_its_particulars(gateway, connect, path, status, kind):
    body = {"error": {"code": kind.code, "message": "No.", "request_id": "01J", "details": {"size": 3}}}
    gateway.answer(path, (status, body, {"Retry-After": "2"}))
    with connect(gateway.url) as climbmate:
        ask = climbmate.analyze if path == "/api/analyze" else lambda photo: list(climbmate.stream(photo))
        error = error_of(lambda: ask(JPEG))
    assert type(error) is kind
    assert (error.message, error.request_id, error.retry_after_s, error.details) == ("No.", "01J", 2.0, {"size": "3"})


def test_a_code_that_is_not_known_keeps_its_name(gateway, connect):
    body = {"error": {"code": "ADDED_LATER", "message": "No.", "request_id": "", "details": {}}}
    gateway.answer("/api/analyze", (418, body))
    with connect(gateway.url) as climbmate:
        error = error_of(lambda: climbmate.analyze(JPEG))
    assert type(error) is RefusedError
    assert error.code == "ADDED_LATER"


def test_an_error_in_the_middle_of_a_stream_is_raised(gateway, connect):
    body = (
        b'event: progress\ndata: {"stage": "detecting", "percent": 5, "message": ""}\n\n'
        b'event: error\ndata: {"error": {"code": "UNAVAILABLE", "message": "Gone.", "request_id": "1"}}\n\n'
    )
    gateway.answer("/api/analyze-stream", (200, body))
    with connect(gateway.url) as climbmate:
        assert isinstance(error_of(lambda: list(climbmate.stream(JPEG))), errors.Unavailable)


def test_a_stream_that_breaks_off_is_no_result(gateway, connect):
    gateway.answer("/api/analyze-stream", (200, b": nothing\n\n"))
    with connect(gateway.url) as climbmate:
        assert isinstance(error_of(lambda: list(climbmate.stream(JPEG))), Unreachable)


@pytest.mark.parametrize("body", [b"<html>", {"holds": 3}, {"error": "no"}])
@pytest.mark.parametrize("status", [200, 502])
def test_a_stranger_is_recognized(gateway, connect, status, body):
    gateway.answer("/api/analyze", (status, body))
    with connect(gateway.url) as climbmate:
        assert isinstance(error_of(lambda: climbmate.analyze(JPEG)), NotClimbmate)


def test_nobody_at_the_address_is_told_with_the_address(connect):
    with connect("http://127.0.0.1:9") as climbmate:
        assert "http://127.0.0.1:9" in str(error_of(lambda: climbmate.analyze(JPEG)))
        assert isinstance(error_of(lambda: list(climbmate.stream(JPEG))), Unreachable)
        assert isinstance(error_of(climbmate.palette), Unreachable)


def overloaded(retry_after):
    body = {"error": {"code": "OVERLOADED", "message": "Full.", "request_id": "1", "details": {}}}
    return (503, body, {"Retry-After": retry_after})


def test_what_may_succeed_later_is_repeated_as_often_as_allowed(gateway, connect):
    answer = gateway.script["/api/analyze"][0]
    gateway.answer("/api/analyze", overloaded("0"), overloaded("0"), answer)
    with connect(gateway.url, retry=AGAIN_AT_ONCE) as climbmate:
        assert climbmate.analyze(JPEG).problems
    gateway.answer("/api/analyze", overloaded("0"))
    gateway.requests.clear()
    with connect(gateway.url, retry=AGAIN_AT_ONCE) as climbmate:
        error_of(lambda: climbmate.analyze(JPEG))
    assert len(gateway.requests) == 3


def test_a_stream_is_repeated_only_before_it_begins(gateway, connect):
    answer = gateway.script["/api/analyze-stream"][0]
    gateway.answer("/api/analyze-stream", overloaded("0"), answer)
    with connect(gateway.url, retry=AGAIN_AT_ONCE) as climbmate:
        assert isinstance(list(climbmate.stream(JPEG))[-1], Analysis)


@pytest.mark.parametrize(
    ("answer", "why"),
    [(overloaded("3600"), "too long a wait"), ((400, {"error": {"code": "INVALID_IMAGE", "message": ""}}), "final")],
)
def test_what_is_final_is_not_repeated(gateway, connect, answer, why):
    gateway.answer("/api/analyze", answer)
    with connect(gateway.url, retry=AGAIN_AT_ONCE) as climbmate:
        error_of(lambda: climbmate.analyze(JPEG))
    assert len(gateway.requests) == 1, why


def test_the_gateways_wait_is_kept_and_ours_doubles():
    retry = Retry(attempts=4, first_wait_s=1)
    asked = errors.Overloaded("", retry_after_s=7.0)
    assert 7.0 <= retry.wait_s(asked, 1) <= 7.0 * 1.25
    for attempt, least_s in ((1, 1.0), (2, 2.0), (3, 4.0)):
        assert least_s <= retry.wait_s(Unreachable(), attempt) <= least_s * 1.25
    assert retry.wait_s(Unreachable(), 4) is None


def test_a_photo_that_cannot_be_read_is_an_os_error(gateway, connect):
    with connect(gateway.url) as climbmate, pytest.raises(FileNotFoundError):
        climbmate.analyze("absent.jpg")
