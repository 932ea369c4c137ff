"""The mistakes of evals/: each is taken as it was meant, or refused with a cure that a program can apply."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from evals.cure import mended
from evals.mistakes import Mistake, Twins, make, mistakes
from evals.patient import Attempt, Meaning, NoCure
from evals.service import Service, serving

MISTAKES = mistakes()
PEOPLE = {mistake.name: f"mistake{number}" for number, mistake in enumerate(MISTAKES)}
TWINS = [f"twin{number}" for number in range(len(MISTAKES))]


@pytest.fixture(scope="module")
def service(module_database: str) -> Iterator[Service]:
    with serving(module_database, [*PEOPLE.values(), *TWINS]) as service:
        yield service


@pytest.fixture(scope="module")
def twins(service: Service) -> Twins:
    return Twins(service, TWINS)


def test_there_are_at_least_150_of_different_names() -> None:
    assert len(MISTAKES) == len(PEOPLE) >= 150


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_mistake(service: Service, twins: Twins, mistake: Mistake) -> None:
    result = make(service, mistake, PEOPLE[mistake.name], twins)
    assert result.outcome.is_right, result.why


def cured(arguments: dict[str, Any], right: dict[str, Any], **problem: Any) -> list[dict[str, Any]]:
    """Returns the arguments of the mended calls."""

    async def ask(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"todos": [{"id": 7, "todo": "Buy milk"}]}

    meaning = Meaning(Attempt("tool", right), {7: "Buy milk"})
    calls = asyncio.run(mended(Attempt("tool", arguments), problem, meaning, ask))
    return [call.arguments for call in calls]


def error(field: str, message: str) -> dict[str, Any]:
    return {"errors": [{"field": field, "message": message}]}


class TestMended:
    """The program does what a refusal says, and nothing that it does not say."""

    @pytest.mark.parametrize(
        ("given", "message", "expected"),
        [
            ("home", 'must be a list of texts, such as ["home"]', ["home"]),
            ("3", "must be a whole number", 3),
            (5, "must be text", "5"),
            ("High", "must be one of none, low, medium, high", "high"),
            ("27.11.2026", "must have the form of this example: 2026-11-27T18:00", "2026-11-27"),
            ("yes", "must be true or false", True),
            (200, "must be at most 100", 100),
            ("abcdef", "must have at most 3 characters", "abc"),
        ],
    )
    def test_of_the_field_alone(self, given: Any, message: str, expected: Any) -> None:
        assert cured({"x": given, "y": 1}, {}, **error("x", message)) == [{"x": expected, "y": 1}]

    def test_of_what_was_meant(self) -> None:
        assert cured({}, {"todo": "Buy milk"}, **error("todo", "is required")) == [{"todo": "Buy milk"}]
        assert cured({"p": 1}, {"p": "high"}, **error("p", "must be one of low, high")) == [{"p": "high"}]
        answer = cured({"due": "tomorrow"}, {"due": "2026-11-26"}, **error("due", "must be a date, such as 2026-11-27"))
        assert answer == [{"due": "2026-11-26"}]

    def test_renames(self) -> None:
        problem = error("actions.0.title", "is unknown here. Did you mean todo?")
        assert cured({"actions": [{"title": "a"}]}, {}, **problem) == [{"actions": [{"todo": "a"}]}]

    def test_by_hint_and_members(self) -> None:
        conflict = {"detail": "It has changed.", "hint": "Call again with if_version set to current_version."}
        assert cured({"if_version": 1}, {}, **conflict, current_version=4) == [{"if_version": 4}]
        assert cured({"change_id": 1}, {}, detail="In the way.", hint="Or send force: true.") == [
            {"change_id": 1, "force": True}
        ]
        assert cured({"todo_id": 9}, {"todo_id": 7}, detail="No.", hint="Call list_todos for the ids.") == [
            {"todo_id": 7}
        ]

    def test_of_one_of_several_fields(self) -> None:
        message = "is required, unless another field is given: due, tags"
        assert cured({"id": 1}, {"id": 1, "tags": ["a"]}, **error("todo", message)) == [{"id": 1, "tags": ["a"]}]
        one = error("days", "cannot come with due; send one of the two")
        assert cured({"days": 1, "due": "2026-11-27"}, {"days": 1}, **one) == [{"days": 1}]
        assert cured({"days": 1, "due": "2026-11-27"}, {"due": "2026-11-27"}, **one) == [{"due": "2026-11-27"}]
        other = error("filter.status", "must be open, unless action is restore")
        assert cured({"action": "reopen"}, {"action": "restore"}, **other) == [{"action": "restore"}]

    def test_of_an_object_like_the_example(self) -> None:
        problem = error("actions.0", 'must be an object, such as {"action":"complete","id":12}')
        right = {"actions": [{"action": "add", "todo": "Buy bread"}]}
        assert cured({"actions": ["Buy bread"]}, right, **problem) == [right]

    def test_calls_once_for_each(self) -> None:
        problem = error("todo_id", "must be one value; for several call once for each")
        assert cured({"todo_id": [1, 8]}, {}, **problem) == [{"todo_id": 1}, {"todo_id": 8}]
        assert cured({"todo_id": [1]}, {}, **problem) == [{"todo_id": 1}]

    def test_divides_what_is_too_long(self) -> None:
        assert cured({"actions": [1, 2, 3]}, {}, **error("actions", "must have at most 2 items")) == [
            {"actions": [1, 2]},
            {"actions": [3]},
        ]

    @pytest.mark.parametrize(
        ("message", "right"),
        [
            ("is wrong", {"x": "high"}),
            ("must be one of low, high", {"x": "urgent"}),
            ("must be one of low, high", {}),
            ("is required", {}),
            ("must have the form of this example: 2026-11-27", {"x": "tomorrow"}),
            ("must be one value, given only once", {"x": "?"}),
            ('must be an object, such as {"when":"overdue"}', {"x": {"tag": "home"}}),
            ("is required, unless another field is given: due, tags", {"y": 1}),
            ("must be open, unless action is restore", {"action": "reopen"}),
        ],
    )
    def test_there_is_no_cure_in_it(self, message: str, right: dict[str, Any]) -> None:
        with pytest.raises(NoCure):
            cured({"x": "?"}, right, **error("x", message))
