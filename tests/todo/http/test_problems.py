"""The table of problems."""

import json
import re

import pytest

from todo.errors import FieldError, InvalidRequest, Refusal
from todo.errors.access import SignedOut
from todo.http.problems import PROBLEMS, problem_response


def kinds(of: type[Refusal] = Refusal) -> list[type[Refusal]]:
    return [kind for direct in of.__subclasses__() for kind in (direct, *kinds(direct))]


def test_every_refusal_has_its_row() -> None:
    own = {kind for kind in kinds() if kind.__module__.startswith("todo.errors")}
    assert set(PROBLEMS) == {*own, SignedOut, Exception}
    assert all(set(kind.__mro__) & own for kind in kinds())  # one of a rule's own has the row of what it specializes


def test_codes_are_stable_names_of_their_own() -> None:
    codes = [problem.code for problem in PROBLEMS.values()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z][a-z_]+", code) for code in codes)


@pytest.mark.parametrize("error", [KeyError("x"), RuntimeError("secret")])
def test_any_other_exception_is_a_fault_of_ours(error: Exception) -> None:
    response = problem_response(error, "https://todo.example.com")
    assert response.status == 500
    assert b"secret" not in response.body


def test_type_leads_to_the_page() -> None:
    document = json.loads(problem_response(InvalidRequest.of("todo", "is required"), "https://todo.example.com").body)
    assert document["type"] == "https://todo.example.com/errors#invalid_request"
    assert document["errors"] == [{"field": "todo", "message": "is required"}]


def test_a_problem_stays_small() -> None:
    errors = [FieldError("x" * 64, "y" * 250) for _ in range(1000)]
    assert len(problem_response(InvalidRequest(errors), "https://" + "h" * 100).body) < 4096
