"""The names of lists: how they are compared, and the names that belong to ids."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType

import orjson

from todo.contract import API
from todo.domain.folding import fold
from todo.domain.users import User
from todo.storage.statements import Connection

INBOX_ID = 0
INBOX = str(API.document["info"]["x-inbox"])  # the list of every to-do that no other was named for
ONLY_INBOX: Mapping[int, str] = MappingProxyType({INBOX_ID: INBOX})
DELETED = "(deleted list)"  # of which the log still speaks
# A to-do is stored as JSON with its list's id. In JSON no text holds a bare quotation mark.
LIST_FIELD = '"list":'
LIST_ID = re.compile(rf"{LIST_FIELD}(\d+)")


@lru_cache(maxsize=1000)
def key_of(name: str) -> str:
    """Returns the name folded for comparison; cached, as a file asks for the list of each of its to-dos."""
    return fold(name)


def is_inbox(name: str) -> bool:
    """Whether this is the inbox's name."""
    return key_of(name) == key_of(INBOX)


def names_of(connection: Connection, user: User, list_ids: Iterable[int]) -> Mapping[int, str]:
    """Returns the names of lists by id, including removed ones."""
    wanted = set(list_ids) - ONLY_INBOX.keys()
    if not wanted:
        return ONLY_INBOX
    names = {**ONLY_INBOX, **{row["id"]: row["name"] for row in connection.live_lists(user_id=user.id)}}
    for list_id in wanted - names.keys():
        removed = connection.list_by_id(user_id=user.id, id=list_id)
        names[list_id] = removed["name"] if removed else DELETED
    return names


def with_names(connection: Connection, user: User, todos: str) -> str:
    """Returns the JSON of stored to-dos with the names of their lists in place of the ids."""
    if not user.last_list_id or LIST_FIELD not in todos:
        return todos
    names = names_of(connection, user, map(int, LIST_ID.findall(todos)))
    return LIST_ID.sub(lambda found: f"{LIST_FIELD}{orjson.dumps(names[int(found[1])]).decode()}", todos)


def closest(name: str, names: Iterable[str]) -> str | None:
    """Returns the most similar name, or None if none is similar."""
    by_key = {key_of(known): known for known in names}
    found = get_close_matches(key_of(name), by_key, n=1)
    return by_key[found[0]] if found else None
