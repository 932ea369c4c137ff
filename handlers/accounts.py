"""The operations of the tag accounts: where a person signs up, signs in and decides what assistants may do."""

from functools import partial
from typing import Any

from flask import Response, jsonify, request
from werkzeug import Response as WerkzeugResponse

from todo.accounts import accounts, grants, passwords, sessions
from todo.contract import API
from todo.domain import calendars, files, profiles, users
from todo.errors import ClaimRefused, Refusal, TooManyAttempts, UsernameTaken, WrongPassword
from todo.http.validators import read_text
from todo.service import current
from todo.web import browser
from todo.web.browser import HOME

JSON = dict[str, Any]
Answer = WerkzeugResponse

ACCOUNT = "/account"
on_account_page = partial(browser.personal, back=ACCOUNT)


def get_sign_up(next_: str) -> Answer:
    return browser.go_to(next_) if browser.account() else browser.page("sign_up.html", next=next_, typed={})


def sign_up(body: JSON) -> Answer:
    browser.check_form(body)
    email, claim_code = body.get("email") or None, body.get("claim_code") or None
    try:
        account = accounts.sign_up(_engine(), browser.address(), body["username"], body["password"], email, claim_code)
    except (ClaimRefused, TooManyAttempts, UsernameTaken) as refusal:
        return _again("sign_up.html", refusal, body)
    return browser.signed_in(account, body.get("next") or HOME, keep="keep" in body)


def get_sign_in(next_: str) -> Answer:
    return browser.go_to(next_) if browser.account() else browser.page("sign_in.html", next=next_, typed={})


def sign_in(body: JSON) -> Answer:
    browser.check_form(body)
    try:
        account = accounts.check_password(_engine(), browser.address(), body["username"], body["password"])
        return browser.signed_in(account, body.get("next") or HOME, keep="keep" in body)
    except (TooManyAttempts, WrongPassword) as refusal:
        return _again("sign_in.html", refusal, body)


def sign_out(body: JSON) -> Answer:
    browser.check_form(body)
    return browser.signed_out(browser.sign_in_page(body.get("next") or HOME))


@on_account_page
def get_account() -> Answer:
    return _account_page()


@on_account_page
def change_password(body: JSON) -> Answer:
    try:
        account = accounts.check_own_password(_engine(), browser.owner(), body["password"])
        new = passwords.hash_password(body["new_password"])
        secret = browser.write(sessions.change_password, browser.owner(), account, new)
    except (TooManyAttempts, WrongPassword) as refusal:
        return _account_page(refusal)
    return browser.with_session(secret, ACCOUNT)


@on_account_page
def change_email(body: JSON) -> Answer:
    browser.write(accounts.change_email, browser.owner(), body.get("email"))
    return browser.go_to(ACCOUNT)


@browser.personal
def change_time_zone(body: JSON) -> Answer:
    try:
        browser.write(profiles.update, browser.owner(), body["time_zone"])
    except Refusal as refusal:
        return _account_page(refusal)
    return browser.go_to("/account#time-zone")


@on_account_page
def export_account() -> Answer:
    exported = browser.read(accounts.export, browser.owner())
    for todo in exported["todos"]:
        if "url" in todo:
            todo["url"] = current.get().settings.public_url + todo["url"]
    response = jsonify(exported)
    response.headers["Content-Disposition"] = 'attachment; filename="todo.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


@on_account_page
def disconnect_assistant(body: JSON) -> Answer:
    browser.write(grants.disconnect, browser.owner(), body["grant_id"])
    return browser.go_to(ACCOUNT)


@on_account_page
def delete_account(body: JSON) -> Answer:
    try:
        accounts.check_own_password(_engine(), browser.owner(), body["password"])
    except (TooManyAttempts, WrongPassword) as refusal:
        return _account_page(refusal)
    browser.write(users.forget, browser.owner())
    return browser.signed_out("/sign-up")


@browser.personal
def import_file(body: JSON) -> Answer:  # noqa: ARG001
    try:
        file = files.Import.of(files.read_file(read_text(request.files["file"])))
        browser.charge(len(file.todos))
        change_id = browser.write(files.add_all, browser.owner(), file)
    except Refusal as refusal:
        return _account_page(refusal)
    return browser.go_back({}, HOME, change_id)


@browser.personal
def export_csv() -> Answer:
    response = Response(browser.read(files.to_csv, browser.owner()), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="todo.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


@browser.personal
def change_calendar(body: JSON) -> Answer:
    browser.write(calendars.renew, browser.owner(), on=body["calendar"] == "new")
    return browser.go_to("/account#calendar")


def _account_page(refusal: Refusal | None = None) -> Response:
    user = browser.read(users.find, browser.owner())
    calendar = browser.read(calendars.path, browser.owner())
    return browser.page(
        "account.html",
        refusal,
        assistants=browser.read(grants.connected, user.id),
        meanings=API.scopes,
        when=user.local_text,
        time_zone=user.time_zone,
        guessed=user.time_zone_guessed,
        time_zones=profiles.time_zones(),
        calendar=f"{current.get().settings.public_url}{calendar}" if calendar else None,
    )


def _again(template: str, refusal: Any, body: JSON) -> Response:
    """Returns the form again with what was wrong, and with what was typed but for the secrets."""
    typed = {name: body.get(name, "") for name in ("username", "email", "keep")}
    return browser.page(template, refusal, next=body.get("next") or HOME, typed=typed)


def _engine() -> Any:
    return current.get().engine
