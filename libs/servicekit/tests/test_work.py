import asyncio
import gc
import threading
import time
import weakref

import pytest
from servicekit.cancel import Cancelled, CancelToken
from servicekit.errors import Overloaded
from servicekit.work import Worker


@pytest.fixture
def worker():
    worker = Worker(threads=1, queue_limit=1)
    yield worker
    worker.close()


def until_cancelled(started: threading.Event, *, token: CancelToken) -> None:
    started.set()
    while not token.cancelled:
        time.sleep(0.005)
    raise Cancelled


async def test_a_full_queue_refuses_with_figures_and_a_retry_time_and_harms_nobody(worker):
    release = threading.Event()
    jobs = [asyncio.create_task(worker.run(lambda token: release.wait(5))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded) as caught:
        await worker.run(lambda token: None)
    assert caught.value.details == {"pending": "2", "limit": "2"}
    assert caught.value.retry_after_s > 0
    release.set()
    assert await asyncio.gather(*jobs) == [True, True]
    assert worker.pending == 0


async def test_a_caller_who_leaves_stops_his_job_and_frees_its_place(worker):
    started = threading.Event()
    leaver = asyncio.create_task(worker.run(until_cancelled, started))
    await asyncio.to_thread(started.wait)
    neighbor = asyncio.create_task(worker.run(lambda token: "unharmed"))
    await asyncio.sleep(0)
    leaver.cancel()
    assert await asyncio.wait_for(neighbor, 2) == "unharmed"
    with pytest.raises(asyncio.CancelledError):
        await leaver


async def test_a_failing_job_fails_its_own_caller_only(worker):
    def fails(token):
        raise ValueError("mine")

    failing, neighbor = worker.run(fails), worker.run(lambda token: "unharmed")
    results = await asyncio.gather(failing, neighbor, return_exceptions=True)
    assert isinstance(results[0], ValueError)
    assert results[1] == "unharmed"


async def test_a_caller_who_leaves_is_let_go_only_when_his_job_has_ended(worker):
    started, release = threading.Event(), threading.Event()

    def stubborn(token):
        started.set()
        release.wait(5)

    leaver = asyncio.create_task(worker.run(stubborn))
    await asyncio.to_thread(started.wait)
    leaver.cancel()
    done, _ = await asyncio.wait([leaver], timeout=0.1)
    assert not done
    assert worker.pending == 1
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await leaver
    assert worker.pending == 0


async def test_a_job_that_is_cancelled_in_the_queue_holds_nothing_any_more(worker):
    class Photo:
        """Something whose end can be seen."""

    async def queue_and_leave(photo):
        leaver = asyncio.create_task(worker.run(lambda photo, token: None, photo))
        await asyncio.sleep(0.01)
        leaver.cancel()
        await asyncio.wait([leaver])

    photo, release = Photo(), threading.Event()
    alive = weakref.ref(photo)
    holder = asyncio.create_task(worker.run(lambda token: release.wait(5)))
    await queue_and_leave(photo)
    del photo
    gc.collect()
    assert alive() is None
    release.set()
    await holder


def test_a_callback_added_after_the_cancellation_runs_at_once():
    token, calls = CancelToken(), []
    token.cancel()
    token.on_cancel(lambda: calls.append(1))
    assert calls == [1]


def test_a_removed_callback_does_not_run():
    token, calls = CancelToken(), []
    remove = token.on_cancel(lambda: calls.append(1))
    remove()
    token.cancel()
    remove()
    assert calls == []
