"""Handlers of the tag profiles: the time zone, the first day of the week, counts, lists and tags."""

from typing import Any

from todo.accounts.bearer import Principal
from todo.domain import profiles
from todo.domain.idempotency import Reply, once
from todo.storage.database import read, write

JSON = dict[str, Any]


async def get_profile(username: str, user: Principal) -> JSON:
    return await read(profiles.show, user.owner(username))


async def update_profile(username: str, body: JSON, user: Principal) -> Reply:
    owner, request_id = user.owner(username), user.request_id(body)
    week_start = {"week_start": body["week_start"]} if "week_start" in body else {}
    answer = await write(
        once, owner, "update_profile", request_id, profiles.update, body.get("time_zone"), **week_start
    )
    return answer.reply()
