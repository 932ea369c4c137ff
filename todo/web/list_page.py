"""The page of the list, and the forms on it."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Response

from todo.contract import SITE
from todo.contract.schemas import compile_schema
from todo.domain import sections, side_bar
from todo.domain.sections import ListPage
from todo.domain.side_bar import SideBar
from todo.domain.users import Owner
from todo.errors import ListNotFound, Refusal
from todo.storage.statements import Connection
from todo.web import browser

JSON = dict[str, Any]

PATH = "/list"
(_GET,) = [operation for operation in SITE.operations if (operation.method, operation.path) == ("GET", PATH)]
_FILTERS = {
    parameter["name"]: compile_schema(parameter["schema"])
    for parameter in SITE.parameters(_GET, "query")
    if parameter["name"] in ("q", "tag", "list", "section", "cursor")
}


def show(
    owner: Owner,
    refusal: Refusal | None = None,
    *,
    back: str,
    q: str | None = None,
    tag: str | None = None,
    list_name: str | None = None,
    section: str | None = None,
    cursor: str | None = None,
    changed: int | None = None,
    edit: int | None = None,
    typed: JSON | None = None,
    edited: JSON | None = None,
    named: JSON | None = None,
    **more: Any,
) -> Response:
    """Returns the page, with what was wrong if it answers a refused form. Its forms lead back to the address `back`.

    `edit` is the id of the to-do that is shown as a form, with the fields `edited` if given. `typed` are the fields of
    the form to add; if the to-do to edit is not on the page, those are `edited`, so that nothing is lost. `named` are
    the fields of the form to create a list or, with the name of one as `list`, to rename it.
    """
    try:
        view, bar = browser.read(_view, owner, section, q, tag, list_name, cursor)
    except ListNotFound as missing:
        refusal, list_name = refusal or missing, None
        view, bar = browser.read(_view, owner, None, q, tag, None, None)
    chosen = bar.find(list_name)
    if edited and edit not in [todo.id for part in view.sections for todo in part.todos]:
        typed = edited
    return browser.page(
        "list.html",
        refusal,
        user=view.user,
        view=view,
        moment=view.moment,
        notice=browser.change(owner, changed),
        bar=bar,
        chosen=chosen,
        asked={"q": q, "tag": tag, "list": chosen.name if chosen else None, "section": section},
        edit=edit,
        here=PATH,
        back=back,
        typed=typed or {},
        edited=edited or {},
        named=named or {},
        **more,
    )


def show_again(owner: Owner, refusal: Refusal | None, form: JSON, **shown: Any) -> Response:
    """Returns the page that a form was on, with the same filter."""
    address = form.get("next", "")
    back = address if urlsplit(address).path == PATH else PATH
    return show(owner, refusal, back=back, **_filter(back), **shown)


def _filter(address: str) -> JSON:
    """Returns the filter in an address of the page, as `show` names it."""
    given = dict(parse_qsl(urlsplit(address).query))
    valid = {name: given[name] for name, is_valid in _FILTERS.items() if name in given and is_valid(given[name])}
    return {"list_name" if name == "list" else name: value for name, value in valid.items()}


def _view(
    connection: Connection,
    owner: Owner,
    section: str | None,
    q: str | None,
    tag: str | None,
    list_name: str | None,
    cursor: str | None,
) -> tuple[ListPage, SideBar]:
    """Returns the to-dos of the page and its side bar, from one snapshot. Raises ListNotFound, InvalidRequest."""
    if section:
        view = sections.page(connection, owner, section, q, tag, list_name, cursor)
    else:
        view = sections.overview(connection, owner, q, tag, list_name)
    return view, side_bar.of(connection, view.user)
