"""The service for clients that cannot send a token: requests without one get the service key."""

from starlette.types import ASGIApp, Receive, Scope, Send

from tests.conftest import SERVICE_KEY
from wsgi import app as service


def with_key(app: ASGIApp) -> ASGIApp:
    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not any(name == b"authorization" for name, _ in scope["headers"]):
            headers = [*scope["headers"], (b"authorization", f"Bearer {SERVICE_KEY}".encode())]
            scope = {**scope, "headers": headers}
        await app(scope, receive, send)

    return run


app = with_key(service)
