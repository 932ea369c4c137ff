"""Routing: finds the operation for a request."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Scope

from todo.contract import Contract, Operation
from todo.errors import NotFound
from todo.http.asgi_scope import PATH_VALUES, TEMPLATE

MAX_BYTES = "x-max-bytes"
WHOLE_NUMBER = "(?:0|[1-9][0-9]{0,17})"  # short enough for int(); the contract's own limits come later


@dataclass
class Target:
    """The app for one method of a path, and the bodies that it accepts."""

    app: ASGIApp
    media_types: list[str] = field(default_factory=list)
    max_bytes: int = 0  # if the contract allows more than usual


@dataclass
class Route:
    """A path of a contract, with its methods."""

    template: str
    pattern: re.Pattern[str]
    targets: dict[str, Target] = field(default_factory=dict)  # by method

    @property
    def allowed(self) -> list[str]:
        """Returns the methods for the Allow header."""
        return sorted({*self.targets, "OPTIONS", *({"HEAD"} if "GET" in self.targets else ())})


class Routes:
    """All routes, indexed by the number of segments and the first segment."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._fixed: dict[str, Route] = {}
        self._others: dict[tuple[int, str], list[Route]] = {}
        for route in routes:
            if "{" in route.template:
                self._others.setdefault(_key(route.template), []).append(route)
            else:
                self._fixed[route.template] = route

    def find(self, scope: Scope) -> Route:
        """Returns the route of a request and records it in the scope. Raises NotFound."""
        path = scope["path"]
        # An encoded slash would turn one segment into two, so the raw path is checked too.
        if b"%" in scope.get("raw_path", b"") and b"%2f" in scope["raw_path"].lower():
            raise NotFound
        route = self._fixed.get(path)
        if route:
            scope[TEMPLATE], scope[PATH_VALUES] = route.template, {}
            return route
        for route in self._others.get(_key(path), ()):
            match = route.pattern.fullmatch(path)
            if match:
                scope[TEMPLATE], scope[PATH_VALUES] = route.template, match.groupdict()
                return route
        raise NotFound


def _key(path: str) -> tuple[int, str]:
    return path.count("/"), path[1:].partition("/")[0]


def routes_of(contract: Contract, app_of: Callable[[Operation], ASGIApp]) -> list[Route]:
    """Returns the routes of a contract; `app_of` returns the app for an operation."""
    routes: dict[str, Route] = {}
    for operation in contract.operations:
        route = routes.setdefault(operation.path, Route(operation.path, _pattern(contract, operation)))
        media_types = list(operation.spec.get("requestBody", {}).get("content", {}))
        route.targets[operation.method] = Target(app_of(operation), media_types, operation.spec.get(MAX_BYTES, 0))
    return list(routes.values())


def _pattern(contract: Contract, operation: Operation) -> re.Pattern[str]:
    pattern = re.escape(operation.path)
    for parameter in contract.parameters(operation, "path"):
        named = f"(?P<{parameter['name']}>{_segment(parameter['schema'])})"
        pattern = pattern.replace(re.escape(f"{{{parameter['name']}}}"), named)
    return re.compile(pattern)


def _segment(schema: dict[str, Any]) -> str:
    """Returns the pattern of a path parameter; the operation validates it in detail."""
    if "enum" in schema:
        return f"(?:{'|'.join(map(re.escape, schema['enum']))})"
    return WHOLE_NUMBER if schema["type"] == "integer" else r"[^/\r\n]+"
