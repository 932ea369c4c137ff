"""Problems: the one table of what each error says to a caller, and the document that says it (RFC 9457)."""

from dataclasses import dataclass

import orjson

from todo import errors

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """A row of the table: the fixed parts of a problem document."""

    status: int
    code: str
    title: str
    detail: str
    hint: str


PROBLEMS: dict[type[BaseException], Problem] = {
    errors.InvalidRequest: Problem(
        400,
        "invalid_request",
        "The request is not valid",
        "The request breaks the contract; errors names each wrong field.",
        "Mend the fields named in errors and call again.",
    ),
    errors.MeNeedsUser: Problem(
        400,
        "me_needs_user",
        "Nobody is signed in",
        "The username me stands for the person of a user's own token, and the service key is nobody's own.",
        "Ask for the person's username and put it in place of me.",
    ),
    errors.Unauthorized: Problem(
        401,
        "unauthorized",
        "A token is needed",
        "The request carries no bearer token.",
        "Sign in, or send the header Authorization: Bearer, a space and the service key.",
    ),
    errors.InvalidToken: Problem(
        401,
        "invalid_token",
        "The token is not valid",
        "The bearer token is not one that this service knows, or it has expired or was disconnected.",
        "Sign in again. If you use a service key, check it against the operator's SERVICE_AUTH_KEY.",
    ),
    errors.Forbidden: Problem(
        403, "forbidden", "Not allowed", "The token does not allow this.", "Use a token that allows this."
    ),
    errors.InsufficientScope: Problem(
        403,
        "insufficient_scope",
        "The token may not do this",
        "The person has not allowed this when they connected the assistant.",
        "Ask the person to connect again and to allow it; scope in WWW-Authenticate names what is needed.",
    ),
    errors.NotYourList: Problem(
        403,
        "not_your_list",
        "The list is another person's",
        "The token is good for the list of the person who signed in, and for no other.",
        "Use the username me.",
    ),
    errors.ClientRefused: Problem(
        400,
        "client_refused",
        "This assistant cannot be connected",
        "The request to connect an assistant is not one that this service can answer.",
        "Start again in the assistant. If that does not help, ask the operator whether it is set up.",
    ),
    errors.SignedOut: Problem(
        403,
        "signed_out",
        "You are signed out",
        "The session has ended, or there was none. Nothing was done.",
        "Sign in and try again.",
    ),
    errors.StaleForm: Problem(
        403,
        "stale_form",
        "The page is out of date",
        "The form does not belong to the session of this browser. Nothing was done.",
        "Load the page again and send the form once more; the browser must accept cookies.",
    ),
    errors.WrongPassword: Problem(
        403,
        "wrong_password",
        "That did not work",
        "The username or the password is wrong.",
        "Try again. A username has no password until somebody signs up with it.",
    ),
    errors.ClaimRefused: Problem(
        403,
        "claim_refused",
        "The claim code is not valid",
        "This claim code is not for this username, has been used, or has expired.",
        "Ask the operator of this service for a new one.",
    ),
    errors.UsernameTaken: Problem(
        409,
        "username_taken",
        "The username is taken",
        "There is an account or a list with this username already.",
        "Choose another one. If an assistant keeps this list for you, ask the operator for a claim code.",
    ),
    errors.TooManyAttempts: Problem(
        429,
        "too_many_attempts",
        "Too many tries",
        "There were too many tries in a short time.",
        "Wait as many seconds as Retry-After says, at most a quarter of an hour, and try again.",
    ),
    errors.RateLimited: Problem(
        429,
        "rate_limited",
        "Too many requests",
        "There were more requests in the last minute than one caller may send. Nothing was done.",
        "Wait as many seconds as Retry-After says and call again; change_todos does many things in one call.",
    ),
    errors.AssistantsBusy: Problem(
        429,
        "assistants_busy",
        "Too many assistants at once",
        "This service is looking up other assistants, and takes only a few at once.",
        "Wait as many seconds as Retry-After says, and try again.",
    ),
    errors.OriginNotAllowed: Problem(
        403,
        "origin_not_allowed",
        "The origin is not allowed",
        "Web pages of this origin, or with this method, may not call the service from a browser.",
        "Ask the operator to add the page's origin to CORS_ORIGINS.",
    ),
    errors.HostNotAllowed: Problem(
        421,
        "host_not_allowed",
        "The host is another one",
        "The request names a host in Host that is not this service's.",
        "Use the address in PUBLIC_URL; the operator sets it.",
    ),
    errors.NotFound: Problem(
        404,
        "not_found",
        "Nothing is here",
        "No operation has this path.",
        "Compare the path with /openapi.yaml.",
    ),
    errors.TodoNotFound: Problem(
        404,
        "todo_not_found",
        "No such to-do",
        "This list has no such to-do outside the trash.",
        "Call list_todos to see the ids; with status=deleted it shows the trash.",
    ),
    errors.ChangeNotFound: Problem(
        404,
        "change_not_found",
        "No such change",
        "This list has no change with that id.",
        "Call list_changes to see the ids.",
    ),
    errors.MethodNotAllowed: Problem(
        405,
        "method_not_allowed",
        "The method does not fit",
        "This path exists, but not for this method.",
        "Use one of the methods in the Allow header.",
    ),
    errors.RequestTimeout: Problem(
        408,
        "request_timeout",
        "The request came too slowly",
        "The headers or the body of the request did not arrive in time.",
        "Call again, on a new connection.",
    ),
    errors.VersionConflict: Problem(
        409,
        "version_conflict",
        "The to-do has changed",
        "Someone else changed this to-do since the version in if_version; nothing was done.",
        "Call get_todo, look at what changed, and call again with if_version set to current_version.",
    ),
    errors.UndoConflict: Problem(
        409,
        "undo_conflict",
        "Something has changed since",
        "Later changes stand in the way of undoing this one; conflicts names each. Nothing was done.",
        "Undo the later changes first, or send force: true to undo the rest.",
    ),
    errors.NothingToUndo: Problem(
        409,
        "nothing_to_undo",
        "Nothing is left to undo",
        "All that this change touched has left the trash for good, or is already as it was.",
        "Call list_changes to see what can be undone.",
    ),
    errors.RequestIdReused: Problem(
        409,
        "request_id_reused",
        "The request_id is taken",
        "This request_id (or Idempotency-Key) came before with another request. Nothing was done.",
        "Use a new request_id for a new request, and the old one only to send the very same request again.",
    ),
    errors.QuotaExceeded: Problem(
        409,
        "quota_exceeded",
        "The list is full",
        "The list holds as many to-dos as one list may, the trash not counted. Nothing was done.",
        "Delete to-dos that are done; list_todos with status=done shows them.",
    ),
    errors.AnswerGone: Problem(
        409,
        "answer_gone",
        "The request was done before",
        "This request was done when it came first; its answer left with the trash. Nothing was done again.",
        "Do not send it again; call list_todos or list_changes to see what it did.",
    ),
    errors.StorageFull: Problem(
        409,
        "storage_full",
        "The list takes too much room",
        "The to-dos with the trash, the history and the kept answers take all the room of one list. Nothing was done.",
        "Ask the person to empty the trash, or to clear old history on the page /history; deleting still works.",
    ),
    errors.PayloadTooLarge: Problem(
        413,
        "payload_too_large",
        "The body is too large",
        "The body of the request is larger than the contract allows.",
        "Send less in one call.",
    ),
    errors.UnsupportedMediaType: Problem(
        415,
        "unsupported_media_type",
        "The body is of another type",
        "The body must be of a type that the contract names for the operation, in UTF-8 and not compressed.",
        "Send the header Content-Type: application/json; the contract names the few exceptions.",
    ),
    errors.HeadersTooLarge: Problem(
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
    errors.Overloaded: Problem(
        503,
        "overloaded",
        "There is too much to do",
        "The service is doing as much at a time as it can; nothing was done.",
        "Wait as many seconds as Retry-After says and try again.",
    ),
    errors.StorageUnavailable: Problem(
        503,
        "storage_unavailable",
        "The database cannot be reached",
        "The database cannot be reached or is too busy; nothing was changed.",
        "Wait as many seconds as Retry-After says and call again.",
    ),
    errors.ReadTooSlow: Problem(
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
    members, headers = (error.members, error.headers) if isinstance(error, errors.Refusal) else ({}, {})
    document = {"type": f"{public_url}/errors#{row.code}", **vars(row), **members}
    if "errors" in members:
        document["errors"] = [{"message": row.detail, **error} for error in members["errors"]]
    headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", **headers}
    if isinstance(error, errors.Challenge):
        headers["WWW-Authenticate"] = error.challenge(public_url)
    return ProblemResponse(row.status, headers, orjson.dumps(document))
