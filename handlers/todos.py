"""Handlers of the tag todos: listing, adding and changing to-dos."""

from typing import Any

from orjson import Fragment

from todo.accounts.bearer import Principal
from todo.domain import changes, listing, todos
from todo.domain.idempotency import Reply, fingerprint, once
from todo.storage.database import peek, read_of_list, write

JSON = dict[str, Any]


async def list_todos(
    username: str,
    user: Principal,
    sort: str,
    limit: int,
    status: str | None = None,
    list_: str | None = None,
    q: str | None = None,
    tag: str | None = None,
    when: str | None = None,
    due_from: str | None = None,
    due_to: str | None = None,
    done_from: str | None = None,
    done_to: str | None = None,
    priority: str | None = None,
    cursor: str | None = None,
) -> Fragment:
    due = {"when": when, "due_from": due_from, "due_to": due_to}
    done = {"done_from": done_from, "done_to": done_to}
    given = {"list": list_, "q": q, "tag": tag, **due, **done, "priority": priority}
    filters = {name: value for name, value in given.items() if value is not None}
    status = status or listing.default_status(filters)
    fetch = read_of_list if filters else peek  # a filter may scan the whole list
    return await fetch(listing.page, user.owner(username), status, filters, sort, limit, cursor)


async def add_todo(username: str, body: JSON, user: Principal) -> Reply:
    owner, request_id = user.owner(username), user.request_id(body)
    action = {"action": "add", **body}
    # Without a request_id this may be a retry: the same request from the same client adds one to-do.
    dedup_key = fingerprint(action, user.conversation, user.client) if request_id is None else None
    answer = await write(once, owner, "add_todo", request_id, changes.add, action, dedup_key)
    return answer.reply(201, {"Location": f"/todos/{username}/{answer.value['id']}"})


async def get_todo(username: str, todo_id: int, user: Principal) -> JSON:
    return await peek(todos.get, user.owner(username), todo_id)


async def update_todo(username: str, todo_id: int, body: JSON, user: Principal) -> Reply:
    return await _act("update", username, todo_id, body, user)


async def complete_todo(username: str, todo_id: int, body: JSON, user: Principal) -> Reply:
    return await _act("complete", username, todo_id, body, user)


async def reopen_todo(username: str, todo_id: int, body: JSON, user: Principal) -> Reply:
    return await _act("reopen", username, todo_id, body, user)


async def delete_todo(username: str, todo_id: int, body: JSON, user: Principal) -> Reply:
    return await _act("delete", username, todo_id, body, user)


async def share_todo(username: str, todo_id: int, body: JSON, user: Principal) -> Reply:
    return await _act("share", username, todo_id, body, user)


async def unshare_todo(username: str, todo_id: int, body: JSON, user: Principal) -> Reply:
    return await _act("unshare", username, todo_id, body, user)


async def delete_todo_by_index(username: str, body: JSON, user: Principal) -> Reply:
    owner, request_id = user.owner(username), user.request_id(body)
    answer = await write(once, owner, "delete_todo_by_index", request_id, changes.delete_at, body["todo_idx"])
    return answer.reply()


async def _act(action: str, username: str, todo_id: int, body: JSON, user: Principal) -> Reply:
    owner, request_id = user.owner(username), user.request_id(body)
    asked = {"action": action, "id": todo_id, **body}
    answer = await write(once, owner, f"{action}_todo", request_id, changes.act, asked)
    return answer.reply()
