"""A change on one line, as HTML: changed “Buy milk”: due 1 Dec → 3 Dec."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from todo.domain.entries import Entry
from todo.domain.excerpts import shortened
from todo.domain.history import ChangeDetails
from todo.domain.kinds.todos import TODO
from todo.domain.sections import Moment
from todo.web import activity, dates

MAX_FIELDS = 2  # shown of one to-do
MAX_TEXTS = 2  # shown of one change
MAX_TEXT = 80  # characters
LABELS = {"due": "due", "priority": "priority", "list": "list", "url_until": "link until", "time_zone": "time zone"}
LABELS |= {"repeat": "repeats", "week_start": "first day of the week", "status": ""}
LONG = {"notes": "notes", "steps": "steps"}  # a line only says that these differ
MINUS = "\u2212"
SAID = {"complete", "reopen", "delete", "restore", "archive", "share", "unshare"}  # actions that need no fields


def line(change: ChangeDetails, moment: Moment) -> Markup:
    """Returns what a change did, to put after its actor. Texts that people wrote are in elements of their own."""
    entries = change.entries
    if change.entry_count == 1 and entries:
        return _of_one(change, entries[0], moment)
    if not entries or change.entry_count > len(entries) or any(entry.key.kind != TODO for entry in entries):
        return escape(activity.done(change))
    if change.undoes:
        return Markup("took back change {}: {}").format(change.undoes, _texts(entries))
    by_action: dict[str, list[Entry]] = {}
    for entry in entries:
        by_action.setdefault(entry.action, []).append(entry)
    return Markup(" and ").join(_group(action, group) for action, group in by_action.items())


def _group(action: str, entries: Sequence[Entry]) -> Markup:
    if len(entries) == 1:
        return Markup("{} {}").format(activity.VERBS[action], _texts(entries))
    return Markup("{} {} to-dos: {}").format(activity.VERBS[action], len(entries), _texts(entries))


def _texts(entries: Sequence[Entry]) -> Markup:
    texts = Markup(", ").join(_text(activity.text(entry)) for entry in entries[:MAX_TEXTS])
    more = len(entries) - MAX_TEXTS
    return texts + (f" and {more} more" if more > 0 else "")


def _text(text: str) -> Markup:
    return Markup("“<bdi>{}</bdi>”").format(shortened(text, MAX_TEXT))


def _of_one(change: ChangeDetails, entry: Entry, moment: Moment) -> Markup:
    fields = list(_fields(entry, change.lists, moment))
    more = len(fields) - MAX_FIELDS
    told = Markup(", ").join(fields[:MAX_FIELDS]) + (f" and {more} more" if more > 0 else "")
    if entry.kind.settings:
        return Markup("set the {}").format(told)
    said = Markup("{} {}{}").format(_verb(change, entry), activity.noun(entry), _text(activity.text(entry)))
    return said + (", " if entry.before is None or entry.after is None else ": ") + told if told else said


def _verb(change: ChangeDetails, entry: Entry) -> str:
    if not change.undoes:
        return activity.verb(entry)
    what = "removed" if entry.after is None else "put back" if entry.before is None else "changed"
    return f"took back change {change.undoes}: {what}"


def _fields(entry: Entry, lists: Mapping[int, str], moment: Moment) -> Iterator[Markup]:
    """Yields what differs, field by field; for an added to-do, only when it is due."""
    if entry.after is None or entry.action in SAID:
        return
    for field, before, after in activity.differing(entry):
        if entry.before is None and field != "due":
            continue
        if told := _field(field, before, after, lists, moment):
            yield told


def _field(field: str, before: Any, after: Any, lists: Mapping[int, str], moment: Moment) -> Markup:
    if field in ("todo", "name"):
        return Markup("was {}").format(_text(before))
    if field == "tags":
        tags = [f"+#{tag}" for tag in after or () if tag not in (before or ())]
        tags += [f"{MINUS}#{tag}" for tag in before or () if tag not in (after or ())]
        return Markup(" ").join(Markup("<bdi>{}</bdi>").format(tag) for tag in tags)
    if field in LONG:
        return escape(f"{LONG[field]} {'added' if before is None else 'removed' if after is None else 'changed'}")
    if field not in LABELS:
        return Markup("")
    sides = [Markup("<bdi>{}</bdi>").format(_value(field, side, lists, moment)) for side in (before, after)]
    return Markup("{} {}").format(LABELS[field], sides[1] if before is None else Markup(" → ").join(sides)).strip()


def _value(field: str, given: Any, lists: Mapping[int, str], moment: Moment) -> str:
    if given is None:
        return "none"
    return dates.short(given, moment) if field in ("due", "url_until") else activity.value(field, given, lists)
