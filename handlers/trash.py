"""Handlers of the tag trash: deleted to-dos."""

from typing import Any

from werkzeug import Response

from todo.contract import API
from todo.domain import sections, trash
from todo.domain.users import Owner
from todo.web import browser, dates

JSON = dict[str, Any]


def get_trash(user: Owner, cursor: str | None = None, changed: int | None = None) -> Response:
    view = browser.read(sections.page, user, "deleted", None, None, None, cursor)
    return browser.page(
        "trash.html",
        user=view.user,
        trash=view.sections[0],
        moment=view.moment,
        when=lambda stored: dates.past(view.user.local_minute(stored), view.moment),
        days=API.limit("trash_days"),
        notice=browser.change(user, changed),
        back=browser.here("/trash"),
    )


def empty_trash(user: Owner, body: JSON) -> Response:
    until_id = browser.write(trash.empty, user)
    while until_id and browser.write(trash.empty_some, user, until_id):
        pass
    return browser.go_back(body, "/trash")
