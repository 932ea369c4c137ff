"""Handlers of the tag month: the calendar pages of a month and of a day."""

from flask import Response

from todo.domain import month as months
from todo.domain import sections, side_bar
from todo.domain.users import Owner
from todo.errors import ListNotFound
from todo.storage.statements import Connection
from todo.web import browser

PATH = "/calendar"


def get_month(
    user: Owner,
    month: str | None = None,
    day: str | None = None,
    list_: str | None = None,
    cursor: str | None = None,
    changed: int | None = None,
) -> Response:
    missing = None
    try:
        view, bar = browser.read(_view, user, month, day, list_, cursor)
    except ListNotFound as refusal:
        missing, list_ = refusal, None
        view, bar = browser.read(_view, user, month, day, None, None)
    return browser.page(
        "calendar_day.html" if day else "calendar_month.html",
        missing,
        user=view.user,
        view=view,
        moment=view.moment,
        day=day,
        chosen=bar.find(list_),
        bar=bar,
        notice=browser.change(user, changed),
        back=browser.here(PATH),
        here=PATH,
    )


def _view(
    connection: Connection, owner: Owner, month: str | None, day: str | None, list_name: str | None, cursor: str | None
) -> tuple[months.Month | sections.ListPage, side_bar.SideBar]:
    """Returns what is due in a month or on a day, and the lists, from one snapshot. Raises what either raises."""
    view: months.Month | sections.ListPage
    if day:
        view = sections.day(connection, owner, day, list_name, cursor)
    else:
        view = months.page(connection, owner, month, list_name)
    return view, side_bar.of(connection, view.user)
