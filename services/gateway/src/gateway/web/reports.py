"""The JSON of `/api/health` and the probes."""

from typing import Literal, cast

from servicekit.levels import level_of

from gateway.core import Core
from gateway.watch import Dependency
from gateway.web.answers import Answer

Status = Literal["serving", "degraded", "unavailable"]


class Probe(Answer, frozen=True):
    """The state that a probe asks for."""

    status: Literal["alive", "ready", "unready"]


LevelName = Literal["normal", "elevated", "high", "critical"]


class Memory(Answer, frozen=True):
    """Working set in bytes: now, its limit (0 for none), and right after start.

    `level` is `elevated` from 60 % of the limit, `high` from 80 %, `critical` from 90 %.
    """

    used_bytes: int
    limit_bytes: int
    floor_bytes: int
    level: LevelName


class Lately(Answer, frozen=True):
    """How the calls of a service went: ended in each of the last 10 seconds, percentiles of the last minute.

    `refused` counts those refused for load or memory since its start.
    """

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    refused: int


class ServiceHealth(Answer, frozen=True):
    """Whether a service serves now, and what it last said about itself; `memory` is null until it first answers.

    `models` are names with versions; `in_flight` counts the calls that it works on, `waiting` those of them that wait
    for memory or for a thread.
    """

    serving: bool
    version: str
    models: list[str]
    memory: Memory | None
    in_flight: int
    waiting: int
    lately: Lately | None


class Health(Answer, frozen=True):
    """How the gateway and the services behind it are.

    `status` is `serving` (all well), `degraded` (photos are analyzed, but without colors) or `unavailable`; `serving`
    says whether it is the first.
    """

    serving: bool
    status: Status
    services: dict[str, ServiceHealth]


def health(core: Core) -> Health:
    """Put together what is known now; asks nobody."""
    status = _status(core)
    others = {dependency.name: _other(dependency) for dependency in core.watch.dependencies}
    return Health(status == "serving", status, {"gateway": _own(core), **others})


def _own(core: Core) -> ServiceHealth:
    memory, now = core.lifecycle.memory, core.lifecycle.metrics.activity.lately()
    return ServiceHealth(
        serving=core.ready,
        version=core.version,
        models=[],
        memory=_memory(memory.used_bytes(), memory.limit_bytes, memory.floor_bytes),
        in_flight=core.admission.in_flight,
        waiting=core.lifecycle.waiting,
        lately=_rounded(now.requests_per_s, now.p50_ms, now.p99_ms, now.refused),
    )


def _memory(used_bytes: int, limit_bytes: int, floor_bytes: int) -> Memory:
    return Memory(used_bytes, limit_bytes, floor_bytes, cast("LevelName", level_of(used_bytes, limit_bytes).label))


def _rounded(requests_per_s: float, p50_ms: float, p99_ms: float, refused: int) -> Lately:
    return Lately(round(requests_per_s, 1), round(p50_ms, 1), round(p99_ms, 1), refused)


def _status(core: Core) -> Status:
    if not core.watch.detector.serves or not core.lifecycle.ready:
        return "unavailable"
    return "serving" if core.watch.colorizer.serves else "degraded"


def _other(dependency: Dependency) -> ServiceHealth:
    known = dependency.status
    if known is None:
        return ServiceHealth(serving=False, version="", models=[], memory=None, in_flight=0, waiting=0, lately=None)
    return ServiceHealth(
        serving=dependency.serves,
        version=known.version,
        models=[model.label for model in known.models],
        memory=_memory(known.memory_used_bytes, known.memory_limit_bytes, known.memory_floor_bytes),
        in_flight=known.in_flight,
        waiting=known.waiting,
        lately=_rounded(known.requests_per_s, known.p50_ms, known.p99_ms, known.refused),
    )
