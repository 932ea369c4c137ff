"""What goes wrong outside our own rules: each error of a framework as a refusal of ours, and faults as log lines."""

import logging
import traceback
from collections.abc import Callable

from todo.errors import (
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    Refusal,
    SignedOut,
    Unauthorized,
    UnsupportedMediaType,
)

log = logging.getLogger(__name__)

# What Connexion, Starlette and Flask refuse by themselves.
BY_STATUS: dict[int, Callable[[], Refusal]] = {
    400: lambda: InvalidRequest.of("body", "is required"),  # our own validators check the rest of a request
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: lambda: MethodNotAllowed([]),
    415: UnsupportedMediaType,
}


def as_refusal(error: Exception) -> Exception:
    """Returns the refusal that an error stands for, or the error itself, logged, where it is a fault of ours."""
    if isinstance(error, Refusal | SignedOut):
        return error
    status = getattr(error, "status", getattr(error, "status_code", None))
    if status in BY_STATUS:
        return BY_STATUS[status]()
    # The message of an exception may quote what a caller wrote, so only its kind and its place are logged.
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    log.error("%s\n%s", type(error).__name__, "".join(traceback.format_list(frames)))
    return error
