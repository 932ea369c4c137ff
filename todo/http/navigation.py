"""Whether a person will see the response: whether a browser is opening a page."""

from starlette.types import Scope
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from todo.http.asgi_scope import headers_of

HTML = "text/html"
KINDS = ("application/json", HTML)  # the first wins if a client accepts both equally


def is_navigation(scope: Scope) -> bool:
    """Whether a browser opens a page or sends a form, by its Fetch Metadata.

    Over plain HTTP there is none: then a GET that prefers HTML to JSON counts.
    """
    headers = headers_of(scope)
    mode = headers.get(b"sec-fetch-mode")
    if mode is not None or scope["method"] not in ("GET", "HEAD"):
        return mode == b"navigate"
    accept = headers.get(b"accept", b"").decode("latin-1")
    return HTML in accept and parse_accept_header(accept, MIMEAccept).best_match(KINDS) == HTML
