"""Todoist's CSV: a file for each project, with a row for each task, section and comment."""

import re
from collections.abc import Iterator

from todo.domain.imports.table import cells, rows_of
from todo.domain.imports.task import Task

NEEDED = {"TYPE", "CONTENT", "PRIORITY", "INDENT"}
PRIORITIES = {"1": "high", "2": "medium", "3": "low"}  # the fourth is none
LABEL = re.compile(r"(?<!\S)@([^\s@]+)")
HEADING = "* "  # before a task that cannot be completed
NO_ID = re.compile(r"\s*\[\d+\]$")  # after the project's name, in a file's
DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::\d{2})?)?")
# What is read, or says nothing about the task; every other column goes into the notes.
READ = {"TYPE", "CONTENT", "DESCRIPTION", "PRIORITY", "INDENT", "AUTHOR", "DATE", "DATE_LANG", "TIMEZONE"}
SAID_WITH = {"DURATION_UNIT", "DEADLINE_LANG"}


def is_header(row: list[str]) -> bool:
    """Whether this is the first row of Todoist's CSV."""
    return set(_names(row)) >= NEEDED


def read(text: str, file_name: str) -> Iterator[Task]:
    """Yields the tasks of a file; its name is that of the project. Raises InvalidRequest and csv.Error."""
    rows = rows_of(text)
    names = _names(next(rows))
    project, section = _project(file_name), ""
    top: Task | None = None
    latest: Task | None = None
    for row in rows:
        given = cells(names, row)
        kind, content = given.get("TYPE", "").strip().lower(), given.get("CONTENT", "")
        if kind == "section":
            section = content
        elif kind == "note" and latest:
            latest.notes.append(content)
        elif kind == "task":
            latest = _task(given, project, section)
            if given.get("INDENT", "1").strip() == "1" or top is None:
                if top:
                    yield top
                top = latest
            else:
                top.steps.append(latest)
    if top:
        yield top


def _names(row: list[str]) -> list[str]:
    return [name.strip().upper() for name in row]


def _project(file_name: str) -> str:
    """Returns the name of the project from the file name, such as Home [2203306141].csv."""
    name = re.split(r"[/\\]", file_name)[-1]
    return NO_ID.sub("", name.rpartition(".")[0] or name)


def _task(given: dict[str, str], project: str, section: str) -> Task:
    content = given.get("CONTENT", "").removeprefix(HEADING)
    labels = LABEL.findall(content)
    task = Task(
        LABEL.sub("", content),
        project,
        [given["DESCRIPTION"]] if "DESCRIPTION" in given else [],
        priority=PRIORITIES.get(given.get("PRIORITY", "").strip(), "none"),
        tags=labels,
    )
    written = given.get("DATE", "")
    found = DATE.fullmatch(written.strip())
    task.set_due("T".join(filter(None, found.groups())) if found else "", written)
    task.note("Section", section)
    for name, value in given.items():
        if name not in READ | SAID_WITH and name:
            unit = given.get(f"{name}_UNIT", "")
            task.note(name.capitalize(), f"{value} {unit}")
    return task
