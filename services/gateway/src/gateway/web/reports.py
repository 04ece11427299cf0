"""The JSON of `/api/health` and the probes."""

from typing import Literal

from gateway.core import Core
from gateway.watch import Dependency
from gateway.web.answers import Answer

Status = Literal["serving", "degraded", "unavailable"]


class Probe(Answer, frozen=True):
    """The state that a probe asks for."""

    status: Literal["alive", "ready", "unready"]


class Memory(Answer, frozen=True):
    """Working set in bytes: now, its limit (0 for none), and right after start."""

    used_bytes: int
    limit_bytes: int
    floor_bytes: int


class ServiceHealth(Answer, frozen=True):
    """Whether a service serves now, and what it last said about itself; `memory` is null until it first answers.

    `models` are names with versions; `in_flight` counts the calls that it works on.
    """

    serving: bool
    version: str
    models: list[str]
    memory: Memory | None
    in_flight: int


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
    memory = core.lifecycle.memory
    return ServiceHealth(
        serving=core.ready,
        version=core.version,
        models=[],
        memory=Memory(memory.used_bytes(), memory.limit_bytes, memory.floor_bytes),
        in_flight=core.admission.in_flight,
    )


def _status(core: Core) -> Status:
    if not core.watch.detector.serves or not core.lifecycle.ready:
        return "unavailable"
    return "serving" if core.watch.colorizer.serves else "degraded"


def _other(dependency: Dependency) -> ServiceHealth:
    known = dependency.status
    if known is None:
        return ServiceHealth(serving=False, version="", models=[], memory=None, in_flight=0)
    return ServiceHealth(
        serving=dependency.serves,
        version=known.version,
        models=[model.label for model in known.models],
        memory=Memory(known.memory_used_bytes, known.memory_limit_bytes, known.memory_floor_bytes),
        in_flight=known.in_flight,
    )
