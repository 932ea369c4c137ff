"""What the service must do, in plain Python: a dict of to-dos, a list of changes and a dict of answered requests."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

JSON = dict[str, Any]

# What an update does to single tags and steps.
ONE_BY_ONE = ("add_tags", "remove_tags", "add_steps", "check_steps", "uncheck_steps", "remove_steps")


class Refused(Exception):
    """The service must refuse with this code; `members` must stand in the problem."""

    def __init__(self, code: str, **members: Any) -> None:
        super().__init__(code)
        self.code = code
        self.members = members


@dataclass
class Change:
    """Per to-do what it was and became; None is no to-do."""

    id: int
    before: dict[int, JSON | None]
    after: dict[int, JSON | None]


@dataclass
class Model:
    """One list. A to-do is a dict of its fields, of which `version` and `change_id` count on and never back."""

    todos: dict[int, JSON] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    answers: dict[str, tuple[Any, JSON]] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)  # the highest that each id has had
    last_id: int = 0

    def once(self, key: str | None, asked: Any, answer: Any) -> JSON:
        """Gives the kept answer, or asks for it and keeps it."""
        if key is not None and key in self.answers:
            kept_for, kept = self.answers[key]
            if kept_for != asked:
                raise Refused("request_id_reused")
            return kept
        given = answer()
        if key is not None:
            self.answers[key] = (deepcopy(asked), deepcopy(given))
        return given

    def apply(self, actions: list[JSON]) -> tuple[int | None, list[JSON]]:
        """Does the actions and returns the change's id, if anything changed, and their to-dos."""
        draft, last_id, ids = deepcopy(self.todos), self.last_id, []
        for action in actions:
            last_id, todo_id = _perform(draft, last_id, action)
            ids.append(todo_id)
        change_id = self._commit(draft)
        self.last_id = last_id
        return change_id, [deepcopy(self.todos[todo_id]) for todo_id in ids]

    def matching(self, filters: JSON, action: str) -> list[int]:
        """Returns the ids of the to-dos that a bulk change with this filter is about."""
        status = {"reopen": "done", "restore": "deleted"}.get(action, "open")
        return [
            todo_id
            for todo_id, todo in sorted(self.todos.items())
            if todo["status"] == status
            and filters.get("tag") in (None, *todo.get("tags", []))
            and filters.get("priority") in (None, todo.get("priority"))
        ]

    def counts_of(self, change_id: int | None) -> JSON:
        """Returns how many to-dos a change has changed and, if it has, added."""
        before = self.changes[change_id - 1].before.values() if change_id else []
        added = sum(todo is None for todo in before)
        return {"changed": len(before) - added} | ({"next_added": added} if added else {})

    def undo(self, change_id: int, *, force: bool) -> tuple[int, list[JSON]]:
        """Undoes a change and returns the new one's id and what stood in the way."""
        if not 1 <= change_id <= len(self.changes):
            raise Refused("change_not_found")
        change, draft, conflicts = self.changes[change_id - 1], deepcopy(self.todos), []
        for todo_id in sorted(change.before):
            newest = max(later.id for later in self.changes if todo_id in later.before)
            if _content(self.todos.get(todo_id)) != _content(change.after[todo_id]):
                conflicts.append({"id": todo_id, "change_id": newest})
            elif change.before[todo_id] is None:
                draft.pop(todo_id)
            else:
                draft[todo_id] = deepcopy(change.before[todo_id]) or {}
        if conflicts and (not force or len(conflicts) == len(change.before)):
            raise Refused("undo_conflict", conflicts=conflicts)
        new_id = self._commit(draft)
        assert new_id is not None
        return new_id, conflicts

    def _commit(self, draft: dict[int, JSON]) -> int | None:
        moved = [n for n in sorted({*self.todos, *draft}) if self.todos.get(n) != draft.get(n)]
        if not moved:
            return None
        change = Change(len(self.changes) + 1, {}, {})
        for todo_id in moved:
            before, after = self.todos.pop(todo_id, None), draft.get(todo_id)
            if after is not None:
                # One that returns has a version above all of its own, so that none comes again.
                after["version"] = max(self.versions.get(todo_id, 0), after["version"]) + 1
                self.versions[todo_id] = after["version"]
                after["change_id"] = change.id
                self.todos[todo_id] = after
            change.before[todo_id], change.after[todo_id] = deepcopy(before), deepcopy(after)
        self.changes.append(change)
        return change.id


