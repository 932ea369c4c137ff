"""How a refusal looks to whoever called: a problem, OAuth's own form, or a page. The contract says which."""

from collections.abc import Callable, Iterable
from typing import Any

import orjson
from starlette.types import Scope

from todo.contract import Contract
from todo.errors import FieldError
from todo.http.failures import as_refusal
from todo.http.problems import MEDIA_TYPE, ProblemResponse, problem_response
from todo.http.scope import TEMPLATE

JSON = dict[str, Any]

# A page of this service may load nothing but its own style and pictures, and be framed by nobody.
CONTENT_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"


class Refusals:
    """Answers for what went wrong, in the media type that the contract names for the operation and the status."""

    def __init__(self, contracts: Iterable[Contract], public_url: str, page: Callable[[JSON], str]) -> None:
        """`page` returns the HTML page of a problem document."""
        self.public_url = public_url
        self._page = page
        self._media_types = {
            (operation.path, operation.method, int(status)): next(iter(contract.resolve(response)["content"]))
            for contract in contracts
            for operation in contract.operations
            for status, response in operation.spec["responses"].items()
            if status >= "400"
        }

    def __call__(self, scope: Scope, error: Exception) -> ProblemResponse:
        """Returns the answer to a request."""
        problem = problem_response(as_refusal(error), self.public_url)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        match self._media_types.get((scope.get(TEMPLATE, ""), method, problem.status), MEDIA_TYPE):
            case "text/html":
                return self._as_page(problem)
            case "application/json":
                return _as_oauth_error(problem)
        return problem

    def _as_page(self, problem: ProblemResponse) -> ProblemResponse:
        headers = {
            **problem.headers,
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": f"{CONTENT_POLICY}; form-action 'none'",
        }
        body = self._page(orjson.loads(problem.body)).encode()
        return ProblemResponse(problem.status, headers, body)


def _as_oauth_error(problem: ProblemResponse) -> ProblemResponse:
    """Returns the problem in the form of RFC 6749 section 5.2."""
    told = orjson.loads(problem.body)
    errors = [FieldError(**error) for error in told.get("errors", [])]
    description = "; ".join(f"{error.field} {error.message}" for error in errors) or told["detail"]
    kind = "invalid_request" if problem.status < 500 else "server_error"
    body = orjson.dumps({"error": kind, "error_description": _plain(description)})
    return ProblemResponse(problem.status, {**problem.headers, "Content-Type": "application/json"}, body)


def _plain(text: str) -> str:
    """Returns the text in the characters that an error_description may have."""
    return "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "'" for letter in text)
