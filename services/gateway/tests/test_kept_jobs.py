"""What is kept of jobs is counted with what it takes, and bounded, whatever became of them."""

import asyncio
import contextlib
import gc
import tracemalloc

import pytest
from gateway import domain
from gateway.coloring import Scatter
from gateway.deadline import Deadline
from gateway.photo import Photo
from gateway.pipeline import Analyzer
from gateway.web.jobs import Jobs, question
from servicekit.budget import MemoryBudget
from servicekit.errors import InvalidImage, InvalidParameter
from servicekit.memory import MemoryLimit, MemoryMeter

ASYNC = {"prefer": "respond-async"}
HOLD = domain.Hold(0, "hold", 0.9, (1.0, 2.0, 3.0, 4.0), (10.5,) * 60, 16, domain.Mask(8, 8, bytes(8)))


class Detector:
    """Finds so many holds, or refuses the photo; the seam where the service would be asked."""

    def __init__(self, holds: int | None) -> None:
        self._holds = holds

    async def detect(self, photo, options, *, timeout_s):
        if self._holds is None:
            raise InvalidImage("The JPEG ends before its last row.", details={"row": "7"})
        size, model = domain.PhotoSize(4032, 3024), domain.Model("toy", "1", "ab")
        return domain.Detection(size, [HOLD] * self._holds, [], model, (), reduced_resolution=False)


def open_jobs(holds: int | None, *, room_bytes: int = 1 << 40, remember_s: float = 600.0) -> Jobs:
    analyzer = Analyzer(
        Detector(holds),
        Scatter(None, chunk_holds=40, calls=4),
        answers=MemoryBudget(0, queue_limit=0),
        max_holds=40,
        observe=lambda _: None,
    )
    return Jobs(analyzer, MemoryMeter(MemoryLimit(0, None)), room_bytes=room_bytes, remember_s=remember_s)


async def ask(jobs: Jobs, photo: bytes, *, kept: bool, palette=()) -> str:
    """Ask for an analysis, wait for its end and leave; the id."""
    options = domain.Options(palette=palette)
    sent = Photo(photo)
    asked = question(sent.sha256, options)
    known = jobs.answering(asked)
    place = contextlib.ExitStack()
    if known is not None:
        one = jobs.join(known, kept=kept, place=place)
    else:
        held = contextlib.AsyncExitStack()
        one = jobs.start(sent, options, asked, Deadline.after(30), held, shared=True, kept=kept, place=place)
    with contextlib.suppress(InvalidImage):
        async for _ in one.job.told_after(0):
            pass
    one.leave()
    return one.id


PALETTE = tuple(domain.ColorPrompt(f"color {number}", f"a hold in words {number} " * 8) for number in range(64))


@pytest.mark.parametrize(
    ("holds", "other_photos", "kept", "palette"),
    [
        (0, True, False, ()),
        (40, True, True, ()),
        (0, True, True, PALETTE),
        (0, False, False, ()),
        (0, False, True, ()),
        (None, True, True, ()),
    ],
    ids=["wall without holds", "40 holds", "palette", "same photo", "same photo async", "refused async"],
)
async def test_what_is_counted_is_what_it_takes(holds, other_photos, kept, palette):
    jobs, count = open_jobs(holds), 1000
    for number in range(50):
        await ask(jobs, b"warm-up %d" % number, kept=kept)
    gc.collect()
    tracemalloc.start(1)
    try:
        counted, traced = jobs.kept_bytes, tracemalloc.get_traced_memory()[0]
        for number in range(count):
            own = tuple(domain.ColorPrompt(one.name, f"{one.prompt}{number}") for one in palette)
            await ask(jobs, b"photo %d" % (number * other_photos), kept=kept, palette=own)
        await asyncio.sleep(0)
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - traced
    finally:
        tracemalloc.stop()
    assert 0.5 * (jobs.kept_bytes - counted) < taken <= jobs.kept_bytes - counted


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("holds", [0, 40, None])
async def test_whatever_comes_stays_within_the_room(holds, kept):
    jobs = open_jobs(holds, room_bytes=100_000)
    ids = [await ask(jobs, b"photo %d" % number, kept=kept) for number in range(300)]
    await asyncio.sleep(0)
    assert jobs.kept_bytes <= 100_000
    known = [jobs.get(one) is not None for one in ids]
    remembered = kept or holds is not None
    assert known == sorted(known)  # the oldest are gone
    assert known[-1] is remembered
    assert not known[0]


