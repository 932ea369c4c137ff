"""CORS: which origins may call the service from a browser."""

from collections.abc import Awaitable, Container, Coroutine, Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from todo.errors import OriginNotAllowed
from todo.http.access_log import REQUEST_ID
from todo.http.asgi_scope import headers_of
from todo.http.problems import problem_response


class CORS:
    """Allows the operator's origins everywhere, and any origin for paths that the contract opens to all."""

    def __init__(self, app: ASGIApp, origins: Sequence[str], public_url: str, open_to_all: Container[str]) -> None:
        self.open_to_all = open_to_all
        self.for_all = ProblemCORS(app, ["*"], public_url)
        self.for_some = ProblemCORS(app, origins, public_url)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        app = self.for_all if scope.get("path") in self.open_to_all else self.for_some
        return app(scope, receive, send)


class ProblemCORS(CORSMiddleware):
    """Starlette's CORS middleware with private network access; refuses with a problem, and never allows credentials."""

    def __init__(self, app: ASGIApp, origins: Sequence[str], public_url: str) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["*"],
            allow_private_network=True,
            expose_headers=[REQUEST_ID, "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate"],
        )
        self.public_url = public_url

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        if scope["type"] == "http" and b"origin" not in headers_of(scope):
            # Most requests are like this; Starlette takes longer to find out.
            return self.app(scope, receive, send)  # type: ignore[return-value]
        return super().__call__(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        problem = problem_response(OriginNotAllowed(), self.public_url)
        return Response(problem.body, problem.status, problem.headers)
