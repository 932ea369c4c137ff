"""Retries: a request that names itself is done once, and its answer is kept for whoever sends it again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any

import orjson

from todo import contract, users
from todo.errors import RequestIdReused
from todo.storage.statements import Connection
from todo.users import Owner, utc_now

JSON = dict[str, Any]
Reply = tuple[JSON, int, dict[str, str]]

KEPT_FOR = timedelta(hours=contract.API.limit("request_id_hours"))


@dataclass(frozen=True)
class Answer:
    """What a write answers, and whether it is the first answer again."""

    value: JSON
    replayed: bool = False

    def reply(self, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
        """Returns value, status and headers, as handlers do; a first answer that is given again is marked as such."""
        return self.value, status, {**(headers or {}), **({"Idempotent-Replay": "true"} if self.replayed else {})}


def once(
    connection: Connection, owner: Owner, request_id: str | None, rule: Callable[..., JSON], *args: Any, **kwargs: Any
) -> Answer:
    """Returns what `rule` answers, or has answered to the same request. Raises RequestIdReused, and what it raises.

    All of it is one transaction that holds the lock of the list: of parallel retries one does it and the others wait,
    and a rule that raises keeps nothing.
    """
    if request_id is None:
        return Answer(rule(connection, owner, *args, **kwargs))
    user = users.lock(connection, owner)
    asked = fingerprint(rule.__name__, args, kwargs)
    kept = connection.answer_to(user_id=user.id, request_id=request_id, now=utc_now())
    if kept:
        if kept["fingerprint"] != asked:
            raise RequestIdReused
        return Answer(orjson.loads(kept["answer"]), replayed=True)
    value = rule(connection, owner, *args, **kwargs)
    connection.keep_answer(
        user_id=user.id,
        request_id=request_id,
        fingerprint=asked,
        answer=orjson.dumps(value).decode(),
        expires_at=utc_now(KEPT_FOR),
    )
    return Answer(value)


def fingerprint(*asked: Any) -> str:
    """Returns a short stand-in for what was asked, the same whatever the order of the fields."""
    return blake2b(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