async def test_ids_of_one_photo_stay_within_the_room_too():
    jobs = open_jobs(0, room_bytes=100_000)
    ids = [await ask(jobs, b"the photo", kept=True) for _ in range(1000)]
    assert jobs.kept_bytes <= 100_000
    assert jobs.get(ids[0]) is None
    assert jobs.get(ids[-1]) is not None


async def test_when_all_ids_are_forgotten_nothing_is_counted():
    jobs = open_jobs(3)
    ids = [await ask(jobs, b"photo %d" % (number % 5), kept=True) for number in range(20)]
    await asyncio.sleep(0)
    for one in ids:
        jobs.forget(jobs.get(one))
    assert jobs.kept_bytes == 0
    assert jobs.answering(question(Photo(b"photo 1").sha256, domain.Options())) is None


async def test_time_takes_all_ids_with_one_timer():
    jobs = open_jobs(0, remember_s=0.2)
    loop = asyncio.get_running_loop()
    before = len(loop._scheduled)
    ids = [await ask(jobs, b"photo %d" % number, kept=True) for number in range(200)]
    assert sum(not timer.cancelled() for timer in loop._scheduled) <= before + 1
    await asyncio.sleep(0.3)
    assert [jobs.get(one) for one in ids] == [None] * 200
    assert jobs.kept_bytes == 0


async def test_a_job_asked_for_again_is_known_by_the_new_id_for_its_whole_time():
    jobs = open_jobs(0, remember_s=1.0)
    first = await ask(jobs, b"photo", kept=True)
    await asyncio.sleep(0.7)
    second = await ask(jobs, b"photo", kept=True)
    await asyncio.sleep(0.5)
    assert jobs.get(first) is None
    assert jobs.get(second) is not None


async def test_what_is_forgotten_for_newer_jobs_is_not_found_and_can_be_asked_for_again(open_gate):
    gate = await open_gate(gateway_remember_s=600.0, gateway_results_mb=1)
    photos = [b"\xff\xd8\xff\xe0" + number.to_bytes(2) for number in range(250)]
    addresses = [(await gate.analyze(photo)).headers["content-location"] for photo in photos]
    gone = await gate.http.get(addresses[0])
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert (await gate.http.get(addresses[-1])).status_code == 200
    assert (await gate.analyze(photos[0])).status_code == 200
    assert len(gate.detector.requests) == len(photos) + 1


async def test_a_refused_photo_leaves_nothing_behind_unless_it_may_be_asked_for(open_gate):
    gate = await open_gate(gateway_remember_s=600.0)

    async def refuse():
        raise InvalidImage("The JPEG ends before its last row.")

    gate.detector.before = refuse

    async def kept_bytes():
        metrics = (await gate.http.get("/metrics")).text
        return float(metrics.partition("\nclimbmate_result_bytes ")[2].partition("\n")[0])

    for number in range(20):
        assert (await gate.analyze(b"\xff\xd8\xff" + bytes([number]))).status_code == 400
    assert await kept_bytes() == 0
    address = (await gate.analyze(headers=ASYNC)).headers["location"]
    async with asyncio.timeout(5):
        while (report := (await gate.http.get(address)).json())["status"] == "running":
            await asyncio.sleep(0.01)
    assert (report["status"], report["error"]["code"]) == ("failed", "INVALID_IMAGE")
    assert 0 < await kept_bytes() < 2500


async def test_of_a_job_that_failed_late_only_the_error_is_kept(open_gate, hold):
    gate = await open_gate(gateway_remember_s=600.0)
    gate.detector.holds = [hold(number) for number in range(40)]

    async def refuse(ids):
        raise InvalidParameter("A prompt of the palette is too long.", details={"palette": "too long"})

    gate.colorizer.before = refuse
    address = (await gate.analyze(headers=ASYNC, palette="red:as red as can be")).headers["location"]
    async with asyncio.timeout(5):
        while (report := (await gate.http.get(address)).json())["status"] == "running":
            await asyncio.sleep(0.01)
    assert (report["status"], report["stage"], report["error"]["code"]) == ("failed", "coloring", "INVALID_PARAMETER")
    told = (await gate.http.get(f"{address}/events", headers={"last-event-id": "3"})).text
    assert told.startswith("id: 4\nevent: error\n")
    metrics = (await gate.http.get("/metrics")).text
    assert float(metrics.partition("\nclimbmate_result_bytes ")[2].partition("\n")[0]) < 2500
