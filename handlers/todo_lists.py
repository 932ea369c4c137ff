"""Handlers of the tag todo_lists: updating and deleting lists."""

from typing import Any

from todo.accounts.bearer import Principal
from todo.domain import lists
from todo.domain.idempotency import Reply, once
from todo.storage.database import write

JSON = dict[str, Any]


async def update_list(username: str, list_: str, body: JSON, user: Principal) -> Reply:
    owner, request_id = user.owner(username), user.request_id(body)
    answer = await write(once, owner, "update_list", request_id, lists.update, list_, body)
    return answer.reply()


async def delete_list(username: str, list_: str, body: JSON, user: Principal) -> Reply:
    owner, request_id = user.owner(username), user.request_id(body)
    answer = await write(once, owner, "delete_list", request_id, lists.delete, list_, body.get("move_to"))
    return answer.reply()
