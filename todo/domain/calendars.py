"""The private calendar feed: to-dos with a due date, as iCalendar (RFC 5545), at a secret URL.

Few calendar apps show VTODO, so each to-do is an event: all day, or at the time it is due.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from todo.contract import SITE, product
from todo.domain import addresses, users
from todo.domain.list_names import names_of
from todo.domain.todos import Todo
from todo.domain.users import DAY, STORED_TIME, Owner, User
from todo.storage.statements import Connection

if TYPE_CHECKING:
    from icalendar import Event

PAST = timedelta(days=SITE.limit("calendar_past_days"))
# VTIMEZONE lists every clock change up to here; later due times are sent in UTC.
ZONE_HORIZON = timedelta(days=366 * SITE.limit("calendar_zone_years"))
PRIORITIES = {"high": 1, "medium": 5, "low": 9}  # RFC 5545 section 3.8.1.9


class Feed(NamedTuple):
    """The contents of a calendar feed: open to-dos with a due date, soonest first."""

    user: User
    todos: list[Todo]
    lists: Mapping[int, str]  # their names by id


def find(connection: Connection, calendar: str) -> Feed | None:
    """Returns the feed with this secret, or None. It starts PAST ago and holds at most x-limits.calendar_todos."""
    user_id = addresses.owner_of(connection, calendar)
    row = user_id and connection.user_by_calendar(user_id=user_id, calendar=calendar)
    if not row:
        return None
    user = User.from_row(row, Owner(row["username"]))
    since = f"{datetime.now(ZoneInfo(user.time_zone)) - PAST:%Y-%m-%d}"
    rows = connection.due_todos(user_id=user.id, since=since, limit=SITE.limit("calendar_todos"))
    todos = [Todo.from_row(row) for row in rows]
    return Feed(user, todos, names_of(connection, user, {todo.list_id for todo in todos}))


def renew(connection: Connection, owner: Owner, *, on: bool) -> None:
    """Gives the feed a new 128-bit secret if on, or removes it; the old URL stops working at once. Raises SignedOut."""
    user = users.lock(connection, owner)
    connection.save_calendar(user_id=user.id, calendar=addresses.new(user.id) if on else None)


def path(connection: Connection, owner: Owner) -> str | None:
    """Returns the path of the person's feed, or None if it is off. Raises SignedOut."""
    calendar = connection.account_by_user(user_id=users.find(connection, owner).id)["calendar"]
    return f"/calendar/{calendar}.ics" if calendar else None


def to_ical(feed: Feed, host: str) -> bytes:
    """Returns the feed as iCalendar bytes. Times are in the user's zone, with its rules in a VTIMEZONE."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", f"-//{product.TITLE}//{host}//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", product.TITLE)
    calendar.add("x-wr-timezone", feed.user.time_zone)
    calendar.add("refresh-interval", timedelta(minutes=30), parameters={"VALUE": "DURATION"})  # RFC 7986
    calendar.add("x-published-ttl", "PT30M")
    horizon = datetime.now(UTC).date() + ZONE_HORIZON
    for todo in feed.todos:
        calendar.add_component(_event(todo, feed, host, horizon))
    days = [min(date.fromisoformat(str(todo.due)[:DAY]), horizon) for todo in feed.todos]
    if days:
        year = timedelta(days=366)
        calendar.add_missing_timezones(first_date=min(days) - year, last_date=max(days) + year)
    return bytes(calendar.to_ical())


def _event(todo: Todo, feed: Feed, host: str, horizon: date) -> "Event":
    from icalendar import Event

    event = Event()
    event.add("uid", f"{feed.user.id}-{todo.id}@{host}")
    event.add("dtstamp", _utc(todo.updated_at))
    event.add("created", _utc(todo.created_at))
    event.add("last-modified", _utc(todo.updated_at))
    event.add("sequence", todo.version)
    event.add("summary", todo.todo)
    assert todo.due
    if len(todo.due) == DAY:
        event.add("dtstart", date.fromisoformat(todo.due))
    else:
        local = datetime.fromisoformat(todo.due).replace(tzinfo=ZoneInfo(feed.user.time_zone))
        event.add("dtstart", local if local.date() <= horizon else local.astimezone(UTC))
    if todo.notes:
        event.add("description", todo.notes)
    categories = [*([feed.lists[todo.list_id]] if todo.list_id else []), *todo.tags]
    if categories:
        event.add("categories", categories)
    if todo.priority in PRIORITIES:
        event.add("priority", PRIORITIES[todo.priority])
    event.add("transp", "TRANSPARENT")  # a to-do does not make anyone busy
    return event


def _utc(stored: str) -> datetime:
    return datetime.strptime(stored, STORED_TIME).replace(tzinfo=UTC)
