"""The operations of the tag accounts: where a person signs up, signs in and decides what assistants may do."""

from typing import Any
from urllib.parse import quote

from flask import Response, current_app, jsonify, request
from werkzeug import Response as WerkzeugResponse

from todo import accounts, calendars, files, grants, passwords, profiles, users
from todo.contract import API, SITE
from todo.errors import ClaimRefused, Refusal, TooManyAttempts, UsernameTaken, WrongPassword
from todo.validation import read_text
from todo.web import browser

JSON = dict[str, Any]
Answer = WerkzeugResponse

HOME = SITE.schema("Next")["default"]
ACCOUNT = "/account"


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
    except (TooManyAttempts, WrongPassword) as refusal:
        return _again("sign_in.html", refusal, body)
    return browser.signed_in(account, body.get("next") or HOME, keep="keep" in body)


def sign_out(body: JSON) -> Answer:
    browser.check_form(body)
    return browser.signed_out(_sign_in_page(body.get("next") or HOME))


def get_account() -> Answer:
    return _account_page() if browser.account() else _sign_in_first()


def change_password(body: JSON) -> Answer:
    browser.check_form(body)
    account = browser.account()
    if account is None:
        return _sign_in_first()
    try:
        accounts.check_password(_engine(), browser.address(), account.username, body["password"])
    except (TooManyAttempts, WrongPassword) as refusal:
        return _account_page(refusal)
    browser.write(accounts.change_password, account.user_id, passwords.hash_password(body["new_password"]))
    return browser.signed_in(account, ACCOUNT, keep=False)


def change_email(body: JSON) -> Answer:
    browser.check_form(body)
    account = browser.account()
    if account is None:
        return _sign_in_first()
    browser.write(accounts.change_email, account.user_id, body.get("email"))
    return browser.go_to(ACCOUNT)


@browser.personal
def change_time_zone(body: JSON) -> Answer:
    try:
        browser.write(profiles.update, browser.owner(), body["time_zone"])
    except Refusal as refusal:
        return _account_page(refusal)
    return browser.go_to("/account#time-zone")


def export_account() -> Answer:
    account = browser.account()
    if account is None:
        return _sign_in_first()
    exported = browser.read(accounts.export, account)
    for todo in exported["todos"]:
        if "url" in todo:
            todo["url"] = current_app.config["SETTINGS"].public_url + todo["url"]
    response = jsonify(exported)
    response.headers["Content-Disposition"] = 'attachment; filename="todo.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


def disconnect_assistant(body: JSON) -> Answer:
    browser.check_form(body)
    account = browser.account()
    if account is None:
        return _sign_in_first()
    browser.write(grants.disconnect, account.user_id, body["grant_id"])
    return browser.go_to(ACCOUNT)


def delete_account(body: JSON) -> Answer:
    browser.check_form(body)
    account = browser.account()
    if account is None:
        return _sign_in_first()
    try:
        accounts.check_password(_engine(), browser.address(), account.username, body["password"])
    except (TooManyAttempts, WrongPassword) as refusal:
        return _account_page(refusal)
    browser.write(users.forget, account.owner)
    return browser.signed_out("/sign-up")


@browser.personal
def import_file(body: JSON) -> Answer:  # noqa: ARG001
    try:
        found = files.read_file(read_text(request.files["file"]))
        change_id = browser.write(files.add_all, browser.owner(), found)
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
    account = browser.account()
    assert account
    browser.write(calendars.renew, account.user_id, on=body["calendar"] == "new")
    return browser.go_to("/account#calendar")


def _account_page(refusal: Refusal | None = None) -> Response:
    account = browser.account()
    assert account
    user = browser.read(users.find, account.owner)
    calendar = browser.read(calendars.address, account.user_id)
    return browser.page(
        "account.html",
        refusal,
        assistants=browser.read(grants.connected, account.user_id),
        meanings=API.scopes,
        when=user.local_text,
        time_zone=user.time_zone,
        guessed=user.time_zone_guessed,
        time_zones=profiles.time_zones(),
        calendar=f"{current_app.config['SETTINGS'].public_url}{calendar}" if calendar else None,
    )


def _again(template: str, refusal: Any, body: JSON) -> Response:
    """Returns the form again with what was wrong, and with what was typed but for the secrets."""
    typed = {name: body.get(name, "") for name in ("username", "email", "keep")}
    return browser.page(template, refusal, next=body.get("next") or HOME, typed=typed)


def _sign_in_first() -> Answer:
    return browser.go_to(_sign_in_page(ACCOUNT))


def _sign_in_page(following: str) -> str:
    return f"/sign-in?next={quote(following, safe='')}"


def _engine() -> Any:
    return current_app.config["ENGINE"]
