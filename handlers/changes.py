"""The operations of the tag changes."""

from typing import Any

from todo.accounts.bearer import Principal
from todo.domain import changes, undo
from todo.domain.idempotency import Reply, once
from todo.storage.database import read_of_list, write

JSON = dict[str, Any]


async def change_todos(username: str, body: JSON, user: Principal) -> Reply:
    owner, request_id = user.owner(username), user.request_id(body)
    answer = await write(once, owner, "change_todos", request_id, changes.apply, body["actions"])
    return answer.reply()


async def list_changes(
    username: str,
    user: Principal,
    limit: int,
    actor: str | None = None,
    from_: str | None = None,
    to: str | None = None,
    cursor: str | None = None,
) -> JSON:
    return await read_of_list(changes.page, user.owner(username), actor, from_, to, limit, cursor)


async def undo_change(username: str, change_id: int, body: JSON, user: Principal) -> Reply:
    owner, request_id = user.owner(username), user.request_id(body)
    answer = await write(once, owner, "undo_change", request_id, undo.undo, change_id, force=body.get("force", False))
    return answer.reply()
