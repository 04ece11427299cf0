"""Watches the services that the gateway depends on, so that questions about health are answered from memory."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

from servicekit.errors import ServiceError

from gateway.domain import ServiceStatus
from gateway.upstream import Describes

_log = logging.getLogger("watch")
_INTERVAL_S = 1.0
_SEARCH_INTERVAL_S = 0.2  # after a failed look, so that a return, or that it is gone, is noticed at once
_TIMEOUT_S = 0.8
_PATIENCE = 2  # looks in a row that must fail, because one may have met the one replica that just went


class Dependency:
    """One service as last seen, at most two seconds ago.

    Attributes:
        serves: Whether it answered one of the last two questions, and was not draining.
        has_served: Whether it ever did.
        status: What it last said about itself; None when it has not answered yet.
    """

    def __init__(self, name: str, service: Describes) -> None:
        self.name = name
        self._service = service
        self.serves = False
        self.has_served = False
        self.status: ServiceStatus | None = None
        self._failed_looks = 0

    @property
    def doubtful(self) -> bool:
        """Whether the last look failed, so that it is worth to look again soon."""
        return self._failed_looks > 0 or not self.serves

    async def look(self) -> None:
        """Ask the service once; a service that does not answer is one that does not serve."""
        try:
            self.status = await self._service.describe(timeout_s=_TIMEOUT_S)
            self._note(serves=self.status.serves, why="it says so")
        except ServiceError as error:
            self._note(serves=False, why=error.message)
        except Exception:  # a watch that has ended would tell old news for ever
            self._note(serves=False, why="bug")
            _log.exception("bug")

    def _note(self, *, serves: bool, why: str) -> None:
        self._failed_looks = 0 if serves else self._failed_looks + 1
        serves = serves or (self.serves and self._failed_looks < _PATIENCE)
        if serves != self.serves:
            _log.info("dependency", extra={"fields": {"dependency": self.name, "serves": serves, "why": why}})
        self.serves = serves
        self.has_served = self.has_served or serves


class Watch:
    """Looks at all dependencies every second."""

    def __init__(self, detector: Dependency, colorizer: Dependency) -> None:
        self.detector = detector
        self.colorizer = colorizer

    @property
    def dependencies(self) -> Sequence[Dependency]:
        """All that is watched."""
        return (self.detector, self.colorizer)

    @property
    def ready(self) -> bool:
        """Whether photos can be analyzed: every dependency has come up, and the detector serves now.

        A colorizer that is lost later costs the colors, not the answers, so it does not make the gateway unready.
        """
        return self.detector.serves and self.colorizer.has_served

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch while what is inside runs."""
        tasks = [asyncio.create_task(self._follow(dependency)) for dependency in self.dependencies]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, dependency: Dependency) -> None:
        while True:
            await dependency.look()
            await asyncio.sleep(_SEARCH_INTERVAL_S if dependency.doubtful else _INTERVAL_S)
