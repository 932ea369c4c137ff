"""Problem documents (RFC 9457): the status and text of each error, and the response that it makes."""

from dataclasses import dataclass

import orjson

from todo.errors import Refusal
from todo.errors.access import Challenge
from todo.http.problem_texts import Problem
from todo.http.problem_texts.access import ACCESS
from todo.http.problem_texts.requests import REQUESTS
from todo.http.problem_texts.todos import TODOS

MEDIA_TYPE = "application/problem+json"
PROBLEMS: dict[type[BaseException], Problem] = {**REQUESTS, **ACCESS, **TODOS}


@dataclass(frozen=True)
class ProblemResponse:
    """A serialized problem document with its status and headers."""

    status: int
    headers: dict[str, str]
    body: bytes


def problem_response(error: BaseException, public_url: str) -> ProblemResponse:
    """Returns the response for `error`, from the row of its most specific class (RFC 9457 section 3)."""
    row = next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)
    members, headers = (error.members, error.headers) if isinstance(error, Refusal) else ({}, {})
    document = {"type": f"{public_url}/errors#{row.code}", **vars(row), **members}
    if "errors" in members:
        document["errors"] = [{"message": document["detail"], **error} for error in members["errors"]]
    headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", **headers}
    if isinstance(error, Challenge):
        headers["WWW-Authenticate"] = error.challenge(public_url)
    return ProblemResponse(row.status, headers, orjson.dumps(document))
