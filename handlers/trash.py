"""The operations of the tag trash: where deleted to-dos wait."""

from typing import Any

from werkzeug import Response

from todo.contract import API
from todo.domain import sections, trash
from todo.web import browser

JSON = dict[str, Any]


@browser.personal
def get_trash(cursor: str | None = None, changed: int | None = None) -> Response:
    view = browser.read(sections.page, browser.owner(), "deleted", None, None, cursor)
    return browser.page(
        "trash.html",
        user=view.user,
        trash=view.sections[0],
        moment=view.moment,
        when=view.user.local_text,
        days=API.limit("trash_days"),
        notice=browser.change(changed),
        back=browser.here("/trash"),
    )


@browser.personal
def empty_trash(body: JSON) -> Response:
    until_id = browser.write(trash.empty, browser.owner())
    while until_id and browser.write(trash.empty_some, browser.owner(), until_id):
        pass
    return browser.go_back(body, "/trash")
