"""The cookie of a person's session, as the event loop reads it, where there is no Flask."""

from contextvars import ContextVar

from starlette.types import Scope
from werkzeug.http import parse_cookie

from todo import sessions, tokens
from todo.guard import headers_of
from todo.storage.engine import peek

session_cookie: ContextVar[str] = ContextVar("session_cookie")  # its name


def session_secret(scope: Scope) -> str:
    """Returns the secret of the session that a request names, or an empty text where it names none."""
    # http.cookies of Python 3.11 takes quadratic time for backslashes in quotes (CVE-2024-7592).
    cookies = headers_of(scope).get(b"cookie", b"").decode("latin-1")
    secret = parse_cookie(cookies).get(session_cookie.get(), "") if cookies else ""
    return secret if secret.startswith(tokens.PREFIXES["session"]) else ""


async def is_signed_in(scope: Scope) -> bool:
    """Whether somebody is signed in with the session that a request names."""
    secret = session_secret(scope)
    return bool(secret) and await peek(sessions.find, secret) is not None
