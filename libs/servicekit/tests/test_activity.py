import pytest
from servicekit.activity import Activity


class Clock:
    now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def activity(clock):
    return Activity(clock)


def test_nothing_happened_yet(activity):
    assert activity.lately().requests_per_s == activity.lately().p99_ms == activity.lately().requests == 0


def test_the_rate_is_that_of_the_last_ten_full_seconds(activity, clock):
    for _ in range(30):
        activity.record("OK", 0.1)
        activity.record("OK", 0.1)
        clock.now_s += 1
    assert activity.lately().requests_per_s == pytest.approx(2)
    clock.now_s += 5
    assert activity.lately().requests_per_s == pytest.approx(1)
    clock.now_s += 10
    assert activity.lately().requests_per_s == 0
    assert activity.lately().requests == 60


def test_percentiles_are_those_of_the_last_minute(activity, clock):
    activity.record("OK", 9.0)
    clock.now_s += 61
    for duration_ms in range(1, 101):
        activity.record("OK", duration_ms / 1000)
    assert activity.lately().p50_ms == pytest.approx(50)
    assert activity.lately().p99_ms == pytest.approx(99)


def test_refusals_and_failures_are_counted_apart(activity):
    for outcome in ("OK", "OVERLOADED", "IMAGE_TOO_LARGE", "INVALID_IMAGE", "CANCELLED", "INTERNAL", "UNAVAILABLE"):
        activity.record(outcome, 0.1)
    lately = activity.lately()
    assert (lately.requests, lately.refused, lately.failed) == (7, 2, 2)
