"""What a service is to the server that runs it."""

import asyncio
import importlib.metadata
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import grpc
from climbmate.status.v1 import status_pb2

from servicekit import heap
from servicekit.budget import MemoryBudget
from servicekit.limits import MAX_MESSAGE_BYTES
from servicekit.memory import MB, MemoryMeter
from servicekit.metrics import Metrics
from servicekit.pressure import Pressure
from servicekit.settings import ServiceSettings

_RESERVE = 0.05  # share of the limit for what no prediction covers: fragmentation, the allocator's caches


class StartError(Exception):
    """The service cannot start; the text is one line for the operator."""


@dataclass(slots=True)
class Lifecycle:
    """What the loaded parts may know of the service they run in.

    Attributes:
        inbox: Room for request messages that were read but not answered yet.
        pressure: Whether memory is tight.
        queues: Each tells how many calls wait in it.
        ready: Whether new work is welcome: true from the moment the port is open until SIGTERM.
        stop: Set to end the service, by a signal or by a part that cannot go on.
    """

    memory: MemoryMeter
    metrics: Metrics
    inbox: MemoryBudget
    stop: asyncio.Event
    ready: bool = False
    pressure: Pressure = field(init=False)
    queues: list[Callable[[], int]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Add what follows from the rest."""
        self.pressure = Pressure(self.memory, self.metrics.count_step)
        self.queues.append(lambda: self.inbox.waiting)

    @property
    def waiting(self) -> int:
        """Calls that wait for memory or for a thread."""
        return sum(waiting() for waiting in self.queues)

    def settle(self, *, queue_limit: int) -> MemoryBudget:
        """Take the present memory use as the floor and budget what the limit leaves for work.

        Called once the models are loaded and have run their worst case.

        Args:
            queue_limit: How many requests may wait for memory.

        Raises:
            StartError: The limit leaves nothing for work. Better said now than by the kernel later.
        """
        self._mark_floor()
        budget = MemoryBudget(self._spare_bytes(), queue_limit=queue_limit, pressure=self.pressure)
        self.queues.append(lambda: budget.waiting)
        return budget

    def ensure_room(self, work_bytes: int) -> None:
        """Take the present memory use as the floor, for a service that bounds its work by settings.

        Args:
            work_bytes: What its work takes at most, beside the inbox.

        Raises:
            StartError: The limit leaves less.
        """
        self._mark_floor()
        self._spare_bytes(work_bytes)

    def _mark_floor(self) -> None:
        heap.settle()
        self.memory.mark_floor()

    def _spare_bytes(self, least_bytes: int = 1) -> int:
        """What the limit leaves for work, `least_bytes` at least; 0 without a limit."""
        if not self.memory.limit_bytes:
            return 0
        reserve_bytes = round(self.memory.limit_bytes * _RESERVE)
        pinned_bytes = self.memory.pinned_bytes()
        spare_bytes = self.memory.limit_bytes - pinned_bytes - self.inbox.capacity_bytes - reserve_bytes
        if spare_bytes < least_bytes:
            raise StartError(
                f"the memory limit of {self.memory.limit_bytes / MB:.0f} MB is too small: loaded and warm it takes "
                f"{pinned_bytes / MB:.0f} MB, the inbox {self.inbox.capacity_bytes / MB:.0f} MB, work "
                f"{least_bytes / MB:.0f} MB at least, and {reserve_bytes / MB:.0f} MB are kept in reserve"
            )
        return spare_bytes


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a service serves once its models are loaded and warm.

    Attributes:
        register: Adds the servicers to a server, for example with `add_DetectorServiceServicer_to_server`.
        services: Full names of the gRPC services, for health and reflection.
        models: What the status tells of the models.
        admit: Told the `authorization` of every call before its message is read; raises what the call is refused with.
    """

    register: Callable[[grpc.aio.Server], None]
    services: Sequence[str]
    models: Sequence[status_pb2.ModelInfo] = ()
    admit: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A service to run.

    Attributes:
        name: Its name, for example `detector`; its distribution is `climbmate-<name>`.
        settings: Its settings.
        listen: Where gRPC is served: `host:port` or `unix:/path`.
        metrics_listen: `host:port` where Prometheus metrics are served over HTTP; empty for nowhere.
        open: Loads and warms the models, yields what to serve, and closes everything at its end.
        max_request_bytes: The largest request message that is accepted.
        request_copies: How often a request is in memory at most while it is answered, which the inbox accounts for.
        kept_buffer_bytes: Freed buffers up to this size are used again instead of given back: faster, and not free.
    """

    name: str
    settings: ServiceSettings
    listen: str
    metrics_listen: str
    open: Callable[[Lifecycle], AbstractAsyncContextManager[Loaded]]
    max_request_bytes: int = MAX_MESSAGE_BYTES
    request_copies: int = 1
    kept_buffer_bytes: int = 1 << 20

    @property
    def version(self) -> str:
        """The release of its distribution."""
        return importlib.metadata.version(f"climbmate-{self.name}")
