"""The pages that confirm an undo: of many changes at once, or of one with conflicts."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from flask import Response

from todo.domain import history, undo, users
from todo.domain.actors import Actor
from todo.domain.changes import list_ids_in
from todo.domain.conversations import Span
from todo.domain.entries import Entry
from todo.domain.history import ChangeDetails
from todo.domain.list_names import names_of
from todo.domain.sections import Moment
from todo.domain.undo import UndoPreview
from todo.domain.users import Owner, User
from todo.errors import UndoConflict
from todo.storage.statements import Connection
from todo.web import browser

Find = Callable[[Connection, User], tuple[str, Span]]  # returns a preset and its changes


class Offered(NamedTuple):
    """A change that can be undone, and the outcome for the records that it touched."""

    change: ChangeDetails
    is_chosen: bool
    is_undone: bool
    outcome: list[Entry]


class Shown(NamedTuple):
    """What the preview of undoing many changes shows."""

    preset: str
    actor: Actor
    undoing: UndoPreview
    offered: list[Offered]
    in_the_way: list[tuple[ChangeDetails, Entry]]
    lists: Mapping[int, str]
    latest: int | None  # the actor's latest change
    moment: Moment


def preview(
    owner: Owner, who: Actor, find: Find, chosen: Collection[int] | None = None, conflict: UndoConflict | None = None
) -> Response:
    """Returns the page with the changes that can be undone. All are ticked, or only those `chosen`."""
    shown = browser.read(_preview, owner, who, find, chosen)
    return browser.page("undo_all.html", conflict, view=shown)


def conflict(owner: Owner, change_id: int, refusal: UndoConflict, back: str) -> Response:
    """Returns the page that shows what has changed since."""
    told, in_the_way, moment = browser.read(_conflict, owner, change_id, refusal.members["conflicts"])
    left_out = refusal.members.get("conflicts_left_out", 0)
    return browser.page(
        "undo.html", refusal, change=told, in_the_way=in_the_way, left_out=left_out, back=back, moment=moment
    )


def _conflict(connection: Connection, owner: Owner, change_id: int, conflicts: list[Any]) -> Any:
    user = users.find(connection, owner)
    actors = history.actors_of(connection, user)
    in_the_way = history.conflicting_changes(connection, user, actors, conflicts)
    return history.change(connection, owner, change_id), in_the_way, Moment.of(user)


def _preview(connection: Connection, owner: Owner, who: Actor, find: Find, chosen: Collection[int] | None) -> Shown:
    user = users.find(connection, owner)
    preset, span = find(connection, user)
    undoing = undo.preview(connection, owner, user, who.by, span, chosen)
    actors = history.actors_of(connection, user)
    actor = actors.of(undoing.changes[0].row) if undoing.changes else actors.named(who.key)
    conflicts = undoing.conflicts[: history.MAX_ENTRIES]
    in_the_way = history.conflicting_changes(connection, user, actors, conflicts)
    lists = names_of(connection, user, list_ids_in(undoing.entries))
    offered = _offered(undoing, history.in_short(connection, user, actors, undoing.changes))
    latest = actors.latest_change(actor)
    return Shown(preset, actor, undoing, offered, in_the_way, lists, latest, Moment.of(user))


def _offered(undoing: UndoPreview, told: Sequence[ChangeDetails]) -> list[Offered]:
    outcome = {entry.key: entry for entry in undoing.entries}
    return [
        Offered(
            change,
            each.is_chosen,
            each.is_undone,
            [outcome[entry.key] for entry in change.entries if each.is_chosen and entry.key in outcome],
        )
        for each, change in zip(undoing.changes, told, strict=True)
    ]
