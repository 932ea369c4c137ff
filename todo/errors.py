"""What can go wrong, as plain exceptions. How each is told stands in http/problems.py."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from todo.contract import API

MAX_FIELDS = 10  # keeps every problem below 4 KiB


@dataclass(frozen=True)
class FieldError:
    """One field that is wrong: the name of a parameter or the path to it in the body, and what is wrong with it."""

    field: str
    message: str


class Refusal(Exception):
    """A call that is refused; `members` stand beside the problem's own, `HEADERS` go with the answer."""

    HEADERS: ClassVar[Mapping[str, str]] = {}
    FIELD: ClassVar[str] = ""  # the field of an action that it is about, where it is about one

    def __init__(self, **members: Any) -> None:
        super().__init__()
        self.members = members
        self.headers = dict(self.HEADERS)

    def at(self, place: str) -> "Refusal":
        """Returns this refusal with the place of its action, one of several, in the names of the fields."""
        own = self.members.get("errors") or [{"field": self.FIELD}]
        self.members["errors"] = [{**error, "field": f"{place}.{error['field']}".rstrip(".")} for error in own]
        return self


class InvalidRequest(Refusal):
    """The request breaks the contract, in the fields named."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        super().__init__(errors=[vars(error) for error in list(errors)[:MAX_FIELDS]])

    @classmethod
    def of(cls, name: str, message: str) -> "InvalidRequest":
        """Returns the refusal of one field."""
        return cls([FieldError(name, message)])


class MeNeedsUser(Refusal):
    """The username `me` came with the service key, which is nobody's own."""


def metadata_url(public_url: str, path: str = "") -> str:
    """Returns where it stands which tokens the resource at `path` takes (RFC 9728 section 3.1)."""
    return f"{public_url}/.well-known/oauth-protected-resource{path}"


class Challenge:
    """What the refusals of a token share: the answer tells how to get a better one (RFC 6750 section 3).

    `ERROR` is the code of section 3.1, or empty; `scope` is what a token would need.
    """

    ERROR: ClassVar[str] = ""
    scope: Iterable[str] = tuple(API.scopes)

    def challenge(self, public_url: str, resource: str = "") -> str:
        """Returns WWW-Authenticate for the resource at a path, with where tokens come from (RFC 9728 section 5.1)."""
        parts = {"realm": "todo"} | ({"error": self.ERROR} if self.ERROR else {})
        parts["resource_metadata"] = metadata_url(public_url, resource)
        parts["scope"] = " ".join(sorted(self.scope))
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parts.items())


class Unauthorized(Challenge, Refusal):
    """No bearer token came with the request."""


class InvalidToken(Unauthorized):
    """The bearer token is none of ours, has expired or was revoked."""

    ERROR = "invalid_token"


class Forbidden(Challenge, Refusal):
    """The caller is known and may not do this."""


class InsufficientScope(Forbidden):
    """The token is good, but not for this."""

    ERROR = "insufficient_scope"

    def __init__(self, scope: Iterable[str]) -> None:
        super().__init__()
        self.scope = scope


class NotYourList(Forbidden):
    """The token is one person's, and the list is another's."""


class SignedOut(Exception):
    """There is no session, or it has just ended. Pages redirect to sign-in.

    Not a Refusal: handlers show those on the page of the form, which is only for who is signed in.
    """


class StaleForm(Refusal):
    """A form came without the token of the browser's session: from an old page, or from somebody else's."""


class WrongPassword(Refusal):
    """There is no account with this username and password."""


class ClaimRefused(Refusal):
    """The claim code is not one for this username, was used, or has expired."""


class UsernameTaken(Refusal):
    """There is an account or a list with this username."""


class ClientRefused(Refusal):
    """Whoever sends people here to connect an assistant is unknown, or wants them sent to a place that is not its own.

    `reason` is one sentence for the person; there is nowhere safe to redirect to (RFC 6749 section 4.1.2.1).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(detail=reason)


class TooManyAttempts(Refusal):
    """Too many tries in a short time (RFC 6585 section 4)."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.headers["Retry-After"] = str(seconds)


class RateLimited(Refusal):
    """A caller sends more requests than it may (RFC 6585 section 4, draft-ietf-httpapi-ratelimit-headers-10)."""

    def __init__(self, kind: str, quota: int, window: int, *, seconds: int) -> None:
        super().__init__()
        self.headers["Retry-After"] = str(seconds)
        self.headers["RateLimit-Policy"] = f'"{kind}";q={quota};w={window}'
        self.headers["RateLimit"] = f'"{kind}";r=0;t={seconds}'


class AssistantsBusy(Refusal):
    """As many assistants as may be looked up at once are being looked up."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Retry-After": "5"}


class OriginNotAllowed(Refusal):
    """A browser asks for a web page of an origin that the operator does not allow."""


class HostNotAllowed(Refusal):
    """The request is for another host: a name that somebody has pointed here (DNS rebinding)."""


class NotFound(Refusal):
    """Nothing is at this address."""


class TodoNotFound(Refusal):
    """The list has no such to-do outside the trash."""

    FIELD = "id"


class ChangeNotFound(Refusal):
    """The list has no change with this id."""


class MethodNotAllowed(Refusal):
    """The address exists, but not for this method (RFC 9110 section 15.5.6)."""

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__()
        self.headers["Allow"] = ", ".join(allowed)


class RequestTimeout(Refusal):
    """The request took too long to arrive."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Connection": "close"}


class VersionConflict(Refusal):
    """The to-do is not at the version that the caller has seen; `current_version` is the one it has."""

    FIELD = "if_version"

    def __init__(self, current_version: int) -> None:
        super().__init__(current_version=current_version)


class UndoConflict(Refusal):
    """What the change touched has changed since; `conflicts` names each, with its newest change."""


class NothingToUndo(Refusal):
    """Nothing of the change is left to undo."""


class RequestIdReused(Refusal):
    """The same request_id came before, with another request."""


class AnswerGone(Refusal):
    """The same request was done before, and its answer was removed when the trash was emptied."""


class QuotaExceeded(Refusal):
    """The list is full."""


class StorageFull(QuotaExceeded):
    """The list takes as many bytes as it may, with its log, its trash and the answers kept for retries."""


class PayloadTooLarge(Refusal):
    """The body is over the limit; what is left of it is not read."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Connection": "close"}


class Overloaded(Refusal):
    """There is no room now for another large body, or for more of one address; what is left of it is not read."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Retry-After": "5", "Connection": "close"}


class HeadersTooLarge(Refusal):
    """Request line and headers are over the limit (RFC 6585 section 5)."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Connection": "close"}


class UnsupportedMediaType(Refusal):
    """The body is of no type that the contract names, or not in UTF-8."""


class StorageUnavailable(Refusal):
    """The database cannot be reached, or is too busy; nothing was written."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}


class ReadTooSlow(Refusal):
    """Reading took longer than read_seconds of the contract's x-limits."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Retry-After": "10"}
