"""The operations of the tag accounts: sign-up, sign-in, and the account page."""

from typing import Any

from flask import Response, jsonify, request
from werkzeug import Response as WerkzeugResponse

from todo.accounts import accounts, grants, passwords, sessions
from todo.accounts.accounts import Account
from todo.contract import API
from todo.domain import calendars, import_export, profiles, users
from todo.domain.sections import Moment
from todo.domain.users import Owner
from todo.errors import ClaimRefused, Refusal, TooManyAttempts, UsernameTaken, WrongPassword
from todo.http.sign_in_redirect import HOME, sign_in_address
from todo.http.validators import read_text
from todo.service import current
from todo.web import browser, claim_hint, dates, drafts

JSON = dict[str, Any]
Answer = WerkzeugResponse

ACCOUNT = "/account"


def get_sign_up(user: Owner | None, next_: str) -> Answer:
    return browser.go_to(next_) if user else browser.page("sign_up.html", next=next_, typed={})


def sign_up(body: JSON) -> Answer:
    email, claim_code = body.get("email") or None, body.get("claim_code") or None
    try:
        account = accounts.sign_up(_engine(), browser.address(), body["username"], body["password"], email, claim_code)
    except (ClaimRefused, TooManyAttempts, UsernameTaken) as refusal:
        return _again("sign_up.html", refusal, body)
    return _signed_in(account, body)


def get_sign_in(user: Owner | None, next_: str) -> Answer:
    return browser.go_to(next_) if user else browser.page("sign_in.html", next=next_, typed={})


def sign_in(body: JSON) -> Answer:
    try:
        account = accounts.check_password(_engine(), browser.address(), body["username"], body["password"])
        return _signed_in(account, body)
    except (TooManyAttempts, WrongPassword) as refusal:
        return _again("sign_in.html", refusal, body)


def sign_out(body: JSON) -> Answer:
    return browser.signed_out(sign_in_address(body.get("next") or HOME))


def get_account(user: Owner) -> Answer:
    return _account_page(user)


def change_password(user: Owner, body: JSON) -> Answer:
    try:
        account = accounts.check_own_password(_engine(), user, body["password"])
        new = passwords.hash_password(body["new_password"])
        secret = browser.write(sessions.change_password, user, account, new)
    except (TooManyAttempts, WrongPassword) as refusal:
        return _account_page(user, refusal)
    response = browser.go_to(ACCOUNT)
    browser.set_cookie(response, secret)
    return response


def change_email(user: Owner, body: JSON) -> Answer:
    browser.write(accounts.change_email, user, body.get("email"))
    return browser.go_to(ACCOUNT)


def change_time_zone(user: Owner, body: JSON) -> Answer:
    try:
        browser.write(profiles.update, user, body["time_zone"], body.get("week_start"))
    except Refusal as refusal:
        return _account_page(user, refusal)
    return browser.go_to("/account#time-zone")


def export_account(user: Owner) -> Answer:
    exported = browser.read(accounts.export, user)
    for todo in exported["todos"]:
        if "url" in todo:
            todo["url"] = current.get().settings.public_url + todo["url"]
    response = jsonify(exported)
    response.headers["Content-Disposition"] = 'attachment; filename="todo.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


def disconnect_assistant(user: Owner, body: JSON) -> Answer:
    browser.write(grants.disconnect, user, body["grant_id"])
    return browser.go_to(ACCOUNT)


def delete_account(user: Owner, body: JSON) -> Answer:
    try:
        accounts.check_own_password(_engine(), user, body["password"])
    except (TooManyAttempts, WrongPassword) as refusal:
        return _account_page(user, refusal)
    browser.write(users.forget, user)
    return browser.signed_out("/sign-up")


def import_file(user: Owner, body: JSON) -> Answer:  # noqa: ARG001
    try:
        given = request.files["file"]
        file = import_export.Import.of(import_export.read_file(read_text(given), given.filename or ""))
        browser.charge(len(file.todos))
        change_id = browser.write(import_export.add_all, user, file)
    except Refusal as refusal:
        return _account_page(user, refusal)
    return browser.go_back({}, HOME, change_id)


def export_csv(user: Owner) -> Answer:
    response = Response(browser.read_of_list(import_export.to_csv, user), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="todo.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def change_calendar(user: Owner, body: JSON) -> Answer:
    browser.write(calendars.renew, user, on=body["calendar"] == "new")
    return browser.go_to("/account#calendar")


def _signed_in(account: Account, body: JSON) -> Answer:
    """Starts a session, and redirects to `next` or shows the draft that the sign-in page has kept."""
    keep, draft = "keep" in body, drafts.draft_of(body, body.get("draft"))
    session = browser.start_session(account, keep=keep)
    response = drafts.show(session.owner, body, draft) if draft else browser.go_to(body.get("next") or HOME)
    browser.set_cookie(response, session.secret, keep=keep)
    return response


def _account_page(owner: Owner, refusal: Refusal | None = None) -> Response:
    user = browser.read(users.find, owner)
    calendar, moment = browser.read(calendars.path, owner), Moment.of(user)
    return browser.page(
        "account.html",
        refusal,
        account=browser.read(accounts.get, owner),
        assistants=browser.read(grants.connected, user.id),
        meanings=API.scopes,
        when=lambda stored: dates.past(user.local_minute(stored), moment),
        on=lambda stored: dates.on(user.local_minute(stored)),
        time_zone=user.time_zone,
        guessed=user.time_zone_guessed,
        week_start=user.week_start,
        is_week_start_set=user.stored_week_start is not None,
        time_zones=profiles.time_zones(),
        calendar=f"{current.get().settings.public_url}{calendar}" if calendar else None,
    )


def _again(template: str, refusal: Any, body: JSON) -> Response:
    """Returns the form again, with what was wrong and all that was typed but the secrets."""
    typed = {name: body.get(name, "") for name in ("username", "email", "keep")}
    draft = drafts.draft_of(body, body.get("draft"))
    claim = claim_hint.command(refusal, body["username"])
    return browser.page(template, refusal, next=body.get("next") or HOME, typed=typed, draft=draft, claim=claim)


def _engine() -> Any:
    return current.get().engine
