"""How errors are answered: with a problem, an OAuth error, a page or a redirect to sign-in, as the contract says."""

from collections.abc import Callable, Collection
from typing import Any

import orjson
from starlette.types import Scope

from todo.contract import API, Contract
from todo.errors import FieldError, MethodNotAllowed
from todo.errors.access import SignedOut
from todo.http.asgi_scope import TEMPLATE
from todo.http.failures import as_refusal
from todo.http.navigation import is_navigation
from todo.http.problems import MEDIA_TYPE, ProblemResponse, problem_response
from todo.http.sign_in_redirect import page_of, sign_in_address

JSON = dict[str, Any]

SEE_OTHER = 303
PAGE = "text/html; charset=utf-8"
# Pages load only our own style sheet and pictures, and cannot be framed.
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)


class Refusals:
    """Answers errors in the media type that the contract has for the operation and the status.

    A browser that opens a page gets every refusal as a page, except at the URLs for assistants. At a URL that only
    takes a form, as when a refusal is reloaded, it is redirected to the form's page. `page` renders a problem, for a
    path and with the seconds to wait. `sign_in` may answer a form without a session, so that what was typed is kept, or
    return None.
    """

    def __init__(
        self,
        contracts: Collection[Contract],
        public_url: str,
        page: Callable[[JSON, str, str | None], str],
        sign_in: Callable[[Scope], ProblemResponse | None] = lambda _: None,
    ) -> None:
        self._public_url = public_url
        self._page = page
        self._sign_in = sign_in
        self._media_types = {
            (operation.path, operation.method, int(status)): next(iter(contract.resolve(response)["content"]))
            for contract in contracts
            for operation in contract.operations
            for status, response in operation.spec["responses"].items()
            if status >= "400"
        }
        self._for_assistants = {operation.path for operation in API.operations}
        self._pages = {
            (operation.path, operation.method)
            for contract in contracts
            for operation in contract.operations
            if str(SEE_OTHER) in operation.spec["responses"]
        }

    def __call__(self, scope: Scope, error: Exception) -> ProblemResponse:
        """Returns the answer to a request."""
        if isinstance(error, MethodNotAllowed) and self._is_reloaded_form(scope):
            return ProblemResponse(SEE_OTHER, {"Location": page_of(scope), "Content-Type": PAGE}, b"")
        problem = problem_response(as_refusal(error), self._public_url)
        operation = scope.get(TEMPLATE, ""), "GET" if scope["method"] == "HEAD" else scope["method"]
        if isinstance(error, SignedOut) and operation in self._pages:
            return self._to_sign_in(scope)
        match self._media_types.get((*operation, problem.status), MEDIA_TYPE):
            case "text/html":
                return self._as_page(problem, scope["path"])
            case "application/json":
                return _as_oauth_error(problem)
        if operation[0] not in self._for_assistants and is_navigation(scope):
            return self._as_page(problem, scope["path"])
        return problem

    def _is_reloaded_form(self, scope: Scope) -> bool:
        """Whether a browser opens a URL that only takes forms."""
        return (scope.get(TEMPLATE, ""), "POST") in self._pages and is_navigation(scope)

    def _to_sign_in(self, scope: Scope) -> ProblemResponse:
        kept = self._sign_in(scope)
        headers = {"Location": sign_in_address(page_of(scope)), "Content-Type": PAGE, "Cache-Control": "no-store"}
        return kept or ProblemResponse(SEE_OTHER, headers, b"")

    def _as_page(self, problem: ProblemResponse, path: str) -> ProblemResponse:
        headers = {
            **problem.headers,
            "Content-Type": PAGE,
            "Content-Security-Policy": f"{CONTENT_POLICY}; form-action 'none'",
        }
        body = self._page(orjson.loads(problem.body), path, problem.headers.get("Retry-After")).encode()
        return ProblemResponse(problem.status, headers, body)


def _as_oauth_error(problem: ProblemResponse) -> ProblemResponse:
    """Returns the problem as an OAuth error (RFC 6749 section 5.2)."""
    told = orjson.loads(problem.body)
    errors = [FieldError(**error) for error in told.get("errors", [])]
    description = "; ".join(f"{error.field} {error.message}" for error in errors) or told["detail"]
    kind = "invalid_request" if problem.status < 500 else "server_error"
    body = orjson.dumps({"error": kind, "error_description": _plain(description)})
    return ProblemResponse(problem.status, {**problem.headers, "Content-Type": "application/json"}, body)


def _plain(text: str) -> str:
    """Returns the text with only the characters that an error_description may have."""
    return "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "'" for letter in text)
