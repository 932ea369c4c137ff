"""Idempotency: a request with a request_id is done once, and a retry gets the first answer again."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from todo.contract import API
from todo.domain import quota, users
from todo.domain.recent_adds import DUPLICATE_TIME
from todo.domain.users import Owner, User, utc_now
from todo.errors import AnswerGone, RequestIdReused
from todo.storage.statements import Connection

JSON = dict[str, Any]
Reply = tuple[JSON, int, dict[str, str]]

KEPT_FOR = timedelta(hours=API.limit("request_id_hours"))

# Until 1.0.0 a fingerprint began with the name of a function: "act", but for these. Kept answers outlive an upgrade.
FORMER_NAMES = {
    "add_todo": "add",
    "delete_todo_by_index": "delete_at",
    "change_todos": "apply",
    "undo_change": "undo",
    "update_profile": "update",
}


class WriteResult(NamedTuple):
    """The answer to a write, and whether it is a replay of the first one."""

    value: JSON
    replayed: bool = False

    def reply(self, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
        """Returns value, status and headers, as handlers return them. A replay has the header Idempotent-Replay."""
        return self.value, status, {**(headers or {}), **({"Idempotent-Replay": "true"} if self.replayed else {})}


def once(
    connection: Connection,
    owner: Owner,
    operation: str,
    request_id: str | None,
    rule: Callable[..., JSON],
    *args: Any,
    **kwargs: Any,
) -> WriteResult:
    """Returns what `rule` returns, or returned to the same request before. `operation` is the operationId.

    It runs in one transaction that holds the list's lock: of parallel retries, one runs the rule while the others wait.
    Nothing is stored if the rule raises. Raises RequestIdReused, AnswerGone, and what the rule raises.
    """
    if request_id is None:
        return WriteResult(rule(connection, owner, *args, **kwargs))
    user = users.lock(connection, owner)
    kept = connection.answer_to(user_id=user.id, request_id=request_id)
    freed = 0
    if kept and kept["expires_at"] > utc_now():
        return _again(kept, _fingerprints(operation, args, kwargs))
    if kept:
        freed = quota.total(connection.remove_expired_answers(user_id=user.id, now=utc_now()))
    value = rule(connection, owner, *args, **kwargs)
    _keep(connection, user, request_id, fingerprint(operation, args, kwargs), orjson.dumps(value).decode(), freed)
    return WriteResult(value)


def once_lately(
    connection: Connection,
    owner: Owner,
    operation: str,
    request_id: str | None,
    origin: tuple[str, str],
    rule: Callable[..., JSON],
    *args: Any,
) -> WriteResult:
    """Like `once`; without a request_id, it recognizes the same request from the same origin.

    It does so for DUPLICATE_TIME, while the to-dos of the first request are unchanged. The answer has `deduplicated`.
    """
    if request_id is not None:
        return once(connection, owner, operation, request_id, rule, *args)
    user = users.lock(connection, owner)
    asked = fingerprint(operation, origin, args)
    implied = f" {asked}"  # no caller's own has a space
    answer = _lately(connection, user, implied)
    if answer:
        return WriteResult({**answer, "deduplicated": True})
    value = rule(connection, owner, *args)
    if "change_id" in value:
        rows = connection.remove_expired_answers(user_id=user.id, now=utc_now())
        freed = quota.total([*rows, *connection.remove_answer(user_id=user.id, request_id=implied)])
        _keep(connection, user, implied, asked, orjson.dumps(value).decode(), freed, DUPLICATE_TIME)
    return WriteResult(value)


def once_by_form(
    connection: Connection,
    owner: Owner,
    operation: str,
    request_id: str | None,
    rule: Callable[..., JSON],
    *args: Any,
    **kwargs: Any,
) -> JSON:
    """Like `once`, for a page's form: returns only the numbers in the answer, such as `change_id`, and its name.

    The same request_id with other fields is another request, as a page without script has one for all of its forms.
    Returns {} if the first answer was removed with the trash.
    """

    def brief(*given: Any, **named: Any) -> JSON:
        answer = rule(*given, **named)
        return {name: value for name, value in answer.items() if isinstance(value, int) or name == "name"}

    # No caller's own has a space.
    own_id = request_id and f"{request_id} {fingerprint(operation, args, kwargs)}"
    try:
        return once(connection, owner, operation, own_id, brief, *args, **kwargs).value
    except AnswerGone:
        return {}


def _lately(connection: Connection, user: User, implied: str) -> JSON | None:
    """Returns the answer to the same request just before, or None, even if the clock was set back since."""
    kept = connection.answer_to(user_id=user.id, request_id=implied)
    if not (kept and kept["answer"] and utc_now() <= kept["expires_at"] <= utc_now(DUPLICATE_TIME)):
        return None
    answer: JSON = orjson.loads(kept["answer"])
    is_past = connection.changed_since(user_id=user.id, change_id=answer["change_id"])
    return None if is_past else answer


def forget_texts(connection: Connection, user: User, limit: int) -> tuple[int, bool]:
    """Empties up to `limit` stored answers. Returns the bytes freed, and whether there are more.

    Their request ids stay: a retry gets AnswerGone instead of being done again.
    """
    rows = connection.full_answers(user_id=user.id, limit=limit)
    for row in rows:
        connection.empty_answer(user_id=user.id, request_id=row["request_id"], bytes=quota.bytes_of(row["request_id"]))
    return quota.total(rows) - sum(quota.bytes_of(row["request_id"]) for row in rows), len(rows) == limit


def _fingerprints(operation: str, args: Any, kwargs: Any) -> set[str]:
    """Returns the current fingerprint of a request, and the one that it had up to 1.0.0."""
    return {fingerprint(name, args, kwargs) for name in (operation, FORMER_NAMES.get(operation, "act"))}


def _again(kept: Any, same: set[str]) -> WriteResult:
    if kept["fingerprint"] not in same:
        raise RequestIdReused
    if not kept["answer"]:
        raise AnswerGone
    return WriteResult(orjson.loads(kept["answer"]), replayed=True)


def _keep(
    connection: Connection,
    user: User,
    request_id: str,
    asked: str,
    answer: str,
    freed: int,
    kept_for: timedelta = KEPT_FOR,
) -> None:
    """Stores an answer, and drops the list's oldest ones if it is full. `freed` bytes were removed before."""
    size = quota.bytes_of(request_id, answer)
    if user.bytes + size > quota.MAX_BYTES:
        freed += quota.forget_answers(connection, user.id)
    connection.keep_answer(
        user_id=user.id,
        request_id=request_id,
        fingerprint=asked,
        answer=answer,
        expires_at=utc_now(kept_for),
        bytes=size,
    )
    connection.add_bytes(user_id=user.id, bytes=size - freed)


def fingerprint(*asked: Any) -> str:
    """Returns a hash of JSON values in 32 hex digits; the order of an object's fields does not matter."""
    return blake2b(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
