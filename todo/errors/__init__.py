"""The exceptions that the service raises; http/problems.py has their statuses and texts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

MAX_FIELDS = 10  # keeps every problem below 4 KiB
MAX_NAMES = 2500  # bytes of names in a problem


@dataclass(frozen=True)
class FieldError:
    """An invalid field: a parameter's name or a path in the body, and a message such as "is required"."""

    field: str
    message: str


class Refusal(Exception):
    """A refused request. `members` extend the problem document; `HEADERS` are response headers."""

    HEADERS: ClassVar[Mapping[str, str]] = {}
    FIELD: ClassVar[str] = ""  # the field of an action that it is about, if any

    def __init__(self, **members: Any) -> None:
        super().__init__()
        self.members = members
        self.headers = dict(self.HEADERS)

    def at(self, place: str) -> "Refusal":
        """Returns this refusal with its field names prefixed by `place`, such as `actions[2]`."""
        own = self.members.get("errors") or [{"field": self.FIELD}]
        self.members["errors"] = [{**error, "field": f"{place}.{error['field']}".rstrip(".")} for error in own]
        return self


class InvalidRequest(Refusal):
    """The request does not match the contract; at most MAX_FIELDS invalid fields are kept."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        super().__init__(errors=[vars(error) for error in list(errors)[:MAX_FIELDS]])

    @classmethod
    def of(cls, name: str, message: str) -> "InvalidRequest":
        """Returns the refusal for one invalid field."""
        return cls([FieldError(name, message)])


class MeNeedsUser(Refusal):
    """The username `me` was used with the service key, which belongs to no user."""


class RateLimited(Refusal):
    """The caller is over its rate limit (RFC 6585 section 4, draft-ietf-httpapi-ratelimit-headers-10).

    `quota` is in requests per `window`; `window` and `seconds`, the time to wait, are in seconds.
    """

    def __init__(self, kind: str, quota: int, window: int, *, seconds: int) -> None:
        super().__init__()
        self.headers["Retry-After"] = str(seconds)
        self.headers["RateLimit-Policy"] = f'"{kind}";q={quota};w={window}'
        self.headers["RateLimit"] = f'"{kind}";r=0;t={seconds}'


class OriginNotAllowed(Refusal):
    """A cross-origin request from an origin that is not in CORS_ORIGINS."""


class HostNotAllowed(Refusal):
    """The Host header is not one of the service's, as in DNS rebinding (RFC 9110 section 15.5.20)."""


class NotFound(Refusal):
    """No operation has this path."""


class TodoNotFound(Refusal):
    """The list has no such to-do outside the trash."""

    FIELD = "id"


class ListNotFound(Refusal):
    """No list has this name; `names` are the existing ones, and `closest` is the most similar.

    `can_create` says whether create_list would help, and `field` which field has the name.
    """

    FIELD = "list"

    def __init__(
        self, names: Iterable[str], closest: str | None, *, can_create: bool = False, field: str = FIELD
    ) -> None:
        known: list[str] = []
        room = MAX_NAMES
        for name in [*([closest] if closest else []), *(name for name in names if name != closest)]:
            room -= len(name.encode()) + 3
            if room > 0:
                known.append(name)
        cure = "must be one of lists" + (f", such as {closest}" if closest else "")
        wrong = {"field": field, "message": cure + (", or come with create_list: true" if can_create else "")}
        super().__init__(errors=[wrong], lists=known, **({"closest": closest} if closest else {}))
        if can_create:
            self.members["hint"] = "Use a name in lists, or send create_list: true to create it."


class ListArchived(Refusal):
    """The list is archived, so that no to-do can be put into it."""

    FIELD = "list"


class ListExists(Refusal):
    """Another list has this name."""

    FIELD = "name"


class InboxIsFixed(Refusal):
    """The inbox cannot be renamed, archived, moved or deleted."""


class TooManyLists(Refusal):
    """The owner has the maximum number of lists."""


class ChangedMeanwhile(Refusal):
    """Others kept changing the list during the search, so it is not known which to-dos match."""


class ChangeNotFound(Refusal):
    """The list has no change with this id."""


class MethodNotAllowed(Refusal):
    """The path does not support this method; `allowed` lists those it does (RFC 9110 section 15.5.6)."""

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__()
        self.headers["Allow"] = ", ".join(allowed)


class RequestTimeout(Refusal):
    """The headers or the body did not arrive in time."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Connection": "close"}


class VersionConflict(Refusal):
    """The to-do has changed since the caller's if_version; it is now at `current_version`."""

    FIELD = "if_version"

    def __init__(self, current_version: int) -> None:
        super().__init__(current_version=current_version)


class UnexpectedCount(Refusal):
    """`matched` to-dos match, not as many as the caller expects; `todos` are the first of them."""

    def __init__(self, matched: int, todos: list[Any]) -> None:
        hint = f"If these are the right ones, send expect: {matched}; else change filter."
        super().__init__(matched=matched, todos=todos, hint=hint)


class TooManyMatching(Refusal):
    """`matched` to-dos match, more than one call may change."""

    def __init__(self, matched: int, todos: list[Any]) -> None:
        super().__init__(matched=matched, todos=todos)


class UndoConflict(Refusal):
    """Later changes conflict with the undo; `conflicts` lists each to-do with its latest change."""


class NothingToUndo(Refusal):
    """Nothing in the change can still be undone."""


class RequestIdReused(Refusal):
    """The request_id was used before, for a different request."""


class RequestIdsDiffer(Refusal):
    """request_id in the body and the header Idempotency-Key name different requests."""


class AnswerGone(Refusal):
    """A retry of a request that succeeded, whose stored response was removed with the trash."""


class QuotaExceeded(Refusal):
    """The list has the maximum number of to-dos."""


class StorageFull(QuotaExceeded):
    """The list, with its log, trash and stored responses, has used up its storage quota."""


class PayloadTooLarge(Refusal):
    """The body is over the limit; the rest of it is not read."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Connection": "close"}


class Overloaded(Refusal):
    """The service is at capacity for uploads, or for this address; the rest of the body is not read."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Retry-After": "5", "Connection": "close"}


class HeadersTooLarge(Refusal):
    """The request line and headers are over the limit (RFC 6585 section 5)."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Connection": "close"}


class UnsupportedMediaType(Refusal):
    """The body's media type is not in the contract, or it is not UTF-8."""


class StorageUnavailable(Refusal):
    """The database cannot be reached or is too busy; nothing was written."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


class OutcomeUnknown(Refusal):
    """The connection to the database broke during COMMIT: only the database knows whether the write was done."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


class ReadTooSlow(Refusal):
    """A read took longer than read_seconds of the contract's x-limits."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Retry-After": "10"}
