"""What the HTTP face can be asked: each operation beside what `/openapi.json` says of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Attributes:
        method: In capitals.
        path: As Starlette reads it; parts in braces are parameters.
        endpoint: Its name and docstring are the operation's.
        about: The rest of its Operation Object (OpenAPI 3.1); None where it is not part of the API.
    """

    method: str
    path: str
    endpoint: Endpoint
    about: Mapping[str, Any] | None

    def route(self) -> Route:
        """The same for the router."""
        return Route(self.path, self.endpoint, methods=[self.method])


@dataclass(frozen=True, slots=True)
class Operations:
    """Operations that belong together; `get`, `post` and `delete` are decorators that add one."""

    tag: str
    all: list[Operation] = field(default_factory=list)

    def get(self, path: str, about: Mapping[str, Any] | None) -> Callable[[Endpoint], Endpoint]:
        """Read."""
        return self._adds("GET", path, about)

    def post(self, path: str, about: Mapping[str, Any] | None) -> Callable[[Endpoint], Endpoint]:
        """Ask for work."""
        return self._adds("POST", path, about)

    def delete(self, path: str, about: Mapping[str, Any] | None) -> Callable[[Endpoint], Endpoint]:
        """Remove."""
        return self._adds("DELETE", path, about)

    def _adds(self, method: str, path: str, about: Mapping[str, Any] | None) -> Callable[[Endpoint], Endpoint]:
        def add(endpoint: Endpoint) -> Endpoint:
            told = None if about is None else {"tags": [self.tag], **about}
            self.all.append(Operation(method, path, endpoint, told))
            return endpoint

        return add
