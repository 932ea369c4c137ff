"""The state of a list, read over MCP, and whether it is what a journey must lead to."""

from dataclasses import dataclass
from typing import Any

from evals.journey import Ending
from evals.service import Assistant

JSON = dict[str, Any]

FIELDS = ("todo", "notes", "due", "priority", "tags", "repeat", "status", "list", "steps", "url_until")
UNSET: JSON = {"status": "open", "list": "Inbox"}  # of a new to-do
LOOSE = ("todo", "notes")  # where words more than asked for do no harm


@dataclass(frozen=True)
class State:
    """To-dos by id, the trash included, the profile's settings, and the lists by name."""

    todos: dict[int, JSON]
    profile: JSON
    lists: list[str]


async def state_of(assistant: Assistant) -> State:
    """Returns the present state."""
    todos: dict[int, JSON] = {}
    for status in ("all", "deleted"):
        more: JSON = {}
        while True:
            page = await assistant.ask("list_todos", status=status, limit=100, **more)
            todos |= {todo["id"]: _fields(todo) for todo in page["todos"]}
            if "next_cursor" not in page:
                break
            more = {"cursor": page["next_cursor"]}
    profile = await assistant.ask("get_profile")
    lists = [each["name"] for each in profile.get("lists", [])]
    return State(todos, {name: profile.get(name) for name in ("time_zone", "week_start")}, lists)


def _fields(todo: JSON) -> JSON:
    fields = {name: todo[name] for name in FIELDS if name in todo}
    return {**UNSET, **fields, "shared": "url" in todo}


def wrong(before: State, after: State, ends: Ending) -> list[str]:
    """Returns in what the state after differs from what it must be; nothing if it is right."""
    left = list(ends.todos)
    problems = []
    for number in sorted(before.todos.keys() | after.todos.keys()):
        old, new = before.todos.get(number), after.todos.get(number)
        if old == new:
            continue
        expected = next((each for each in left if new and _fits(old, new, each)), None)
        if expected is None:
            problems.append(f"to-do {number} became {new}, and was {old}")
        else:
            left.remove(expected)
    problems += [f"no to-do became {each}" for each in left]
    # A week that nobody set a start for begins as it does where the person is.
    kept = {} if "time_zone" in ends.profile else before.profile
    if not after.profile.items() >= {**kept, **ends.profile}.items():
        problems.append(f"the profile is {after.profile}")
    if ends.lists is not None and sorted(after.lists) != sorted(ends.lists):
        problems.append(f"the lists are {after.lists}")
    if ends.lists is None and sorted(after.lists) != sorted(before.lists):
        problems.append(f"the lists are {after.lists}, and were {before.lists}")
    return problems


def _fits(old: JSON | None, new: JSON, expected: JSON) -> bool:
    must = {**(old or {**UNSET, "shared": False}), **expected}
    must = {name: value for name, value in must.items() if value is not None}
    return new.keys() == must.keys() and all(_equal(name, new[name], value) for name, value in must.items())


def _equal(name: str, is_now: Any, must: Any) -> bool:
    if name in LOOSE:
        return str(must).casefold() in str(is_now).casefold()
    if name == "tags":
        return sorted(map(str.casefold, is_now)) == sorted(map(str.casefold, must))
    if name == "list":
        return str(is_now).casefold() == str(must).casefold()
    return bool(is_now == must)
