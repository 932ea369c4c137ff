"""The named SQL statements of this folder: one text for SQLite and PostgreSQL, and a method for each."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosql
from aiosql.types import SQLOperationType

from todo.storage.cache import Cache

CLIENTS = ("clients", "assertions", "grants", "tokens")
NOUNS = ("users", "todos", "changes", "accounts", "sessions", "attempts", *CLIENTS)
FOLDER = Path(__file__).parent

# Each list exists in four forms: an index can serve one status and no filter, and cannot serve what another form asks.
STATUS_CONDITIONS = {"one": "status = :status", "all": "status <> 'deleted'"}
FILTERS = {"": "", "_filtered": "AND ({filters})"}
# A to-do is stored as it is shown, and only time can make it overdue; one due on a day is so when the day is over.
# No text of a to-do looks like what is replaced: in JSON its quotation marks stand behind backslashes.
SHOWN = """
CASE WHEN status = 'open' AND due_key < :now AND due_key <> :today
     THEN REPLACE(json, '"overdue":false', '"overdue":true') ELSE json END AS json
""".strip()
# What holds other writers off a row until the transaction ends; SQLite has one writer at a time anyhow.
FOR_UPDATE = {"sqlite3": "", "psycopg": "FOR UPDATE"}

# The parts of the page /list and the trash, each by what makes a to-do belong to it.
SECTION_CONDITIONS = {
    "overdue": "status = 'open' AND due_key < :now AND due_key <> :today",
    "today": "status = 'open' AND due_key >= :today AND due_key < :tomorrow AND (due_key = :today OR due_key >= :now)",
    "upcoming": "status = 'open' AND due_key >= :tomorrow AND due_key < '9999'",
    "undated": "status = 'open' AND due_key = '9999'",
    "done": "status = 'done'",
    "deleted": "status = 'deleted'",
}
SOONEST = {"after": "(due_key, id) > (:after_key, :after_id)", "order": "due_key, id"}
NEWEST = {"after": "(updated_at, id) < (:after_key, :after_id)", "order": "updated_at DESC, id DESC"}


class Connection:
    """A database connection on which every named statement is a method: `connection.todo_by_id(user_id=1, id=2)`."""

    def __init__(self, driver: Any, cache: Cache) -> None:
        self.driver = driver
        self.cache = cache

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Any]: ...


def load(adapter: str) -> type[Connection]:
    """Returns the kind of Connection for the driver that aiosql knows as `adapter`.

    aiosql reads the files and writes parameters as the driver wants them. Its own way to call a statement takes twice
    as long as the driver, so that is not used.
    """
    texts = "\n".join((FOLDER / f"{noun}.sql").read_text(encoding="utf-8") for noun in NOUNS)
    texts = texts.replace("{for_update}", FOR_UPDATE[adapter])
    queries = aiosql.from_str("\n".join([texts, *_lists(), *_sections()]), adapter, mandatory_parameters=False)
    names = [name for name in queries.available_queries if not name.endswith("_cursor")]
    return type("Statements", (Connection,), {name: _method(getattr(queries, name)) for name in names})


def _lists() -> list[str]:
    lists = (FOLDER / "todo_lists.sql").read_text(encoding="utf-8")
    conditions = (FOLDER / "todo_filters.sql").read_text(encoding="utf-8").strip()
    return [
        lists.replace("{which}", which)
        .replace("{status}", status)
        .replace("{shown}", SHOWN)
        .replace("{filtered}", filtered)
        .replace("{and_filters}", text.replace("{filters}", conditions))
        for which, status in STATUS_CONDITIONS.items()
        for filtered, text in FILTERS.items()
    ]


def _sections() -> list[str]:
    text = (FOLDER / "sections.sql").read_text(encoding="utf-8")
    newest = ("done", "deleted")
    return [
        text.format(section=section, condition=condition, **(NEWEST if section in newest else SOONEST))
        for section, condition in SECTION_CONDITIONS.items()
    ]


def _method(query: Any) -> Callable[..., Any]:
    """Returns what calls one statement: `^` gives a row or None, `!` the number of rows, no mark a list of rows."""
    sql = query.sql

    def one(connection: Connection, **parameters: Any) -> Any:
        return connection.driver.execute(sql, parameters).fetchone()

    def many(connection: Connection, **parameters: Any) -> Any:
        return connection.driver.execute(sql, parameters).fetchall()

    def affected(connection: Connection, **parameters: Any) -> Any:
        return connection.driver.execute(sql, parameters).rowcount

    kinds = {
        SQLOperationType.SELECT_ONE: one,
        SQLOperationType.SELECT: many,
        SQLOperationType.INSERT_UPDATE_DELETE: affected,
    }
    return kinds[query.operation]
