"""What handlers of openapi.yaml return, sent as JSON."""

from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

import orjson
from connexion.resolver import Resolver
from starlette.responses import Response


class JSONResolver(Resolver):
    """Finds the handlers of openapi.yaml, and sends as JSON what they return: value, or (value, status, headers).

    Rules know no address of the service, so theirs begin with a slash and are made whole here. No text of a to-do looks
    like one: in JSON its quotation marks stand behind backslashes.
    """

    def __init__(self, public_url: str) -> None:
        super().__init__()
        self.respond = partial(JSONResponse, b'"url":"' + public_url.encode() + b"/")

    def resolve_function_from_operation_id(self, operation_id: str) -> Callable[..., Any]:
        handler = super().resolve_function_from_operation_id(operation_id)

        @wraps(handler)
        async def respond(**arguments: Any) -> Response:
            returned = await handler(**arguments)
            return self.respond(*returned) if isinstance(returned, tuple) else self.respond(returned)

        return respond


class JSONResponse(Response):
    """A value as JSON, which nobody may keep; `whole` is how an address of this service begins."""

    def __init__(
        self, whole: bytes, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.whole = whole
        super().__init__(content, status_code, headers)

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content).replace(b'"url":"/', self.whole)

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        self.raw_headers = [
            (b"content-type", b"application/json"),
            (b"cache-control", b"no-store"),
            (b"content-length", str(len(self.body)).encode()),
            *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()),
        ]
