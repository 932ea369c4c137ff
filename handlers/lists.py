"""Handlers of the tag lists: the list page and its forms."""

from typing import Any

from werkzeug import Response

from todo.contract import API
from todo.contract.schemas import find_errors
from todo.domain import changes, merging, selection, steps
from todo.domain.users import Owner
from todo.errors import InvalidRequest, Refusal, VersionConflict
from todo.web import browser, list_page, quick_form

JSON = dict[str, Any]
FIELDS = ("todo", "notes", "priority", "repeat")
CLEARED: JSON = {"notes": None, "due": None, "priority": None, "tags": None, "repeat": None, "steps": None}
WANTED = ("action", "day", "priority", "list", "tag")


def get_list(
    user: Owner,
    q: str | None = None,
    tag: str | None = None,
    list_: str | None = None,
    section: str | None = None,
    cursor: str | None = None,
    edit: int | None = None,
    changed: int | None = None,
) -> Response:
    return list_page.show(
        user,
        back=browser.here(list_page.PATH),
        q=q,
        tag=tag,
        list_name=list_,
        section=section,
        cursor=cursor,
        edit=edit,
        changed=changed,
    )


def add_to_list(user: Owner, body: JSON) -> Response:
    try:
        added = browser.write_once(
            body, changes.act, user, {"action": "add", **_fields(quick_form.filled(user, body), "NewTodo")}
        )
    except Refusal as refusal:
        return list_page.show_again(user, refusal, body, typed=body)
    return browser.go_back(body, list_page.PATH, added.get("change_id"))


def edit_on_list(user: Owner, body: JSON) -> Response:
    todo_id, version, theirs = int(body["id"]), int(body["version"]), body.get("theirs", "").split()
    try:
        fields = {**CLEARED, **_fields(body, "TodoUpdate")}
        edited = browser.write_once(body, merging.update, user, todo_id, version, fields, theirs)
    except VersionConflict as conflict:
        return list_page.show_conflict(user, conflict, body)
    except Refusal as refusal:
        return list_page.show_again(user, refusal, body, edit=todo_id, edited=body, seen_version=version)
    return browser.go_back(body, list_page.PATH, edited["change_id"] if edited.get("version", 0) > version else None)


def check_on_list(user: Owner, body: JSON) -> Response:
    todo_id, _, step = body["step"].partition(" ")
    action = {"action": "update", "id": int(todo_id), body["action"]: [step]}
    try:
        checked = browser.write_once(body, changes.act, user, action)
    except InvalidRequest:
        return list_page.show_again(user, InvalidRequest.of("step", "is not there any more"), body)
    except Refusal as refusal:
        return list_page.show_again(user, refusal, body)
    return browser.go_back(body, list_page.PATH, checked.get("change_id"))


def act_on_list(user: Owner, body: JSON) -> Response:
    action: JSON = {"action": body["action"], "id": int(body["id"])}
    if "share_until" in body:
        action["url_until"] = body["share_until"]
    try:
        done = browser.write_once(body, changes.act, user, action)
    except Refusal as refusal:
        return list_page.show_again(user, refusal, body)
    return browser.go_back(body, list_page.PATH, done.get("change_id"))


def change_on_list(user: Owner, body: JSON) -> Response:
    todo_ids = [int(number) for number in body["ids"].split(",")]
    wanted = {name: body[name] for name in WANTED if name in body}
    try:
        changed = browser.write_once(body, selection.change, user, todo_ids, wanted)
    except Refusal as refusal:
        return list_page.show_again(user, refusal, body)
    browser.charge(changed.get("todos", 0))
    return browser.go_back(body, list_page.PATH, changed.get("change_id"))


def _fields(form: JSON, schema: str) -> JSON:
    """Returns the fields of a to-do as the contract for assistants names them. Raises InvalidRequest."""
    fields = {name: form[name] for name in FIELDS if name in form}
    if "due_day" in form:
        fields["due"] = form["due_day"] + (f"T{form['due_time'][:5]}" if "due_time" in form else "")
    elif "due_time" in form:
        raise InvalidRequest.of("due", "needs a day beside the time")
    if "tags" in form:
        fields["tags"] = [tag.strip() for tag in form["tags"].split(",") if tag.strip()]
    if "new_list" in form:
        fields |= {"list": form["new_list"], "create_list": True}
    elif "list" in form:
        fields["list"] = form["list"]
    if "steps" in form:
        fields["steps"] = steps.from_lines(form["steps"])
    errors = find_errors(API.resolved_schema(schema), fields)
    if errors:
        raise InvalidRequest(errors)
    return fields
