"""Problems of requests of any kind, and of the service itself."""

from todo import errors
from todo.http.problem_texts import Problem

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
    errors.RateLimited: Problem(
        429,
        "rate_limited",
        "Too many requests",
        "The caller is over its rate limit. Nothing was done.",
        "Wait the number of seconds in Retry-After and call again; change_todos takes many actions in one call.",
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
        "The connection to the database broke during the change. Either all of it is stored, or nothing was changed.",
        "Call again with the same request_id, which does nothing twice; without one, check list_changes first.",
    ),
    errors.ReadTooSlow: Problem(
        503,
        "read_too_slow",
        "The search took too long",
        "The search took too long and was stopped. Nothing was changed.",
        "Narrow the search: a shorter q, due_from and due_to, or a smaller limit.",
    ),
}
