"""Handlers of the tag order: moving a to-do on the list page."""

from typing import Any

from werkzeug import Response

from todo.domain import order
from todo.domain.users import Owner
from todo.errors import Refusal
from todo.web import browser, list_page

JSON = dict[str, Any]


def move_on_list(user: Owner, body: JSON) -> Response:
    where: JSON = {name: int(body[name]) for name in ("before", "after") if name in body}
    where |= {name: body[name] for name in ("to", "list") if name in body}
    try:
        moved = browser.write_once(body, order.move, user, int(body["id"]), where)
    except Refusal as refusal:
        return list_page.show_again(user, refusal, body)
    return browser.go_back(body, list_page.PATH, moved.get("change_id"))
