"""The list page and its forms. For what its sections contain see domain/sections.py."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from flask import Response

from todo.contract import SITE
from todo.contract.schemas import compile_schema
from todo.domain import news, sections, side_bar, users
from todo.domain.actors import Actor
from todo.domain.history import ChangeDetails
from todo.domain.kinds.todos import TODO
from todo.domain.merging import EditConflict
from todo.domain.sections import ListPage, Moment
from todo.domain.side_bar import SideBar
from todo.domain.todos import Todo
from todo.domain.users import Owner
from todo.errors import ListNotFound, Refusal, VersionConflict
from todo.storage.statements import Connection
from todo.web import browser
from todo.web.conflicts import Conflict, done_to
from todo.web.forms import form_of

JSON = dict[str, Any]

PATH = "/list"
MAX_EXTRA = 5  # to-dos of a change that are shown although the filter excludes them
(_GET,) = [operation for operation in SITE.operations if (operation.method, operation.path) == ("GET", PATH)]
_FILTERS = {
    parameter["name"]: compile_schema(parameter["schema"])
    for parameter in SITE.parameters(_GET, "query")
    if parameter["name"] in ("q", "tag", "list", "section", "cursor")
}


class Shown(NamedTuple):
    """What the page shows, and who made the newest changes, by the id of the change."""

    view: ListPage
    bar: SideBar
    extra: list[Todo]
    news: Mapping[int, Actor]

    @property
    def todo_ids(self) -> set[int]:
        return {todo.id for todos in (self.extra, *(part.todos for part in self.view.sections)) for todo in todos}


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
    """Returns the page, with the refusal if it answers a refused form. Its forms lead back to the URL `back`.

    `edit` is the id of the to-do that is shown as a form, with the values `edited` if given; if that to-do is gone, the
    values are in the form to add one, so that nothing is lost. `typed` are the values of the form to add. `named` are
    those of the form to create a list or, with a `list`, to rename that one.
    """
    notice = browser.change(owner, changed)
    wanted = _added_by(notice) + ([edit] if edit else [])
    filters = {"section": section, "q": q, "tag": tag, "list_name": list_name, "cursor": cursor}
    try:
        shown = browser.read(_shown, owner, wanted, **filters)
    except ListNotFound as missing:
        refusal, list_name = refusal or missing, None
        shown = browser.read(_shown, owner, wanted, q=q, tag=tag)
    chosen = shown.bar.find(list_name)
    if edited and edit not in shown.todo_ids:
        typed = edited
    return browser.page(
        "list.html",
        refusal,
        user=shown.view.user,
        view=shown.view,
        moment=shown.view.moment,
        extra=shown.extra,
        news=shown.news,
        notice=notice,
        bar=shown.bar,
        chosen=chosen,
        asked={"q": q, "tag": tag, "list": chosen.name if chosen else None, "section": section, "cursor": cursor},
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


def show_conflict(owner: Owner, conflict: VersionConflict, form: JSON) -> Response:
    """Returns the page for an outdated edit: it asks about the fields that both have set, and merges the rest."""
    edited, found = form, list[Conflict]()
    if isinstance(conflict, EditConflict):
        found, in_list = browser.read(_conflicts, owner, conflict)
        is_moved = conflict.merged.list_id != conflict.now.list_id
        lists = {name: form.get(name) for name in ("list", "new_list")} if is_moved else {"list": in_list}
        edited = {**form_of(conflict.merged), **lists}
    return show_again(
        owner,
        VersionConflict(conflict.members["current_version"]),
        form,
        edit=int(form["id"]),
        edited=edited,
        seen_version=conflict.members["current_version"],
        conflicts=found,
    )


def _conflicts(connection: Connection, owner: Owner, conflict: EditConflict) -> tuple[list[Conflict], str | None]:
    """Returns the fields that both have set, and the name of the list that the to-do is in."""
    user = users.find(connection, owner)
    moment, bar = Moment.of(user), side_bar.of(connection, user)
    found = []
    for field, change_id in conflict.changed_by.items():
        row = connection.change_by_id(user_id=user.id, id=change_id)
        found.append(Conflict(field, Actor.of(row) if row else None, done_to(field, conflict.now, moment, bar)))
    return found, bar.names.get(conflict.now.list_id)


def _added_by(notice: ChangeDetails | None) -> list[int]:
    """Returns the ids of the first to-dos that a change has added: the page shows them whatever its filter."""
    entries = notice.entries if notice else []
    return [entry.key.id for entry in entries if entry.action == "add" and entry.key.kind == TODO][:MAX_EXTRA]


def _filter(address: str) -> JSON:
    """Returns the filter in a URL of the page, with the names of the parameters of `show`."""
    given = dict(parse_qsl(urlsplit(address).query))
    valid = {name: given[name] for name, is_valid in _FILTERS.items() if name in given and is_valid(given[name])}
    return {"list_name" if name == "list" else name: value for name, value in valid.items()}


def _shown(
    connection: Connection,
    owner: Owner,
    wanted: Sequence[int],
    section: str | None = None,
    q: str | None = None,
    tag: str | None = None,
    list_name: str | None = None,
    cursor: str | None = None,
) -> Shown:
    """Returns what the page shows, from one snapshot. Raises ListNotFound, InvalidRequest."""
    if section:
        view = sections.page(connection, owner, section, q, tag, list_name, cursor)
    else:
        view = sections.overview(connection, owner, q, tag, list_name)
    there = {todo.id for part in view.sections for todo in part.todos}
    rows = [connection.todo_by_id(user_id=view.user.id, id=number) for number in dict.fromkeys(wanted)]
    found = [Todo.from_row(row) for row in rows if row and row["id"] not in there and row["status"] in ("open", "done")]
    return Shown(view, side_bar.of(connection, view.user), found, news.by_assistants(connection, view.user))
