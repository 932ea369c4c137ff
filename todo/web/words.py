"""How things are said to a person: due dates, rhythms, actors and what was done."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from todo.contract.formats import is_visible
from todo.domain import entries
from todo.domain.changeset import PAST_TENSE
from todo.domain.entries import PROFILE, Entry
from todo.domain.history import ASSISTANT, Actor, ChangeDetails
from todo.domain.sections import Moment
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

DAY = len("2026-11-27")
UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
WEEKDAYS = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
ORDINALS = {"-1": "last", "1": "first", "2": "second", "3": "third", "4": "fourth", "5": "fifth"}
FIELDS = {
    "time_zone": "Time zone",
    "todo": "Text",
    "notes": "Notes",
    "due": "Due",
    "priority": "Priority",
    "tags": "Tags",
    "repeat": "Repeats",
    "url": "Link",
    "url_until": "Link works until",
    "status": "State",
}
LABELS = {"todo": "The text", "due": "The date", "repeat": "How it repeats", "tags": "The tags", "notes": "The notes"}
STATES = {"open": "open", "done": "done", "deleted": "in the trash"}
ACTORS = {"person": "You", "operator": "The operator"}
NAMELESS = "without a name"
QUOTES = str.maketrans("“”", "''")  # those around a name are ours
SAID_AS_A_WHOLE = ("Imported", "Undid")
VERBS = {**PAST_TENSE, "undo": "took back changes to", "import": "kept"}


# What a refusal means to a person, where its hint is for a program.
REFUSED = {
    TodoNotFound: "This to-do is not here any more; somebody has deleted it, or its addition was undone.",
    ChangeNotFound: "There is no such change any more.",
    VersionConflict: "Somebody has changed this to-do since you opened it. Look at what it is now, and save again.",
    NothingToUndo: "Nothing is left to undo: it is already as it was, or has left the trash for good.",
    QuotaExceeded: "The list is full. Delete to-dos that are done, and try again.",
    StorageFull: "The list takes too much room. Empty the trash, or clear old history at the end of the page History.",
    UndoConflict: "Something has changed since. Nothing was done yet.",
}


def refused(refusal: Refusal) -> str:
    """Returns what is wrong, in a sentence or two for a person."""
    if isinstance(refusal, InvalidRequest):
        errors = refusal.members["errors"]
        return "; ".join(f"{LABELS.get(e['field'], e['field'])} {e['message']}" for e in errors) + "."
    problem = PROBLEMS[type(refusal)]
    return REFUSED.get(type(refusal), f"{refusal.members.get('detail', problem.detail)} {problem.hint}")


def due(value: str, moment: Moment) -> str:
    """Returns a due date as people say it: tomorrow 18:00, Friday, 3 days ago, 27 November."""
    return " ".join([_day(date.fromisoformat(value[:DAY]), moment), *([value[DAY + 1 :]] if value[DAY:] else [])])


def exact(value: str) -> str:
    """Returns a local date, or date and time, in full."""
    day = date.fromisoformat(value[:DAY])
    return f"{day:%A} {day.day} {day:%B} {day.year}" + (f", {value[DAY + 1 :]}" if value[DAY:] else "")


def day(at: datetime, moment: Moment) -> str:
    """Returns the day of a time as people say it."""
    said = _day(at.date(), moment)
    return said[0].upper() + said[1:]


def _day(day: date, moment: Moment) -> str:
    today = date.fromisoformat(moment.today)
    days = (day - today).days
    if days in (-1, 0, 1):
        return ("yesterday", "today", "tomorrow")[days + 1]
    if 2 <= days <= 6:
        return f"{day:%A}"
    if -6 <= days <= -2:
        return f"{-days} days ago"
    return f"{day.day} {day:%B}" + (f" {day.year}" if day.year != today.year else "")


def repeat(rule: str) -> str:
    """Returns an RRULE as people say it: every second week on Friday, until 1 March 2027."""
    parts = dict(part.split("=") for part in rule.split(";"))
    unit, interval = UNITS[parts["FREQ"]], parts.get("INTERVAL", "1")
    said = f"every {unit}" if interval == "1" else f"every {interval} {unit}s"
    if "BYDAY" in parts:
        said += " on " + _and([_weekday(name) for name in parts["BYDAY"].split(",")])
    if "BYMONTHDAY" in parts:
        said += " on the " + _and([_ordinal(number) for number in parts["BYMONTHDAY"].split(",")])
    if "COUNT" in parts:
        said += f", {parts['COUNT']} more time{'s' if parts['COUNT'] != '1' else ''}"
    if "UNTIL" in parts:
        said += f", until {_end(parts['UNTIL'])}"
    return said


def _end(until: str) -> str:
    """Returns the last day of a rule; one that there is not, as a refused form shows again what was typed, as it is."""
    try:
        day = datetime.strptime(until, "%Y%m%d")
    except ValueError:
        return until
    return f"{day.day} {day:%B} {day.year}"


def _weekday(name: str) -> str:
    number, weekday = re.fullmatch(r"(-?\d)?([A-Z]{2})", name).groups()  # type: ignore[union-attr]
    return f"the {ORDINALS[number]} {WEEKDAYS[weekday]}" if number else WEEKDAYS[weekday]


def _ordinal(number: str) -> str:
    if number == "-1":
        return "last day"
    ending = "th" if number in ("11", "12", "13") else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    return number + ending


def rhythms(own: str | None) -> list[str]:
    """Returns the RRULEs that a form offers: the common ones, and the to-do's own."""
    common = [f"FREQ={unit}" for unit in UNITS]
    return common if not own or own in common else [*common, own]


