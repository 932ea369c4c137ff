"""The session of the browser that sent a request, by its cookie."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from connexion.security import ApiKeySecurityHandler
from starlette.types import Scope
from werkzeug.sansio.http import parse_cookie

from todo.accounts import sessions, tokens
from todo.accounts.sessions import Session
from todo.http.asgi_scope import headers_of
from todo.service import current
from todo.storage.database import peek

SESSION = "todo.session"  # scope key


async def session_of(scope: Scope) -> Session:
    """Returns the browser's session, looked up once per request; a new one if the request has no cookie."""
    if SESSION not in scope:
        cookie = _cookie(scope)
        account = await peek(sessions.find, cookie) if _is_session(cookie) else None
        scope[SESSION] = Session(cookie or secrets.token_urlsafe(32), account, is_new=not cookie)
    session: Session = scope[SESSION]
    return session


async def is_signed_in(scope: Scope) -> bool:
    """Whether the request comes from a signed-in person."""
    return (await session_of(scope)).account is not None


async def authenticate(request: Any) -> dict[str, Any]:
    """Returns the token info of the contract's scheme `session`, with the Owner as `sub`. Raises SignedOut."""
    return {"sub": (await session_of(request.scope)).owner}


class SessionCookie(ApiKeySecurityHandler):
    """Passes the request to `authenticate`: Connexion's cookie parser takes quadratic time (CVE-2024-7592)."""

    def _get_verify_func(self, function: Callable[[Any], Awaitable[Any]], *_: Any) -> Callable[[Any], Awaitable[Any]]:
        return function


SECURITY_HANDLERS = {"apiKey": SessionCookie}


def session_secret(scope: Scope) -> str:
    """Returns the secret in the session cookie, or "" if it is not that of a signed-in session."""
    cookie = _cookie(scope)
    return cookie if _is_session(cookie) else ""


def _is_session(cookie: str) -> bool:
    """Whether it looks like a session of an account; browsers that are not signed in have plain random cookies."""
    return cookie.startswith(tokens.PREFIXES["session"])


def _cookie(scope: Scope) -> str:
    # werkzeug.http's parse_cookie fails on bytes that are not UTF-8; this one accepts them, and takes linear time.
    cookies = headers_of(scope).get(b"cookie", b"").decode("latin-1")
    return parse_cookie(cookies).get(current.get().session_cookie, "") if cookies else ""
