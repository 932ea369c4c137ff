"""What the journeys cost a model with Todoist's tools, as far as that can be counted without its service."""

import random
import string
from dataclasses import dataclass
from typing import Any

from evals import tokens
from evals.data import load

ID_CHARACTERS = 16
NUMBERS = {"$user": 8, "$label": 10}  # ids that are digits, and how many
ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Cost:
    """The number of calls, and the tokens that the model writes for them."""

    calls: int
    tokens_in: int


def costs() -> dict[str, Cost]:
    """Returns the cost of each journey that its tools are described to do, by name."""
    chance = random.Random(0)  # noqa: S311 - ids that only have to look like some
    found = {}
    for name, steps in load("todoist.yaml").items():
        calls = [(tool, _with_ids(arguments, chance)) for step in steps for tool, arguments in step.items()]
        found[name] = Cost(len(calls), sum(tokens.count_call(*call) for call in calls))
    return found


def _with_ids(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        return {name: _with_ids(field, chance) for name, field in value.items()}
    if isinstance(value, list):
        return [_with_ids(item, chance) for item in value]
    if value == "$id":
        return "".join(chance.choices(ALPHABET, k=ID_CHARACTERS))
    if value in NUMBERS:
        return str(chance.randrange(10 ** (NUMBERS[value] - 1), 10 ** NUMBERS[value]))
    return value
