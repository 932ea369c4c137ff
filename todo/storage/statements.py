"""The named SQL statements in this folder, shared by SQLite and PostgreSQL, each a method of Connection."""

import functools
import re
from collections.abc import Callable, Hashable
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosql
from aiosql.types import SQLOperationType

from todo.storage.cache import PageCache

FOLDER = Path(__file__).parent  # every .sql file in it is loaded
PATTERNS = FOLDER / "patterns"  # templates of many statements, filled in by the variants below

# The columns of a user, which domain/users.py reads by position: by name takes eight times as long.
USER_COLUMNS = (
    "id, username, time_zone, time_zone_guessed, last_todo_id, last_series, last_change_id, open_count, done_count,"
    " deleted_count, bytes, profile_change_id, recent_adds, swept_on, week_start, last_list_id, archived_lists"
)
# The index by last change has no open to-dos, so that adding one does not touch it. SQLite uses it only for a condition
# in the same words.
CLOSED = "status <> 'open'"
# The same words as in the index of dates, or SQLite does not use that index.
DATED = "status = 'open' AND due_key < '9999'"
# No single index can serve all statuses, so each list statement has a variant for each, with and without filters.
STATUS_CONDITIONS = {
    "open": "status = 'open'",
    "closed": f"status = :status AND {CLOSED}",
    "all": "status NOT IN ('deleted', 'removed')",
}
# A filter by due dates only, the most frequent one, has its own: the index of dates is enough to count what matches.
ONLY_DUE = f"{DATED} AND due_key >= :due_from AND due_key <= :due_to AND due_key <> :due_except"
# To-dos are stored as JSON, except that `overdue` depends on the time; due on a date without a time, it is overdue from
# the next day on. The replaced text cannot occur in a to-do, whose quotation marks are escaped in JSON.
SHOWN = """
CASE WHEN due_key < :now AND due_key <> :today AND status = 'open'
     THEN REPLACE(json, '"overdue":false', '"overdue":true') ELSE json END AS json
""".strip()
# The JSON of many rows as one text. SQLite joins them in the order in which it finds them.
JOINED = {"sqlite3": "GROUP_CONCAT(json, ',')", "psycopg": "STRING_AGG(json, ',' ORDER BY id)"}
# The numbers in a text, such as 1,2,3.
NUMBERS = {
    "sqlite3": "SELECT value FROM json_each('[' || :ids || ']')",
    "psycopg": "SELECT unnest(CAST(string_to_array(:ids, ',') AS integer[]))",
}
# Locks a row until the transaction ends; SQLite has a single writer anyway.
FOR_UPDATE = {"sqlite3": "", "psycopg": "FOR UPDATE"}

# To-dos of an archived list are shown only in that list.
UNARCHIVED = "list_id NOT IN (SELECT id FROM lists WHERE user_id = :user_id AND status = 'archived')"

# The sections of the page /list and of the trash, with the condition for a to-do to be in them.
SECTION_CONDITIONS = {
    "overdue": f"{DATED} AND due_key < :now AND due_key <> :today",
    "today": f"{DATED} AND due_key >= :today AND due_key < :tomorrow AND (due_key = :today OR due_key >= :now)",
    "upcoming": f"{DATED} AND due_key >= :tomorrow",
    "undated": "status = 'open' AND due_key = '9999'",
    "day": f"{DATED} AND due_key >= :day AND due_key < :next_day",  # a day that the page of a month cannot show in full
    "done": f"status = 'done' AND {CLOSED}",
    "deleted": f"status = 'deleted' AND {CLOSED}",
}
# In one list, or in all except archived ones; the trash includes those too.
WHICH_LISTS = f"(list_id = :list_id OR (:list_id < 0 AND (status = 'deleted' OR {UNARCHIVED})))"
# To-dos that were moved have a statement of their own, as they have an index of their own; see domain/sections.py.
SOONEST = {"after": "position IS NULL AND (due_key, id) > (:after_key, :after_id)", "order": "due_key, id"}
LATEST = {"after": "position IS NULL AND id < :after_id", "order": "id DESC"}
NEWEST = {"after": "(updated_at, id) < (:after_key, :after_id)", "order": "updated_at DESC, id DESC"}
MOVED = {
    "after": "(due_key, position, id) > (:after_key, :after_place, :after_id)",
    "order": "due_key, position, id",
}
MOVED_UNDATED = {"after": "(position, id) > (:after_place, :after_id)", "order": "position, id"}
SECTION_ORDERS = {"undated": LATEST, "done": NEWEST, "deleted": NEWEST}
# The order of to-dos due on a day, as in domain/places.py.
PLACE = "COALESCE(position, CAST(id AS BIGINT) * 1073741824)"
MOVED_ORDERS = {"overdue": MOVED, "today": MOVED, "upcoming": MOVED, "day": MOVED, "undated": MOVED_UNDATED}
# Rows that are sent at once: few enough that a server, or even a cluster, answers before it counts as silent.
TOGETHER = 1000
MAX_KNOWN = 5000  # values that a connection keeps while nothing changes
PARAMETER = re.compile(r"'[^']*'|:(\w+)")  # or a string, which may contain a colon


