"""The account page, which shows next to each form what was saved or refused."""

from typing import Any

from flask import Response, request

from todo.accounts import accounts, grants, passkeys
from todo.contract import API
from todo.domain import calendars, profiles, users, weeks
from todo.domain.sections import Moment
from todo.domain.users import Owner
from todo.errors import Refusal
from todo.service import current
from todo.web import account_forms, browser, dates

JSON = dict[str, Any]

PATH = "/account"
NOTICE = "notice"  # the id of the element with the message


def saved(form: str) -> str:
    """Returns the URL of the page that confirms a saved form."""
    return f"{PATH}?saved={form}#{NOTICE}"


def show(owner: Owner, refusal: Refusal | None = None, typed: JSON | None = None, saved: str | None = None) -> Response:
    """Returns the page; after a refused form, with what was typed into it."""
    user = browser.read(users.find, owner)
    calendar, moment = browser.read(calendars.path, owner), Moment.of(user)
    return browser.page(
        "account.html",
        refusal,
        told=account_forms.refused(refusal) if refusal else None,
        refused_form=request.path.removeprefix(f"{PATH}/") if refusal else None,
        wrong=account_forms.wrong_fields(refusal),
        typed=typed or {},
        saved=saved,
        account=browser.read(accounts.get, owner),
        assistants=browser.read(grants.connected, user.id),
        meanings=API.scopes,
        passkeys=browser.read(passkeys.all_of, user.id),
        sends_mail=current.get().mailer is not None,
        passkey_host=passkeys.host_of(current.get().settings.public_url),
        when=lambda stored: dates.past(user.local_minute(stored), moment),
        on=lambda stored: dates.on(user.local_minute(stored)),
        time_zone=user.time_zone,
        guessed=user.time_zone_guessed,
        week_start=user.week_start,
        usual_week_start=weeks.start_in(user.region, user.time_zone),
        is_week_start_set=user.stored_week_start is not None,
        time_zones=profiles.time_zones(),
        calendar=f"{current.get().settings.public_url}{calendar}" if calendar else None,
    )
