"""Plays a journey by its own calls against the service, and counts what they cost."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson
import time_machine

from evals import tokens
from evals.answers import Unknown, filled
from evals.journey import Call, Journey
from evals.service import NOW, Assistant, Refused
from evals.state import State, state_of, wrong

JSON = dict[str, Any]

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
SECRET = re.compile(r"/s/[A-Za-z0-9_-]+")  # of a shared to-do, made at random, so that its tokens vary


@dataclass
class Played:
    """What became of a journey: the cost of its calls, and what was wrong."""

    calls: int = 0
    tokens_in: int = 0  # tool names and arguments, which the model writes
    tokens_out: int = 0  # answers, which it reads
    problems: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)  # the answers

    def count(self, tool: str, arguments: JSON, text: str) -> None:
        self.calls += 1
        self.tokens_in += tokens.count_call(tool, arguments)
        self.tokens_out += tokens.count(SECRET.sub("/s/x", text))
        self.texts.append(text)

    def judge(self, journey: Journey, before: State, after: State, told: str) -> None:
        """Notes what is wrong with the state at the end, and with what was told."""
        self.problems += wrong(before, after, journey.ends)
        self.problems += [f"it does not tell {text!r}" for text in journey.ends.tells if not _tells(told, text)]
        self.problems += [f"it tells {text!r}" for text in journey.ends.hides if _tells(told, text)]


async def prepare(assistant: Assistant, start: Iterable[Call]) -> State:
    """Makes the list as it is when the person speaks, and returns its state."""
    answers: list[JSON] = []
    for step in start:
        with time_machine.travel(step.at or NOW, tick=False):
            answers.append(await assistant.ask(step.tool, **filled(step.arguments, answers)))
    return await state_of(assistant)


async def play(journey: Journey, assistant: Assistant) -> Played:
    """Returns what became of the journey's own calls, up to the first that is refused or cannot be made."""
    played = Played()
    before = await prepare(assistant, journey.start)
    answers: list[JSON] = []
    for call in journey.calls:
        try:
            arguments = filled(call.arguments, answers)
            text = await assistant.call(call.tool, arguments)
        except Unknown as missing:
            played.problems.append(f"no answer so far has {missing}")
            break
        except Refused as refused:
            played.problems.append(f"{call.tool} was refused: {refused.problem}")
            break
        played.count(call.tool, arguments, text)
        answers.append(orjson.loads(text))
    played.judge(journey, before, await state_of(assistant), "\n".join(played.texts))
    return played


def _tells(told: str, text: str) -> bool:
    """Whether a text is told, whatever its case; a date may be told in words."""
    forms = [text]
    if DATE.fullmatch(text):
        day = date.fromisoformat(text)
        forms += [
            form.format(day=day.day)
            for month in ("%B", "%b")
            for form in (f"{day:{month}} {{day}}", f"{{day}} {day:{month}}", f"{{day}}. {day:{month}}")
        ]
    return any(form.casefold() in told.casefold() for form in forms)
