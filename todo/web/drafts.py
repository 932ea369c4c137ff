"""Drafts: what somebody has typed into a form when their session ends.

The form is answered with the sign-in page, which has the draft in hidden fields. After sign-in the list shows the form
with the draft filled in, for the person to send. Nothing is stored until then.
"""

from typing import Any

from flask import Flask, Response
from starlette.types import Scope

from todo.contract import SITE
from todo.contract.schemas import compile_schema
from todo.domain.users import Owner
from todo.errors.access import SignedOut
from todo.http.asgi_scope import headers_of
from todo.http.bridge import environ_of
from todo.http.problems import PROBLEMS, ProblemResponse
from todo.http.session_cookie import SESSION
from todo.http.sign_in_redirect import form_of, page_of
from todo.web import list_page, sign_in_page

JSON = dict[str, Any]


NOT_TYPED = ("csrf_token", "request_id", "next", "theirs")


def _schema(path: str) -> JSON:
    """Returns the schema of a form's draft: its fields without those that the page itself adds."""
    (operation,) = [o for o in SITE.operations if (o.method, o.path) == ("POST", path)]
    (content,) = operation.spec["requestBody"]["content"].values()
    schema = SITE.resolved_schema(content["schema"]["$ref"].rpartition("/")[2])
    fields = {name: field for name, field in schema["properties"].items() if name not in NOT_TYPED}
    return {**schema, "properties": fields, "required": [name for name in schema["required"] if name in fields]}


LISTS = ("/lists", "/lists/rename")
SCHEMAS = {path: _schema(path) for path in SITE.schema("SignIn")["properties"]["draft"]["enum"]}
IS_VALID = {path: compile_schema(schema) for path, schema in SCHEMAS.items()}


def draft_of(form: JSON, path: str | None) -> JSON | None:
    """Returns the draft of a form that is sent to `path`, with that path as `draft`, or None if it has none."""
    if path not in SCHEMAS:
        return None
    fields = {name: form[name] for name in SCHEMAS[path]["properties"] if form.get(name)}
    return {"draft": path, **fields} if IS_VALID[path](fields) else None


def show(owner: Owner, form: JSON, draft: JSON, status: int = 200) -> Response:
    """Returns the list with the draft in its form; `form` may have the address of the page as `next`."""
    if "id" in draft:
        filled = {"edit": int(draft["id"]), "edited": draft, "seen_version": draft["version"]}
    else:
        filled = {"named" if draft["draft"] in LISTS else "typed": draft}
    return list_page.show_again(owner, None, form, status=status, restored=True, **filled)


class SignInPage:
    """Answers a form that came without a session with the sign-in page, if the form has a draft."""

    def __init__(self) -> None:
        # Only for its templates: this page is needed before the site's own app exists.
        self._app = Flask("todo", template_folder="web/templates", static_folder=None)

    def __call__(self, scope: Scope) -> ProblemResponse | None:
        form = form_of(scope) if scope["method"] == "POST" else {}
        draft = draft_of(form, scope["path"])
        if not draft or not (scope[SESSION].accepts(form.get("csrf_token", "")) or is_same_origin(scope)):
            return None
        with self._app.request_context(environ_of(scope, "", b"")):
            status = PROBLEMS[SignedOut].status
            response = sign_in_page.show(page_of(scope), draft=draft, status=status)
        return ProblemResponse(response.status_code, dict(response.headers), response.get_data())


def is_same_origin(scope: Scope) -> bool:
    """Whether a page of this service sent the request, by Fetch Metadata, which needs no old cookie."""
    return headers_of(scope).get(b"sec-fetch-site") == b"same-origin"
