"""Problem documents (RFC 9457): the status and text of each error, and the response that it makes."""

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

import orjson

from todo.errors import Refusal
from todo.errors.access import Challenge
from todo.http import problem_texts
from todo.http.problem_texts import Problem

MEDIA_TYPE = "application/problem+json"
TABLES = [import_module(f"{problem_texts.__name__}.{area.name}") for area in iter_modules(problem_texts.__path__)]
PROBLEMS: dict[type[BaseException], Problem] = {kind: row for table in TABLES for kind, row in table.PROBLEMS.items()}


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
