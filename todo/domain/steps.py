"""Steps: the checklist inside a to-do, a tuple of {"text", "done"}."""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import Any

import orjson

from todo.contract import API
from todo.domain.excerpts import shortened
from todo.domain.folding import fold
from todo.errors import FieldError, InvalidRequest

JSON = dict[str, Any]
Steps = tuple[JSON, ...]

MAX_STEPS = int(API.schema("Steps")["maxItems"])
CHECK, UNCHECK, REMOVE, ADD = "check_steps", "uncheck_steps", "remove_steps", "add_steps"
EDITS = (ADD, CHECK, UNCHECK, REMOVE)
# A refusal names the steps, each cut to the largest width that keeps them within MAX_NAMED and the problem below 4 KiB.
MAX_NAMED = 2000  # bytes
WIDTHS = (200, 40, 7)
MAX_NUMBERS = 5
LINE = re.compile(r"[^\r\n]+")
BOX = re.compile(r"(?:\s*(?:[-*+] )?\[(?P<box>[ xX])\] ?)?(?P<text>.*)")
DONE = ("x", "X")


def cleaned(given: Sequence[str | JSON]) -> Steps:
    """Returns a request's steps, each given as a text or with `done`."""
    return tuple(_step(step) if isinstance(step, str) else _step(**step) for step in given)


def reopened(steps: Steps) -> Steps:
    return tuple({**step, "done": False} for step in steps)


def count_open(steps: Steps) -> int:
    return sum(not step["done"] for step in steps)


def as_lines(steps: Sequence[JSON]) -> str:
    """Returns a line for each step: "[x] Eggs" if it is done, else "[ ] Eggs"."""
    return "\n".join(f"[{'x' if step['done'] else ' '}] {step['text']}" for step in steps)


def from_lines(text: str) -> list[JSON]:
    """Returns the steps in lines as `as_lines` writes them; Markdown bullets and plain lines are read too.

    It stops after one more than a to-do may have.
    """
    lines = (BOX.match(line[0]) for line in LINE.finditer(text) if line[0].strip())
    return [_step(line["text"], line["box"] in DONE) for line in islice(filter(None, lines), MAX_STEPS + 1)]


def edited(steps: Steps, update: JSON) -> Steps:
    """Returns the steps after the EDITS in an update; numbers count the steps before it. Raises InvalidRequest."""
    found = _Found(steps)
    checked, unchecked, removed = (found.places(name, update.get(name, ())) for name in (CHECK, UNCHECK, REMOVE))
    found.require_all()
    if checked & unchecked:
        raise InvalidRequest.of(UNCHECK, f"must not name step {min(checked & unchecked) + 1}, as {CHECK} does")
    kept = [
        {**step, "done": place not in unchecked and (step["done"] or place in checked)}
        for place, step in enumerate(steps)
        if place not in removed
    ]
    all_steps = (*kept, *cleaned(update.get(ADD, ())))
    if len(all_steps) > MAX_STEPS:
        raise InvalidRequest.of(ADD, f"would make {len(all_steps)} steps; a to-do has at most {MAX_STEPS}")
    return all_steps


class _Found:
    """Finds steps by the names that an update uses, and collects an error for each that does not exist."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._errors: list[FieldError] = []
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, step in enumerate(steps):
            self._places[fold(step["text"])].append(place)

    def places(self, field: str, named: Sequence[str | int]) -> set[int]:
        """Returns the positions, from 0, of the steps that a field names."""
        return {place for index, name in enumerate(named) for place in self._find(f"{field}.{index}", name)}

    def require_all(self) -> None:
        """Raises InvalidRequest for the names that are wrong. Only the first error lists the steps."""
        if self._errors:
            first, *others = self._errors
            told = f"the steps are {_listed(self._steps)}" if self._steps else "this to-do has none"
            raise InvalidRequest([FieldError(first.field, f"{first.message}; {told}"), *others])

    def _find(self, field: str, name: str | int) -> list[int]:
        places = self._places.get(fold(name), []) if isinstance(name, str) else []
        # Hosts that show the field as text send numbers as text.
        if not places and (isinstance(name, int) or (name.strip().isascii() and name.strip().isdecimal())):
            number = int(name)
            places = [number - 1] if 1 <= number <= len(self._steps) else []
        if len(places) == 1:
            return places
        numbers = ", ".join(str(place + 1) for place in places[:MAX_NUMBERS])
        wrong = f"is the text of several steps: say which number, such as {numbers}" if places else "is not a step"
        self._errors.append(FieldError(field, wrong))
        return []


def _step(text: str, done: bool = False) -> JSON:
    return {"text": text.strip(), "done": done}


def _listed(steps: Steps) -> str:
    """Returns the steps with their numbers, within MAX_NAMED bytes of JSON."""
    for width in WIDTHS:
        listed = "; ".join(f"{number}. {shortened(step['text'], width)}" for number, step in enumerate(steps, start=1))
        if len(orjson.dumps(listed)) <= MAX_NAMED:
            break
    return listed
