"""What the HTTP face can be asked: each operation, on what terms, beside what `/openapi.json` says of it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match as Found
from starlette.routing import Route
from starlette.types import Scope

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms an operation is served.

    Attributes:
        open: It needs no key where keys are set.
        charged: It counts against the allowance of its key.
        activity: It is the gateway's work, whose rate and duration monitors show.
        probe: It is asked all the time: answered on connections beyond the limit, too, and logged at DEBUG.
    """

    open: bool = False
    charged: bool = False
    activity: bool = False
    probe: bool = False


KEYED = Terms()
OPEN = Terms(open=True)
PROBE = Terms(open=True, probe=True)
CHARGED = Terms(charged=True)
ANALYSIS = Terms(charged=True, activity=True)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Attributes:
        method: In capitals.
        path: As Starlette reads it; parts in braces are parameters.
        endpoint: Its name and docstring are the operation's.
        about: The rest of its Operation Object (OpenAPI 3.1); None where it is not part of the API.
        terms: On what terms it is served.
    """

    method: str
    path: str
    endpoint: Endpoint
    about: Mapping[str, Any] | None
    terms: Terms = KEYED


@dataclass(frozen=True, slots=True)
class Operations:
    """Operations that belong together; `get`, `post` and `delete` are decorators that add one."""

    tag: str
    all: list[Operation] = field(default_factory=list)

    def get(self, path: str, about: Mapping[str, Any] | None, terms: Terms = KEYED) -> Callable[[Endpoint], Endpoint]:
        """Read."""
        return self._adds("GET", path, about, terms)

    def post(self, path: str, about: Mapping[str, Any] | None, terms: Terms = KEYED) -> Callable[[Endpoint], Endpoint]:
        """Ask for work."""
        return self._adds("POST", path, about, terms)

    def delete(
        self, path: str, about: Mapping[str, Any] | None, terms: Terms = KEYED
    ) -> Callable[[Endpoint], Endpoint]:
        """Remove."""
        return self._adds("DELETE", path, about, terms)

    def _adds(
        self, method: str, path: str, about: Mapping[str, Any] | None, terms: Terms
    ) -> Callable[[Endpoint], Endpoint]:
        def add(endpoint: Endpoint) -> Endpoint:
            told = None if about is None else {"tags": [self.tag], **about}
            self.all.append(Operation(method, path, endpoint, told, terms))
            return endpoint

        return add


@dataclass(frozen=True, slots=True)
class Match:
    """What a request asks for.

    Attributes:
        route: The path as it was declared, or `unmatched`; never what a caller wrote, so it may be a metric's label.
        terms: Those of the operation; where there is none, nothing is served and so nothing needs a key.
    """

    route: str = "unmatched"
    terms: Terms = OPEN


_NONE = Match()


class RouteTable:
    """All operations, by path and method."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._paths: dict[str, dict[str, Operation]] = {}
        for operation in operations:
            self._paths.setdefault(operation.path, {})[operation.method] = operation
        self.routes = [_route(path, by_method) for path, by_method in self._paths.items()]

    def match(self, scope: Scope) -> Match:
        """Find what a request asks for, before any layer looks at it."""
        for route in self.routes:
            found, _ = route.matches(scope)
            if found is Found.FULL:
                return Match(route.path, _of(self._paths[route.path], scope["method"]).terms)
            if found is Found.PARTIAL:
                return Match(route.path)
        return _NONE


def _route(path: str, by_method: Mapping[str, Operation]) -> Route:
    async def endpoint(request: Request) -> Response:
        return await _of(by_method, request.method).endpoint(request)

    return Route(path, endpoint, methods=list(by_method))


def _of(by_method: Mapping[str, Operation], method: str) -> Operation:
    return by_method["GET" if method == "HEAD" else method]
