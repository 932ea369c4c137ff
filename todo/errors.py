"""What can go wrong, as plain exceptions, and the one table that turns each into an RFC 9457 problem."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson

from todo.contract import API

MEDIA_TYPE = "application/problem+json"
MOST_FIELDS = 10  # keeps every problem below 4 KiB


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
        own = self.members.get("errors") or [{"field": self.FIELD, "message": PROBLEMS[type(self)].detail}]
        self.members["errors"] = [{**error, "field": f"{place}.{error['field']}".rstrip(".")} for error in own]
        return self


class InvalidRequest(Refusal):
    """The request breaks the contract, in the fields named."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        super().__init__(errors=[vars(error) for error in list(errors)[:MOST_FIELDS]])

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

    def challenge(self, public_url: str) -> str:
        """Returns the value of WWW-Authenticate, with where tokens come from (RFC 9728 section 5.1)."""
        parts = {"realm": "todo"} | ({"error": self.ERROR} if self.ERROR else {})
        parts["resource_metadata"] = metadata_url(public_url)
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
    """The session of a person is none, or has just ended. It is shown to nobody: the page leads to the sign-in form."""


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


@dataclass(frozen=True)
class Problem:
    """A row of the table: the fixed parts of a problem document."""

    status: int
    code: str
    title: str
    detail: str
    hint: str


