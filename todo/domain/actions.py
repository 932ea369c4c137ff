"""The actions of change_todos, one function each."""

from collections.abc import Callable
from typing import Any

from todo.contract import API
from todo.contract.messages import CURE
from todo.domain import addresses, due_dates, lists, notes, recurrence, steps, tags
from todo.domain.changeset import Changeset
from todo.domain.recurrence import Series
from todo.domain.todos import Todo, clean
from todo.domain.users import DAY, User, weekday
from todo.errors import InvalidRequest, TodoNotFound, VersionConflict

JSON = dict[str, Any]

BLANK = Todo(0, "", "", "")  # Changeset.add sets the id and the times


def perform(changeset: Changeset, action: JSON) -> int:
    """Performs one action and returns the id of its to-do. Raises the errors of that action."""
    return ACTIONS[action["action"]](changeset, action)


def _add(changeset: Changeset, action: JSON) -> int:
    """Adds a to-do. Raises InvalidRequest."""
    _require(action, {"todo"}, allowed=ADDED)
    added = changeset.add("add", _with_fields(changeset, BLANK, fields_of(changeset, action)))
    tell_notes(changeset, added, action)
    return added.id


def _update(changeset: Changeset, action: JSON) -> int:
    """Changes the given fields; None clears a field. Raises InvalidRequest, TodoNotFound and VersionConflict."""
    _require(action, {"id"}, allowed=UPDATED)
    changed = what_changes(action)
    if changed.keys().isdisjoint({*FIELDS, *EDITS}):
        fields = ", ".join(sorted({*FIELDS, *EDITS, "clear"}))
        raise InvalidRequest.of("todo", f"is required for update, unless another field is given: {fields}")
    todo = _find(changeset, action)
    edited = updated(changeset, todo, changed, fields_of(changeset, changed))
    tell_notes(changeset, edited, changed)
    return changeset.edit("update", edited)


def updated(changeset: Changeset, todo: Todo, changed: JSON, fields: JSON) -> Todo:
    """Returns the to-do after an update; `fields` come from `fields_of`. Raises InvalidRequest."""
    edited = _with_fields(changeset, todo, fields)
    if changed.keys().isdisjoint(EDITS):
        return edited
    return edited._replace(tags=tags.edited(edited.tags, changed), steps=steps.edited(edited.steps, changed))


def _complete(changeset: Changeset, action: JSON) -> int:
    """Marks the to-do done; if it repeats, adds the next one to the answer. Raises TodoNotFound and VersionConflict."""
    _require(action, {"id"}, allowed={"if_version"})
    todo = _find(changeset, action)
    changeset.edit("complete", todo._replace(status="done", done_at=todo.done_at or changeset.now))
    if still_open := steps.count_open(todo.steps):
        changeset.answers.tell(todo.id, open_steps=still_open)
    following = _following(changeset, todo)
    if following and following.due and following.status == "open":
        told = {"id": following.id, "due": following.due, "due_weekday": weekday(following.due)}
        changeset.answers.tell(todo.id, next=told)
    return todo.id


def _following(changeset: Changeset, todo: Todo) -> Todo | None:
    """Returns the next to-do of a series, and adds it unless it exists; None after the last."""
    if not (todo.repeat and todo.due and todo.series_start and todo.occurrence):
        return None
    series = Series(todo.repeat, todo.series_start, todo.occurrence)
    at = changeset.user.local_of(todo.done_at) if todo.done_at else changeset.user.local_time()
    following = series.following(todo.due, at)
    if following is None:
        return None
    due, series = following
    # Completing, reopening and completing again adds the next one once.
    there = changeset.of_occurrence(todo.series, series.occurrence)
    if there or todo.done_at:
        return there
    fresh = todo._replace(share=None, share_until=None, steps=steps.reopened(todo.steps), position=None)
    return changeset.add("add", fresh._replace(due=due, repeat=series.repeat, occurrence=series.occurrence))


def _reopen(changeset: Changeset, action: JSON) -> int:
    """Marks the to-do open. Raises TodoNotFound and VersionConflict."""
    _require(action, {"id"}, allowed={"if_version"})
    todo = _find(changeset, action)
    return changeset.edit("reopen", todo._replace(status="open", done_at=None))


def _delete(changeset: Changeset, action: JSON) -> int:
    """Moves the to-do to the trash. Raises TodoNotFound and VersionConflict."""
    _require(action, {"id"}, allowed={"if_version"})
    todo = _find(changeset, action)
    return changeset.edit("delete", todo._replace(status="deleted", deleted_at=changeset.now))


def _restore(changeset: Changeset, action: JSON) -> int:
    """Restores the to-do from the trash, open or done as before. Raises TodoNotFound and VersionConflict."""
    _require(action, {"id"}, allowed={"if_version"})
    todo = _find(changeset, action, in_trash=True)
    if todo.status == "deleted":
        todo = todo._replace(status="done" if todo.done_at else "open", deleted_at=None)
    return changeset.edit("restore", todo)


