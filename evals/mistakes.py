"""Wrong calls that models make: each is taken as it was meant, or refused such that the refusal says how to mend it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from typing import Any, NamedTuple

import orjson

from evals.cure import mended
from evals.data import load
from evals.journey import Call, steps
from evals.patient import Attempt, Meaning, NoCure
from evals.play import prepare
from evals.service import Assistant, Refused, Service
from evals.state import State, state_of

JSON = dict[str, Any]

ROUNDS = 2  # how often a call may be mended: some faults show only when others are gone
SHOWN = 100
OWN = re.compile(r"/(?:s|todos)/[A-Za-z0-9_-]+")


class Outcome(StrEnum):
    """What became of a wrong call."""

    TAKEN = "taken"  # and did what was meant
    MENDED = "mended"  # by what the refusal said
    WRONG = "wrong"  # taken, or mended, and did something else
    NO_CURE = "no cure"

    @property
    def is_right(self) -> bool:
        return self in (Outcome.TAKEN, Outcome.MENDED)


@dataclass(frozen=True)
class Mistake:
    """A wrong call, and the right calls: one, unless no single call can do it."""

    group: str
    made: Attempt
    right: tuple[Attempt, ...]

    @property
    def name(self) -> str:
        made = orjson.dumps(self.made.arguments).decode()
        return f"{self.made.tool} {made if len(made) < SHOWN else made[:SHOWN] + '...'}"


@dataclass
class Result:
    """The outcome, and why: the last refusal, or what was other than meant."""

    outcome: Outcome
    why: str = ""


def mistakes() -> list[Mistake]:
    """Returns all mistakes of mistakes.yaml, in order."""
    return [_mistake(group, *row) for group, rows in _data()["mistakes"].items() for row in rows]


@cache
def _data() -> JSON:
    return dict(load("mistakes.yaml"))


def _mistake(group: str, tool: str, wrong: JSON, right: JSON, right_tool: str = "", *more: JSON) -> Mistake:
    calls = (Attempt(right_tool or tool, each) for each in (right, *more))
    return Mistake(group, Attempt(tool, wrong), tuple(calls))


def start() -> list[Call]:
    """Returns the calls that make the list in which all mistakes are made."""
    return steps(["home", *_data()["start"], "shopping"])


class Twins:
    """Makes the right calls, each once, in lists of people of their own, to compare with."""

    def __init__(self, service: Service, people: Iterable[str]) -> None:
        self._service = service
        self._people = iter(people)
        self._found: dict[str, Found | str] = {}

    def of(self, right: tuple[Attempt, ...]) -> "Found | str":
        """Returns what the right calls answer and lead to, or why they do not."""
        key = repr(right)
        if key not in self._found:
            self._found[key] = self._service.use(next(self._people), partial(_do, right))
        return self._found[key]


class Found(NamedTuple):
    """What calls answered, and the state after them."""

    answers: list[JSON]
    state: State


async def _do(right: tuple[Attempt, ...], assistant: Assistant) -> Found | str:
    await prepare(assistant, start())
    try:
        answers = [await assistant.ask(each.tool, **each.arguments) for each in right]
    except Refused as refused:
        return f"the right call was refused: {refused.problem}"
    return Found(answers, await state_of(assistant))


def make(service: Service, mistake: Mistake, person: str, twins: Twins) -> Result:
    """Makes the mistake in the person's list, which must end equal to that of the twin who makes the right call."""
    right = twins.of(mistake.right)
    if isinstance(right, str):
        return Result(Outcome.WRONG, right)
    return service.use(person, partial(_make, mistake, right))


async def _make(mistake: Mistake, right: Found, assistant: Assistant) -> Result:
    before = await prepare(assistant, start())
    try:
        outcome, answers = await _try(assistant, mistake, before)
    except NoCure as reason:
        return Result(Outcome.NO_CURE, str(reason))
    if assistant.tools[mistake.right[0].tool]["annotations"]["readOnlyHint"]:
        is_same = list(map(_comparable, answers)) == list(map(_comparable, right.answers))
    else:
        is_same = await state_of(assistant) == right.state
    return Result(outcome) if is_same else Result(Outcome.WRONG, f"{outcome}, and answers {answers}")


async def _try(assistant: Assistant, mistake: Mistake, before: State) -> tuple[Outcome, list[JSON]]:
    """Returns how the call was taken, with the answers. Raises NoCure."""
    texts = {number: todo["todo"] for number, todo in before.todos.items()}
    meaning = Meaning(mistake.right[0], texts)
    attempts, outcome, problem = [mistake.made], Outcome.TAKEN, {}

    async def ask(tool: str, arguments: JSON) -> JSON:
        return await assistant.ask(tool, **arguments)

    for _ in range(ROUNDS + 1):
        try:
            return outcome, [await assistant.ask(each.tool, **each.arguments) for each in attempts]
        except Refused as refused:
            problem, outcome = refused.problem, Outcome.MENDED
            attempts = await mended(attempts[0], problem, meaning, ask)
    raise NoCure(f"still refused: {problem}")


def _comparable(answer: JSON) -> str:
    """Returns an answer without what differs between two people."""
    return OWN.sub("", orjson.dumps(answer, option=orjson.OPT_SORT_KEYS).decode())
