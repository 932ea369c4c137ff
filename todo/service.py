"""The running service, available to every request as `current`."""

from collections.abc import Collection
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from todo.accounts.mailer import Mailer
    from todo.config import Settings
    from todo.storage.engine import Engine


@dataclass(frozen=True)
class Service:
    """The state of one app; tests run several in one process."""

    engine: "Engine"
    settings: "Settings"
    key_digests: tuple[bytes, ...]  # of the service keys
    resources: Collection[str]  # the addresses that an access token may be for (RFC 8707)
    session_cookie: str  # its name
    manifest: dict[str, Any]
    mailer: "Mailer | None"  # None if the service sends no e-mail


current: ContextVar[Service] = ContextVar("current")
