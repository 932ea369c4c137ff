"""Handlers of the tag history: the history page, and undo from a page."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from werkzeug import Response

from todo.domain import conversations, history, undo, users
from todo.domain.actors import Actor
from todo.domain.conversations import Span
from todo.domain.users import Owner, User, utc_now
from todo.errors import Refusal, UndoConflict
from todo.storage.statements import Connection
from todo.web import browser, undo_page

JSON = dict[str, Any]

HOUR = timedelta(hours=1)


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
        return undo_page.conflict(user, change_id, conflict, body.get("next") or "/history")
    except Refusal as refusal:
        return _page(user, refusal)
    made = browser.change(user, undone.get("change_id"))
    browser.charge(made.entry_count if made else 0)
    return browser.go_back(body, "/history", undone.get("change_id"))


def get_undo_preview(
    user: Owner,
    who: str,
    since_day: str | None = None,
    since_time: str = "00:00",
    day: str | None = None,
    within: str | None = None,
    conversation: int | None = None,
) -> Response:
    def find(connection: Connection, found: User) -> tuple[str, Span]:
        if conversation:
            return "conversation", conversations.around(connection, found, Actor.named(who).by, conversation)
        if within:
            return within, conversations.since(connection, found, utc_now(-HOUR))
        if since_day:
            time = found.stored(datetime.fromisoformat(f"{since_day}T{since_time[:5]}"))
            return "", conversations.since(connection, found, time)
        today = found.local_now()[: users.DAY]
        return "day" if day in (None, today) else "", conversations.of_day(connection, found, day or today)

    return undo_page.preview(user, Actor.named(who), find)


def undo_all_on_page(user: Owner, body: JSON) -> Response:
    who, span = Actor.named(body["who"]), Span(int(body["since_id"]), int(body["until_id"]))
    chosen = {int(change_id) for change_id in body.get("change", ())}
    if "look" in body or not chosen:
        return _look_again(user, who, span, chosen)
    try:
        change_id = browser.write(undo.undo_all, user, who.by, span, chosen, body.get("staying", ""))
    except UndoConflict as conflict:
        return _look_again(user, who, span, chosen, conflict)
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


def _look_again(
    user: Owner, who: Actor, span: Span, chosen: Collection[int], conflict: UndoConflict | None = None
) -> Response:
    return undo_page.preview(user, who, lambda _connection, _user: ("", span), chosen, conflict)


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
