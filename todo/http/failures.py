"""Errors raised by frameworks, mapped to our own; unexpected exceptions are logged."""

import logging
import traceback
from collections.abc import Callable

from todo.errors import InvalidRequest, MethodNotAllowed, NotFound, Refusal, UnsupportedMediaType
from todo.errors.access import Forbidden, SignedOut, Unauthorized

log = logging.getLogger(__name__)

# Errors that Connexion, Starlette and Flask raise themselves.
BY_STATUS: dict[int, Callable[[], Refusal]] = {
    400: lambda: InvalidRequest.of("body", "is required"),  # our own validators check the rest of a request
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: lambda: MethodNotAllowed([]),
    415: UnsupportedMediaType,
}


def as_refusal(error: Exception) -> Exception:
    """Returns the matching refusal, or logs the error and returns it if it is a bug."""
    if isinstance(error, Refusal | SignedOut):
        return error
    status = getattr(error, "status", getattr(error, "status_code", None))
    if status in BY_STATUS:
        return BY_STATUS[status]()
    # An exception's message may quote user input, so only its type and traceback are logged.
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    log.error("%s\n%s", type(error).__name__, "".join(traceback.format_list(frames)))
    return error
