"""The JSON of `/api/health` and the probes."""

from typing import Literal

from gateway import domain
from gateway.core import Core
from gateway.watch import Dependency
from gateway.web.answers import Answer


class Probe(Answer, frozen=True):
    """The state that a probe asks for."""

    status: Literal["alive", "ready", "unready"]


class Model(Answer, frozen=True):
    """A model that a service has loaded."""

    name: str
    version: str
    sha256: str


class Memory(Answer, frozen=True):
    """Working set in bytes: now, its limit (0 for none), and right after start."""

    used_bytes: int
    limit_bytes: int
    floor_bytes: int


class DependencyHealth(Answer, frozen=True):
    """A dependency: whether it serves now, and what it last said about itself (null while it never answered)."""

    serving: bool
    version: str | None
    models: list[Model]
    memory: Memory | None
    in_flight: int
    uptime_s: float


class Health(Answer, frozen=True):
    """How all is.

    `serving`: all well. `degraded`: photos are analyzed, but without colors. `unavailable`: no photo can be analyzed.
    """

    status: Literal["serving", "degraded", "unavailable"]
    ready: bool
    version: str
    in_flight: int
    memory: Memory
    dependencies: dict[str, DependencyHealth]


def health(core: Core) -> Health:
    """Put together what is known now; asks nobody."""
    memory = core.lifecycle.memory
    return Health(
        status=_status(core),
        ready=core.ready,
        version=core.version,
        in_flight=core.admission.in_flight,
        memory=Memory(memory.used_bytes(), memory.limit_bytes, memory.floor_bytes),
        dependencies={dependency.name: _dependency(dependency) for dependency in core.watch.dependencies},
    )


def _status(core: Core) -> Literal["serving", "degraded", "unavailable"]:
    if not core.watch.detector.serves or not core.lifecycle.ready:
        return "unavailable"
    return "serving" if core.watch.colorizer.serves else "degraded"


def _dependency(dependency: Dependency) -> DependencyHealth:
    known = dependency.status
    if known is None:
        return DependencyHealth(dependency.serves, None, [], None, 0, 0.0)
    return DependencyHealth(
        serving=dependency.serves,
        version=known.version,
        models=[_model(model) for model in known.models],
        memory=Memory(known.memory_used_bytes, known.memory_limit_bytes, known.memory_floor_bytes),
        in_flight=known.in_flight,
        uptime_s=round(known.uptime_s, 1),
    )


def _model(model: domain.Model) -> Model:
    return Model(model.name, model.version, model.sha256)
