import asyncio
import contextlib
import logging

import pytest
from servicekit import levels
from servicekit.levels import Level, level_of
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.metrics import Metrics

LIMIT = 1000


@pytest.mark.parametrize(
    ("used", "level"),
    [
        (0, Level.NORMAL),
        (599, Level.NORMAL),
        (600, Level.ELEVATED),
        (799, Level.ELEVATED),
        (800, Level.HIGH),
        (899, Level.HIGH),
        (900, Level.CRITICAL),
        (1000, Level.CRITICAL),
    ],
)
def test_the_levels_begin_at_60_80_and_90_percent(used, level):
    assert level_of(used, LIMIT) is level


def test_without_a_limit_all_is_normal():
    assert level_of(10**12, 0) is Level.NORMAL


@pytest.fixture
def meter(monkeypatch):
    """A meter of 1000 bytes whose use the test sets."""
    meter = MemoryMeter(MemoryLimit(LIMIT, None))
    used = [0]
    monkeypatch.setattr(meter, "used_bytes", lambda: used[0])
    meter.use = lambda value: used.__setitem__(0, value)
    return meter


async def test_a_rise_is_logged_at_once_and_a_fall_only_when_it_is_clear(meter, caplog):
    caplog.set_level(logging.INFO)
    telling = asyncio.create_task(levels.keep_telling(meter, every_s=0.001))
    for used in (100, 850, 790, 950, 700, 100):
        meter.use(used)
        await asyncio.sleep(0.02)
    telling.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await telling
    told = [(record.levelname, record.fields["memory_level"]) for record in caplog.records]
    assert told == [("WARNING", "high"), ("WARNING", "critical"), ("INFO", "elevated"), ("INFO", "normal")]
    assert caplog.records[0].fields == {
        "memory_level": "high",
        "before": "normal",
        "used_mb": 0.0,
        "limit_mb": 0.0,
        "limit_pct": 85.0,
    }


def test_the_metrics_tell_the_level(meter):
    registry = Metrics(meter).registry
    meter.use(850)
    assert registry.get_sample_value("climbmate_memory_level") == Level.HIGH
