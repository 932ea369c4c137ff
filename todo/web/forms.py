"""Forms: the values and choices they show, and what they say when they are refused."""

from typing import Any

from todo.domain.todos import Todo
from todo.errors import (
    ChangeNotFound,
    InvalidRequest,
    NothingToUndo,
    QuotaExceeded,
    Refusal,
    StorageFull,
    TodoNotFound,
    UndoConflict,
    VersionConflict,
)
from todo.http.problems import PROBLEMS
from todo.web.dates import UNITS

LABELS = {"todo": "The text", "due": "The date", "repeat": "How it repeats", "tags": "The tags", "notes": "The notes"}

# Refusals in words for a person: their hints are written for a program.
REFUSED = {
    TodoNotFound: "This to-do no longer exists: it was deleted, or adding it was undone.",
    ChangeNotFound: "This change is no longer in the history.",
    VersionConflict: "Somebody has changed this to-do since you opened it. Check what it says now, and save again.",
    NothingToUndo: "Nothing is left to undo: everything is already as it was, or has left the trash for good.",
    QuotaExceeded: "The list is full. Delete some to-dos that are done, and try again.",
    StorageFull: "The list takes up too much space. Empty the trash, or clear old history on the History page.",
    UndoConflict: "Something has changed since. Nothing has been undone yet.",
}


def refused(refusal: Refusal) -> str:
    """Returns what is wrong, in a sentence or two for a person."""
    if isinstance(refusal, InvalidRequest):
        errors = refusal.members["errors"]
        return "; ".join(f"{LABELS.get(e['field'], e['field'])} {e['message']}" for e in errors) + "."
    problem = PROBLEMS[type(refusal)]
    return REFUSED.get(type(refusal), f"{refusal.members.get('detail', problem.detail)} {problem.hint}")


def form_of(todo: Todo) -> dict[str, Any]:
    """Returns a to-do as the values of its form, by field name."""
    day, _, time = (todo.due or "").partition("T")
    return {
        "todo": todo.todo,
        "notes": todo.notes or "",
        "due_day": day,
        "due_time": time,
        "priority": todo.priority,
        "tags": ", ".join(todo.tags),
        "repeat": todo.repeat,
    }


def repeat_choices(current: str | None) -> list[str]:
    """Returns the RRULEs that a form offers: the common ones, and the to-do's current one if it is not among them."""
    common = [f"FREQ={unit}" for unit in UNITS]
    return common if not current or current in common else [*common, current]
