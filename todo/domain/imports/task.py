"""A task of another app, and the to-dos that it becomes. Whatever does not fit a field goes into the notes."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from todo.contract import API
from todo.contract.formats import HAS_HIDDEN, is_visible
from todo.contract.schemas import compile_schema
from todo.domain import recurrence
from todo.domain.excerpts import shortened
from todo.domain.folding import fold
from todo.domain.list_names import is_inbox
from todo.domain.steps import MAX_STEPS
from todo.errors import InvalidRequest

JSON = dict[str, Any]

MAX_TEXT, MAX_NOTES = API.schema("TodoText")["maxLength"], API.schema("Notes")["maxLength"]
MAX_STEP, MAX_NAME, MAX_TAG = (API.schema(name)["maxLength"] for name in ("StepText", "ListName", "Tag"))
MAX_TAGS = API.schema("Tags")["maxItems"]
NOT_UNDERSTOOD = "not_understood"  # how many dates and repetitions of a to-do are only in its notes
UNTITLED = "Untitled"
SPACE = re.compile(r"\s+")
NO_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\ufeff]+")
NO_NOTE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
LEFT_OUT = ("WKST=",)  # parts of a rule that say nothing about which day comes next in a week of its own

_is_due = compile_schema(API.schema("DueGiven"))
_is_repeat = compile_schema(API.schema("Repeat"))


@dataclass
class Task:
    """A task as another app has it: texts of any length, and its sub-tasks."""

    text: str
    list_name: str = ""
    notes: list[str] = field(default_factory=list)
    due: str = ""  # as the contract has it
    priority: str = "none"
    tags: list[str] = field(default_factory=list)
    repeat: str = ""
    is_done: bool = False
    steps: list["Task"] = field(default_factory=list)
    not_understood: int = 0

    def note(self, label: str, value: str) -> None:
        """Adds a value that no field can hold to the notes, after its label."""
        if value.strip():
            self.notes.append(f"{label}: {value.strip()}")

    def set_due(self, due: str, written: str) -> None:
        """Sets the due date; one that the contract does not accept goes into the notes as it was `written`."""
        if _is_due(due):
            self.due = due
        elif written.strip():
            self.note("Date", written)
            self.not_understood += 1

    def set_repeat(self, rule: str) -> None:
        """Sets the repeat rule if it goes with the due date; otherwise the rule goes into the notes."""
        parts = rule.strip().removeprefix("RRULE:").split(";")
        kept = ";".join(part for part in parts if part and not part.startswith(LEFT_OUT))
        try:
            if not (_is_repeat(kept) and self.due):
                raise InvalidRequest.of("repeat", "is not known")
            recurrence.check(kept, self.due[: len("2026-11-27T18:00")])
        except InvalidRequest:
            self.note("Repeats", rule)
            self.not_understood += 1
        else:
            self.repeat = kept


def to_dos(tasks: Iterable[Task]) -> Iterator[JSON]:
    """Yields the to-dos as read_file returns them. A task without text is left out."""
    for task in tasks:
        if any((task.text.strip(), task.notes, task.steps, task.due)):
            yield from _fitted(task)


def nested(found: Iterable[tuple[str, str, Task]]) -> Iterator[Task]:
    """Yields the tasks at the top; all tasks below one become its steps.

    `found` has each task with its own id and its parent's.
    """
    every = list(found)
    parents = {own: parent for own, parent, _ in every if own}
    tops = _tops(parents)
    kept = {own: task for own, _, task in every if own and tops[own] == own}
    for own, _, task in every:
        if own and kept[tops[own]] is not task:
            kept[tops[own]].steps.append(task)
    return (task for own, _, task in every if not own or kept[tops[own]] is task)


def _tops(parents: dict[str, str]) -> dict[str, str]:
    """Returns the topmost ancestor of each task. In a cycle, one of its tasks is at the top."""
    tops: dict[str, str] = {}
    for own in parents:
        path: dict[str, None] = {}
        while own not in tops and own not in path:
            path[own] = None
            own = parents[own] if parents[own] in parents else own
        tops |= dict.fromkeys(path, tops.get(own, own))
    return tops


def _fitted(task: Task) -> Iterator[JSON]:
    """Yields the to-do, and further ones if it has too many steps or notes for one."""
    notes = list(task.notes)
    text = _line(task.text, MAX_TEXT, "Text", notes)
    name = _line(task.list_name.replace("/", "-"), MAX_NAME, "List", notes) if task.list_name.strip() else ""
    steps = [*task.steps, *(below for step in task.steps for below in step.steps)]
    lines = [_step(step, notes) for step in steps[:MAX_STEPS]]
    tags, spare = _tags(task.tags)
    first, *others = _pages([*notes, spare])
    fields: JSON = {
        "notes": first,
        "due": task.due,
        "priority": task.priority,
        "tags": tags,
        "repeat": task.repeat,
        "list": "" if is_inbox(name) else name,
        "steps": lines,
    }
    status = {"status": "done" if task.is_done else "open"}
    not_understood = task.not_understood + sum(step.not_understood for step in steps[:MAX_STEPS])
    yield {
        "todo": text,
        **{key: value for key, value in fields.items() if value},
        **status,
        NOT_UNDERSTOOD: not_understood,
    }
    place = {"list": fields["list"]} if fields["list"] else {}
    for number, more in enumerate(others, start=2):
        yield {"todo": f"{text[: MAX_TEXT - 30]} (notes, part {number})", "notes": more, **place, **status}
    for step in steps[MAX_STEPS:]:
        step.list_name, step.steps = task.list_name, []
        yield from _fitted(step)


def _step(step: Task, notes: list[str]) -> JSON:
    """Returns a sub-task as a step; everything else about it goes into the notes."""
    text = _line(step.text, MAX_STEP, "Step", notes)
    priority = "" if step.priority == "none" else f"{step.priority} priority"
    said = [
        step.due and f"due {step.due}",
        priority,
        step.repeat,
        *(f"#{tag}" for tag in step.tags if tag),
        *step.notes,
    ]
    if any(said):
        notes.append(f"{text}: {'; '.join(filter(None, said))}")
    return {"text": text, "done": step.is_done}


def _line(text: str, most: int, label: str, notes: list[str]) -> str:
    """Returns a text as one line that fits; a longer one is first copied in full to the notes."""
    line = SPACE.sub(" ", NO_LINE.sub(" ", text)).strip()
    if len(line) > most:
        notes.insert(0, f"{label}: {line}")
    return _visible(shortened(line, most - 1) if len(line) > most else line).strip() or UNTITLED


def _pages(notes: list[str]) -> list[str]:
    """Returns the notes in pieces that each fit into a to-do, at least one."""
    text = NO_NOTE.sub(" ", "\n\n".join(note.strip() for note in notes if note.strip()).replace("\r\n", "\n"))
    return [_visible(text[start : start + MAX_NOTES]) for start in range(0, len(text), MAX_NOTES)] or [""]


def _tags(given: Iterable[str]) -> tuple[list[str], str]:
    """Returns the tags that fit, without duplicates; a note lists those that do not."""
    named: dict[str, str] = {}
    spare: list[str] = []
    for tag in filter(str.strip, given):
        line = _line(tag, len(tag), "", [])
        if len(line) <= MAX_TAG and (len(named) < MAX_TAGS or fold(line) in named):
            named.setdefault(fold(line), line)
        else:
            spare.append(line)
    return list(named.values()), f"Tags: {', '.join(spare)}" if spare else ""


def _visible(text: str) -> str:
    """Returns a text of bounded length without hidden characters."""
    return text if is_visible(text) else HAS_HIDDEN.sub("", text)