PROBLEMS: dict[type[BaseException], Problem] = {
    InvalidRequest: Problem(
        400,
        "invalid_request",
        "The request is not valid",
        "The request breaks the contract; errors names each wrong field.",
        "Mend the fields named in errors and call again.",
    ),
    MeNeedsUser: Problem(
        400,
        "me_needs_user",
        "Nobody is signed in",
        "The username me stands for the person of a user's own token, and the service key is nobody's own.",
        "Ask for the person's username and put it in place of me.",
    ),
    Unauthorized: Problem(
        401,
        "unauthorized",
        "A token is needed",
        "The request carries no bearer token.",
        "Sign in, or send the header Authorization: Bearer, a space and the service key.",
    ),
    InvalidToken: Problem(
        401,
        "invalid_token",
        "The token is not valid",
        "The bearer token is not one that this service knows, or it has expired or was disconnected.",
        "Sign in again. If you use a service key, check it against the operator's SERVICE_AUTH_KEY.",
    ),
    Forbidden: Problem(
        403, "forbidden", "Not allowed", "The token does not allow this.", "Use a token that allows this."
    ),
    InsufficientScope: Problem(
        403,
        "insufficient_scope",
        "The token may not do this",
        "The person has not allowed this when they connected the assistant.",
        "Ask the person to connect again and to allow it; scope in WWW-Authenticate names what is needed.",
    ),
    NotYourList: Problem(
        403,
        "not_your_list",
        "The list is another person's",
        "The token is good for the list of the person who signed in, and for no other.",
        "Use the username me.",
    ),
    ClientRefused: Problem(
        400,
        "client_refused",
        "This assistant cannot be connected",
        "The request to connect an assistant is not one that this service can answer.",
        "Start again in the assistant. If that does not help, ask the operator whether it is set up.",
    ),
    StaleForm: Problem(
        403,
        "stale_form",
        "The page is out of date",
        "The form does not belong to the session of this browser. Nothing was done.",
        "Load the page again and send the form once more; the browser must accept cookies.",
    ),
    WrongPassword: Problem(
        403,
        "wrong_password",
        "That did not work",
        "The username or the password is wrong.",
        "Try again. A username has no password until somebody signs up with it.",
    ),
    ClaimRefused: Problem(
        403,
        "claim_refused",
        "The claim code is not valid",
        "This claim code is not for this username, has been used, or has expired.",
        "Ask the operator of this service for a new one.",
    ),
    UsernameTaken: Problem(
        409,
        "username_taken",
        "The username is taken",
        "There is an account or a list with this username already.",
        "Choose another one. If an assistant keeps this list for you, ask the operator for a claim code.",
    ),
    TooManyAttempts: Problem(
        429,
        "too_many_attempts",
        "Too many tries",
        "There were too many tries in a short time.",
        "Wait as many seconds as Retry-After says, at most a quarter of an hour, and try again.",
    ),
    RateLimited: Problem(
        429,
        "rate_limited",
        "Too many requests",
        "There were more requests in the last minute than one caller may send. Nothing was done.",
        "Wait as many seconds as Retry-After says and call again; change_todos does many things in one call.",
    ),
    AssistantsBusy: Problem(
        429,
        "assistants_busy",
        "Too many assistants at once",
        "This service is looking up other assistants, and takes only a few at once.",
        "Wait as many seconds as Retry-After says, and try again.",
    ),
    OriginNotAllowed: Problem(
        403,
        "origin_not_allowed",
        "The origin is not allowed",
        "Web pages of this origin, or with this method, may not call the service from a browser.",
        "Ask the operator to add the page's origin to CORS_ORIGINS.",
    ),
    HostNotAllowed: Problem(
        421,
        "host_not_allowed",
        "The host is another one",
        "The request names a host in Host that is not this service's.",
        "Use the address in PUBLIC_URL; the operator sets it.",
    ),
    NotFound: Problem(
        404,
        "not_found",
        "Nothing is here",
        "No operation has this path.",
        "Compare the path with /openapi.yaml.",
    ),
    TodoNotFound: Problem(
        404,
        "todo_not_found",
        "No such to-do",
        "This list has no such to-do outside the trash.",
        "Call list_todos to see the ids; with status=deleted it shows the trash.",
    ),
    ChangeNotFound: Problem(
        404,
        "change_not_found",
        "No such change",
        "This list has no change with that id.",
        "Call list_changes to see the ids.",
    ),
    MethodNotAllowed: Problem(
        405,
        "method_not_allowed",
        "The method does not fit",
        "This path exists, but not for this method.",
        "Use one of the methods in the Allow header.",
    ),
    RequestTimeout: Problem(
        408,
        "request_timeout",
        "The request came too slowly",
        "The headers or the body of the request did not arrive in time.",
        "Call again, on a new connection.",
    ),
    VersionConflict: Problem(
        409,
        "version_conflict",
        "The to-do has changed",
        "Someone else changed this to-do since the version in if_version; nothing was done.",
        "Call get_todo, look at what changed, and call again with if_version set to current_version.",
    ),
    UndoConflict: Problem(
        409,
        "undo_conflict",
        "Something has changed since",
        "Later changes stand in the way of undoing this one; conflicts names each. Nothing was done.",
        "Undo the later changes first, or send force: true to undo the rest.",
    ),
    NothingToUndo: Problem(
        409,
        "nothing_to_undo",
        "Nothing is left to undo",
        "All that this change touched has left the trash for good, or is already as it was.",
        "Call list_changes to see what can be undone.",
    ),
    RequestIdReused: Problem(
        409,
        "request_id_reused",
        "The request_id is taken",
        "This request_id (or Idempotency-Key) came before with another request. Nothing was done.",
        "Use a new request_id for a new request, and the old one only to send the very same request again.",
    ),
    QuotaExceeded: Problem(
        409,
        "quota_exceeded",
        "The list is full",
        "The list holds as many to-dos as one list may, the trash not counted. Nothing was done.",
        "Delete to-dos that are done; list_todos with status=done shows them.",
    ),
    AnswerGone: Problem(
        409,
        "answer_gone",
        "The request was done before",
        "This request was done when it came first; its answer left with the trash. Nothing was done again.",
        "Do not send it again; call list_todos or list_changes to see what it did.",
    ),
    StorageFull: Problem(
        409,
        "storage_full",
        "The list takes too much room",
        "The to-dos with the trash, the history and the kept answers take all the room of one list. Nothing was done.",
        "Ask the person to empty the trash, or to clear old history on the page /history; deleting still works.",
    ),
    PayloadTooLarge: Problem(
        413,
        "payload_too_large",
        "The body is too large",
        "The body of the request is larger than the contract allows.",
        "Send less in one call.",
    ),
    UnsupportedMediaType: Problem(
        415,
        "unsupported_media_type",
        "The body is of another type",
        "The body must be of a type that the contract names for the operation, in UTF-8 and not compressed.",
        "Send the header Content-Type: application/json; the contract names the few exceptions.",
    ),
    HeadersTooLarge: Problem(
        431,
        "headers_too_large",
        "The headers are too large",
        "The request line and the headers together are larger than the service takes.",
        "Send shorter headers, or fewer cookies.",
    ),
    Exception: Problem(
        500,
        "internal_error",
        "The service failed",
        "This is a fault of the service, not of the request.",
        "Try once more; if it fails again, tell the operator the X-Request-ID of the answer.",
    ),
    Overloaded: Problem(
        503,
        "overloaded",
        "There is too much to do",
        "The service is doing as much at a time as it can; nothing was done.",
        "Wait as many seconds as Retry-After says and try again.",
    ),
    StorageUnavailable: Problem(
        503,
        "storage_unavailable",
        "The database cannot be reached",
        "The database cannot be reached or is too busy; nothing was changed.",
        "Wait as many seconds as Retry-After says and call again.",
    ),
    ReadTooSlow: Problem(
        503,
        "read_too_slow",
        "The search took too long",
        "Reading this from the list took too long and was stopped; nothing was changed.",
        "Narrow the search: a shorter q, a due_from and due_to, or a smaller limit.",
    ),
}


@dataclass(frozen=True)
class ProblemResponse:
    """A problem, ready to be sent."""

    status: int
    headers: dict[str, str]
    body: bytes


def problem_response(error: BaseException, public_url: str) -> ProblemResponse:
    """Returns the answer for `error`, by the nearest of its classes in the table (RFC 9457 section 3)."""
    row = next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)
    members, headers = (error.members, error.headers) if isinstance(error, Refusal) else ({}, {})
    document = {"type": f"{public_url}/errors#{row.code}", **vars(row), **members}
    headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", **headers}
    if isinstance(error, Challenge):
        headers["WWW-Authenticate"] = error.challenge(public_url)
    return ProblemResponse(row.status, headers, orjson.dumps(document))
