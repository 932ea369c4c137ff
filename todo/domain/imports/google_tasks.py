"""Google Tasks' Tasks.json, as Takeout exports it: lists of tasks; a task may name its parent."""

import re
from collections.abc import Iterator
from typing import Any

from todo.domain.imports.table import MAX_ROWS
from todo.domain.imports.task import Task, nested
from todo.errors import InvalidRequest

JSON = dict[str, Any]
DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T00:00:00.*)?")  # a task has a date and no time


def is_file(value: Any) -> bool:
    """Whether a JSON value is a Tasks.json."""
    listed = value.get("items") if isinstance(value, dict) else None
    return isinstance(listed, list) and "todos" not in value and all(map(_is_list, listed))


def read(value: JSON) -> Iterator[Task]:
    """Yields the tasks of all lists, those with a parent as its steps. Raises InvalidRequest."""
    if sum(len(listed.get("items", ())) for listed in value["items"]) > MAX_ROWS:
        raise InvalidRequest.of("file", f"holds more than {MAX_ROWS} tasks")
    for listed in value["items"]:
        name = _text(listed.get("title"))
        given = (task for task in listed.get("items", ()) if isinstance(task, dict) and not task.get("deleted"))
        yield from nested((_text(task.get("id")), _text(task.get("parent")), _task(task, name)) for task in given)


def _is_list(listed: Any) -> bool:
    return isinstance(listed, dict) and "title" in listed and isinstance(listed.get("items", []), list)


def _task(given: JSON, name: str) -> Task:
    notes = _text(given.get("notes"))
    is_done = given.get("status") == "completed"
    task = Task(_text(given.get("title")), name, [notes] if notes.strip() else [], is_done=is_done)
    written = _text(given.get("due")) or _scheduled(given.get("scheduled_time"))
    found = DAY.fullmatch(written)
    task.set_due(found[1] if found else "", written)
    for link in given.get("links") or []:
        task.note("Link", _text(link.get("link")) if isinstance(link, dict) else "")
    return task


def _scheduled(times: Any) -> str:
    """Returns when a task is due, as newer exports say it."""
    if not isinstance(times, list):
        return ""
    return next(
        (_text(time.get("start")) for time in times if isinstance(time, dict) and time.get("current", True)), ""
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
