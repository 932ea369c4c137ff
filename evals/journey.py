"""Journeys: what a person says, the list at that moment, the calls of a good assistant, and what must hold then."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from evals.data import load

JSON = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A tool call. `at` is when, if not now."""

    tool: str
    arguments: JSON
    at: str | None = None


@dataclass(frozen=True)
class Ending:
    """What must hold at the end: the to-dos that are new or other than before, and what the answers tell.

    Every other to-do must be as it was; so must the time zone and the lists, unless they are given.
    """

    todos: list[JSON] = field(default_factory=list)
    profile: JSON = field(default_factory=dict)
    lists: list[str] | None = None
    tells: list[str] = field(default_factory=list)
    hides: list[str] = field(default_factory=list)  # what would be a wrong answer


@dataclass(frozen=True)
class Journey:
    """One of the journeys. `quoted` means that the issue, which asked for this, has the sentence."""

    name: str
    group: str
    says: str
    start: list[Call]
    calls: list[Call]
    ends: Ending
    quoted: bool = False


def journeys() -> list[Journey]:
    """Returns all journeys of journeys.yaml, in order."""
    return [_journey(group, row) for group, rows in _data()["journeys"].items() for row in rows]


def steps(parts: list[str | JSON]) -> list[Call]:
    """Returns the calls of the parts: names of lists in journeys.yaml, or steps."""
    lists = _data()["lists"]
    return [_call(step) for part in parts for step in (lists[part] if isinstance(part, str) else [part])]


@cache
def _data() -> JSON:
    return dict(load("journeys.yaml"))


def _journey(group: str, row: JSON) -> Journey:
    return Journey(
        name=row["name"],
        group=group,
        says=row["says"],
        start=steps(row.get("start", ["home"])),
        calls=steps(row["calls"]),
        ends=Ending(**row["ends"]),
        quoted=row.get("quoted", False),
    )


def _call(step: JSON) -> Call:
    ((tool, arguments),) = ((key, value) for key, value in step.items() if key != "at")
    return Call(tool, arguments, step.get("at"))
