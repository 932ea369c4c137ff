"""The operations of the tag profiles."""

from typing import Any

from todo import profiles
from todo.auth import Principal
from todo.storage.engine import read, write

JSON = dict[str, Any]


async def get_profile(username: str, user: Principal) -> JSON:
    return await read(profiles.show, user.owner(username))


async def update_profile(username: str, body: JSON, user: Principal) -> JSON:
    return await write(profiles.update, user.owner(username), body["time_zone"])