class Connection:
    """A database connection with a method for every named statement: `connection.todo_by_id(user_id=1, id=2)`."""

    def __init__(self, driver: Any, cache: PageCache, public_url: str) -> None:
        """`public_url` is where the service is, for rules that return addresses."""
        self.driver = driver
        self.cache = cache
        self.public_url = public_url
        self.known: dict[Hashable, Any] | None = None  # until the database changes, if this connection can tell

    def unchanged(self, key: Hashable, read: Callable[[], Any]) -> Any:
        """Returns what `read` returns, or returned before if the database has not changed since. None is not kept."""
        if self.known is None:
            return read()
        value = self.known.get(key)
        if value is None:
            value = read()
            if len(self.known) >= MAX_KNOWN:
                self.known.clear()
            if value is not None:
                self.known[key] = value
        return value

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Any]: ...


def values(row: Any) -> tuple[Any, ...]:
    """Returns the values of a row in the order of its columns."""
    return tuple(row.values()) if isinstance(row, dict) else tuple(row)


@functools.cache
def load(adapter: str) -> type[Connection]:
    """Returns the subclass of Connection for a driver, by aiosql's name for it (sqlite3 or psycopg).

    aiosql parses the files and adapts the parameter style. Its own call methods take twice the driver's time, so they
    are not used.
    """
    methods = {name: _method(query, adapter) for name, query in parsed(adapter).items()}
    return type("Statements", (Connection,), methods)


def parsed(adapter: str) -> dict[str, Any]:
    """Returns aiosql's queries for a driver by name; `query.sql` has the parameters in the driver's style."""
    texts = "\n".join(file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.sql")))
    pieces = {"for_update": FOR_UPDATE[adapter], "joined": JOINED[adapter], "ids": NUMBERS[adapter]}
    pieces |= {"user": USER_COLUMNS, "unarchived": UNARCHIVED, "closed": CLOSED, "shown": SHOWN}
    for name, text in pieces.items():
        texts = texts.replace(f"{{{name}}}", text)
    queries = aiosql.from_str("\n".join([texts, *_lists(), *_sections()]), adapter, mandatory_parameters=False)
    return {name: getattr(queries, name) for name in queries.available_queries if not name.endswith("_cursor")}


def _lists() -> list[str]:
    lists = (PATTERNS / "todo_lists.sql").read_text(encoding="utf-8")
    conditions = (PATTERNS / "todo_filters.sql").read_text(encoding="utf-8").strip()
    conditions = conditions.replace("{words}", _words()).replace("{lists}", WHICH_LISTS)
    filtered = {f"{which}_filtered": f"{status} AND ({conditions})" for which, status in STATUS_CONDITIONS.items()}
    variants = {**STATUS_CONDITIONS, "open_due": ONLY_DUE, **filtered}
    return [
        lists.replace("{variant}", variant).replace("{condition}", condition).replace("{shown}", SHOWN)
        for variant, condition in variants.items()
    ]


def _words() -> str:
    return (PATTERNS / "todo_words.sql").read_text(encoding="utf-8").strip()


def _sections() -> list[str]:
    text, moved, month = (
        (PATTERNS / name).read_text(encoding="utf-8").replace("{words}", _words())
        for name in ("sections.sql", "moved_todos.sql", "month.sql")
    )
    return [
        text.format(section=section, condition=condition, lists=WHICH_LISTS, **SECTION_ORDERS.get(section, SOONEST))
        for section, condition in SECTION_CONDITIONS.items()
    ] + [
        month.format(dated=DATED, lists=WHICH_LISTS, place=PLACE),
        *(
            moved.format(section=section, condition=SECTION_CONDITIONS[section], lists=WHICH_LISTS, **order)
            for section, order in MOVED_ORDERS.items()
        ),
    ]


def _method(query: Any, adapter: str) -> Callable[..., Any]:
    """Returns the method for a statement. Marked `^` it returns a row or None, marked `!` a row count, else a list.

    Marked `*!` it runs once for each of a list of parameters.
    """
    sql, arrange = _positional(query.sql) if adapter == "sqlite3" else (query.sql, _as_they_are)

    def one(connection: Connection, **parameters: Any) -> Any:
        return connection.driver.execute(sql, arrange(parameters)).fetchone()

    def many(connection: Connection, **parameters: Any) -> Any:
        return connection.driver.execute(sql, arrange(parameters)).fetchall()

    def affected(connection: Connection, **parameters: Any) -> Any:
        return connection.driver.execute(sql, arrange(parameters)).rowcount

    def for_each(connection: Connection, parameters: list[dict[str, Any]]) -> None:
        if len(parameters) == 1:  # psycopg would begin a pipeline for it
            connection.driver.execute(sql, arrange(parameters[0]))
        elif parameters:
            cursor = connection.driver.cursor()
            for start in range(0, len(parameters), TOGETHER):
                cursor.executemany(sql, [arrange(each) for each in parameters[start : start + TOGETHER]])

    kinds: dict[SQLOperationType, Callable[..., Any]] = {
        SQLOperationType.SELECT_ONE: one,
        SQLOperationType.SELECT: many,
        SQLOperationType.INSERT_UPDATE_DELETE: affected,
        SQLOperationType.INSERT_UPDATE_DELETE_MANY: for_each,
    }
    return kinds[query.operation]


def _as_they_are(parameters: dict[str, Any]) -> Any:
    return parameters


def _positional(sql: str) -> tuple[str, Callable[[dict[str, Any]], Any]]:
    """Returns a statement with `?` for each parameter, and a function that puts the parameters in that order.

    Python's sqlite3 takes twice as long for named ones.
    """
    names = [name for name in PARAMETER.findall(sql) if name]
    marked = PARAMETER.sub(lambda found: "?" if found[1] else found[0], sql)
    if len(names) == 1:
        return marked, lambda parameters: (parameters[names[0]],)
    return marked, itemgetter(*names) if names else tuple
