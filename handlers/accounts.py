"""Handlers of the tag accounts: sign-up, sign-in and the account page."""

from typing import Any

from flask import Response, jsonify, redirect, request
from werkzeug import Response as WerkzeugResponse

from todo.accounts import accounts, grants, passkeys, passwords, sessions
from todo.accounts.accounts import Account
from todo.accounts.passkeys import Browser
from todo.contract import product
from todo.domain import calendars, import_export, profiles
from todo.domain.forgetting import forget
from todo.domain.users import Owner
from todo.errors import Refusal
from todo.http.sign_in_redirect import HOME, sign_in_address
from todo.http.validators import read_text
from todo.service import current
from todo.web import account_forms, account_page, browser, claim_hint, drafts, sign_in_page

JSON = dict[str, Any]
Answer = WerkzeugResponse

MOVED = 308
USUAL = "usual"  # the usual first day of the week where the person lives


def get_sign_up(user: Owner | None, next_: str) -> Answer:
    return browser.go_to(next_) if user else _sign_up_page(next_)


def get_signup() -> Answer:
    return redirect("/sign-up", MOVED)


def sign_up(body: JSON) -> Answer:
    try:
        account_forms.require(body, "username")
        body["username"] = body["username"].strip()
        account_forms.check(body, {"username": "Username", "password": "NewPassword", "email": "Email"})
        account = accounts.sign_up(
            _engine(),
            browser.address(),
            body["username"],
            body["password"],
            email=body.get("email"),
            claim_code=body.get("claim_code"),
            time_zone=profiles.known_zone(body.get("time_zone")),
        )
    except Refusal as refusal:
        return _sign_up_page(body.get("next") or HOME, _typed(body), refusal)
    return _signed_in(account, body)


def get_sign_in(user: Owner | None, next_: str) -> Answer:
    return browser.go_to(next_) if user else sign_in_page.show(next_)


def get_login() -> Answer:
    return redirect("/sign-in", MOVED)


def sign_in(body: JSON) -> Answer:
    try:
        if "credential" in body:
            known = Browser(browser.session().secret, current.get().settings.public_url)
            account = passkeys.sign_in(_engine(), known, browser.address(), body["credential"])
        else:
            account_forms.require(body, "username", "password")
            username = body["username"].strip()
            account = accounts.check_password(_engine(), browser.address(), username, body["password"])
        return _signed_in(account, body)
    except Refusal as refusal:
        draft = drafts.draft_of(body, body.get("draft"))
        return sign_in_page.show(body.get("next") or HOME, _typed(body), draft, refusal)


def sign_out(body: JSON) -> Answer:
    return browser.signed_out(sign_in_address(body.get("next") or HOME))


def get_account(user: Owner, saved: str | None = None) -> Answer:
    return account_page.show(user, saved=saved)


def change_password(user: Owner, body: JSON) -> Answer:
    try:
        account_forms.check(body, {"new_password": "NewPassword"})
        account = accounts.check_own_password(_engine(), user, body["password"])
        new = passwords.hash_password(body["new_password"])
        secret = browser.write(sessions.change_password, user, account, new)
    except Refusal as refusal:
        return account_page.show(user, refusal)
    response = browser.go_to(account_page.saved("password"))
    browser.set_cookie(response, secret)
    return response


def change_email(user: Owner, body: JSON) -> Answer:
    try:
        account_forms.check(body, {"email": "Email"})
        browser.write(accounts.change_email, user, body.get("email"))
    except Refusal as refusal:
        return account_page.show(user, refusal, body)
    return browser.go_to(account_page.saved("email"))


def change_time_zone(user: Owner, body: JSON) -> Answer:
    chosen = body.get("week_start", USUAL)
    try:
        zone = body.get("time_zone", "").strip()
        browser.write(profiles.settle, user, zone, None if chosen == USUAL else chosen)
    except Refusal as refusal:
        return account_page.show(user, refusal, body)
    return browser.go_to(account_page.saved("time-zone"))


def export_account(user: Owner) -> Answer:
    response = jsonify(browser.read(accounts.export, user))
    response.headers["Content-Disposition"] = f'attachment; filename="{product.NAME}.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


def disconnect_assistant(user: Owner, body: JSON) -> Answer:
    browser.write(grants.disconnect, user, body["grant_id"])
    return browser.go_to(account_page.saved("disconnect"))


def delete_account(user: Owner, body: JSON) -> Answer:
    try:
        accounts.check_own_password(_engine(), user, body["password"])
    except Refusal as refusal:
        return account_page.show(user, refusal)
    browser.write(forget, user)
    return browser.signed_out("/sign-up")


def import_file(user: Owner, body: JSON) -> Answer:  # noqa: ARG001
    try:
        given = request.files["file"]
        file = import_export.Import.of(import_export.read_file(read_text(given), given.filename or ""))
        browser.charge(len(file.todos))
        change_id = browser.write(import_export.add_all, user, file)
    except Refusal as refusal:
        return account_page.show(user, refusal)
    return browser.go_back({}, HOME, change_id)


def export_csv(user: Owner) -> Answer:
    response = Response(browser.read_of_list(import_export.to_csv, user), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{product.NAME}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def change_calendar(user: Owner, body: JSON) -> Answer:
    browser.write(calendars.renew, user, on=body["calendar"] == "new")
    return browser.go_to(account_page.saved("calendar"))


def _signed_in(account: Account, body: JSON) -> Answer:
    """Starts a session, and redirects to `next` or shows the draft that the sign-in page kept."""
    keep, draft = "keep" in body, drafts.draft_of(body, body.get("draft"))
    session = browser.start_session(account, keep=keep)
    if zone := profiles.known_zone(body.get("time_zone")):
        browser.write(profiles.take_zone, session.owner, zone)
    response = drafts.show(session.owner, body, draft) if draft else browser.go_to(body.get("next") or HOME)
    browser.set_cookie(response, session.secret, keep=keep)
    return response


def _sign_up_page(next_: str, typed: JSON | None = None, refusal: Refusal | None = None) -> Response:
    return browser.page(
        "sign_up.html",
        refusal,
        next=next_,
        typed=typed or {},
        told=account_forms.refused(refusal) if refusal else None,
        sends_mail=current.get().mailer is not None,
        claim=claim_hint.command(refusal, typed["username"]) if refusal and typed else None,
    )


def _typed(body: JSON) -> JSON:
    """Returns the submitted fields, without secrets."""
    return {name: body.get(name, "") for name in ("username", "email", "claim_code", "keep")}


def _engine() -> Any:
    return current.get().engine
