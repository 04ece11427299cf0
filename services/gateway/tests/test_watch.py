"""When a dependency counts as gone."""

import dataclasses

import pytest
from gateway.domain import ServiceStatus
from gateway.watch import Dependency
from servicekit.errors import Unavailable

STATUS = ServiceStatus(True, "1", (), 0, 0, 0, 0, 0.0)


class Scripted:
    """Answers look after look as the script says: `+` serves, `-` says that it does not, `x` does not answer."""

    def __init__(self, script):
        self._script = iter(script)

    async def describe(self, *, timeout_s):
        step = next(self._script)
        if step == "x":
            raise Unavailable("planted")
        return dataclasses.replace(STATUS, serves=step == "+")


@pytest.mark.parametrize(
    ("script", "serves"),
    [("", ""), ("x+", "-+"), ("+x+", "+++"), ("+-+", "+++"), ("+xx+", "++-+"), ("+x-x", "++--"), ("+x+x+", "+++++")],
)
async def test_only_two_failed_looks_in_a_row_count(script, serves):
    dependency = Dependency("detector", Scripted(script))
    seen = []
    for _ in script:
        await dependency.look()
        seen.append("+" if dependency.serves else "-")
    assert "".join(seen) == serves
