"""The operations of the tag lists: where a person sees and changes the list."""

from typing import Any

from werkzeug import Response

from todo.contract import API
from todo.contract.schemas import find_errors
from todo.domain import changes, sections
from todo.errors import InvalidRequest, Refusal
from todo.web import browser

JSON = dict[str, Any]
FIELDS = ("todo", "notes", "priority", "repeat")


@browser.personal
def get_list(
    q: str | None = None,
    tag: str | None = None,
    section: str | None = None,
    cursor: str | None = None,
    edit: int | None = None,
    changed: int | None = None,
) -> Response:
    return _page(q=q, tag=tag, section=section, cursor=cursor, edit=edit, changed=changed)


@browser.personal
def add_to_list(body: JSON) -> Response:
    try:
        added = browser.write(changes.act, browser.owner(), {"action": "add", **_fields(body, "NewTodo")})
    except Refusal as refusal:
        return _page(refusal, typed=body)
    return browser.go_back(body, "/list", added["change_id"])


@browser.personal
def edit_on_list(body: JSON) -> Response:
    todo_id, version = int(body["id"]), int(body["version"])
    cleared: JSON = {"notes": None, "due": None, "priority": None, "tags": None, "repeat": None}
    try:
        action = {"action": "update", "id": todo_id, "if_version": version, **cleared, **_fields(body, "TodoUpdate")}
        edited = browser.write(changes.act, browser.owner(), action)
    except Refusal as refusal:
        return _page(refusal, edit=todo_id, edited=body)
    return browser.go_back(body, "/list", edited["change_id"] if edited["version"] > version else None)


@browser.personal
def act_on_list(body: JSON) -> Response:
    action: JSON = {"action": body["action"], "id": int(body["id"])}
    if "share_until" in body:
        action["url_until"] = body["share_until"]
    try:
        done = browser.write(changes.act, browser.owner(), action)
    except Refusal as refusal:
        return _page(refusal)
    return browser.go_back(body, "/list", done["change_id"])


def _fields(form: JSON, schema: str) -> JSON:
    """Returns what a form says of a to-do, as the contract for assistants has it. Raises InvalidRequest."""
    fields = {name: form[name] for name in FIELDS if name in form}
    if "due_day" in form:
        fields["due"] = form["due_day"] + (f"T{form['due_time'][:5]}" if "due_time" in form else "")
    elif "due_time" in form:
        raise InvalidRequest.of("due", "needs a day beside the time")
    if "tags" in form:
        fields["tags"] = [tag.strip() for tag in form["tags"].split(",") if tag.strip()]
    errors = find_errors(API.resolved_schema(schema), fields)
    if errors:
        raise InvalidRequest(errors)
    return fields


def _page(
    refusal: Refusal | None = None,
    q: str | None = None,
    tag: str | None = None,
    section: str | None = None,
    cursor: str | None = None,
    edit: int | None = None,
    changed: int | None = None,
    typed: JSON | None = None,
    edited: JSON | None = None,
) -> Response:
    owner = browser.owner()
    if section:
        view = browser.read(sections.page, owner, section, q, tag, cursor)
    else:
        view = browser.read(sections.overview, owner, q, tag)
    return browser.page(
        "list.html",
        refusal,
        user=view.user,
        view=view,
        moment=view.moment,
        notice=browser.change(changed),
        asked={"q": q, "tag": tag, "section": section},
        edit=edit,
        typed=typed or {},
        edited=edited or {},
        back=browser.here("/list"),
    )
