"""A person's browser: its session, and the pages and redirects sent to it."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from flask import Response, make_response, redirect, render_template, request
from werkzeug import Response as WerkzeugResponse

from todo.accounts import sessions
from todo.accounts.accounts import Account
from todo.accounts.sessions import Session
from todo.contract import SITE
from todo.domain import history, idempotency
from todo.domain.users import Owner, User
from todo.errors import ChangeNotFound, Refusal
from todo.http.client_address import address_of
from todo.http.problems import PROBLEMS
from todo.http.rate_limits import writes_of
from todo.http.refusals import CONTENT_POLICY
from todo.http.session_cookie import SESSION
from todo.http.site_limits import MORE_WRITES
from todo.service import current
from todo.storage.statements import Connection
from todo.web import live, words

P = ParamSpec("P")
T = TypeVar("T")
JSON = dict[str, Any]


def read(rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Returns what `rule` returns, from one snapshot: storage.database.read for threads."""
    return current.get().engine.submit_read(rule, *args, **kwargs).result()


def read_of_list(
    rule: Callable[Concatenate[Connection, Owner, P], T], owner: Owner, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Returns what `rule` returns: storage.database.read_of_list for threads."""
    return current.get().engine.submit_read_of_list(rule, owner, *args, **kwargs).result()


def write(rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Returns what `rule` returns, once it is on disk."""
    return current.get().engine.submit_write(rule, *args, **kwargs).result()


def write_once(
    form: JSON, rule: Callable[Concatenate[Connection, Owner, P], JSON], owner: Owner, *args: P.args, **kwargs: P.kwargs
) -> JSON:
    """Returns the numbers and the name that `rule` returns. A form that is sent again takes effect once."""
    return write(idempotency.once_by_form, owner, request.path, form.get("request_id"), rule, *args, **kwargs)


def charge(todos: int) -> None:
    """Charges a form for the to-dos that it changed, without refusing: the caller waits for it afterwards."""
    request.environ["asgi.scope"][MORE_WRITES].append(writes_of(todos))


def address() -> str:
    """Returns the network address of the caller, for rate limits."""
    return address_of(request.environ["asgi.scope"], current.get().settings.proxies)


def session() -> Session:
    """Returns the session of this browser, which was looked up before the request got here."""
    found: Session = request.environ["asgi.scope"][SESSION]
    return found


def here(otherwise: str) -> str:
    """Returns the URL of this page, to come back to, or `otherwise` if this is a form."""
    return request.full_path.removesuffix("?") if request.method == "GET" else otherwise


def go_back(form: JSON, path: str, change_id: int | None = None) -> WerkzeugResponse:
    """Redirects to the page that the form was on, or to `path`; it then shows what has changed."""
    address = words.without(form.get("next") or path, "edit")
    changed = f"{'&' if '?' in address else '?'}changed={change_id}" if change_id else ""
    return go_to(address + changed)


def page(
    template: str,
    refusal: Refusal | None = None,
    form_goes_to: str = "",
    user: User | None = None,
    status: int = 200,
    **values: Any,
) -> Response:
    """Returns a page, with the refusal if it answers a refused form.

    With `user`, it shows that list and has the script that keeps it up to date. Its form may redirect to the origin
    `form_goes_to`.
    """
    problem = PROBLEMS[type(refusal)] if refusal else None
    text = render_template(
        template,
        problem=problem,
        csrf_token=session().new_csrf_token(),
        refused=words.refused(refusal) if refusal else None,
        schemas=SITE.document["components"]["schemas"],
        version=live.version(user) if user else None,
        words=words,
        **{"here": request.path, **values},
    )
    response = make_response(text, problem.status if problem else status)
    policy = f"{CONTENT_POLICY}; script-src 'self'; connect-src 'self'" + ("; worker-src 'self'" if user else "")
    response.headers["Content-Security-Policy"] = f"{policy}; form-action 'self' {form_goes_to}".strip()
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(refusal.headers if refusal else {})
    if session().is_new:
        set_cookie(response, session().secret)  # its forms have this session's CSRF token
    return response


def public_page(template: str, status: int = 200, **values: Any) -> Response:
    """Returns a page for anyone. It sets no cookie."""
    response = make_response(render_template(template, here=request.path, words=words, **values), status)
    response.headers["Content-Security-Policy"] = f"{CONTENT_POLICY}; form-action 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response


def change(owner: Owner, change_id: int | None) -> history.ChangeDetails | None:
    """Returns the change that a page announces, or None."""
    try:
        return read(history.change, owner, change_id) if change_id else None
    except ChangeNotFound:
        return None


def go_to(path: str) -> WerkzeugResponse:
    """Redirects to a page, by GET."""
    response = redirect(path, 303)
    response.headers["Cache-Control"] = "no-store"
    return response


def start_session(account: Account, *, keep: bool) -> Session:
    """Returns a new session in place of the browser's own. Raises WrongPassword if the password has just changed."""
    started = Session(write(sessions.start, account, session().secret, keep=keep), account)
    request.environ["asgi.scope"][SESSION] = started
    return started


def signed_out(path: str) -> WerkzeugResponse:
    """Ends the session, clears what the browser has stored, and redirects."""
    write(sessions.sign_out, session().secret)
    response = go_to(path)
    # Not "storage": forms that could not be sent yet wait there. The service worker removes its cached page.
    response.headers["Clear-Site-Data"] = '"cache"'
    response.delete_cookie(current.get().session_cookie, secure=_is_secure(), httponly=True, samesite="Lax")
    return response


def set_cookie(response: WerkzeugResponse, secret: str, *, keep: bool = False) -> None:
    """Sets the session cookie, until the browser closes or, with `keep`, for as long as the session lasts."""
    response.set_cookie(
        current.get().session_cookie,
        secret,
        max_age=sessions.LONG if keep else None,
        secure=_is_secure(),
        httponly=True,
        samesite="Lax",
    )


def _is_secure() -> bool:
    return bool(current.get().settings.public_url.startswith("https:"))
