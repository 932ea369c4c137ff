"""Schemathesis asks everything that the contracts allow, and what they do not, on SQLite and PostgreSQL."""

import os
from collections.abc import Iterator
from copy import deepcopy
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.openapi.checks import (
    EnsureResourceAvailability,
    RejectedPositiveData,
    UndefinedContentType,
    UseAfterFree,
)
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.answers import check_answer
from tests.conftest import AUTHORIZATION, GENEROUS, SERVICE_KEY
from tests.owners import ENCODED_ID, ID, open_list
from todo.accounts import tokens
from todo.accounts.passwords import hash_password
from todo.accounts.sessions import Session
from todo.app import create_app
from todo.config import Settings
from todo.contract import API, SITE, Contract, Operation
from todo.contract.formats import is_visible
from todo.contract.schemas import find_errors
from todo.domain.users import utc_now
from todo.oauth import clients
from todo.storage.database import open_engine
from todo.storage.statements import Connection

# Secrets of sessions: of a browser that nobody has signed in with yet, and of one that somebody has.
FRESH = "a-browser-that-nobody-has-signed-in-with-yet"
SIGNED_IN = tokens.PREFIXES["session"] + ENCODED_ID + "B" * 43
SOAK = "SOAK" in os.environ
SEEDS = range(3, 23) if SOAK else range(3, 5)
MORE_SEEDS = 5  # for operations that have not succeeded yet
EXAMPLES = 30 if SOAK else 8
# Values that most requests use, so that they reach the to-dos that are there.
KNOWN: dict[str, list[Any]] = {
    "path.username": ["kevin"],
    "path.todo_id": list(range(1, 41)),
    "path.change_id": list(range(1, 41)),
    "path.id": [str(number) for number in range(1, 41)],
    "path.list": ["Trip", "Work"],
    "query.list": ["Trip", "Inbox"],
    "body.list": ["Trip", "Inbox"],
    "body.if_version": [1],
    "body.time_zone": ["Europe/Paris", "Asia/Tokyo"],
}
KNOWN_CLIENT = "0123456789abcdef"  # as the examples of the contract have it
PASSWORD = "seven calm whales sing"
KNOWN_TO_SITE: dict[str, list[Any]] = {
    "path.todo_id": KNOWN["path.todo_id"],
    "path.change_id": KNOWN["path.change_id"],
    "body.username": ["kevin", "anna", "bert", "cleo"],  # of whom the first is there already
    "body.password": [PASSWORD],
    "body.client_id": [KNOWN_CLIENT],
    "query.client_id": [KNOWN_CLIENT],
    "body.redirect_uri": ["https://client.example/callback"],
    "query.redirect_uri": ["https://client.example/callback"],
    "query.list": KNOWN["query.list"],
    "body.list": ["Trip", "Work"],
    "body.name": ["Trip", "Work"],
    "body.step": ["1 Eggs", "2 1"],
}
# What ends or replaces a session: whoever is signed in leaves it alone, so that the pages are seen.
ENDS_SESSIONS = ["/sign-in", "/sign-up", "/sign-out", "/account/password", "/account/delete"]
# A form to sign up is right in all of its fields about once in a run, or never; tests/handlers tries it.
# A code or a refresh token comes out of what a person decides, and what leads to it is complete by no accident; that is
# for tests/handlers/test_oauth.py.
# And nobody guesses the address of a shared to-do or of a calendar, which tests/handlers tries.
NOT_BY_CHANCE = {
    ("POST", "/sign-up"),
    ("POST", "/sign-in"),
    ("GET", "/reset-password/{reset}"),
    ("POST", "/reset-password"),
    ("GET", "/oauth/authorize"),
    ("POST", "/oauth/token"),
    ("GET", "/s/{share}"),
    ("GET", "/s/{share}/{picture}.png"),
    ("GET", "/calendar/{calendar}.ics"),
}
# What the contract's own format means.
VISIBLE = st.characters(codec="utf-8", exclude_categories=("Cc", "Cf"))
schemathesis.openapi.format("visible-text", st.text(VISIBLE).filter(is_visible))
BY_INDEX = "DELETE /todos/{username}"
BY_BODY = (
    BY_INDEX,
    "POST /todos/{username}/changes",
    "POST /todos/{username}/changes/matching",
)  # what they are about is named in the body


