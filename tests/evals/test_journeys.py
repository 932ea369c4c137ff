"""The journeys of evals/, each played over MCP: it ends as it must, is never refused, and only gets cheaper."""

from collections.abc import Iterator
from functools import partial

import pytest

from evals import costs, todoist
from evals.journey import Ending, Journey, journeys
from evals.play import play
from evals.service import Service, serving
from evals.state import State, wrong

JOURNEYS = journeys()
PEOPLE = {journey.name: f"journey{number}" for number, journey in enumerate(JOURNEYS)}


@pytest.fixture(scope="module")
def service(module_database: str) -> Iterator[Service]:
    with serving(module_database, PEOPLE.values()) as service:
        yield service


def test_there_are_sixty_with_names_of_their_own() -> None:
    assert len(JOURNEYS) == len(PEOPLE) == 60
    assert todoist.costs().keys() < PEOPLE.keys()
    assert costs.read().keys() == PEOPLE.keys()


def test_most_sentences_of_the_issue_take_one_call_and_none_more_than_two() -> None:
    calls = [len(journey.calls) for journey in JOURNEYS if journey.quoted]
    assert sorted(calls) == [1, 1, 1, 1, 1, 2, 2]


@pytest.mark.slow_on_postgresql
@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.name)
def test_journey(service: Service, journey: Journey) -> None:
    played = service.use(PEOPLE[journey.name], partial(play, journey))
    assert not played.problems
    assert played.calls == len(journey.calls) <= 2
    assert not costs.dearer(costs.read()[journey.name], costs.cost_of(played))


MILK = {"todo": "Buy milk", "status": "open", "list": "Inbox", "shared": False}
DONE = {**MILK, "status": "done"}


def state(*todos: dict[str, object]) -> State:
    return State(dict(enumerate(todos, 1)), {"time_zone": "UTC"}, [])


class TestWrong:
    """What the judge says of a state."""

    @pytest.mark.parametrize(
        ("before", "after", "ends"),
        [
            ([MILK], [MILK], {}),
            ([MILK], [DONE], {"todos": [{"todo": "Buy milk", "status": "done"}]}),
            ([], [MILK], {"todos": [{"todo": "milk"}]}),
            ([{**MILK, "due": "2026-11-27"}], [MILK], {"todos": [{"todo": "Buy milk", "due": None}]}),
        ],
    )
    def test_right(self, before: list[dict], after: list[dict], ends: dict) -> None:
        assert wrong(state(*before), state(*after), Ending(**ends)) == []

    @pytest.mark.parametrize(
        ("before", "after", "ends"),
        [
            ([MILK], [DONE], {}),
            ([MILK], [], {}),
            ([MILK], [MILK], {"todos": [{"todo": "Buy milk", "status": "done"}]}),
            ([], [MILK, MILK], {"todos": [{"todo": "Buy milk"}]}),
            ([], [{**MILK, "tags": ["home"]}], {"todos": [{"todo": "Buy milk"}]}),
            ([MILK], [MILK], {"profile": {"time_zone": "Europe/Berlin"}}),
            ([MILK], [MILK], {"lists": ["Inbox", "Shopping"]}),
        ],
    )
    def test_not_right(self, before: list[dict], after: list[dict], ends: dict) -> None:
        assert wrong(state(*before), state(*after), Ending(**ends))


class TestDearer:
    """What the ratchet lets through."""

    @pytest.mark.parametrize("cost", [(1, 10, 100), (1, 20, 90), (1, 5, 5)])
    def test_not_dearer(self, cost: tuple[int, int, int]) -> None:
        assert not costs.dearer(as_cost(1, 10, 100), as_cost(*cost))

    @pytest.mark.parametrize("cost", [(2, 1, 1), (1, 11, 100), (1, 10, 101)])
    def test_dearer(self, cost: tuple[int, int, int]) -> None:
        assert costs.dearer(as_cost(1, 10, 100), as_cost(*cost))


def as_cost(calls: int, tokens_in: int, tokens_out: int) -> dict[str, int]:
    return {"calls": calls, "tokens_in": tokens_in, "tokens_out": tokens_out}
