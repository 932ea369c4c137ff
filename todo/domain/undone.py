"""Which changes are undone: those whose latest undo has not been undone itself."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from todo.domain.users import User
from todo.storage.statements import Connection

MAX_STEPS = 20  # looked up in a chain of undo, redo, undo ...


class Undo(NamedTuple):
    """The change that undid another. Undoing it redoes that one; `others` is whether it undid more than that."""

    id: int
    others: bool


def undone(connection: Connection, user: User, rows: Iterable[Any]) -> Mapping[int, Undo]:
    """Returns the current undo of each of the changes that is undone, by the id of the change."""
    marks: dict[int, int | None] = {row["id"]: row["undone_by"] for row in rows}
    undos: dict[int, int | None] = {}  # the only change that an undo has undone
    wanted = {mark for mark in marks.values() if mark}
    for _ in range(MAX_STEPS):
        if not wanted:
            break
        found = connection.undos_among(user_id=user.id, ids=",".join(map(str, sorted(wanted))))
        undos |= {row["id"]: row["undoes"] for row in found}
        marks |= {row["id"]: row["undone_by"] for row in found}
        wanted = {row["undone_by"] for row in found if row["undone_by"]} - undos.keys()
    holding: dict[int, Undo] = {}
    for change_id, undo_id in sorted(marks.items(), reverse=True):  # an undo comes after what it undoes
        if undo_id and undo_id in undos and undo_id not in holding:
            holding[change_id] = Undo(undo_id, undos[undo_id] != change_id)
    return holding


def note(connection: Connection, user: User, change_ids: Iterable[int], undone_by: int) -> None:
    """Marks changes as undone."""
    connection.note_undo([{"user_id": user.id, "id": change_id, "undone_by": undone_by} for change_id in change_ids])
