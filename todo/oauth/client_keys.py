"""Clients' public keys, inline in the client's document or fetched from its `jwks_uri` (RFC 7517)."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

from todo.contract import SITE
from todo.oauth import fetching
from todo.oauth.clients import Client
from todo.storage.engine import Engine

JSON = dict[str, Any]

TTL_SECONDS = 60 * SITE.limit("client_document_minutes")
MIN_REFETCH_SECONDS = SITE.limit("client_keys_seconds")
MAX_CACHED = SITE.limit("client_key_sets")


@dataclass(frozen=True)
class KeySet:
    """A cached key set. Times are of `time.monotonic`."""

    keys: list[JSON]
    expires_at: float
    fetched_at: float

    def has(self, kid: str | None) -> bool:
        return not self.has_expired and (kid is None or any(key.get("kid") == kid for key in self.keys))

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= time.monotonic()

    @property
    def was_just_fetched(self) -> bool:
        return time.monotonic() < self.fetched_at + MIN_REFETCH_SECONDS


class KeyCache:
    """Key sets by URL, at most MAX_CACHED; the oldest is evicted first. Thread-safe."""

    def __init__(self) -> None:
        self._sets: OrderedDict[str, KeySet] = OrderedDict()
        self._lock = Lock()

    def get(self, uri: str) -> KeySet:
        """Returns the cached set, or an expired empty one."""
        with self._lock:
            return self._sets.get(uri, KeySet([], 0, float("-inf")))

    def put(self, uri: str, keys: KeySet) -> None:
        with self._lock:
            self._sets[uri] = keys
            self._sets.move_to_end(uri)
            if len(self._sets) > MAX_CACHED:
                self._sets.popitem(last=False)


_cache = KeyCache()


def of(engine: Engine, client: Client, kid: str | None, remote_addr: str, *, allow_local: bool) -> list[JSON]:
    """Returns a client's keys as JWKs. Fetches them if they are not cached, or if none has this `kid`: keys rotate.

    `remote_addr` is whose request caused it. Raises DocumentRefused, TooManyAttempts and AssistantsBusy.
    """
    if not client.jwks_uri:
        return parse(client.jwks)
    cached = _cache.get(client.jwks_uri)
    if cached.has(kid) or cached.was_just_fetched:
        return [] if cached.has_expired else cached.keys
    try:
        jwks = fetching.run(engine, fetching.get_json, client.jwks_uri, remote_addr, allow_local=allow_local)
    except fetching.DocumentRefused:
        _cache.put(client.jwks_uri, KeySet(cached.keys, cached.expires_at, time.monotonic()))
        raise
    fresh = KeySet(parse(jwks), time.monotonic() + TTL_SECONDS, time.monotonic())
    _cache.put(client.jwks_uri, fresh)
    return fresh.keys


def parse(jwks: Any) -> list[JSON]:
    """Returns the keys of a JWK set (RFC 7517 section 5), with their string members only; [] if it is malformed."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    return [_strings(key) for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def _strings(key: JSON) -> JSON:
    return {name: value for name, value in key.items() if isinstance(value, str)}
