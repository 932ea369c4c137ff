"""The form to add a to-do: what its text says, and the fields that this fills."""

from typing import Any

from flask import request

from todo.domain import quick_add
from todo.domain.quick_add import Part, Reading
from todo.domain.sections import Moment
from todo.domain.users import Owner
from todo.web import browser, dates

JSON = dict[str, Any]

NOT_CHOSEN = "none"  # the priority of a form that nobody touched


def filled(user: Owner, form: JSON) -> JSON:
    """Returns the form with the fields that its text gives, unless the text is not to be parsed. Fields already filled
    stay.

    A list that the text names wins over the selected one, as one is always selected; tags are added to the others.
    """
    if "quick" not in form:
        return form
    _, reading = _read(user, form["todo"], form.get("plain", ""))
    read = reading.fields
    day, _, time = str(read.get("due", "")).partition("T")
    said: JSON = {"due_day": day, "due_time": time, "repeat": read.get("repeat"), "priority": read.get("priority")}
    given = {name: value for name, value in form.items() if (name, value) != ("priority", NOT_CHOSEN)}
    both = {**{name: value for name, value in said.items() if value}, **given, "todo": reading.text}
    if "tags" in read:
        both["tags"] = ", ".join([*read["tags"], *filter(None, [form.get("tags")])])
    if "list" in read and "new_list" not in form:
        both["new_list" if "create_list" in read else "list"] = read["list"]
    return both


def parts_of(user: Owner, text: str, plain: str) -> list[JSON]:
    """Returns the parts of a text that are read, each with its position as browsers count and its meaning in words."""
    owner, reading = _read(user, text, plain)
    moment = Moment.of(owner)
    return [
        {
            "start": _units(text[: part.start]),
            "end": _units(text[: part.end]),
            "field": part.field,
            "text": text[part.start : part.end],
            "meaning": _meaning(part, reading, moment),
        }
        for part in reading.parts
    ]


def _read(user: Owner, text: str, plain: str) -> tuple[Any, Reading]:
    language = request.accept_languages.best or ""
    return browser.read(quick_add.read_for, user, text, plain.splitlines(), language)


def _units(text: str) -> int:
    """Returns the length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def _meaning(part: Part, reading: Reading, moment: Moment) -> str:
    match part.field:
        case "due":
            return part.value.removeprefix("T") if part.value[0] == "T" else dates.due(part.value, moment)
        case "repeat":
            is_dated = any(other.field == "due" and other.value[0] != "T" for other in reading.parts)
            return dates.repeat(part.value) + ("" if is_dated else f", from {dates.due(reading.fields['due'], moment)}")
        case "tags":
            return f"#{part.value}"
        case "priority":
            return f"{part.value} priority"
        case _:
            return f"new list {part.value}" if "create_list" in reading.fields else f"list {part.value}"
