"""Handlers of the tag shares: to-dos that are shared by a link."""

from flask import Response

from todo.domain import shares
from todo.service import current
from todo.web import browser, picture, words


def get_shared_todo(share: str) -> Response:
    shared = browser.read(shares.find, share)
    public_url = current.get().settings.public_url
    response = browser.public_page("shared.html", 200 if shared else 404, shared=shared, public_url=public_url)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def get_shared_picture(share: str, picture: str) -> Response:
    shared = browser.read(shares.find, share)
    if shared is None or shared.picture != picture:
        return get_shared_todo("-")
    return _drawn(shared)


def _drawn(shared: shares.SharedTodo) -> Response:
    todo = shared.todo
    due = f"Due {words.exact(todo.due)}" if todo.due else ""
    response = Response(picture.draw(todo.todo, due, todo.status == "done"), mimetype="image/png")
    # The address has a hash of the picture, so it is immutable; only for a day, since the link may be revoked.
    response.headers["Cache-Control"] = "public, max-age=86400, immutable"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
