"""Handlers of the tag side_bar: creating, renaming, ordering, archiving and deleting lists on the list page."""

from typing import Any

from werkzeug import Response

from todo.domain import lists
from todo.domain.users import Owner
from todo.errors import Refusal
from todo.web import browser, list_page, words

JSON = dict[str, Any]


def add_list_on_page(user: Owner, body: JSON) -> Response:
    return _update(user, body, body["name"], {"create_list": True})


def rename_list_on_page(user: Owner, body: JSON) -> Response:
    return _update(user, body, body["list"], {"name": body["name"]})


def edit_list_on_page(user: Owner, body: JSON) -> Response:
    wanted: JSON = {"position": int(body["position"])} if "position" in body else {}
    if "archived" in body:
        wanted["archived"] = body["archived"] == "on"
    return _update(user, body, body["list"], wanted)


def delete_list_on_page(user: Owner, body: JSON) -> Response:
    try:
        deleted = browser.write_once(body, lists.delete, user, body["list"], body.get("move_to"))
    except Refusal as refusal:
        return list_page.show_again(user, refusal, body)
    browser.charge(deleted.get("todos", 0))
    return browser.go_back({}, list_page.PATH, deleted.get("change_id"))


def _update(user: Owner, form: JSON, name: str, wanted: JSON) -> Response:
    """Changes a list and shows it, or shows the page of the form with the refusal."""
    try:
        updated = browser.write_once(form, lists.update, user, name, wanted)
    except Refusal as refusal:
        return list_page.show_again(user, refusal, form, named=form)
    return browser.go_back({}, words.of_list(updated.get("name", name)), updated.get("change_id"))
