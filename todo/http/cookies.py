"""The cookie of a person's session, as the event loop reads it, where there is no Flask."""

from typing import cast

from starlette.types import Scope
from werkzeug.sansio.http import parse_cookie

from todo.accounts import sessions, tokens
from todo.accounts.accounts import Account
from todo.http.scope import headers_of
from todo.service import current
from todo.storage.database import peek

ACCOUNT = "todo.account"  # where the scope keeps it


def session_secret(scope: Scope) -> str:
    """Returns the secret of the session that a request names, or an empty text where it names none."""
    # http.cookies of Python 3.11 takes quadratic time for backslashes in quotes (CVE-2024-7592).
    # Bytes that are no UTF-8 make werkzeug.http's parse_cookie fail; Flask uses this one too.
    cookies = headers_of(scope).get(b"cookie", b"").decode("latin-1")
    secret = parse_cookie(cookies).get(current.get().session_cookie, "") if cookies else ""
    return secret if secret.startswith(tokens.PREFIXES["session"]) else ""


async def account_of(scope: Scope) -> Account | None:
    """Returns the account of the session that a request names, looked up once for each request."""
    if ACCOUNT not in scope:
        secret = session_secret(scope)
        scope[ACCOUNT] = await peek(sessions.find, secret) if secret else None
    return cast(Account | None, scope[ACCOUNT])


async def is_signed_in(scope: Scope) -> bool:
    """Whether somebody is signed in with the session that a request names."""
    return await account_of(scope) is not None
