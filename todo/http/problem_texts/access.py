"""Problems of authentication and authorization."""

from todo.errors import access
from todo.http.problem_texts import Problem

PROBLEMS: dict[type[BaseException], Problem] = {
    access.Unauthorized: Problem(
        401,
        "unauthorized",
        "A token is required",
        "The request has no bearer token.",
        "Sign in, or send the header Authorization: Bearer <service key>.",
    ),
    access.InvalidToken: Problem(
        401,
        "invalid_token",
        "The token is not valid",
        "The bearer token is unknown, expired or revoked.",
        "Sign in again. If you use a service key, compare it with SERVICE_AUTH_KEY on the server.",
    ),
    access.Forbidden: Problem(
        403, "forbidden", "Not allowed", "The token does not allow this.", "Use a token that allows this."
    ),
    access.InsufficientScope: Problem(
        403,
        "insufficient_scope",
        "The token does not allow this",
        "The person did not allow this when they connected the assistant.",
        "Ask the person to connect again and allow it; scope in WWW-Authenticate lists the scopes needed.",
    ),
    access.NotYourList: Problem(
        403,
        "not_your_list",
        "The list belongs to someone else",
        "The token is valid only for the list of the person who signed in.",
        "Use the username me.",
    ),
    access.ClientRefused: Problem(
        400,
        "client_refused",
        "This assistant cannot be connected",
        "The assistant is unknown, or its request is not valid.",
        "Start again in the assistant. If that does not help, ask the operator of this service.",
    ),
    access.SignedOut: Problem(
        403,
        "signed_out",
        "You are signed out",
        "There is no session, or it has expired. Nothing was done.",
        "Sign in and try again.",
    ),
    access.StaleForm: Problem(
        403,
        "stale_form",
        "The page is out of date",
        "The form does not belong to this browser's session. Nothing was done.",
        "Reload the page and submit the form again; the browser must accept cookies.",
    ),
    access.WrongPassword: Problem(
        403,
        "wrong_password",
        "Sign-in failed",
        "The username or the password is wrong.",
        "Try again. A username has no password until someone signs up with it.",
    ),
    access.WrongCurrentPassword: Problem(
        403,
        "wrong_current_password",
        "The current password is wrong",
        "The current password is wrong. Nothing was changed.",
        "It is the one that you sign in with.",
    ),
    access.ResetRefused: Problem(
        404,
        "reset_refused",
        "The link is no longer valid",
        "This link has been used, or it has expired.",
        "Ask for a new one on the sign-in page.",
    ),
    access.PasskeyRefused: Problem(
        403,
        "passkey_refused",
        "The passkey was not accepted",
        "The passkey is not known here, or took too long.",
        "Try again, or use your password.",
    ),
    access.TooManyPasskeys: Problem(
        409,
        "too_many_passkeys",
        "Too many passkeys",
        "The account has the maximum number of passkeys.",
        "Remove one that you no longer use.",
    ),
    access.ClaimRefused: Problem(
        403,
        "claim_refused",
        "The claim code is not valid",
        "This claim code is for another username, has been used, or has expired.",
        "Ask the operator of this service for a new one.",
    ),
    access.UsernameTaken: Problem(
        409,
        "username_taken",
        "The username is taken",
        "An account or a list with this username exists already.",
        "Choose another one. If this is your list, kept by an assistant, ask the operator for a claim code.",
    ),
    access.TooManyAttempts: Problem(
        429,
        "too_many_attempts",
        "Too many attempts",
        "There were too many attempts in a short time.",
        "Wait the number of seconds in Retry-After, at most 15 minutes, and try again.",
    ),
    access.AssistantsBusy: Problem(
        429,
        "assistants_busy",
        "Too many assistants at once",
        "The service looks up only a few assistants at once, and is at that limit.",
        "Wait the number of seconds in Retry-After and try again.",
    ),
}
