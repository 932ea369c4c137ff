"""A refused call under repair."""

import copy
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]
Ask = Callable[[str, JSON], Awaitable[JSON]]

WHOLE = "body"  # the field of what is wrong with the arguments together
PATH = re.compile(r"[^.\[\]]+")


@dataclass(frozen=True)
class Attempt:
    """A call as it was sent, or is to be sent."""

    tool: str
    arguments: JSON


@dataclass(frozen=True)
class Meaning:
    """What the caller meant: the right call, and the texts that it knows to-dos by."""

    call: Attempt
    texts: dict[int, str]


class NoCure(Exception):
    """The refusal does not say how to mend the call."""


class Patient:
    """A call under repair."""

    def __init__(self, attempt: Attempt, problem: JSON, meaning: Meaning, ask: Ask) -> None:
        self.tool = attempt.tool
        self.arguments = copy.deepcopy(attempt.arguments)
        self.problem = problem
        self.meaning = meaning
        self.ask = ask
        self.split: tuple[str, int] | None = None
        self.repeat = ""  # the field whose values need a call each

    def calls(self) -> list[Attempt]:
        """Returns the mended call; several where a list was too long for one, or a call takes one value only."""
        if self.repeat:
            return [Attempt(self.tool, {**self.arguments, self.repeat: each}) for each in self.get(self.repeat)]
        if not self.split:
            return [Attempt(self.tool, self.arguments)]
        field, most = self.split
        items = self.get(field)
        parts = [items[start : start + most] for start in range(0, len(items), most)]
        return [Attempt(self.tool, {**self.arguments, field: part}) for part in parts]

    def drop_if_not_meant(self, field: str) -> bool:
        """Leaves out what the caller sent empty, as it has no value for it."""
        is_empty = _get(self.meaning.call.arguments, field) is None and self.get(field) in ("", [], {})
        if is_empty:
            self.drop(field)
        return is_empty

    def get(self, field: str) -> Any:
        return _get(self.arguments, field)

    def set(self, field: str, value: Any) -> None:
        _set(self.arguments, field, value)

    def drop(self, field: str) -> Any:
        return _drop(self.arguments, field)

    def means(self, field: str) -> bool:
        """Whether the caller meant a value for a field."""
        return _get(self.meaning.call.arguments, field) is not None

    def meant(self, field: str) -> Any:
        """Returns the value that the caller meant for a field. Raises NoCure if it meant none."""
        value = _get(self.meaning.call.arguments, field)
        if value is None:
            raise NoCure(f"{field}: the caller has no value for it")
        return value


def _get(value: Any, field: str) -> Any:
    for name in PATH.findall(field):
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict):
            value = value.get(name)
        else:
            return None
    return value


def _set(value: Any, field: str, new: Any) -> None:
    *path, last = PATH.findall(field) or [""]
    holder = _get(value, ".".join(path)) if path else value
    if isinstance(holder, list) and last.isdigit():
        holder[int(last)] = new
    elif isinstance(holder, dict) and last:
        holder[last] = new
    else:
        raise NoCure(f"{field}: there is no such place in the call")


def _drop(value: Any, field: str) -> Any:
    *path, last = PATH.findall(field) or [""]
    holder = _get(value, ".".join(path)) if path else value
    if isinstance(holder, list) and last.isdigit():
        return holder.pop(int(last))
    return holder.pop(last, None) if isinstance(holder, dict) else None
