"""Recognizes which app has exported a file."""

import csv
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from todo.domain.imports import ticktick, todoist
from todo.domain.imports.table import rows_of
from todo.domain.imports.task import Task
from todo.errors import InvalidRequest


def tasks_in(table: str, file_name: str) -> Iterator[Task] | None:
    """Returns the tasks in a table, or None if no app that we know has written it.

    Raises InvalidRequest and csv.Error, also while the tasks are being iterated.
    """
    # What cannot be read here is for the reader of our own tables to refuse.
    with suppress(InvalidRequest, csv.Error):
        for number, row in enumerate(islice(rows_of(table), ticktick.LINES)):
            if number == 0 and todoist.is_header(row):
                return todoist.read(table, file_name)
            if ticktick.is_header(row):
                return ticktick.read(table)
    return None
