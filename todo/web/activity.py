"""Who did what, in English: actors, changes and the fields that differ."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from todo.contract.formats import is_visible
from todo.domain.actors import ASSISTANT, Actor
from todo.domain.days import Done
from todo.domain.entries import Entry
from todo.domain.history import ChangeDetails
from todo.domain.kinds.lists import LIST
from todo.domain.kinds.todos import TODO
from todo.domain.summaries import PAST_TENSE
from todo.web import dates

FIELDS = {
    "time_zone": "Time zone",
    "week_start": "First day of the week",
    "todo": "Text",
    "notes": "Notes",
    "due": "Due",
    "priority": "Priority",
    "tags": "Tags",
    "repeat": "Repeats",
    "url": "Link",
    "url_until": "Link works until",
    "status": "State",
    "list": "List",
    "steps": "Steps",
    "name": "Name",
}
STATES = {
    "open": "open",
    "done": "done",
    "deleted": "in the trash",
    "active": "in use",
    "archived": "archived",
}
ACTORS = {"person": "You", "operator": "The operator"}
NAMELESS = "without a name"
STRAIGHT_QUOTES = str.maketrans("“”", "''")  # only we put a name in curly quotes
WHOLE_SUMMARIES = ("Imported", "Undid")  # summaries that already say it all
VERBS = {**PAST_TENSE, "undo": "took back changes to", "import": "kept"}
LIST_VERBS = {**VERBS, "add": "created"}
COUNTED = {**PAST_TENSE, "undo": "taken back", "import": "kept"}


def actor(who: Actor) -> str:
    """Returns an actor as plain text: an assistant as its quoted name, followed by what is known about it."""
    if who.kind != ASSISTANT:
        return ACTORS[who.kind]
    name = called(who.client)
    if not who.grant_id:
        return f"Service key, calls itself “\u2068{name}\u2069”" if name else f"Service key, {NAMELESS}"
    quoted = f"“\u2068{name}\u2069”" if name else f"Assistant {NAMELESS}"
    return f"{quoted}, {whence(who)}"


def whence(who: Actor) -> str:
    """Returns what distinguishes an assistant from others of the same name: connected 24 November."""
    if not who.grant_id:
        return "service key"
    state = f"connected {dates.on(who.connected)}" if who.connected else "disconnected"
    return state + (f" ({who.note})" if who.note else "")


def counted(done: Done) -> str:
    """Returns what an actor did on a day: 9 added, 4 completed, 1 deleted."""
    parts = [f"{done.counts[action]} {said}" for action, said in COUNTED.items() if action in done.counts]
    parts += [f"{_changes(count)} to {group}" for group, count in done.counts.items() if group not in COUNTED]
    if done.undone:
        parts.append(f"{_changes(done.undone)} undone" if parts else "all undone")
    return ", ".join(parts) or _changes(done.changes)


def called(name: str) -> str:
    """Returns the name that a client gave itself, safe to quote, or "" if it cannot be shown."""
    return name.strip().translate(STRAIGHT_QUOTES) if is_visible(name) and name != f"An assistant {NAMELESS}" else ""


def done(change: ChangeDetails) -> str:
    """Returns what a change did, to put after its actor: added “Buy milk”."""
    entries = [entry for entry in change.entries if entry.key.kind == TODO]
    if change.undoes:
        return f"took back change {change.undoes}"
    others = [entry for entry in change.entries if entry.key.kind != TODO and not entry.kind.settings]
    if change.entry_count == 1 and others:
        return f"{verb(others[0])} {noun(others[0])}“{text(others[0])}”"
    is_counted = change.entry_count > len(change.entries) or others
    if not change.entries or is_counted or change.summary.startswith(WHOLE_SUMMARIES):
        return change.summary[0].lower() + change.summary[1:].removesuffix(".")
    if len(change.entries) == 1 and entries:
        return f"{verb(entries[0])} “{text(entries[0])}”"
    counts = Counter(entry.action for entry in entries)
    parts = [f"{VERBS[action]} {count} to-do{'s' if count > 1 else ''}" for action, count in counts.items()]
    settings = [name for entry in change.entries for name in entry.settings]
    return dates.join_with_and(parts + [f"set the {name}" for name in settings])


def verb(entry: Entry) -> str:
    """Returns what was done to the entry's record: added, renamed."""
    if entry.key.kind == LIST:
        return _done_to_list(entry)
    return "moved" if entry.is_move else VERBS[entry.action]


def noun(entry: Entry) -> str:
    """Returns what the entry's record is called before its text; "" for a to-do."""
    return "" if entry.key.kind == TODO else f"the {entry.kind.nouns[0]} "


def text(entry: Entry) -> str:
    """Returns the title of the entry's record, such as the text of a to-do or the name of a list."""
    return entry.title


def happened(entry: Entry) -> str:
    """Returns what was done to the entry's record, in a few words: Added, Taken back, Renamed the list."""
    if entry.action == "undo":
        return "Taken back"
    if entry.key.kind != TODO:
        return f"{verb(entry)} {noun(entry)}".rstrip().capitalize()
    return "Moved" if entry.is_move else {**PAST_TENSE, "import": "kept"}[entry.action].capitalize()


def differing(entry: Entry) -> list[tuple[str, Any, Any]]:
    """Returns the fields that an entry changed, as (field, before, after)."""
    return [difference for difference in entry.differences() if difference[0] not in entry.kind.silent]


def label(field: str) -> str:
    """Returns what a field is called."""
    return FIELDS.get(field, field.replace("_", " ").capitalize())


def value(field: str, given: Any, lists: Mapping[int, str]) -> str:
    """Returns a field's value as text; `lists` has the names of lists by id."""
    match field:
        case "due" | "url_until":
            return dates.exact(given)
        case "repeat":
            return dates.repeat(given)
        case "tags":
            return ", ".join(given)
        case "status":
            return STATES.get(given, str(given))
        case "week_start":
            return str(given).capitalize()
        case "list":
            return lists[given]
        case "steps":
            return "\n".join(step["text"] + (" (done)" if step["done"] else "") for step in given)
    return str(given)


def _changes(count: int) -> str:
    return f"{count} change{'' if count == 1 else 's'}"


def _done_to_list(entry: Entry) -> str:
    """Returns what was done to a list. An update of its name is a rename, any other a move."""
    if entry.action != "update":
        return LIST_VERBS[entry.action]
    return "renamed" if "name" in entry.after.values else "moved"
