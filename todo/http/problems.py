"""Problem documents (RFC 9457): one table with the status and text of each error."""

from dataclasses import dataclass

import orjson

from todo import errors

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """The fixed members of a problem document, one row of the table."""

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
        "The request does not match the contract; errors lists each invalid field.",
        "Fix the fields named in errors and call again.",
    ),
    errors.MeNeedsUser: Problem(
        400,
        "me_needs_user",
        "Nobody is signed in",
        "The username me is the signed-in user; the service key belongs to no user.",
        "Ask for the person's username and use it in place of me.",
    ),
    errors.Unauthorized: Problem(
        401,
        "unauthorized",
        "A token is required",
        "The request has no bearer token.",
        "Sign in, or send the header Authorization: Bearer <service key>.",
    ),
    errors.InvalidToken: Problem(
        401,
        "invalid_token",
        "The token is not valid",
        "The bearer token is unknown, expired or revoked.",
        "Sign in again. If you use a service key, compare it with SERVICE_AUTH_KEY on the server.",
    ),
    errors.Forbidden: Problem(
        403, "forbidden", "Not allowed", "The token does not allow this.", "Use a token that allows this."
    ),
    errors.InsufficientScope: Problem(
        403,
        "insufficient_scope",
        "The token does not allow this",
        "The person did not allow this when they connected the assistant.",
        "Ask the person to connect again and allow it; scope in WWW-Authenticate lists the scopes needed.",
    ),
    errors.NotYourList: Problem(
        403,
        "not_your_list",
        "The list belongs to someone else",
        "The token is valid only for the list of the person who signed in.",
        "Use the username me.",
    ),
    errors.ClientRefused: Problem(
        400,
        "client_refused",
        "This assistant cannot be connected",
        "The assistant is unknown, or its request is not valid.",
        "Start again in the assistant. If that does not help, ask the operator of this service.",
    ),
    errors.SignedOut: Problem(
        403,
        "signed_out",
        "You are signed out",
        "There is no session, or it has expired. Nothing was done.",
        "Sign in and try again.",
    ),
    errors.StaleForm: Problem(
        403,
        "stale_form",
        "The page is out of date",
        "The form does not belong to this browser's session. Nothing was done.",
        "Reload the page and submit the form again; the browser must accept cookies.",
    ),
    errors.WrongPassword: Problem(
        403,
        "wrong_password",
        "Sign-in failed",
        "The username or the password is wrong.",
        "Try again. A username has no password until someone signs up with it.",
    ),
    errors.WrongCurrentPassword: Problem(
        403,
        "wrong_current_password",
        "The current password is wrong",
        "The current password is wrong. Nothing was changed.",
        "It is the one that you sign in with.",
    ),
    errors.ResetRefused: Problem(
        404,
        "reset_refused",
        "The link is no longer valid",
        "This link has been used, or it has expired.",
        "Ask for a new one on the sign-in page.",
    ),
    errors.PasskeyRefused: Problem(
        403,
        "passkey_refused",
        "The passkey was not accepted",
        "The passkey is not known here, or took too long.",
        "Try again, or use your password.",
    ),
    errors.TooManyPasskeys: Problem(
        409,
        "too_many_passkeys",
        "Too many passkeys",
        "The account has as many passkeys as it can have.",
        "Remove one that you no longer use.",
    ),
    errors.ClaimRefused: Problem(
        403,
        "claim_refused",
        "The claim code is not valid",
        "This claim code is for another username, has been used, or has expired.",
        "Ask the operator of this service for a new one.",
    ),
    errors.UsernameTaken: Problem(
        409,
        "username_taken",
        "The username is taken",
        "An account or a list with this username exists already.",
        "Choose another one. If this is your list, kept by an assistant, ask the operator for a claim code.",
    ),
    errors.TooManyAttempts: Problem(
        429,
        "too_many_attempts",
        "Too many attempts",
        "There were too many attempts in a short time.",
        "Wait the number of seconds in Retry-After, at most 15 minutes, and try again.",
    ),
    errors.RateLimited: Problem(
        429,
        "rate_limited",
        "Too many requests",
        "The caller is over its rate limit. Nothing was done.",
        "Wait the number of seconds in Retry-After and call again; change_todos takes many actions in one call.",
    ),
    errors.AssistantsBusy: Problem(
        429,
        "assistants_busy",
        "Too many assistants at once",
        "The service looks up only a few assistants at once, and is at that limit.",
        "Wait the number of seconds in Retry-After and try again.",
    ),
    errors.OriginNotAllowed: Problem(
        403,
        "origin_not_allowed",
        "The origin is not allowed",
        "Pages of this origin may not call the service from a browser, or not with this method.",
        "Ask the operator to add the page's origin to CORS_ORIGINS.",
    ),
    errors.HostNotAllowed: Problem(
        421,
        "host_not_allowed",
        "Wrong host",
        "The Host header is not a host of this service.",
        "Use the address in PUBLIC_URL, which the operator sets.",
    ),
    errors.NotFound: Problem(
        404, "not_found", "Not found", "No operation has this path.", "Check the path against /openapi.yaml."
    ),
    errors.TodoNotFound: Problem(
        404,
        "todo_not_found",
        "No such to-do",
        "This list has no such to-do outside the trash.",
        "Call list_todos for the ids; with status=deleted it lists the trash, from which change_todos can restore.",
    ),
    errors.ListNotFound: Problem(
        404,
        "list_not_found",
        "No such list",
        "There is no list with this name; lists names those that there are.",
        "Use one of lists.",
    ),
    errors.ListArchived: Problem(
        409,
        "list_archived",
        "The list is archived",
        "The list is archived, so no to-do can be put into it. Nothing was done.",
        "Restore it by update_list with archived: false, or use another list.",
    ),
    errors.ListExists: Problem(
        409,
        "list_exists",
        "The name is taken",
        "Another list has this name. Nothing was done.",
        "Choose another name, or move the to-dos by delete_list with move_to.",
    ),
    errors.InboxIsFixed: Problem(
        409,
        "inbox_is_fixed",
        "The inbox stays as it is",
        "The inbox cannot be renamed, archived, moved or deleted. Nothing was done.",
        "Name another list; to-dos of the inbox can be moved or deleted one by one.",
    ),
    errors.TooManyLists: Problem(
        409,
        "too_many_lists",
        "Too many lists",
        "There are as many lists as there can be, the archived ones included. Nothing was done.",
        "Use a list that exists, or delete one with delete_list.",
    ),
    errors.ChangedMeanwhile: Problem(
        409,
        "changed_meanwhile",
        "The list keeps changing",
        "Others changed the list again and again while its to-dos were looked for. Nothing was done.",
        "Call again.",
    ),
    errors.ChangeNotFound: Problem(
        404, "change_not_found", "No such change", "This list has no change with that id.", "Call list_changes for ids."
    ),
    errors.MethodNotAllowed: Problem(
        405,
        "method_not_allowed",
        "Method not allowed",
        "This path does not support this method.",
        "Use one of the methods in the Allow header.",
    ),
    errors.RequestTimeout: Problem(
        408,
        "request_timeout",
        "The request timed out",
        "The headers or the body of the request did not arrive in time.",
        "Call again on a new connection.",
    ),
    errors.VersionConflict: Problem(
        409,
        "version_conflict",
        "The to-do has changed",
        "This to-do has changed since the version in if_version. Nothing was done.",
        "Call get_todo, look at what changed, and call again with if_version set to current_version.",
    ),
    errors.UnexpectedCount: Problem(
        409,
        "unexpected_count",
        "Another number matches",
        "Not as many to-dos match filter as expect says; matched is their number. Nothing was done.",
        "If these are the right ones, send matched as expect; else change filter.",
    ),
    errors.TooManyMatching: Problem(
        409,
        "too_many_matching",
        "Too many to-dos match",
        "More to-dos match filter than are changed at once; matched is their number. Nothing was done.",
        "Narrow filter, by due_from and due_to or a list, and call once for each part.",
    ),
    errors.UndoConflict: Problem(
        409,
        "undo_conflict",
        "Something has changed since",
        "Later changes conflict with undoing this one; conflicts lists each. Nothing was done.",
        "Undo the later changes first, or send force: true, which undoes all that is not in conflicts.",
    ),
    errors.NothingToUndo: Problem(
        409,
        "nothing_to_undo",
        "Nothing to undo",
        "Everything in this change has been removed for good, or is already as it was before.",
        "Call list_changes to see what can be undone.",
    ),
    errors.RequestIdReused: Problem(
        409,
        "request_id_reused",
        "The request_id was used before",
        "This request_id (or Idempotency-Key) was used for a different request. Nothing was done.",
        "Use a new request_id for each new request; reuse one only to retry the same request.",
    ),
    errors.QuotaExceeded: Problem(
        409,
        "quota_exceeded",
        "The list is full",
        "The list has the maximum number of to-dos, not counting the trash. Nothing was done.",
        "Delete to-dos that are done; list_todos with status=done lists them.",
    ),
    errors.AnswerGone: Problem(
        409,
        "answer_gone",
        "The request was done before",
        "This is a retry of a request that succeeded; its response was removed with the trash. Nothing was done again.",
        "Do not retry; call list_todos or list_changes to see what it did.",
    ),
    errors.StorageFull: Problem(
        409,
        "storage_full",
        "The list is out of storage",
        "The to-dos, trash, history and responses kept for retries fill the list's storage. Nothing was done.",
        "Ask the person to empty the trash, or to clear old history on the page /history; deleting still works.",
    ),
    errors.PayloadTooLarge: Problem(
        413,
        "payload_too_large",
        "The body is too large",
        "The request body is larger than the contract allows.",
        "Send less in one call.",
    ),
    errors.UnsupportedMediaType: Problem(
        415,
        "unsupported_media_type",
        "Unsupported media type",
        "The body must have a media type that the contract lists for this operation, in UTF-8 and uncompressed.",
        "Send the header Content-Type: application/json; the contract lists the few exceptions.",
    ),
    errors.HeadersTooLarge: Problem(
        431,
        "headers_too_large",
        "The headers are too large",
        "The request line and the headers together are over the limit.",
        "Send shorter headers or fewer cookies.",
    ),
    Exception: Problem(
        500,
        "internal_error",
        "The service failed",
        "This is an error in the service, not in the request.",
        "Try once more; if it fails again, give the operator the X-Request-ID of the response.",
    ),
    errors.Overloaded: Problem(
        503,
        "overloaded",
        "The service is overloaded",
        "The service is at capacity. Nothing was done.",
        "Wait the number of seconds in Retry-After and try again.",
    ),
    errors.StorageUnavailable: Problem(
        503,
        "storage_unavailable",
        "The database cannot be reached",
        "The database cannot be reached or is too busy. Nothing was changed.",
        "Wait the number of seconds in Retry-After and call again.",
    ),
    errors.OutcomeUnknown: Problem(
        503,
        "outcome_unknown",
        "It is not known whether this was done",
        "The connection to the database broke while the change was stored. Either it is, or nothing was changed.",
        "Call again with the same request_id, which does nothing twice; without one, look first with list_changes.",
    ),
    errors.ReadTooSlow: Problem(
        503,
        "read_too_slow",
        "The search took too long",
        "The search took too long and was stopped. Nothing was changed.",
        "Narrow the search: a shorter q, due_from and due_to, or a smaller limit.",
    ),
}


@dataclass(frozen=True)
class ProblemResponse:
    """A serialized problem document with its status and headers."""

    status: int
    headers: dict[str, str]
    body: bytes


def problem_response(error: BaseException, public_url: str) -> ProblemResponse:
    """Returns the response for `error`, from the row of its most specific class (RFC 9457 section 3)."""
    row = next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)
    members, headers = (error.members, error.headers) if isinstance(error, errors.Refusal) else ({}, {})
    document = {"type": f"{public_url}/errors#{row.code}", **vars(row), **members}
    if "errors" in members:
        document["errors"] = [{"message": document["detail"], **error} for error in members["errors"]]
    headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", **headers}
    if isinstance(error, errors.Challenge):
        headers["WWW-Authenticate"] = error.challenge(public_url)
    return ProblemResponse(row.status, headers, orjson.dumps(document))