# What schemathesis takes for a fault and is none; the docstring of each says why.


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
    """A field that is set and cleared, replaced and edited, or two names for one request, no schema can see."""
    messages = [error["message"] for error in problem(response).get("errors", [])]
    ends = (", which has a value too", ", where both are sent", "; send one of the two")
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


@schemathesis.check
def answer_is_promised(_: Any, response: schemathesis.Response, __: schemathesis.Case) -> None:
    """Checks what every test of the service checks."""
    headers = [(name, value) for name, values in response.headers.items() for value in values]
    request = httpx.Request(response.request.method, response.request.url)
    check_answer(httpx.Response(response.status_code, headers=headers, content=response.content, request=request))


@pytest.fixture
def app(migrated_database: str) -> Iterator[ASGIApp]:
    """The service on a database of its own, running."""
    service = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=migrated_database, **GENEROUS))

    async def without_lifespan(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"  # the client below has started the service, and stops it
        await service(scope, receive, send)

    with TestClient(service, headers=AUTHORIZATION) as client:
        engine = open_engine(migrated_database)
        engine.start()
        engine.submit_write(prepare_site).result()
        engine.stop()
        for todo_id in KNOWN["path.todo_id"]:
            todo = {"todo": f"To-do {todo_id}", "steps": ["Eggs"]}
            client.post(f"/todos/{KNOWN['path.username'][0]}", json=todo).raise_for_status()
        for name in KNOWN["path.list"]:
            client.patch(f"/lists/{KNOWN['path.username'][0]}/{name}", json={"create_list": True}).raise_for_status()
        yield without_lifespan


def prepare_site(connection: Connection) -> None:
    """Lets there be somebody who can sign in, or has done so, and a client that can be connected."""
    open_list(connection, "kevin")
    connection.insert_account(user_id=ID, password_hash=hash_password(PASSWORD), email=None, now=utc_now())
    connection.insert_session(user_id=ID, hash=tokens.digest(SIGNED_IN), expires_at="9999")
    clients.save(connection, "registered", KNOWN_CLIENT, "A client", ["https://client.example/callback"])


def is_thorough(seed: int) -> bool:
    """Whether a run includes the phases that ask nearly the same whatever the seed."""
    return SOAK or seed == SEEDS[0]


def is_signed_in(seed: int) -> bool:
    """Whether the pages of a run are asked for by somebody who has signed in."""
    return seed % 2 == 0


def config(seed: int, contract: Contract) -> SchemathesisConfig:
    session = SIGNED_IN if is_signed_in(seed) else FRESH
    to_site = {**KNOWN_TO_SITE, "body.csrf_token": [Session(session).new_csrf_token()]}
    known = KNOWN if contract is API else to_site
    once, always = {"enabled": is_thorough(seed)}, {"enabled": True}
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "headers": dict(AUTHORIZATION)
            if contract is API
            else {"Cookie": f"session={session}"},  # which schemathesis adds to
            "continue-on-failure": True,
            "cache": {"enabled": False},
            "generation": {
                "max-examples": EXAMPLES,
                "database": "none",
                "no-shrink": True,
                "with-security-parameters": False,  # tokens and cookies are those above
            },
            "dictionaries": {name: {"values": values} for name, values in known.items()},
            "parameters": {name: {"dictionary": name, "probability": 0.8} for name in known},
            "phases": {"examples": once, "coverage": once, "fuzzing": always, "stateful": always},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", 404, 409]},
                "negative_data_rejection": {"expected-statuses": [400, 404, 405, 413, 415]},
            },
        }
    )


