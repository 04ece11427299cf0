"""Part A of the incidents, line by line. A scenario raises `Broken` when its line could happen again."""

import io
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from bench.flood.mix import crowded_wall
from bench.flood.report import percentile
from bench.incidents.subjects import CannotStart, Running, Start
from bench.photos.cache import photo_path
from bench.photos.honest import HONEST

_SAMPLE = Path(__file__).parents[2] / "assets" / "sample-wall.jpg"
_MB = 1_000_000
_JPEG = {"content-type": "image/jpeg", "cache-control": "no-cache"}


class Broken(AssertionError):
    """The incident can happen again."""


def check(kept: bool, why: str) -> None:
    """Raise `Broken` unless it was kept."""
    if not kept:
        raise Broken(why)


def analyze(subject: Running, photo: bytes, *, query: str = "", limit_s: float = 30.0) -> httpx.Response:
    """Send a photo; no answer in time is a broken promise, too."""
    try:
        with subject.http(limit_s) as http:
            return http.post(f"/api/analyze{query}", content=photo, headers=_JPEG)
    except httpx.TransportError as error:
        raise Broken(f"no answer within {limit_s:g} s: {error!r}") from error


def holds_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """The holds of an answer that must be one."""
    check(answer.status_code == 200, f"{answer.status_code}: {answer.text[:300]}")
    holds: list[dict[str, Any]] = answer.json()["holds"]
    return holds


def a1_nothing_is_loaded_in_a_request(start: Start) -> None:
    """The first answer takes no longer, and leaves no more memory, than the models being there already explains."""
    photo = _SAMPLE.read_bytes()
    with start({}) as subject:
        before = subject.memory_bytes()
        start_s = time.perf_counter()
        holds_of(analyze(subject, photo))
        first_s = time.perf_counter() - start_s
        grown_mb = (subject.memory_bytes() - before) / _MB
        start_s = time.perf_counter()
        holds_of(analyze(subject, photo))
        later_s = time.perf_counter() - start_s
    check(grown_mb < 45, f"the first request left {grown_mb:.0f} MB behind")
    check(first_s < 3 * later_s + 0.5, f"the first answer took {first_s:.2f} s, the second {later_s:.2f} s")


def a2_many_holds_cost_no_more_memory_than_few(start: Start) -> None:
    """At most 40 holds unless more are asked for, and a wall of 300 does not raise the peak by more than 60 MB."""
    crowd = crowded_wall()
    with start({}) as subject:
        check(len(holds_of(analyze(subject, crowd))) <= 40, "more than 40 holds without having been asked for them")
        subject.reset_peak()
        before = subject.peak_bytes()
        many = holds_of(analyze(subject, crowd, query="?max_holds=300"))
        grown_mb = (subject.peak_bytes() - before) / _MB
    check(len(many) > 100, f"only {len(many)} holds on a wall of hundreds")
    check(grown_mb < 60, f"{len(many)} holds took {grown_mb:.0f} MB")


def a3_full_resolution_fits_a_smaller_limit(start: Start) -> None:
    """Small holds are found at 640 px, all services together below 512 MB."""
    with start({"YOLO_IMG_SIZE": "640"}) as subject:
        found = len(holds_of(analyze(subject, _SAMPLE.read_bytes(), query="?max_holds=300")))
        used_mb = subject.memory_bytes() / _MB
    check(found >= 36, f"{found} of 44 holds")
    check(used_mb < 512, f"{used_mb:.0f} MB")


def a4_health_answers_while_photos_are_analyzed(start: Start) -> None:
    """/livez answers within 100 ms at the 95th percentile while eight photos are worked on."""
    with start({}) as subject:
        holds_of(analyze(subject, _SAMPLE.read_bytes()))
        callers = [threading.Thread(target=analyze, args=(subject, _SAMPLE.read_bytes())) for _ in range(8)]
        for caller in callers:
            caller.start()
        took_ms = []
        with subject.http() as http:
            while any(caller.is_alive() for caller in callers):
                start_s = time.perf_counter()
                http.get("/livez")
                took_ms.append(1000 * (time.perf_counter() - start_s))
                time.sleep(0.02)
    slow_ms = percentile(took_ms, 95)
    check(slow_ms <= 100, f"/livez took {slow_ms:.0f} ms at the 95th percentile of {len(took_ms)}")


