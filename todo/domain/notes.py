"""Notes: what an assistant should know about what it has just written. They go into the answer and are not stored."""

from collections.abc import Iterator
from typing import Any

from todo.domain import due_dates, recurrence
from todo.domain.todos import Todo
from todo.domain.users import User, weekday

JSON = dict[str, Any]


def on(todo: Todo, given: JSON, user: User) -> JSON:
    """Returns the field `note` of the answer, or {} if there is nothing to say."""
    told = " ".join(_sentences(todo, given, user)) if todo.due else ""
    return {"note": told} if told else {}


def _sentences(todo: Todo, given: JSON, user: User) -> Iterator[str]:
    """Yields a sentence for each way in which a to-do that is due differs from what was `given`, or probably meant."""
    due = given.get("due")
    if due and due_dates.has_offset(due):
        guessed = ", which is a guess" if user.time_zone_guessed else ""
        yield f"due was converted to {todo.due}, the local time in {user.time_zone}{guessed}."
    if todo.repeat and todo.due and ("due" in given or "repeat" in given):
        days = recurrence.weekdays(todo.repeat)
        if days and weekday(todo.due) not in days:
            yield f"due is a {weekday(todo.due)}, but the to-do repeats on {', '.join(f'{day}s' for day in days)}."
