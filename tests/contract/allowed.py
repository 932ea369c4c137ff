"""What schemathesis takes for a fault of the service and is none; the docstring of each function says why.

For tests/contract/test_fuzz.py and, through schemathesis.toml, for `st run`, which loads it as a file of no package.
"""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import (
    EnsureResourceAvailability,
    RejectedPositiveData,
    UndefinedContentType,
    UseAfterFree,
)

BY_INDEX = "DELETE /todos/{username}"
BY_BODY = (
    BY_INDEX,
    "POST /todos/{username}/changes",
    "POST /todos/{username}/changes/matching",
)  # what they are about is named in the body


@schemathesis.hook
def filter_failure(_: Any, failure: Failure, case: Any, response: schemathesis.Response) -> bool:
    """Returns whether a failure is a fault."""
    return not any(allows(failure, response) for allows in ALLOWED)


def refuses_a_made_up_cursor(failure: Failure, response: schemathesis.Response) -> bool:
    """A cursor is opaque: only next_cursor of an earlier page is one, whatever its letters."""
    return isinstance(failure, RejectedPositiveData) and wrong_fields(response) == {"cursor"}


def refuses_an_unknown_time_zone(failure: Failure, response: schemathesis.Response) -> bool:
    """Which time zones there are is IANA's to say, not a pattern's."""
    return isinstance(failure, RejectedPositiveData) and wrong_fields(response) == {"time_zone"}


def refuses_a_day_in_the_past(failure: Failure, response: schemathesis.Response) -> bool:
    """Until when a link works must be a day to come, which is more than a pattern can say."""
    return isinstance(failure, RejectedPositiveData) and wrong_fields(response) == {"url_until"}


def refuses_me(failure: Failure, response: schemathesis.Response) -> bool:
    """The username `me` has the form of a name, and is nobody's with the service key."""
    return isinstance(failure, RejectedPositiveData) and problem(response).get("code") == "me_needs_user"


def has_nothing_at_that_place(failure: Failure, response: schemathesis.Response) -> bool:
    """A body that names a place beyond the end, or an id or a list that is none, is answered by 404."""
    named = failure.not_available_with if isinstance(failure, EnsureResourceAvailability) else None
    return named is not None and (named in BY_BODY or problem(response).get("code") == "list_not_found")


def still_has_the_list(failure: Failure, response: schemathesis.Response) -> bool:
    """delete_todo_by_index deletes one to-do of the list at its path, not the list."""
    return isinstance(failure, UseAfterFree) and failure.operation == BY_INDEX


def refuses_a_rule_that_does_not_go_together(failure: Failure, response: schemathesis.Response) -> bool:
    """Which parts of an RRULE go together, and that it needs due, is more than a pattern can say."""
    fields = {field.rpartition(".")[2] for field in wrong_fields(response)}
    return isinstance(failure, RejectedPositiveData) and bool(fields) and fields <= {"repeat", "due"}


def refuses_fields_that_do_not_go_with_the_action(failure: Failure, response: schemathesis.Response) -> bool:
    """One flat schema serves all actions, since hosts reject alternatives; what goes with which is a rule."""
    messages = [error["message"] for error in problem(response).get("errors", [])]
    ends = ("for restore", "unless action is restore")
    told = [
        message
        for message in messages
        if message.startswith(("does not apply to ", "is required for ")) or message.endswith(ends)
    ]
    return isinstance(failure, RejectedPositiveData) and bool(told) and told == messages


def refuses_steps_that_are_not_there(failure: Failure, response: schemathesis.Response) -> bool:
    """Which steps a to-do has is known to its list alone."""
    messages = [error["message"] for error in problem(response).get("errors", [])]
    told = [message for message in messages if message.startswith("is not a step") or "steps" in message]
    return isinstance(failure, RejectedPositiveData) and bool(told) and told == messages


def refuses_what_hides(failure: Failure, response: schemathesis.Response) -> bool:
    """The format visible-text is our own, as no pattern could say it; not all that makes requests up knows it."""
    messages = [error["message"] for error in problem(response).get("errors", [])]
    told = [message for message in messages if message.startswith("must not hold invisible characters")]
    return isinstance(failure, RejectedPositiveData) and bool(told) and told == messages


