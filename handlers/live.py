"""Handlers of the tag live: the version of a list, which open pages poll every second or two, on the event loop."""

from starlette.requests import Request
from starlette.responses import Response

from todo.accounts import tokens
from todo.domain.users import utc_now
from todo.http.session_cookie import session_secret
from todo.storage.database import peek
from todo.storage.statements import Connection
from todo.web.live import version_of

NOT_KEPT = {"Cache-Control": "no-store"}


async def get_version(request: Request) -> Response:
    secret = session_secret(request.scope)
    found = await peek(_version, secret) if secret else None
    if found is None:
        return Response(status_code=204, headers=NOT_KEPT)
    headers = {"ETag": found, **NOT_KEPT}
    if request.headers.get("if-none-match") == found:
        return Response(status_code=304, headers=headers)
    return Response(found, headers=headers, media_type="text/plain")


def _version(connection: Connection, secret: str) -> str | None:
    key = tokens.key_of(secret)
    row = key and connection.list_of_session(**key, now=utc_now())
    return version_of(row["id"], row["last_change_id"]) if row else None
