"""The operations of the tag history: where a person sees what was done, and takes it back."""

from typing import Any

from werkzeug import Response

from todo import changes, history
from todo.errors import Refusal, UndoConflict
from todo.history import Actor
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
        undone = browser.write(changes.undo, owner, change_id, force="force" in body)
    except UndoConflict as conflict:
        in_the_way = browser.read(history.in_the_way, owner, conflict.members["conflicts"])
        told, left_out = browser.change(change_id), conflict.members.get("conflicts_left_out", 0)
        back = body.get("next") or "/history"
        return browser.page("undo.html", conflict, change=told, in_the_way=in_the_way, left_out=left_out, back=back)
    except Refusal as refusal:
        return _page(refusal)
    return browser.go_back(body, "/history", undone["change_id"])


@browser.personal
def get_undo_preview(who: str, since_day: str, since_time: str = "00:00") -> Response:
    since = f"{since_day}T{since_time[:5]}"
    # A preview locks the list as an undo does, and writes nothing.
    undoing = browser.write(changes.undo_all, browser.owner(), Actor.named(who).by, since, commit=False)
    in_the_way = browser.read(history.in_the_way, browser.owner(), undoing.conflicts[: history.MOST_ENTRIES])
    return browser.page(
        "undo_all.html",
        undoing=undoing,
        in_the_way=in_the_way,
        actor=Actor.named(who),
        since_day=since_day,
        since_time=since_time[:5],
        most=history.MOST_ENTRIES,
    )


@browser.personal
def undo_all_on_page(body: JSON) -> Response:
    since = f"{body['since_day']}T{body.get('since_time', '00:00')[:5]}"
    by, until_id = Actor.named(body["who"]).by, int(body["until_id"])
    try:
        undone = browser.write(changes.undo_all, browser.owner(), by, since, until_id, commit=True)
    except Refusal as refusal:
        return _page(refusal)
    return browser.go_back(body, "/history", undone.change_id)


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