def refuses_what_contradicts_itself(failure: Failure, response: schemathesis.Response) -> bool:
    """A field that is set and cleared, or replaced and edited, no schema can see."""
    messages = [error["message"] for error in problem(response).get("errors", [])]
    ends = (", which has a value too", "; send one of the two")
    told = [message for message in messages if message.endswith(ends) or " is sent too; " in message]
    return isinstance(failure, RejectedPositiveData) and bool(told) and told == messages


def refuses_who_asks(failure: Failure, response: schemathesis.Response) -> bool:
    """Who signs in or connects must be somebody, and only so often: that is for rules, and these are their answers."""
    not_connected = ("<code>client_refused</code>", "An assistant could not be connected")
    by_rule = response.status_code in (401, 403, 429) or any(told in response.text for told in not_connected)
    return isinstance(failure, RejectedPositiveData) and (by_rule or "error" in problem(response))


def redirects_to_sign_in(failure: Failure, response: schemathesis.Response) -> bool:
    """The session is checked first, so what is wrong with a request is not said to who is signed out."""
    location = response.headers.get("location", [""])[0]
    return isinstance(failure, AcceptedNegativeData) and location.startswith("/sign-in?next=")


def takes_an_empty_field_for_one_left_out(failure: Failure, response: schemathesis.Response) -> bool:
    """Browsers send what was left empty too, in a form and in the query of one that asks (RFC 6749 section 3.1)."""
    return isinstance(failure, AcceptedNegativeData) and any(value == "" for _, value in sent(response))


def has_no_null_in_a_form(failure: Failure, response: schemathesis.Response) -> bool:
    """Forms share the schemas of the fields with JSON, and have no way to say null: it is four letters."""
    return isinstance(failure, RejectedPositiveData) and any(value == "null" for _, value in sent(response))


def refuses_on_the_page_what_does_not_go_together(failure: Failure, response: schemathesis.Response) -> bool:
    """What the rules refuse of a form is said on its own page, and of a cursor on a page of errors."""
    said = 'class="refused" role="alert"' in response.text or "next_cursor of the page before" in response.text
    return isinstance(failure, RejectedPositiveData) and response.status_code == 400 and said


def refuses_what_is_no_file(failure: Failure, response: schemathesis.Response) -> bool:
    """What a file to import must hold, no schema of a form says."""
    is_import = urlsplit(response.request.url or "").path == "/account/import"
    return isinstance(failure, RejectedPositiveData) and response.status_code == 400 and is_import


def is_at_no_path(failure: Failure, response: schemathesis.Response) -> bool:
    """A line break is in no path, so the guard knows no operation that could promise a page."""
    return isinstance(failure, UndefinedContentType) and problem(response).get("code") == "not_found"


def sent(response: schemathesis.Response) -> list[tuple[str, str]]:
    """Returns the fields of the form, or of the query."""
    body = response.request.body or b""
    text = body.decode("latin-1") if isinstance(body, bytes) else str(body)
    query = urlsplit(response.request.url or "").query
    return parse_qsl(text, keep_blank_values=True) + parse_qsl(query, keep_blank_values=True)


ALLOWED = (
    redirects_to_sign_in,
    takes_an_empty_field_for_one_left_out,
    has_no_null_in_a_form,
    refuses_on_the_page_what_does_not_go_together,
    refuses_what_is_no_file,
    is_at_no_path,
    refuses_a_rule_that_does_not_go_together,
    refuses_fields_that_do_not_go_with_the_action,
    refuses_a_made_up_cursor,
    refuses_an_unknown_time_zone,
    refuses_a_day_in_the_past,
    refuses_me,
    refuses_what_contradicts_itself,
    refuses_steps_that_are_not_there,
    refuses_what_hides,
    refuses_who_asks,
    has_nothing_at_that_place,
    still_has_the_list,
)


def wrong_fields(response: schemathesis.Response) -> set[str]:
    return {error["field"] for error in problem(response).get("errors", [])}


def problem(response: schemathesis.Response) -> dict[str, Any]:
    """Returns what a refusal says, nothing where it is a page or a file."""
    is_json = "json" in response.headers["content-type"][0]
    return response.json() if is_json else {}
