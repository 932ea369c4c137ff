"""Errors of authentication and authorization: tokens, sessions, passwords, accounts and clients."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from todo.contract import API, product
from todo.errors import Refusal


def metadata_url(public_url: str, path: str = "") -> str:
    """Returns the URL of the protected resource metadata for `path` (RFC 9728 section 3.1)."""
    return f"{public_url}/.well-known/oauth-protected-resource{path}"


class Challenge:
    """A refusal with a WWW-Authenticate header (RFC 6750 section 3).

    `ERROR` is the error code of section 3.1, or empty; `scope` lists the scopes that a token needs.
    """

    ERROR: ClassVar[str] = ""
    scope: Iterable[str] = tuple(API.scopes)

    def challenge(self, public_url: str, resource: str = "") -> str:
        """Returns WWW-Authenticate for the resource at a path, with its metadata URL (RFC 9728 section 5.1)."""
        parts = {"realm": product.NAME} | ({"error": self.ERROR} if self.ERROR else {})
        parts["resource_metadata"] = metadata_url(public_url, resource)
        parts["scope"] = " ".join(sorted(self.scope))
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parts.items())


class Unauthorized(Challenge, Refusal):
    """The request has no bearer token."""


class InvalidToken(Unauthorized):
    """The bearer token is unknown, expired or revoked."""

    ERROR = "invalid_token"


class Forbidden(Challenge, Refusal):
    """The caller is authenticated but may not do this."""


class InsufficientScope(Forbidden):
    """The token is valid but lacks the scope."""

    ERROR = "insufficient_scope"

    def __init__(self, scope: Iterable[str]) -> None:
        super().__init__()
        self.scope = scope


class NotYourList(Forbidden):
    """The list belongs to someone other than the token's user."""


class SignedOut(Exception):
    """There is no session, or it has expired. Pages redirect to sign-in.

    Not a Refusal: handlers show those on the form's page, which requires a session.
    """


class StaleForm(Refusal):
    """The form lacks the session's CSRF token: an old page, or a forged request."""


class WrongPassword(Refusal):
    """No account has this username and password."""


class WrongCurrentPassword(WrongPassword):
    """A signed-in person repeated their own password wrongly."""


class ResetRefused(Refusal):
    """The link that resets a password has been used or replaced, or has expired."""


class PasskeyRefused(Refusal):
    """The response is not from a passkey of this service, or does not sign a challenge of this browser."""


class TooManyPasskeys(Refusal):
    """The account has the maximum number of passkeys."""


class ClaimRefused(Refusal):
    """The claim code is for another username, or has been used or has expired."""


class UsernameTaken(Refusal):
    """An account or a list with this username exists."""


class ClientRefused(Refusal):
    """An authorization request whose client is unknown or whose redirect URI is not the client's.

    `reason` is one sentence for the person: it is shown here, as redirecting is unsafe (RFC 6749 section 4.1.2.1).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(detail=reason)


class TooManyAttempts(Refusal):
    """Too many attempts in a short time; `seconds` until the next is allowed (RFC 6585 section 4)."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.headers["Retry-After"] = str(seconds)


class AssistantsBusy(Refusal):
    """The maximum number of client lookups is already running."""

    HEADERS: ClassVar[Mapping[str, str]] = {"Retry-After": "5"}
