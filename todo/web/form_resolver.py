"""Finds the handlers of the site, and prepares forms for them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from connexion.resolver import Resolver
from flask import request

from todo.contract import SITE, Operation
from todo.domain.users import Owner
from todo.errors.access import StaleForm
from todo.http.problems import PROBLEMS
from todo.web import browser, drafts


def has_token(operation: Operation) -> bool:
    """Whether the operation takes a form from a page: all of these have a CSRF token."""
    content = operation.spec.get("requestBody", {}).get("content", {})
    return any("csrf_token" in SITE.resolve(body["schema"])["properties"] for body in content.values())


FORMS = {operation.handler for operation in SITE.operations if has_token(operation)}


class FormResolver(Resolver):
    """Finds the handlers of site.yaml. A form reaches its handler only with the right CSRF token, and without empty
    fields."""

    def resolve_function_from_operation_id(self, operation_id: str) -> Callable[..., Any]:
        handler: Callable[..., Any] = super().resolve_function_from_operation_id(operation_id)
        return _checked(handler) if operation_id in FORMS else handler


def _checked(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the handler of a form, called only if the form is from a page of the browser's session."""

    @wraps(handler)
    def checked(body: dict[str, str], **arguments: Any) -> Any:
        if not browser.session().accepts(body.get("csrf_token", "")):
            return _stale(body, **arguments)
        filled = {name: value for name, value in body.items() if value != "" and name != "csrf_token"}
        return handler(body=filled, **arguments)

    return checked


def _stale(body: dict[str, str], user: Owner | None = None) -> Any:
    """Shows a form again that came from a page of an earlier session. Raises StaleForm if it has no draft, or no
    page."""
    draft = drafts.draft_of(body, request.path)
    if user and draft and drafts.is_same_origin(request.environ["asgi.scope"]):
        return drafts.show(user, body, draft, status=PROBLEMS[StaleForm].status)
    raise StaleForm
