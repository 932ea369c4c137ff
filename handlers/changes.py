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
    detail: str,
    actor: str | None = None,
    action: str | None = None,
    from_: str | None = None,
    to: str | None = None,
    cursor: str | None = None,
) -> JSON:
    given = {"actor": actor, "action": action, "from_day": from_, "to_day": to}
    filters = {name: value for name, value in given.items() if value is not None}
    in_full = detail == "full"
    return await read_of_list(changes.page, user.owner(username), filters, limit, cursor, in_full=in_full)


async def undo_change(username: str, change_id: int, body: JSON, user: Principal) -> Reply:
    owner, request_id = user.owner(username), user.request_id(body)
    answer = await write(once, owner, "undo_change", request_id, undo.undo, change_id, force=body.get("force", False))
    return answer.reply()
