"""The operations of the tag todos."""

from typing import Any

from todo import todos
from todo.auth import Principal
from todo.storage.engine import read, write

JSON = dict[str, Any]


async def list_todos(
    username: str,
    user: Principal,
    status: str,
    sort: str,
    limit: int,
    q: str | None = None,
    tag: str | None = None,
    due_from: str | None = None,
    due_to: str | None = None,
    priority: str | None = None,
    cursor: str | None = None,
) -> JSON:
    filters = {
        "status": status,
        "q": q,
        "tag": tag,
        "due_from": due_from,
        "due_to": due_to,
        "priority": priority,
    }
    return await read(todos.page, user.owner(username), filters, sort, limit, cursor)


async def add_todo(username: str, body: JSON, user: Principal) -> tuple[JSON, int, dict[str, str]]:
    todo = await write(todos.add, user.owner(username), body)
    return todo, 201, {"Location": f"/todos/{username}/{todo['id']}"}


async def get_todo(username: str, todo_id: int, user: Principal) -> JSON:
    return await read(todos.get, user.owner(username), todo_id)


async def update_todo(username: str, todo_id: int, body: JSON, user: Principal) -> JSON:
    return await write(todos.update, user.owner(username), todo_id, body)


async def complete_todo(username: str, todo_id: int, body: JSON, user: Principal) -> JSON:
    return await write(todos.complete, user.owner(username), todo_id, body)


async def reopen_todo(username: str, todo_id: int, body: JSON, user: Principal) -> JSON:
    return await write(todos.reopen, user.owner(username), todo_id, body)


async def delete_todo(username: str, todo_id: int, body: JSON, user: Principal) -> JSON:
    return await write(todos.delete, user.owner(username), todo_id, body)


async def delete_todo_by_index(username: str, body: JSON, user: Principal) -> JSON:
    return await write(todos.delete_at, user.owner(username), body["todo_idx"])
