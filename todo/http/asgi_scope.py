"""Keys that the service adds to the ASGI scope, and access to the request headers."""

from collections.abc import Iterator, Mapping
from typing import Any

from starlette.types import Scope

TEMPLATE, PATH_VALUES = "todo.path_template", "todo.path_values"  # of the route
BODY, MEDIA_TYPE = "todo.body", "todo.media_type"
ARRIVED = "todo.arrived"  # the whole body, if it arrived with the headers
STARTED = "todo.started"  # set once the response has begun
REFUSED = "todo.refused"  # why the server could not read the request, as an exception
LOGGED = "todo.logged"  # logged instead of the route and the status, a line each
_HEADERS = "todo.headers"


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """Returns the request headers by lower-case name; the first wins if a name is repeated."""
    if _HEADERS not in scope:
        scope[_HEADERS] = dict(reversed(scope["headers"]))
    headers: dict[bytes, bytes] = scope[_HEADERS]
    return headers


def log_as(scope: Scope, template: str, status: int) -> None:
    """Gives a message in the request its own line in the access log. The last one replaces the line of the request."""
    scope.setdefault(LOGGED, []).append((template, status))


class Headers(Mapping[str, str]):
    """The request headers as text, decoded on access, since most are never read."""

    def __init__(self, scope: Scope) -> None:
        self._raw = headers_of(scope)

    def __getitem__(self, name: str) -> str:
        return self._raw[name.encode("latin-1")].decode("latin-1")

    def get(self, name: str, default: Any = None) -> Any:
        value = self._raw.get(name.encode("latin-1"))
        return default if value is None else value.decode("latin-1")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.encode("latin-1") in self._raw

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._raw)

    def __len__(self) -> int:
        return len(self._raw)
