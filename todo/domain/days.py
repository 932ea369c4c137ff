"""The history of a day in numbers: how many to-dos each actor added, completed, deleted ..."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from todo.contract import SITE
from todo.domain.actors import RECENT_CHANGES, Actor, Actors
from todo.domain.kinds import KINDS
from todo.domain.undone import undone
from todo.domain.users import DAY, User
from todo.storage.statements import Connection

MAX_ENTRIES = SITE.limit("counted_entries")


class Day(NamedTuple):
    """What each actor did on a local day, the most active first; `more` if only the latest changes are counted."""

    day: str
    actors: list["Done"]
    more: bool


class Done(NamedTuple):
    """What an actor did: to-dos by action, other records by group, and how many of the changes have been undone."""

    actor: Actor
    counts: Mapping[str, int]
    changes: int
    undone: int


def of(connection: Connection, user: User, actors: Actors, recent: Sequence[Any], day: str | None) -> Day | None:
    """Returns the day, by default the day of the latest of the `recent` changes; None if nothing was done."""
    if day is None and recent:
        day = user.local_minute(recent[0]["at"])[:DAY]
        rows = [row for row in recent if row["at"] >= user.day(day)[0]]
    elif day:
        from_time, to_time = user.day(day)
        span = {"user_id": user.id, "since_id": 0, "from_time": from_time, "to_time": to_time}
        rows = list(connection.changes_of_time(**span, limit=RECENT_CHANGES))
    if not day or not rows:
        return None
    return Day(day, _done(connection, user, actors, rows), len(rows) == RECENT_CHANGES)


def _done(connection: Connection, user: User, actors: Actors, rows: list[Any]) -> list[Done]:
    entries = _entries(connection, user, rows)
    taken_back = undone(connection, user, rows)
    counts: dict[Actor, Counter[str]] = {}
    changes: Counter[Actor] = Counter()
    undos: Counter[Actor] = Counter()
    for row in rows:
        actor = actors.of(row)
        counted = counts.setdefault(actor, Counter())
        changes[actor] += 1
        if row["id"] in taken_back:
            undos[actor] += 1
        else:
            counted.update(entries[row["id"]])
    return [Done(actor, counts[actor], changes[actor], undos[actor]) for actor, _ in changes.most_common()]


def _entries(connection: Connection, user: User, rows: list[Any]) -> Mapping[int, Counter[str]]:
    """Returns how many entries each change has for each action or group, by the id of the change."""
    found = {row["id"]: Counter[str]() for row in rows}
    for row in rows:
        if row["action"]:
            found[row["id"]][_kind(row)] += 1
    span = {"user_id": user.id, "since_id": rows[-1]["id"], "until_id": rows[0]["id"], "limit": MAX_ENTRIES}
    for row in connection.overflow_between(**span):
        if row["action"] and row["id"] in found:
            found[row["id"]][_kind(row)] += row["total"]
    return found


def _kind(row: Any) -> str:
    return KINDS[row["kind"]].group or str(row["action"])
