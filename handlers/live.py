"""The operations of the tag live: what open pages ask, on the event loop, as each does so every second or two."""

from contextvars import ContextVar
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from todo import tokens
from todo.storage.engine import peek
from todo.storage.statements import Connection
from todo.users import utc_now
from todo.web.live import version_of

session_cookie: ContextVar[str] = ContextVar("session_cookie")


async def get_version(scope: Scope, receive: Receive, send: Send) -> None:
    headers = Headers(scope=scope)
    secret = _session(headers.get("cookie", ""))
    found = await peek(_version, secret) if secret.startswith(tokens.PREFIXES["session"]) else None
    if found is None:
        response = Response(status_code=204)
    elif headers.get("if-none-match") == found:
        response = Response(status_code=304, headers={"ETag": found})
    else:
        response = Response(found, headers={"ETag": found}, media_type="text/plain")
    response.headers["Cache-Control"] = "no-store"
    await response(scope, receive, send)


def _version(connection: Connection, secret: str) -> str | None:
    row = connection.list_of_session(hash=tokens.digest(secret), now=utc_now())
    return version_of(row["id"], row["last_change_id"]) if row else None


def _session(cookies: str) -> str:
    try:
        morsel = SimpleCookie(cookies).get(session_cookie.get())
    except CookieError:
        return ""
    return morsel.value if morsel else ""
