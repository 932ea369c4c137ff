"""Handlers of the tag changes: the log of changes, and undo."""

from functools import partial
from typing import Any

from todo.accounts.bearer import Principal
from todo.domain import changes, matching, undo
from todo.domain.idempotency import Reply, once, once_lately
from todo.errors import ChangedMeanwhile
from todo.storage.database import read_of_list, write

JSON = dict[str, Any]

ATTEMPTS = 5  # at a bulk change, if somebody else keeps changing the list


async def change_todos(username: str, body: JSON, user: Principal) -> Reply:
    owner, request_id = user.owner(username), user.request_id(body)
    rule, actions = changes.apply, body["actions"]
    answer = await write(once_lately, owner, "change_todos", request_id, user.origin, rule, actions)
    return answer.reply()


async def change_matching_todos(username: str, body: JSON, user: Principal) -> JSON | Reply:
    owner, request_id = user.owner(username), user.request_id(body)
    matching.check(body)
    if body.get("dry_run"):
        return await read_of_list(matching.preview, owner, body)
    for _ in range(ATTEMPTS):
        found = await read_of_list(matching.find, owner, body)
        rule = partial(matching.change, found=found)
        try:
            answer = await write(once_lately, owner, "change_matching_todos", request_id, user.origin, rule, body)
            return answer.reply()
        except matching.Outdated:
            continue
    raise ChangedMeanwhile


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
