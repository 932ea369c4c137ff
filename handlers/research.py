"""Handlers of the tag research: the tools search and fetch, as ChatGPT's deep research expects them."""

from typing import Any

from todo.accounts.bearer import Principal
from todo.domain import research
from todo.storage.database import read, read_of_list

JSON = dict[str, Any]


async def search_todos(username: str, query: str, user: Principal) -> JSON:
    return {"results": await read_of_list(research.search, user.owner(username), query)}


async def fetch_todo(username: str, id_: str, user: Principal) -> JSON:
    return await read(research.fetch, user.owner(username), int(id_))
