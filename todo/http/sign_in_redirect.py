"""Redirects to the sign-in page, and back to the page that somebody came from."""

import string
from collections.abc import Iterator
from urllib.parse import quote

from starlette.types import Scope

from todo.contract import SITE
from todo.contract.schemas import compile_schema
from todo.errors import InvalidRequest
from todo.http.asgi_scope import BODY, MEDIA_TYPE
from todo.http.validators import read_form

NEXT = SITE.schema("Next")
HOME: str = NEXT["default"]
# Characters that a URL may contain; all others are percent-encoded.
SAFE = "".join(set(string.punctuation) - set('"\\'))

_is_page = compile_schema(NEXT)


def sign_in_address(following: str) -> str:
    """Returns the URL of the sign-in page that leads on to `following`, a page of this service."""
    return f"/sign-in?next={quote(following, safe='')}"


def page_of(scope: Scope) -> str:
    """Returns the page that a request belongs to: its own URL, or the page that its form was on."""
    return next(filter(_is_page, _candidates(scope)), HOME)


def _candidates(scope: Scope) -> Iterator[str]:
    path, query = scope["path"], scope["query_string"].decode("latin-1")
    if scope["method"] == "POST":
        yield form_of(scope).get("next", "")
    else:
        yield f"{path}?{quote(query, safe=SAFE)}" if query else path
    yield "/" + path.split("/")[1]  # of /account/export, /account


def form_of(scope: Scope) -> dict[str, str]:
    """Returns the fields of the form in the body, not validated yet; nothing if it is an upload or cannot be read."""
    if scope[MEDIA_TYPE] != "application/x-www-form-urlencoded":
        return {}
    try:
        return read_form(scope[BODY])
    except InvalidRequest:
        return {}
