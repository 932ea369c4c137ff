"""Handlers of the tag passkeys: adding and removing passkeys, and signing in with one."""

from typing import Any

from flask import Response, jsonify
from werkzeug import Response as WerkzeugResponse

from todo.accounts import accounts, passkeys
from todo.accounts.passkeys import Browser
from todo.domain.users import Owner
from todo.errors import Refusal
from todo.service import current
from todo.web import account_forms, account_page, browser

JSON = dict[str, Any]
Answer = WerkzeugResponse


def offer_sign_in(body: JSON) -> Answer:  # noqa: ARG001
    return _options(passkeys.offer_sign_in(current.get().engine, _browser()))


def offer_passkey(user: Owner, body: JSON) -> Answer:
    engine = current.get().engine
    account = accounts.check_own_password(engine, user, body["password"])
    return _options(passkeys.offer_new(engine, _browser(), account))


def add_passkey(user: Owner, body: JSON) -> Answer:
    try:
        name = body.get("name", "").strip()
        account_forms.check({"name": name}, {"name": "PasskeyName"})
        passkeys.add(current.get().engine, _browser(), user, name, body["credential"])
    except Refusal as refusal:
        return account_page.show(user, refusal)
    return browser.go_to(account_page.saved("passkeys"))


def remove_passkey(user: Owner, body: JSON) -> Answer:
    browser.write(passkeys.remove, user, body["passkey"])
    return browser.go_to(account_page.saved("passkeys/remove"))


def _browser() -> Browser:
    return Browser(browser.session().secret, current.get().settings.public_url)


def _options(options: JSON) -> Response:
    response = jsonify(options)
    response.headers["Cache-Control"] = "no-store"
    return response
