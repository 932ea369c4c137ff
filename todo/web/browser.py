"""The browser that a person sits at: its session, the pages it is shown, and the forms it sends."""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

from flask import Response, g, make_response, redirect, render_template, request
from werkzeug import Response as WerkzeugResponse

from todo.accounts import sessions, tokens
from todo.accounts.accounts import Account
from todo.accounts.sessions import Session
from todo.contract import SITE
from todo.domain import history
from todo.domain.users import Owner, User
from todo.errors import ChangeNotFound, Refusal, SignedOut, StaleForm
from todo.http.address import address_of
from todo.http.cookies import ACCOUNT
from todo.http.problems import PROBLEMS
from todo.http.refusals import CONTENT_POLICY
from todo.http.visitors import MORE_WRITES
from todo.service import current
from todo.storage.statements import Connection
from todo.web import live, words

P = ParamSpec("P")
T = TypeVar("T")
JSON = dict[str, Any]

HOME = SITE.schema("Next")["default"]
TODOS_PER_WRITE = SITE.limit("todos_per_write")


def read(rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Returns what `rule` returns, from one snapshot, as storage.database.read does where there is an event loop."""
    return current.get().engine.submit_read(rule, *args, **kwargs).result()


def write(rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Returns what `rule` returns, once on disk."""
    return current.get().engine.submit_write(rule, *args, **kwargs).result()


def charge(todos: int) -> None:
    """Lets a form count as more writes, the more to-dos it changes; they are paid for afterwards."""
    request.environ["asgi.scope"][MORE_WRITES].append(todos // TODOS_PER_WRITE)


def address() -> str:
    """Returns the network address of the caller."""
    return address_of(request.environ["asgi.scope"], current.get().settings.proxies)


def session() -> Session:
    """Returns the session of this browser, a fresh one without an account where it has none yet."""
    if "session" not in g:
        secret = request.cookies.get(current.get().session_cookie, "")
        g.session = Session(secret or secrets.token_urlsafe(32), _account_of(secret))
    return g.session  # type: ignore[no-any-return]


def account() -> Account | None:
    """Returns who is signed in."""
    return session().account


def _account_of(secret: str) -> Account | None:
    """Returns the account of a session, which the event loop has looked up where it counts who visits."""
    scope = request.environ["asgi.scope"]
    if ACCOUNT in scope:
        return scope[ACCOUNT]  # type: ignore[no-any-return]
    return read(sessions.find, secret) if secret.startswith(tokens.PREFIXES["session"]) else None


def check_form(form: JSON) -> None:
    """Takes the CSRF token, and what was left empty, out of a form. Raises StaleForm if it is of no page of ours."""
    if not session().accepts(form.pop("csrf_token", "")):
        raise StaleForm
    for name in [name for name, value in form.items() if value == ""]:
        del form[name]


def personal(handler: Callable[..., WerkzeugResponse], back: str | None = None) -> Callable[..., WerkzeugResponse]:
    """Returns the handler for people who are signed in; others sign in first, and come back. Forms are checked.

    They come to the page, or to `back`. A session may also end while the handler is at work.
    """

    @wraps(handler)
    def guarded(**arguments: Any) -> WerkzeugResponse:
        if "body" in arguments:
            check_form(arguments["body"])
        try:
            owner()
            return handler(**arguments)
        except SignedOut:
            return go_to(sign_in_page(back or here(HOME)))

    return guarded


def sign_in_page(following: str) -> str:
    """Returns the address of the form that leads on to a page."""
    return f"/sign-in?next={quote(following, safe='')}"


def here(otherwise: str) -> str:
    """Returns the address of this page, to come back to, or `otherwise` where a form was sent to it."""
    return request.full_path.removesuffix("?") if request.method == "GET" else otherwise


def owner() -> Owner:
    """Returns the person who is signed in, as whose list it is. Raises SignedOut."""
    return session().owner


def go_back(form: JSON, path: str, change_id: int | None = None) -> WerkzeugResponse:
    """Returns the way back to where the form was, which then says what has changed."""
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
    """Returns a page, of a refused form with what was wrong. A form leads to this service, and on to `form_goes_to`.

    One that shows the list of `user` has a script, which keeps it up to date.
    """
    problem = PROBLEMS[type(refusal)] if refusal else None
    text = render_template(
        template,
        problem=problem,
        account=account(),
        csrf_token=session().csrf_token,
        refused=words.refused(refusal) if refusal else None,
        schemas=SITE.document["components"]["schemas"],
        version=live.version(user) if user else None,
        words=words,
        **{"here": request.path, **values},
    )
    response = make_response(text, problem.status if problem else status)
    policy = CONTENT_POLICY + ("; script-src 'self'; connect-src 'self'" if user else "")
    response.headers["Content-Security-Policy"] = f"{policy}; form-action 'self' {form_goes_to}".strip()
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(refusal.headers if refusal else {})
    if session().secret != request.cookies.get(current.get().session_cookie):
        _set_cookie(response, session().secret)  # its forms are known again by it
    return response


def public_page(template: str, status: int = 200, **values: Any) -> Response:
    """Returns a page for anybody, which needs no session and starts none."""
    response = make_response(render_template(template, here=request.path, words=words, **values), status)
    response.headers["Content-Security-Policy"] = f"{CONTENT_POLICY}; form-action 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response


def change(change_id: int | None) -> history.ChangeDetails | None:
    """Returns the change that a page shall speak of, if there is one."""
    try:
        return read(history.change, owner(), change_id) if change_id else None
    except ChangeNotFound:
        return None


def go_to(path: str) -> WerkzeugResponse:
    """Returns the way on after a form, to be loaded by GET whatever came before."""
    response = redirect(path, 303)
    response.headers["Cache-Control"] = "no-store"
    return response


def signed_in(account: Account, path: str, *, keep: bool) -> WerkzeugResponse:
    """Returns the way on with a new session of the account. Raises WrongPassword where it has just changed."""
    return with_session(write(sessions.start, account, session().secret, keep=keep), path, keep=keep)


def with_session(secret: str, path: str, *, keep: bool = False) -> WerkzeugResponse:
    """Returns the way on with a session that has been started."""
    response = go_to(path)
    _set_cookie(response, secret, keep=keep)
    return response


def signed_out(path: str) -> WerkzeugResponse:
    """Returns the way on without a session."""
    write(sessions.sign_out, session().secret)
    response = go_to(path)
    response.delete_cookie(current.get().session_cookie, secure=_is_secure(), httponly=True, samesite="Lax")
    return response


def _set_cookie(response: WerkzeugResponse, secret: str, *, keep: bool = False) -> None:
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
