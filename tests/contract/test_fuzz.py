"""Schemathesis asks everything that the contracts allow, and what they do not, on SQLite and PostgreSQL."""

import ctypes
import gc
import os
from collections.abc import Iterator
from copy import deepcopy
from itertools import count
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.specs.openapi._caches import clear_all
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

import tests.contract.allowed  # noqa: F401  registers what is no fault
from tests.answers import check_answer
from tests.conftest import AUTHORIZATION, GENEROUS, SERVICE_KEY
from tests.owners import ENCODED_ID, ID, open_list
from tests.paths import path_of
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


@pytest.fixture
def nothing_kept() -> Iterator[None]:
    """Frees what schemathesis keeps of each schema: compiled patterns, hundreds of megabytes by the end of a suite."""
    yield
    clear_all()
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc keeps what the threads of a run have freed
    if trim:
        trim(0)


@pytest.mark.slow_on_postgresql
@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.slow] * is_thorough(seed)) for seed in SEEDS])
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
    path = path_of(operation)
    headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token else {})
    # What else is wrong with the request is told to nobody who may not call.
    response = anonymous.request(operation.method, f"{path}?x=y", headers=headers, content=b"{")
    assert response.status_code == 401
