"""The public keys of clients: from their documents, or from the address where these say that they stand (RFC 7517)."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

from todo.contract import SITE
from todo.oauth import documents
from todo.oauth.clients import Client
from todo.storage.engine import Engine

JSON = dict[str, Any]

KEPT_SECONDS = 60 * SITE.limit("client_document_minutes")
ASKED_AGAIN_SECONDS = SITE.limit("client_keys_seconds")
MAX_SETS = SITE.limit("client_key_sets")


@dataclass(frozen=True)
class KeySet:
    """What stood at an address: the keys, until when they are good, and when it was asked for last."""

    keys: list[JSON]
    until: float
    asked: float

    def has(self, kid: str | None) -> bool:
        return self.until > time.monotonic() and (kid is None or any(key.get("kid") == kid for key in self.keys))

    @property
    def was_just_asked(self) -> bool:
        return time.monotonic() < self.asked + ASKED_AGAIN_SECONDS


class KeySets:
    """The sets of so many addresses; the one that was fetched first goes first."""

    def __init__(self) -> None:
        self._sets: OrderedDict[str, KeySet] = OrderedDict()
        self._lock = Lock()

    def get(self, uri: str) -> KeySet:
        """Returns the set that was kept, or an empty one."""
        with self._lock:
            return self._sets.get(uri, KeySet([], 0, float("-inf")))

    def put(self, uri: str, keys: KeySet) -> None:
        with self._lock:
            self._sets[uri] = keys
            self._sets.move_to_end(uri)
            if len(self._sets) > MAX_SETS:
                self._sets.popitem(last=False)


_sets = KeySets()


def of(engine: Engine, client: Client, kid: str | None, address: str, *, local: bool) -> list[JSON]:
    """Returns the keys of a client, fetched where they are not known lately, or where none has this id: keys change.

    `address` is who asks. Raises DocumentRefused where they cannot be fetched, TooManyAttempts and AssistantsBusy.
    """
    if not client.jwks_uri:
        return keys_of(client.jwks)
    known = _sets.get(client.jwks_uri)
    if known.has(kid) or known.was_just_asked:
        return known.keys if known.until > time.monotonic() else []
    try:
        found = documents.in_time(engine, documents.read, client.jwks_uri, address, local=local)
    except documents.DocumentRefused:
        _sets.put(client.jwks_uri, KeySet(known.keys, known.until, time.monotonic()))
        raise
    fresh = KeySet(keys_of(found), time.monotonic() + KEPT_SECONDS, time.monotonic())
    _sets.put(client.jwks_uri, fresh)
    return fresh.keys


def keys_of(jwks: Any) -> list[JSON]:
    """Returns the keys in a JWK set (RFC 7517 section 5), each with those of its members that are text."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    return [_texts(key) for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def _texts(key: JSON) -> JSON:
    return {name: value for name, value in key.items() if isinstance(value, str)}
