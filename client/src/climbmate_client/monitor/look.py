"""One look at all services: asked through the gateway, asked one by one, or seen from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import grpc
from climbmate.status.v1 import status_pb2, status_pb2_grpc

from climbmate_client.answers import Lately, Memory, ServiceHealth
from climbmate_client.errors import ClimbmateError
from climbmate_client.http import Client
from climbmate_client.local.found import FoundService, find_services
from climbmate_client.local.stack import SERVICES

_ANSWER_LIMIT_S = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One service as seen at one moment.

    Attributes:
        name: The service's name; `name/pid` for one of several processes that were only seen from outside.
        health: What it said, through the gateway or by itself; None when nobody answered for it.
        memory: Its memory; None when nothing is known.
        pid: Its process on this machine, where it is the only one of its name.
    """

    name: str
    health: ServiceHealth | None = None
    memory: Memory | None = None
    pid: int | None = None

    @property
    def state(self) -> str:
        """In a word or two."""
        if self.health is None:
            return "no answer"
        return "serving" if self.health.serving else "not serving"


@dataclass(slots=True)
class Watcher:
    """Looks again and again.

    Attributes:
        url: The gateway, None for no gateway.
        targets: gRPC targets of services to ask directly, by name.
        local: Whether to look for processes on this machine as well.
    """

    url: str | None
    targets: Mapping[str, str] = field(default_factory=dict)
    local: bool = True
    _channels: dict[str, grpc.Channel] = field(default_factory=dict)

    def look(self) -> list[Seen]:
        """Look once; takes no longer than a second or two, whoever hangs."""
        told = {**self._through_gateway(), **self._directly()}
        found = find_services(SERVICES) if self.local else []
        asked = [*([] if self.url is None else ["gateway"]), *self.targets]
        names = [*dict.fromkeys([*told, *asked, *(each.name for each in found)])]
        return [seen for name in names for seen in _merged(name, told.get(name), found)]

    def close(self) -> None:
        """Close the connections."""
        for channel in self._channels.values():
            channel.close()

    def _through_gateway(self) -> Mapping[str, ServiceHealth]:
        if self.url is None:
            return {}
        try:
            with Client(self.url, timeout_s=_ANSWER_LIMIT_S) as climbmate:
                return climbmate.health().services
        except ClimbmateError:
            return {}

    def _directly(self) -> dict[str, ServiceHealth]:
        answers = {name: self._status(name, target) for name, target in self.targets.items()}
        return {name: _health(status) for name, status in answers.items() if status is not None}

    def _status(self, name: str, target: str) -> status_pb2.GetStatusResponse | None:
        if name not in self._channels:
            self._channels[name] = grpc.insecure_channel(target, options=[("grpc.max_reconnect_backoff_ms", 1000)])
        channel = self._channels[name]
        try:
            return status_pb2_grpc.StatusServiceStub(channel).GetStatus(
                status_pb2.GetStatusRequest(), timeout=_ANSWER_LIMIT_S
            )
        except grpc.RpcError:
            return None


def _merged(name: str, health: ServiceHealth | None, found: Sequence[FoundService]) -> list[Seen]:
    """What a service says, or, when it does not serve, what is seen of its processes, or else what it last said."""
    own = [each for each in found if each.name == name]
    pid = own[0].pid if len(own) == 1 else None
    said = None if health is None else health.memory
    if (health is not None and health.serving) or not own:
        return [Seen(name, health, said, pid)]
    if pid is not None:
        return [Seen(name, health, own[0].memory, pid)]
    return [Seen(f"{name}/{each.pid}", health, each.memory, each.pid) for each in own]


def _health(status: status_pb2.GetStatusResponse) -> ServiceHealth:
    memory, activity = status.memory, status.activity
    level = status_pb2.MemoryLevel.Name(memory.level).removeprefix("MEMORY_LEVEL_").lower()
    return ServiceHealth(
        serving=not status.draining,
        version=status.version,
        models=tuple(f"{model.name} {model.version}" for model in status.models),
        memory=Memory(
            memory.used_bytes, memory.limit_bytes, memory.floor_bytes, level if memory.limit_bytes else "normal"
        ),
        in_flight=status.in_flight,
        waiting=status.waiting,
        lately=Lately(activity.requests_per_s, activity.p50_ms, activity.p99_ms, activity.refused),
    )
