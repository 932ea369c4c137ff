"""Conflicts of an edit: how others have meanwhile changed the fields that it sets, in English."""

from typing import Any, NamedTuple

from todo.domain.actors import Actor
from todo.domain.excerpts import shortened
from todo.domain.sections import Moment
from todo.domain.side_bar import SideBar
from todo.domain.todos import UNSET_PRIORITY, Todo
from todo.web import dates

MAX_EXCERPT = 60  # characters of a text that a sentence quotes


class Conflict(NamedTuple):
    """A field that both have set, who else has set it, and how."""

    field: str
    actor: Actor | None  # None if that change is no longer in the log
    done: str  # to follow the actor: moved this to tomorrow


def done_to(field: str, todo: Todo, moment: Moment, bar: SideBar) -> str:
    """Returns how a field was changed, given the to-do as it is now."""
    value: Any = todo.list_id if field == "list" else getattr(todo, field)
    match field:
        case "due":
            return f"moved this to {dates.due(value, moment)}" if value else "removed the date"
        case "todo":
            return f"changed the text to “{shortened(value, MAX_EXCERPT)}”"
        case "notes":
            return f"changed the notes to “{shortened(value, MAX_EXCERPT)}”" if value else "deleted the notes"
        case "priority":
            return f"set the priority to {value}" if value != UNSET_PRIORITY else "removed the priority"
        case "repeat":
            return f"made this repeat {dates.repeat(value)}" if value else "ended the repeats"
        case "list":
            return f"moved this to the list “{bar.names.get(value, '')}”"
    return f"changed the {field}"