def uncompressed(app: ASGIApp) -> ASGIApp:
    """Returns the app as who takes no compression finds it: schemathesis decompresses bodies twice."""

    async def without(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [header for header in scope.get("headers", []) if header[0] != b"accept-encoding"]
        await app({**scope, "headers": headers}, receive, send)

    return without


def schema_for(app: ASGIApp, contract: Contract, seed: int) -> Any:
    # A copy, since schemathesis writes into what it is given.
    schema = schemathesis.openapi.from_dict(deepcopy(contract.document), config=config(seed, contract))
    schema.app = uncompressed(app)

    @schema.hook
    def filter_failure(_: Any, failure: Failure, case: Any, response: schemathesis.Response) -> bool:
        return not any(allows(failure, response) for allows in ALLOWED)

    numbers = count(1)

    @schema.hook
    def map_case(_: Any, case: schemathesis.Case) -> schemathesis.Case:
        # Names that are good but taken, or not the same in both places, would end most writes before they are tried.
        fresh = f"request-{seed}-{next(numbers)}"
        if is_name(case.headers.get("Idempotency-Key")):
            case.headers["Idempotency-Key"] = fresh
        if isinstance(case.body, dict) and is_name(case.body.get("request_id")):
            case.body["request_id"] = fresh
        return case

    return schema


def ask(schema: Any) -> tuple[list[str], set[tuple[str, str]]]:
    """Returns what failed, and the operations that did what they are for."""
    faults, succeeded = [], set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError) and not is_too_long(event):
            faults.append(str(event))
        if isinstance(event, events.ScenarioFinished):
            faults += faults_of(event.recorder)
            succeeded |= set(successes_of(event.recorder))
    return faults, succeeded


@pytest.mark.slow_on_postgresql
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("contract", [API, SITE], ids=lambda contract: contract.name)
def test_service_keeps_its_contract(app: ASGIApp, contract: Contract, seed: int) -> None:
    schema = schema_for(app, contract, seed)
    faults, succeeded = ask(schema.exclude(path=ENDS_SESSIONS) if contract is SITE and is_signed_in(seed) else schema)
    if seed == SEEDS[0]:
        wanted = {(o.method, o.path) for o in contract.operations} - NOT_BY_CHANCE
        for more in range(MORE_SEEDS):  # chance leaves out one or the other, whatever the seed
            missing = wanted - succeeded
            if missing:
                methods, paths = map(list, zip(*sorted(missing), strict=True))
                others = schema_for(app, contract, 1001 + 2 * more).include(method=methods, path=paths)
                found, done = ask(others)
                faults += found
                succeeded |= done
        assert wanted <= succeeded
    assert not faults, "\n\n".join(faults)


def is_too_long(event: events.NonFatalError | events.FatalError) -> bool:
    """Whether it is that httpx sends no address of more than 65,536 characters."""
    return isinstance(event.value, httpx.InvalidURL) if isinstance(event, events.NonFatalError) else False


def is_name(value: Any) -> bool:
    return not find_errors(API.schema("RequestId"), value)


def faults_of(recorder: ScenarioRecorder) -> Iterator[str]:
    """Yields what failed, with the request as a curl command and the answer."""
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info:
                answer = recorder.interactions[check.failure_info.failure.case_id or case_id].response
                request = check.failure_info.code_sample
                yield f"{check.name}: {check.failure_info.failure}\n{request}\n{answer.status_code} {answer.text[:500]}"


def successes_of(recorder: ScenarioRecorder) -> Iterator[tuple[str, str]]:
    """Yields the method and the path of what did what it is for."""
    for case_id, interaction in recorder.interactions.items():
        if interaction.response and interaction.response.status_code < 400:
            yield interaction.request.method, recorder.cases[case_id].value.path


TOKENS = {
    "none": None,
    "no token": "Bearer",
    "a wrong one": "Bearer x",
    "one letter more": f"Bearer {SERVICE_KEY}x",
    "another scheme": f"Basic {SERVICE_KEY}",
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize("operation", API.operations, ids=lambda operation: operation.id)
def test_stranger_is_refused(anonymous: httpx.Client, operation: Operation, token: str | None) -> None:
    path = operation.path.format(username="kevin", todo_id=1, change_id=1, id=1, list="Trip")
    headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token else {})
    # What else is wrong with the request is told to nobody who may not call.
    response = anonymous.request(operation.method, f"{path}?x=y", headers=headers, content=b"{")
    assert response.status_code == 401
