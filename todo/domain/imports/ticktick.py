"""TickTick's CSV: a few lines about the file, and then a row for each task of all lists."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from todo.domain.imports.table import MAX_ROWS, cells, rows_of
from todo.domain.imports.task import Task, nested
from todo.errors import InvalidRequest

NEEDED = {"Folder Name", "List Name", "Title"}
LINES = 12  # before the header, at most
PRIORITIES = {"1": "low", "3": "medium", "5": "high"}
DONE = {"1", "2", "-1"}  # completed, archived, "won't do"
MARKS = "▫▪"  # in front of each item of a checklist, open and done
ITEM = re.compile(f"[{MARKS}]")
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})")


def is_header(row: list[str]) -> bool:
    """Whether this row names the columns."""
    return {name.strip() for name in row} >= NEEDED


def read(text: str, _: str = "") -> Iterator[Task]:
    """Yields the tasks of a file, those with a parent as its steps. Raises InvalidRequest and csv.Error."""
    if sum(map(text.count, MARKS)) > MAX_ROWS:
        raise InvalidRequest.of("file", f"has more than {MAX_ROWS} items in its checklists")
    rows = rows_of(text)
    names = [name.strip() for name in next(filter(is_header, islice(rows, LINES)))]
    given = (cells(names, row) for row in rows)
    return nested((task.get("taskId", ""), task.get("parentId", ""), _task(task)) for task in given if task)


def _task(given: dict[str, str]) -> Task:
    content, is_checklist = given.get("Content", ""), given.get("Is Check list", "").strip().upper() == "Y"
    notes, items = _checklist(content) if is_checklist else (content, [])
    task = Task(
        given.get("Title", ""),
        given.get("List Name", ""),
        [notes] if notes.strip() else [],
        priority=PRIORITIES.get(given.get("Priority", "").strip(), "none"),
        tags=given.get("Tags", "").split(","),
        is_done=given.get("Status", "").strip() in DONE,
        steps=items,
    )
    start, due = given.get("Start Date", ""), given.get("Due Date", "")
    task.set_due(_local(due or start, given), due or start)
    if start and due and start != due:
        task.note("Start", _local(start, given) or start)
    if "Repeat" in given:
        task.set_repeat(given["Repeat"])
    task.note("Folder", given.get("Folder Name", ""))
    task.note("Section", given.get("Column Name", ""))
    task.note("Reminder", given.get("Reminder", "").replace("TRIGGER:", ""))
    return task


def _checklist(content: str) -> tuple[str, list[Task]]:
    """Returns the text before the items, and the items."""
    notes, *texts = ITEM.split(content)
    return notes, [
        Task(text, is_done=mark == MARKS[1]) for mark, text in zip(ITEM.findall(content), texts, strict=True)
    ]


def _local(written: str, given: dict[str, str]) -> str:
    """Returns a time as the contract accepts it, or a date for a whole day; "" if it cannot be read."""
    if not TIME.fullmatch(written.strip()):
        return ""
    try:
        moment = datetime.fromisoformat(written.strip())
        if given.get("Is All Day", "").strip().lower() != "true":
            return moment.isoformat(timespec="seconds")
        return str(moment.astimezone(ZoneInfo(given.get("Timezone", "").strip() or "UTC")).date())
    except (ValueError, KeyError, OSError, OverflowError):
        return ""
