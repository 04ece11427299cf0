import asyncio
import logging
import timeit

import pytest
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.memory_kit import MemoryKit

LIMIT_BYTES = 400_000_000


def kit(*, enabled=True):
    return MemoryKit(MemoryMeter(MemoryLimit(LIMIT_BYTES, None)), enabled=enabled)


def told(caplog):
    return [record.fields for record in caplog.records if record.name == "memory_kit"]


def test_an_operation_tells_its_memory_and_share_of_the_limit(caplog):
    caplog.set_level(logging.INFO)
    kept = []
    with kit().operation("clip_load"):
        kept.append(bytearray(b"x") * 30_000_000)
    (fields,) = told(caplog)
    assert fields["stage"] == "clip_load"
    assert fields["delta_mb"] == pytest.approx(30, abs=5)
    assert fields["after_mb"] == pytest.approx(fields["before_mb"] + fields["delta_mb"], abs=0.2)
    assert fields["limit_pct"] == pytest.approx(fields["after_mb"] / 4, abs=0.2)


def test_a_decorated_function_keeps_its_name_and_result_and_reports_its_failure(caplog):
    caplog.set_level(logging.INFO)

    @kit().operation("decode")
    def decode(photo):
        """Decode."""
        return len(photo) // photo.count(b"x")

    assert (decode.__name__, decode.__doc__) == ("decode", "Decode.")
    assert decode(b"xx") == 1
    with pytest.raises(ZeroDivisionError):
        decode(b"")
    assert [fields.get("failed") for fields in told(caplog)] == [None, "ZeroDivisionError"]


async def test_async_functions_that_overlap_are_told_apart(caplog):
    caplog.set_level(logging.INFO)

    @kit().operation("wait")
    async def wait(seconds):
        await asyncio.sleep(seconds)
        return seconds

    assert await asyncio.gather(wait(0.05), wait(0.01)) == [0.05, 0.01]
    short, long = sorted(fields["duration_ms"] for fields in told(caplog))
    assert short < 45 <= long


def leak(kept):
    kept.append(bytearray(1000))  # the planted leak


def test_a_planted_leak_is_found_by_its_line():
    tools, kept = kit(), []
    with tools.running():
        tools.mark()
        for _ in range(2000):
            leak(kept)
            bytearray(1000)  # comes and goes
        worst = tools.growth()[0]
    line = leak.__code__.co_firstlineno + 1
    assert worst.line == f"{__file__}:{line}"
    assert worst.size_bytes == pytest.approx(2_000_000, rel=0.2)
    assert worst.count == pytest.approx(2000, rel=0.1) or worst.count == pytest.approx(4000, rel=0.1)


def test_the_largest_holder_comes_first_and_the_report_names_it(caplog):
    caplog.set_level(logging.INFO)
    tools = kit()
    with tools.running():
        kept = bytearray(50_000_000)
        assert tools.top(1)[0].size_bytes >= len(kept)
        tools.report()
    (fields,) = told(caplog)
    assert "50.0" in fields["top"][0]
    assert fields["growth"] == []


def test_off_it_costs_next_to_nothing_and_tells_nothing(caplog):
    caplog.set_level(logging.INFO)
    off = kit(enabled=False)

    def plain():
        pass

    assert off.operation("x")(plain) is plain
    operation = off.operation("x")

    def entered():
        with operation:
            pass

    assert min(timeit.repeat(entered, number=1000, repeat=5)) / 1000 < 5e-6
    with off.running():
        off.mark()
        assert off.top() == off.growth() == []
    assert told(caplog) == []