def _perform(todos: dict[int, JSON], last_id: int, action: JSON) -> tuple[int, int]:
    kind = action["action"]
    given = {name: value for name, value in action.items() if name not in ("action", "id", "if_version")}
    if kind == "add":
        todos[last_id + 1] = {"id": last_id + 1, "status": "open", "version": 0, "change_id": 0, **_set(given)}
        if "repeat" in given:
            todos[last_id + 1]["series"] = last_id + 1
        return last_id + 1, last_id + 1
    todo = todos.get(action["id"])
    if todo is None or (todo["status"] == "deleted" and kind != "restore"):
        raise Refused("todo_not_found")
    if action.get("if_version", todo["version"]) != todo["version"]:
        raise Refused("version_conflict", current_version=todo["version"])
    if kind == "update":
        edits = {name: given.pop(name) for name in ONE_BY_ONE if name in given}
        for name in given:
            todo.pop(name, None)
        todo.update(_set(given))
        _edit_tags(todo, edits)
        _edit_steps(todo, edits)
    elif kind == "complete" and todo["status"] == "open":
        todo["status"] = "done"
        if "repeat" in todo:
            due = (date.fromisoformat(todo["due"]) + timedelta(days=1)).isoformat()
            # None of the machine's repeating to-dos is moved, so its due date is its place in the series.
            there = [t for t in todos.values() if (t.get("series"), t.get("due")) == (todo["series"], due)]
            if all(other["status"] == "deleted" for other in there):
                last_id += 1
                fresh = {"id": last_id, "status": "open", "due": due, "version": 0}
                fresh |= {"steps": [{**step, "done": False} for step in todo["steps"]]} if "steps" in todo else {}
                todos[last_id] = {**todo, **fresh}
    elif kind == "reopen":
        todo["status"] = "open"
    elif kind == "delete":
        todo["was"], todo["status"] = todo["status"], "deleted"
    elif kind == "restore" and todo["status"] == "deleted":
        todo["status"] = todo.pop("was")
    return last_id, action["id"]


def _content(todo: JSON | None) -> JSON | None:
    """Returns what of a to-do can be as it was before; the rest counts on."""
    return (
        {name: value for name, value in todo.items() if name not in ("version", "change_id", "was")} if todo else None
    )


def _set(given: JSON) -> JSON:
    kept = {name: value for name, value in given.items() if value not in (None, [], "none")}
    return kept | ({"steps": [_step(step) for step in kept["steps"]]} if "steps" in kept else {})


def _step(given: str | JSON) -> JSON:
    return {"text": given, "done": False} if isinstance(given, str) else given


def _edit_tags(todo: JSON, edits: JSON) -> None:
    tags = [tag for tag in todo.pop("tags", []) if tag not in edits.get("remove_tags", [])]
    tags += [tag for tag in edits.get("add_tags", []) if tag not in tags]
    todo.update(_set({"tags": tags}))


def _edit_steps(todo: JSON, edits: JSON) -> None:
    before = todo.get("steps", [])
    checked, unchecked, removed = (
        {_place(before, which) for which in edits.get(f"{name}_steps", [])} for name in ("check", "uncheck", "remove")
    )
    if checked & unchecked:
        raise Refused("invalid_request")
    states = [(n in checked or step["done"]) and n not in unchecked for n, step in enumerate(before)]
    steps = [{**step, "done": states[n]} for n, step in enumerate(before) if n not in removed]
    steps += [_step(text) for text in edits.get("add_steps", [])]
    todo.pop("steps", None)
    todo.update({"steps": steps} if steps else {})


def _place(steps: list[JSON], which: str | int) -> int:
    places = [n for n, step in enumerate(steps) if step["text"] == which]
    if not places and str(which).isdigit() and 1 <= int(which) <= len(steps):
        places = [int(which) - 1]
    if len(places) != 1:
        raise Refused("invalid_request")
    return places[0]