def a5_a_failure_ends_its_request_at_once(start: Start) -> None:
    """A photo that breaks the work is answered with a typed error, soon, and the next photo is answered too."""
    with start({}) as subject:
        answer = analyze(subject, b"\xff\xd8" + b"climbing" * 1000, limit_s=5.0)
        check(400 <= answer.status_code < 500, f"{answer.status_code}: {answer.text[:300]}")
        check(bool(answer.json()["error"]["code"]), "the error has no code")
        holds_of(analyze(subject, _SAMPLE.read_bytes()))


def a6_memory_is_told_while_it_happens(start: Start) -> None:
    """The health report and the metrics tell the memory of every service."""
    with start({}) as subject, subject.http() as http:
        holds_of(analyze(subject, _SAMPLE.read_bytes()))
        health, metrics = http.get("/api/health"), http.get("/metrics")
    check(
        health.is_success and health.text.count("used_bytes") >= 3, f"health: {health.status_code} {health.text[:300]}"
    )
    check("climbmate_memory_used_bytes" in metrics.text, "the metrics tell no memory")


def a7_a_refusal_for_memory_says_so_with_figures(start: Start) -> None:
    """A photo that cannot fit is refused as too large, with what it needs and what there is."""
    photo = photo_path("jpeg-50mp-progressive-444.jpg", HONEST).read_bytes()
    with start({}) as subject:
        answer = analyze(subject, photo)
        check(answer.status_code == 413, f"{answer.status_code}: {answer.text[:300]}")
        error = answer.json()["error"]
    check(error["code"] == "IMAGE_TOO_LARGE", error["code"])
    check({"needed_mb", "budget_mb"} <= error["details"].keys(), f"figures are missing: {error['details']}")


def a9_settings_have_an_effect_and_unknown_ones_stop_the_start(start: Start) -> None:
    """MAX_HOLDS is obeyed; a variable that no service knows is not ignored."""
    with start({"MAX_HOLDS": "3"}) as subject:
        found = len(holds_of(analyze(subject, _SAMPLE.read_bytes())))
    check(found == 3, f"{found} holds with MAX_HOLDS=3")
    try:
        with start({"DETECTOR_MAX_HOLD": "3"}):
            raise Broken("an unknown setting was ignored")
    except CannotStart:
        pass


def a10_a_photo_without_holds_is_an_answer(start: Start) -> None:
    """A black photo is 200 with an empty list; so is one pixel, or a clear 4xx."""
    with start({}) as subject:
        check(holds_of(analyze(subject, _plain(640, 480), limit_s=5.0)) == [], "holds in the dark")
        tiny = analyze(subject, _plain(1, 1), limit_s=5.0)
    check(tiny.status_code in (200, 400, 422), f"{tiny.status_code}: {tiny.text[:300]}")


def a12_outlines_belong_to_their_holds(start: Start) -> None:
    """Every outline lies in its own box, also when the list was cut to the five largest holds."""
    with start({}) as subject:
        for hold in holds_of(analyze(subject, _SAMPLE.read_bytes(), query="?max_holds=5")):
            x0, y0, x1, y1 = hold["box"]
            inside = all(x0 - 2 <= x <= x1 + 2 and y0 - 2 <= y <= y1 + 2 for x, y in hold["polygon"])
            check(inside, f"the outline of hold {hold['id']} lies elsewhere")


def _plain(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "JPEG")
    return buffer.getvalue()


SCENARIOS: Mapping[str, Callable[[Start], None]] = {
    "A1": a1_nothing_is_loaded_in_a_request,
    "A2": a2_many_holds_cost_no_more_memory_than_few,
    "A3": a3_full_resolution_fits_a_smaller_limit,
    "A4": a4_health_answers_while_photos_are_analyzed,
    "A5": a5_a_failure_ends_its_request_at_once,
    "A6": a6_memory_is_told_while_it_happens,
    "A7": a7_a_refusal_for_memory_says_so_with_figures,
    "A9": a9_settings_have_an_effect_and_unknown_ones_stop_the_start,
    "A10": a10_a_photo_without_holds_is_an_answer,
    "A12": a12_outlines_belong_to_their_holds,
}
"""By line of the incident log. A8 is the suite itself; A11 is looked at hold by hold (tests/incidents)."""
