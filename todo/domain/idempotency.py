"""Retries: a request that names itself is done once, and its answer is kept for whoever sends it again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any

import orjson

from todo.contract import API
from todo.domain import quota, users
from todo.domain.users import Owner, User, utc_now
from todo.errors import AnswerGone, RequestIdReused
from todo.storage.statements import Connection

JSON = dict[str, Any]
Reply = tuple[JSON, int, dict[str, str]]

KEPT_FOR = timedelta(hours=API.limit("request_id_hours"))


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
    """Returns what `rule` answers, or has answered to the same request.

    All of it is one transaction that holds the lock of the list: of parallel retries one does it and the others wait,
    and a rule that raises keeps nothing. Raises RequestIdReused, AnswerGone, and what the rule raises.
    """
    if request_id is None:
        return Answer(rule(connection, owner, *args, **kwargs))
    user = users.lock(connection, owner)
    asked = fingerprint(rule.__name__, args, kwargs)
    kept = connection.answer_to(user_id=user.id, request_id=request_id)
    freed = 0
    if kept and kept["expires_at"] > utc_now():
        return _again(kept, asked)
    if kept:
        freed = quota.total(connection.remove_expired_answers(user_id=user.id, now=utc_now()))
    value = rule(connection, owner, *args, **kwargs)
    _keep(connection, user, request_id, asked, orjson.dumps(value).decode(), freed)
    return Answer(value)


def forget_texts(connection: Connection, user: User, limit: int) -> tuple[int, bool]:
    """Empties so many kept answers; returns the bytes that frees, and whether there are more.

    Their requests are still known: whoever sends one again is told that it was done.
    """
    rows = connection.full_answers(user_id=user.id, limit=limit)
    for row in rows:
        connection.empty_answer(user_id=user.id, request_id=row["request_id"], bytes=quota.bytes_of(row["request_id"]))
    return quota.total(rows) - sum(quota.bytes_of(row["request_id"]) for row in rows), len(rows) == limit


def _again(kept: Any, asked: str) -> Answer:
    if kept["fingerprint"] != asked:
        raise RequestIdReused
    if not kept["answer"]:
        raise AnswerGone
    return Answer(orjson.loads(kept["answer"]), replayed=True)


def _keep(connection: Connection, user: User, request_id: str, asked: str, answer: str, freed: int) -> None:
    """Keeps an answer; a list that is full forgets its oldest ones for it. `freed` bytes have gone before."""
    size = quota.bytes_of(request_id, answer)
    if user.bytes + size > quota.MAX_BYTES:
        freed += quota.forget_answers(connection, user.id)
    connection.keep_answer(
        user_id=user.id,
        request_id=request_id,
        fingerprint=asked,
        answer=answer,
        expires_at=utc_now(KEPT_FOR),
        bytes=size,
    )
    connection.add_bytes(user_id=user.id, bytes=size - freed)


def fingerprint(*asked: Any) -> str:
    """Returns a short stand-in for what was asked, the same whatever the order of the fields."""
    return blake2b(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
