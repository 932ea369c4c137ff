"""Handlers of the tag resets: a new password by a link in an e-mail."""

from typing import Any

from werkzeug import Response as WerkzeugResponse

from todo.accounts import passwords, resets
from todo.contract import SITE
from todo.errors import Refusal
from todo.service import current
from todo.web import account_forms, browser

JSON = dict[str, Any]
Answer = WerkzeugResponse


def get_forgot_password() -> Answer:
    return _forgot_page()


def send_reset(body: JSON) -> Answer:
    service, username = current.get(), body.get("username", "").strip()
    if service.mailer is None:
        return browser.go_to("/forgot-password")
    try:
        account_forms.require(body, "username")
        resets.request(service.engine, service.mailer, service.settings.public_url, browser.address(), username)
    except Refusal as refusal:
        return _forgot_page(refusal, username)
    return _forgot_page(username=username, asked=True)


def get_reset(reset: str) -> Answer:
    try:
        account = browser.read(resets.find, reset)
    except Refusal as refusal:
        return _reset_page(reset, refusal)
    return _reset_page(reset, username=account.username)


def reset_password(body: JSON) -> Answer:
    secret, username = body["reset"], ""
    try:
        username = browser.read(resets.find, secret).username
        account_forms.check(body, {"new_password": "NewPassword"})
        account = browser.write(resets.use, secret, passwords.hash_password(body["new_password"]))
        session = browser.start_session(account, keep=False)
    except Refusal as refusal:
        return _reset_page(secret, refusal, username)
    response = browser.go_to("/list")
    browser.set_cookie(response, session.secret)
    return response


def _forgot_page(refusal: Refusal | None = None, username: str = "", *, asked: bool = False) -> Answer:
    settings, mailer = current.get().settings, current.get().mailer
    return browser.page(
        "forgot_password.html",
        refusal,
        told=account_forms.refused(refusal) if refusal else None,
        contact=settings.contact_email,
        sends=mailer is not None,
        username=username,
        asked=asked,
        minutes=SITE.limit("reset_minutes"),
    )


def _reset_page(reset: str, refusal: Refusal | None = None, username: str = "") -> Answer:
    told = account_forms.refused(refusal) if refusal else None
    return browser.page("reset_password.html", refusal, told=told, reset=reset, username=username)