def form_of(todo: Todo) -> dict[str, Any]:
    """Returns the to-do as a form has it."""
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


def without(address: str, *names: str) -> str:
    """Returns an address of this service without some of its parameters, and without what has just changed."""
    parts = urlsplit(address)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("changed", *names)]
    return urlunsplit(("", "", parts.path, urlencode(kept), ""))


def with_edit(address: str, todo_id: int) -> str:
    """Returns the address at which a to-do is shown as a form."""
    plain = without(address, "edit")
    return f"{plain}{'&' if '?' in plain else '?'}edit={todo_id}#todo-{todo_id}"


def actor(who: Actor) -> str:
    """Returns who it is, where there is no markup. An assistant is always said to be one, whatever it calls itself."""
    if who.kind != ASSISTANT:
        return ACTORS[who.kind]
    name = called(who.client)
    return f"Assistant “\u2068{name}\u2069”" if name else f"Assistant {NAMELESS}"


def called(name: str) -> str:
    """Returns a name that somebody has chosen, as a page can quote it, or nothing where it cannot."""
    return name.strip().translate(QUOTES) if is_visible(name) and name != f"An assistant {NAMELESS}" else ""


def done(change: ChangeDetails) -> str:
    """Returns what a change did, as the end of a sentence that begins with who did it."""
    entries = [entry for entry in change.entries if entry.todo_id != PROFILE]
    if change.undoes:
        return f"took back change {change.undoes}"
    if not change.entries or change.entry_count > len(change.entries) or change.summary.startswith(SAID_AS_A_WHOLE):
        return change.summary[0].lower() + change.summary[1:].removesuffix(".")
    if len(change.entries) == 1 and entries:
        return f"{VERBS[entries[0].action]} “{text(entries[0])}”"
    counts = Counter(entry.action for entry in entries)
    parts = [f"{VERBS[action]} {count} to-do{'s' if count > 1 else ''}" for action, count in counts.items()]
    return _and(parts + (["set the time zone"] if len(entries) < len(change.entries) else []))


def text(entry: Entry) -> str:
    """Returns the text of the to-do that an entry is about."""
    return entry.title


def happened(entry: Entry) -> str:
    """Returns what was done to a to-do, in one word or two."""
    return {**PAST_TENSE, "undo": "taken back", "import": "kept"}[entry.action].capitalize()


def differing(entry: Entry) -> list[tuple[str, Any, Any]]:
    """Returns what differs between before and after, field by field."""
    if entry.todo_id == PROFILE:
        return [("time_zone", entry.before.time_zone, entry.after.time_zone)]
    return list(entries.differences(entry))


def value(field: str, given: Any) -> str:
    """Returns the value of a field; None is unset."""
    if given is None:
        return "none"
    match field:
        case "due" | "url_until":
            return exact(given)
        case "repeat":
            return repeat(given)
        case "tags":
            return ", ".join(given)
        case "status":
            return STATES[given]
    return str(given)


def _and(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
