"""The operations of the tag research."""

from typing import Any

from todo import research
from todo.auth import Principal
from todo.links import todo_url
from todo.storage.engine import read

JSON = dict[str, Any]


async def search(username: str, query: str, user: Principal) -> JSON:
    owner = user.owner(username)
    found = await read(research.search, owner, query)
    return {"results": [{**finding, "url": todo_url(owner.username, int(finding["id"]))} for finding in found]}


async def fetch(username: str, id_: str, user: Principal) -> JSON:
    owner = user.owner(username)
    document = await read(research.fetch, owner, int(id_))
    return {**document, "url": todo_url(owner.username, int(id_))}
