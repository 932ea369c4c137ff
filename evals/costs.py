"""The ratchet: costs.json holds what each journey costs, and a journey may only get cheaper."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from evals.data import FOLDER
from evals.journey import Journey
from evals.play import Played

FILE = FOLDER / "costs.json"
Costs = dict[str, dict[str, int]]


def read() -> Costs:
    """Returns the recorded costs by the name of the journey."""
    return dict(json.loads(FILE.read_text(encoding="utf-8")))


def cost_of(played: Played) -> dict[str, int]:
    """Returns the cost of a journey as it is recorded."""
    return {"calls": played.calls, "tokens_in": played.tokens_in, "tokens_out": played.tokens_out}


def dearer(recorded: dict[str, int] | None, cost: dict[str, int]) -> str:
    """Returns in what a cost is above the recorded one, or nothing. More tokens in may be paid by fewer out."""
    if recorded is None:
        return "it has no recorded cost: run make evals UPDATE=1"
    if cost["calls"] > recorded["calls"]:
        return f"{cost['calls']} calls, where {recorded['calls']} were enough"
    now, then = _tokens(cost), _tokens(recorded)
    return f"{now} tokens, where {then} were enough" if now > then else ""


def faults(played: Iterable[tuple[Journey, Played]]) -> Iterator[str]:
    """Yields a line for each journey that got dearer."""
    recorded = read()
    for journey, one in played:
        if not one.problems and (reason := dearer(recorded.get(journey.name), cost_of(one))):
            yield f"{journey.name}: {reason}"


def lower(played: dict[str, Played]) -> None:
    """Records each cost that is new or cheaper, and forgets journeys that are gone. What got dearer stays as it was."""
    recorded: Costs = read() if FILE.exists() else {}
    costs: dict[str, Any] = {}
    for name, each in played.items():
        cost = cost_of(each)
        costs[name] = recorded[name] if name in recorded and dearer(recorded[name], cost) else cost
    lines = [f"  {json.dumps(name)}: {json.dumps(cost)}" for name, cost in costs.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _tokens(cost: dict[str, int]) -> int:
    return cost["tokens_in"] + cost["tokens_out"]
