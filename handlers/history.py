"""The operations of the tag history: the history of the list, and undo."""

from collections.abc import Mapping
from typing import Any

from werkzeug import Response

from todo.domain import changes, history, undo, users
from todo.domain.history import Actor
from todo.domain.list_names import names_of
from todo.domain.undo import UndoPreview
from todo.domain.users import Owner
from todo.errors import Refusal, UndoConflict
from todo.storage.statements import Connection
from todo.web import browser

JSON = dict[str, Any]


def get_history(
    user: Owner,
    who: str | None = None,
    day: str | None = None,
    cursor: str | None = None,
    changed: int | None = None,
) -> Response:
    return _page(user, who=who, day=day, cursor=cursor, changed=changed)


def undo_on_page(user: Owner, body: JSON) -> Response:
    change_id = int(body["change_id"])
    try:
        undone = browser.write_once(body, undo.undo, user, change_id, force="force" in body)
    except UndoConflict as conflict:
        in_the_way = browser.read(history.conflicting_changes, user, conflict.members["conflicts"])
        told, left_out = browser.change(user, change_id), conflict.members.get("conflicts_left_out", 0)
        back = body.get("next") or "/history"
        return browser.page("undo.html", conflict, change=told, in_the_way=in_the_way, left_out=left_out, back=back)
    except Refusal as refusal:
        return _page(user, refusal)
    made = browser.change(user, undone.get("change_id"))
    browser.charge(made.entry_count if made else 0)
    return browser.go_back(body, "/history", undone.get("change_id"))


def get_undo_preview(user: Owner, who: str, since_day: str, since_time: str = "00:00") -> Response:
    actor, since = Actor.named(who), f"{since_day}T{since_time[:5]}"
    would_undo, in_the_way, names = browser.read(_preview, user, actor, since)
    return browser.page(
        "undo_all.html",
        undoing=would_undo,
        in_the_way=in_the_way,
        lists=names,
        actor=actor,
        since_day=since_day,
        since_time=since_time[:5],
        most=history.MAX_ENTRIES,
    )


def undo_all_on_page(user: Owner, body: JSON) -> Response:
    by, since_id, until_id = Actor.named(body["who"]).by, int(body["since_id"]), int(body["until_id"])
    try:
        change_id = browser.write(undo.undo_all, user, by, since_id, until_id)
    except Refusal as refusal:
        return _page(user, refusal)
    return browser.go_back(body, "/history", change_id)


def clear_history(user: Owner, body: JSON) -> Response:
    try:
        until_id = browser.write(history.clear, user, body["before_day"])
    except Refusal as refusal:
        return _page(user, refusal)
    while until_id and browser.write(history.clear_some, user, until_id):
        pass
    return browser.go_back(body, "/history")


def _preview(
    connection: Connection, owner: Owner, actor: Actor, since: str
) -> tuple[UndoPreview, list[Any], Mapping[int, str]]:
    """Returns what would be undone, the later changes that keep the rest from it, and the names of lists in it."""
    would_undo = undo.preview(connection, owner, actor.by, since)
    in_the_way = history.conflicting_changes(connection, owner, would_undo.conflicts[: history.MAX_ENTRIES])
    list_ids = changes.list_ids_in(would_undo.entries[: history.MAX_ENTRIES])
    return would_undo, in_the_way, names_of(connection, users.find(connection, owner), list_ids)


def _page(
    user: Owner,
    refusal: Refusal | None = None,
    who: str | None = None,
    day: str | None = None,
    cursor: str | None = None,
    changed: int | None = None,
) -> Response:
    view = browser.read_of_list(history.page, user, who, day, cursor)
    return browser.page(
        "history.html",
        refusal,
        user=view.user,
        view=view,
        moment=view.moment,
        who=who,
        day=day,
        notice=browser.change(user, changed),
        back=browser.here("/history"),
    )
