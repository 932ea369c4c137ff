"""Conversations: changes that one actor made in one go, told apart by pauses where the log has no conversation id."""

from datetime import timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from todo.contract import SITE
from todo.domain.actors import ActorFilter, conversation_of
from todo.domain.users import User, seconds_between
from todo.errors import ChangeNotFound
from todo.storage.statements import Connection

PAUSE = timedelta(minutes=SITE.limit("conversation_minutes"))
MAX_CHANGES = SITE.limit("undone_changes")


class Span(NamedTuple):
    """A range of changes, by the ids of the first and the last; empty if the first comes after the last."""

    since_id: int
    until_id: int


def since(connection: Connection, user: User, time: str) -> Span:
    """Returns the changes since a time, as stored."""
    first = connection.first_change_since(user_id=user.id, since=time)["id"]
    return Span(first or user.last_change_id + 1, user.last_change_id)


def of_day(connection: Connection, user: User, day: str) -> Span:
    """Returns the changes of a local day."""
    start, end = user.day(day)
    return Span(
        since(connection, user, start).since_id, connection.last_change_before(user_id=user.id, before=end)["id"] or 0
    )


def is_same(one: Any, other: Any) -> bool:
    """Whether two successive changes of an actor, given as rows of the log, belong to one conversation."""
    if (one["actor"], one["grant_id"], one["client"]) != (other["actor"], other["grant_id"], other["client"]):
        return False
    return bool(conversation_of(one)) or seconds_between(one["at"], other["at"]) <= PAUSE.total_seconds()


def around(connection: Connection, user: User, by: ActorFilter, change_id: int) -> Span:
    """Returns the actor's conversation that contains this change, up to MAX_CHANGES before and after it.

    Raises ChangeNotFound if the change is not one of the actor's.
    """
    given = {"user_id": user.id, **by.conditions, "limit": MAX_CHANGES}
    earlier = connection.changes_between(**given, since_id=0, until_id=change_id)
    later = connection.changes_from(**given, since_id=change_id)
    if not later or later[0]["id"] != change_id:
        raise ChangeNotFound
    return Span(_end(earlier), _end(later))


def _end(rows: list[Any]) -> int:
    """Returns the id of the last change that belongs to the same conversation as the first."""
    for one, next_one in pairwise(rows):
        if not is_same(one, next_one):
            return int(one["id"])
    return int(rows[-1]["id"])
