"""The operations of the tag history: where a person sees what was done, and takes it back."""

from typing import Any

from werkzeug import Response

from todo.domain import history, undo
from todo.domain.history import Actor
from todo.domain.undo import UndoPreview
from todo.domain.users import Owner
from todo.errors import Refusal, UndoConflict
from todo.storage.statements import Connection
from todo.web import browser

JSON = dict[str, Any]


@browser.personal
def get_history(
    who: str | None = None, day: str | None = None, cursor: str | None = None, changed: int | None = None
) -> Response:
    return _page(who=who, day=day, cursor=cursor, changed=changed)


@browser.personal
def undo_on_page(body: JSON) -> Response:
    change_id, owner = int(body["change_id"]), browser.owner()
    try:
        undone = browser.write(undo.undo, owner, change_id, force="force" in body)
    except UndoConflict as conflict:
        in_the_way = browser.read(history.conflicting_changes, owner, conflict.members["conflicts"])
        told, left_out = browser.change(change_id), conflict.members.get("conflicts_left_out", 0)
        back = body.get("next") or "/history"
        return browser.page("undo.html", conflict, change=told, in_the_way=in_the_way, left_out=left_out, back=back)
    except Refusal as refusal:
        return _page(refusal)
    browser.charge(len(undone["todos"]) + undone.get("left_out", 0))
    return browser.go_back(body, "/history", undone["change_id"])


@browser.personal
def get_undo_preview(who: str, since_day: str, since_time: str = "00:00") -> Response:
    actor, since = Actor.named(who), f"{since_day}T{since_time[:5]}"
    would_undo, in_the_way = browser.read(_preview, browser.owner(), actor, since)
    return browser.page(
        "undo_all.html",
        undoing=would_undo,
        in_the_way=in_the_way,
        actor=actor,
        since_day=since_day,
        since_time=since_time[:5],
        most=history.MAX_ENTRIES,
    )


@browser.personal
def undo_all_on_page(body: JSON) -> Response:
    by, since_id, until_id = Actor.named(body["who"]).by, int(body["since_id"]), int(body["until_id"])
    try:
        change_id = browser.write(undo.undo_all, browser.owner(), by, since_id, until_id)
    except Refusal as refusal:
        return _page(refusal)
    return browser.go_back(body, "/history", change_id)


@browser.personal
def clear_history(body: JSON) -> Response:
    try:
        until_id = browser.write(history.clear, browser.owner(), body["before_day"])
    except Refusal as refusal:
        return _page(refusal)
    while until_id and browser.write(history.clear_some, browser.owner(), until_id):
        pass
    return browser.go_back(body, "/history")


def _preview(connection: Connection, owner: Owner, actor: Actor, since: str) -> tuple[UndoPreview, list[Any]]:
    """Returns both from one snapshot: what would be undone, and what is in the way of the rest."""
    would_undo = undo.preview(connection, owner, actor.by, since)
    return would_undo, history.conflicting_changes(connection, owner, would_undo.conflicts[: history.MAX_ENTRIES])


def _page(
    refusal: Refusal | None = None,
    who: str | None = None,
    day: str | None = None,
    cursor: str | None = None,
    changed: int | None = None,
) -> Response:
    view = browser.read(history.page, browser.owner(), who, day, cursor)
    return browser.page(
        "history.html",
        refusal,
        user=view.user,
        view=view,
        moment=view.moment,
        who=who,
        day=day,
        notice=browser.change(changed),
        back=browser.here("/history"),
    )
