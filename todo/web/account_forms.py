"""The forms of sign-up, sign-in and the account: checked by the contract; refusals use their labels."""

from typing import Any

from todo.contract import SITE
from todo.contract.schemas import find_errors
from todo.errors import FieldError, InvalidRequest, Refusal
from todo.errors.access import TooManyAttempts
from todo.web.forms import refused as refused_elsewhere

JSON = dict[str, Any]

LABELS = {
    "time_zone": "Time zone",
    "week_start": "First day of the week",
    "username": "Username",
    "password": "Password",
    "new_password": "New password",
    "email": "E-mail address",
    "name": "Name of the passkey",
}
# What a field takes, if the contract's own words are for programs.
TAKES = {
    "time_zone": "choose one from the list, such as Europe/Vienna",
    "username": "use letters, digits, dots, hyphens, underscores and @, at most 64, after a letter or a digit",
    "email": "write one such as kevin@example.com, or leave it empty",
}


def check(form: JSON, schemas: dict[str, str]) -> None:
    """Checks each named field by its schema in the contract. Raises InvalidRequest for those that are invalid."""
    given = [(name, SITE.resolved_schema(schema)) for name, schema in schemas.items() if name in form]
    errors = [error for name, schema in given for error in find_errors(schema, form[name], name)]
    if errors:
        raise InvalidRequest(errors)


def require(form: JSON, *names: str) -> None:
    """Raises InvalidRequest for those of the named fields that are empty."""
    empty = [FieldError(name, "is required") for name in names if not form.get(name)]
    if empty:
        raise InvalidRequest(empty)


def refused(refusal: Refusal) -> str:
    """Returns what is wrong, in one or two sentences for a person."""
    if isinstance(refusal, TooManyAttempts):
        minutes = -(-int(refusal.headers["Retry-After"]) // 60)
        return f"There were too many attempts. Wait {minutes} minute{'s' if minutes > 1 else ''}, and try again."
    errors = refusal.members["errors"] if isinstance(refusal, InvalidRequest) else []
    if errors and all(error["field"] in LABELS for error in errors):
        return " ".join(f"{LABELS[e['field']]}: {TAKES.get(e['field'], e['message'])}." for e in errors)
    return refused_elsewhere(refusal)


def wrong_fields(refusal: Refusal | None) -> list[str]:
    """Returns the names of the fields that a refusal is about."""
    return [error["field"] for error in refusal.members.get("errors", ())] if refusal else []
