"""JSON responses, and the resolver that turns what handlers return into them."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import orjson
from connexion.resolver import Resolver
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class JSONResponse(Response):
    """A JSON response with Cache-Control: no-store."""

    def __init__(self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = [
            (b"content-type", b"application/json"),
            (b"cache-control", b"no-store"),
            (b"content-length", b"%d" % len(body)),
        ]
        if headers:
            self.raw_headers += [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


class JSONResolver(Resolver):
    """Finds the handlers of openapi.yaml. They return a value, or (value, status, headers), which is sent as JSON."""

    def resolve_function_from_operation_id(self, operation_id: str) -> Callable[..., Any]:
        handler = super().resolve_function_from_operation_id(operation_id)

        @wraps(handler)
        async def respond(**arguments: Any) -> Response:
            returned = await handler(**arguments)
            return _respond(*returned) if isinstance(returned, tuple) else _respond(returned)

        return respond


def _respond(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(orjson.dumps(value), status, headers)
