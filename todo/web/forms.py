"""Forms: the values and choices that they show, and their error messages."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from todo.domain import steps
from todo.domain.folding import fold
from todo.domain.lists import MAX_LISTS
from todo.domain.side_bar import SideBar, SideList
from todo.domain.todos import Todo
from todo.errors import (
    ChangeNotFound,
    InboxIsFixed,
    InvalidRequest,
    ListArchived,
    ListExists,
    ListNotFound,
    NothingToUndo,
    QuotaExceeded,
    Refusal,
    StorageFull,
    TodoNotFound,
    TooManyLists,
    UndoConflict,
    VersionConflict,
)
from todo.http.problems import PROBLEMS
from todo.web.dates import UNITS

LABELS = {
    "todo": "The text",
    "due": "The date",
    "repeat": "How it repeats",
    "tags": "The tags",
    "notes": "The notes",
    "steps": "The steps",
    "step": "This step",
    "id": "This to-do",
    "to": "The move",
    "before": "The place",
    "after": "The place",
}
STEP = re.compile(r"steps\.(\d+)\.text")

# Refusals in words for a person, since hints are written for programs.
REFUSED = {
    TodoNotFound: "This to-do no longer exists: it was deleted, or adding it was undone.",
    ChangeNotFound: "This change is no longer in the history.",
    VersionConflict: "Somebody has changed this to-do since you opened it. Check what it says now, and save again.",
    NothingToUndo: "Nothing is left to undo: everything is already as it was, or has left the trash for good.",
    QuotaExceeded: "The list is full. Delete some to-dos that are done, and try again.",
    StorageFull: "The list takes up too much space. Empty the trash, or clear old history on the History page.",
    ListNotFound: "There is no such list, or no longer.",
    ListArchived: "This list is archived. Restore it first, or choose another one.",
    ListExists: "Another list has this name.",
    InboxIsFixed: "The inbox cannot be changed.",
    TooManyLists: f"There can be no more than {MAX_LISTS} lists. Delete one that you no longer need.",
    UndoConflict: "Something has changed since. Nothing has been undone yet.",
}


def refused(refusal: Refusal) -> str:
    """Returns what is wrong, in one or two sentences for a person."""
    if isinstance(refusal, InvalidRequest):
        errors = refusal.members["errors"]
        return "; ".join(f"{_label(e['field'])} {e['message']}" for e in errors) + "."
    problem = PROBLEMS[type(refusal)]
    return REFUSED.get(type(refusal), f"{refusal.members.get('detail', problem.detail)} {problem.hint}")


def _label(field: str) -> str:
    """Returns what a person calls a field."""
    step = STEP.fullmatch(field)
    return f"Step {int(step[1]) + 1}" if step else LABELS.get(field, field)


def form_of(todo: Todo) -> dict[str, Any]:
    """Returns the values of a to-do's form, by field name."""
    day, _, time = (todo.due or "").partition("T")
    return {
        "todo": todo.todo,
        "notes": todo.notes or "",
        "due_day": day,
        "due_time": time,
        "priority": todo.priority,
        "tags": ", ".join(todo.tags),
        "repeat": todo.repeat,
        "steps": steps.as_lines(todo.steps),
    }


def new_request_id() -> str:
    """Returns a new request id, so that a form takes effect once however often it is sent."""
    return secrets.token_urlsafe(9)


def step_names(todo: Todo) -> list[str]:
    """Returns what a form calls each step: its text, or its number if others have the same text."""
    texts = [fold(step["text"]) for step in todo.steps]
    return [
        step["text"] if texts.count(text) == 1 else str(number)
        for number, (step, text) in enumerate(zip(todo.steps, texts, strict=True), start=1)
    ]


def list_choices(bar: SideBar, given: Mapping[str, Any], current: SideList | None) -> list[tuple[str, str, bool]]:
    """Returns the lists that a form offers, as (value, text, whether it is chosen).

    A to-do in an archived list can stay there; the value for that is empty.
    """
    chosen = bar.find(given.get("list")) or current or bar.active[0]
    choices = [(listed.name, listed.name, listed == chosen) for listed in bar.active]
    archived = [("", f"{current.name} (archived)", current == chosen)] if current and current.is_archived else []
    return archived + choices


def repeat_choices(current: str | None) -> list[str]:
    """Returns the RRULEs that a form offers: the common ones, and the to-do's own if it is not one of them."""
    common = [f"FREQ={unit}" for unit in UNITS]
    return common if not current or current in common else [*common, current]