def _share(changeset: Changeset, action: JSON) -> int:
    """Gives the to-do a public link, or changes its expiry. Raises InvalidRequest, TodoNotFound and VersionConflict."""
    _require(action, {"id"}, allowed={"url_until", "if_version"})
    todo = _find(changeset, action)
    until = action.get("url_until", todo.share_until)
    today = changeset.user.local_now()[:DAY]
    if until and until < today:
        raise InvalidRequest.of("url_until", f"must not be in the past; the earliest is today, {today}")
    share = todo.share or addresses.new(changeset.user.id)
    return changeset.edit("share", todo._replace(share=share, share_until=until))


def _unshare(changeset: Changeset, action: JSON) -> int:
    """Revokes the to-do's public link. Raises TodoNotFound and VersionConflict."""
    _require(action, {"id"}, allowed={"if_version"})
    todo = _find(changeset, action)
    return changeset.edit("unshare", todo._replace(share=None, share_until=None))


ACTIONS: dict[str, Callable[[Changeset, JSON], int]] = {
    "add": _add,
    "update": _update,
    "complete": _complete,
    "reopen": _reopen,
    "delete": _delete,
    "restore": _restore,
    "share": _share,
    "unshare": _unshare,
}
FIELDS = {"todo", "notes", "due", "priority", "tags", "repeat", "list", "steps"}
# The fields that change single tags and steps, by the field that they change.
EDITS = {**dict.fromkeys(tags.EDITS, "tags"), **dict.fromkeys(steps.EDITS, "steps")}
ADDED = {*FIELDS, "create_list"}
UPDATED = {*ADDED, *EDITS, "clear", "if_version"}


def tell_notes(changeset: Changeset, todo: Todo, given: JSON) -> None:
    """Adds a note to the answer: what an assistant should know about the fields that it gave."""
    changeset.answers.tell(todo.id, **notes.on(todo, given, changeset.user))


def _require(action: JSON, needed: set[str], allowed: set[str]) -> None:
    """Raises InvalidRequest for fields that this action lacks or does not take."""
    kind = action["action"]
    for name in sorted(needed.difference(action)):
        where = f" ({API.schema('TodoId')[CURE]})" if name == "id" else ""
        raise InvalidRequest.of(name, f"is required for {kind}{where}")
    for name in sorted(set(action).difference(needed, allowed, ("action",))):
        raise InvalidRequest.of(name, f"does not apply to {kind}; leave it out")


def _require_one_way(action: JSON) -> None:
    """Raises InvalidRequest if the action sets or clears all tags or steps and also changes single ones.

    An empty list of single ones is ignored: some models send every field.
    """
    for name, whole in EDITS.items():
        if not action.get(name):
            continue
        if whole in action:
            raise InvalidRequest.of(whole, f"replaces all {whole}, so it cannot come with {name}; send one of the two")
        if whole in action.get("clear", ()):
            raise InvalidRequest.of(
                "clear", f"must not name {whole}, as {name} is sent too; to replace all send {whole}"
            )


def what_changes(action: JSON) -> JSON:
    """Returns the update, with None for each field in `clear`. Raises InvalidRequest if one is set too."""
    _require_one_way(action)
    cleared = dict.fromkeys(action.get("clear", ()))
    for name in sorted(cleared.keys() & action.keys()):
        raise InvalidRequest.of("clear", f"must not name {name}, which has a value too")
    return {**action, **cleared}


def _find(changeset: Changeset, action: JSON, *, in_trash: bool = False) -> Todo:
    todo = changeset.get(action["id"])
    if todo is None and in_trash:
        raise TodoNotFound(detail="This list has no such to-do, not in the trash either.")
    if todo is None or (todo.status == "deleted" and not in_trash):
        raise TodoNotFound
    if action.get("if_version", todo.version) != todo.version:
        raise VersionConflict(todo.version)
    return todo


def fields_of(changeset: Changeset, action: JSON) -> JSON:
    """Returns the to-do fields in an action, as they are stored.

    Raises InvalidRequest, ListNotFound, ListArchived and TooManyLists.
    """
    given = {name: value for name, value in action.items() if name in FIELDS}
    if "list" in given:
        given["list_id"] = lists.id_for(changeset, given.pop("list"), create=action.get("create_list", False))
    return as_stored(given, changeset.user)


def as_stored(given: JSON, user: User) -> JSON:
    """Returns fields of a to-do as they are stored, with `due` in the user's time zone. Raises InvalidRequest."""
    if given.get("due"):
        given["due"] = due_dates.to_local(given["due"], user.time_zone)
    if given.get("repeat"):
        given["repeat"] = given["repeat"].removeprefix("RRULE:")
    return clean(given)


def _with_fields(changeset: Changeset, todo: Todo, fields: JSON) -> Todo:
    """Returns the to-do with the fields; a new repeat rule starts a series at due. Raises InvalidRequest."""
    edited = todo._replace(**fields)
    if edited.due != todo.due:
        edited = edited._replace(position=None)  # it was a place among others
    if edited.repeat is None:
        return edited._replace(series=None, series_start=None, occurrence=None) if edited.series else edited
    if edited.repeat != todo.repeat:
        recurrence.check(edited.repeat, edited.due)
        return edited._replace(series=changeset.new_series(), series_start=edited.due, occurrence=edited.due)
    if edited.due is None:
        raise InvalidRequest.of("due", "cannot be cleared while the to-do repeats; clear repeat too")
    return edited
