"""Three people sign up, connect, delete, claim and reconnect at the same time, under names that pass between them.

Each account, from its sign-up to its end, writes a text of its own. Whatever it has ever given out is tried again and
again, by everybody, and may never come upon the text of another.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from tests.conftest import AUTHORIZATION
from tests.people import Client, bearer, soup
from tests.races.workers import Workers, at_once
from todo.accounts import accounts, attempts
from todo.accounts.sessions import Session
from todo.domain.forgetting import forget
from todo.domain.owned_secrets import ID_CHARACTERS
from todo.domain.users import Owner

pytestmark = pytest.mark.slow

SOAK = "SOAK" in os.environ
SEEDS = range(10) if SOAK else range(2)
STEPS = 300 if SOAK else 50
RECENT = 5  # of what was given out, what is tried most

T = TypeVar("T")
_numbers = count(1)


@dataclass(frozen=True)
class Life:
    """One account, from its sign-up to its end."""

    number: int
    username: str

    @property
    def text(self) -> str:
        return f"life-{self.number:06}"

    @property
    def password(self) -> str:
        return f"the password of {self.text}"

    def may_see(self, response: httpx.Response) -> httpx.Response:
        found = set(re.findall(r"life-\d{6}", response.text))
        assert found <= {self.text}, f"{response.request.method} {response.request.url} shows {found} to {self.text}"
        return response


class Town:
    """What three people share: names, clients, and whatever any account has given out."""

    def __init__(self, workers: Workers, names: list[str]) -> None:
        self.workers = workers
        self.names = names
        self.clients = [workers.client() for _ in range(2)]
        self.lives: list[Life] = []
        self.sessions: list[tuple[Life, str]] = []
        self.tokens: list[tuple[Life, str]] = []
        self.refresh_tokens: list[tuple[Life, Client, str]] = []
        self.addresses: list[tuple[Life, str]] = []  # of shares and calendars
        self.claims: dict[str, str] = {}  # the latest code for each name


class Somebody:
    """One of the three, at random."""

    def __init__(self, town: Town, random: Random) -> None:
        self.town = town
        self.workers = town.workers
        self.random = random

    def live(self) -> None:
        often = [self.read_by_token, self.read_by_session, self.read_address, self.write_by_token, self.write_by_form]
        often += [self.forge_token, self.forge_session, self.forge_address]
        seldom = [self.sign_up, self.sign_in, self.connect, self.refresh, self.share, self.show_calendar, self.collide]
        rarely = [self.claim, self.disconnect, self.delete, self.import_file, self.sign_out]
        for _ in range(STEPS):
            self.random.choice([*often, *seldom * 2, *rarely])()

    def collide(self) -> None:
        """An account ends while its owner and its assistants are at work, and somebody wants the name."""
        at_once(self.delete, self.sign_in, self.sign_up, self.import_file, *[self.write_by_token] * 3)

    # Accounts

    def sign_up(self) -> None:
        life = Life(next(_numbers), self.random.choice(self.town.names))
        person = self.workers.person(life.username)
        code = self.town.claims.get(life.username, "")
        answer = person.sign_up(life.password, claim_code=code if self.random.random() < 0.9 else "")
        assert answer.status_code in (303, 403, 409)
        if answer.status_code == 303:
            self.town.lives.append(life)
            self.town.sessions.append((life, person.browser.cookies["session"]))

    def sign_in(self) -> None:
        life = self.pick(self.town.lives)
        if life:
            person = self.workers.person(life.username)
            if person.sign_in(life.password).status_code == 303:
                self.town.sessions.append((life, person.browser.cookies["session"]))

    def sign_out(self) -> None:
        self.send("/sign-out")

    def delete(self) -> None:
        self.send("/account/delete", lambda life: {"password": life.password})

    def claim(self) -> None:
        """The operator writes to a list, gives out its claim code, or deletes it."""
        name = self.random.choice(self.town.names)
        if self.random.random() < 0.2:
            self.workers.engine.submit_write(forget, Owner(name)).result()
            return
        todo = {"todo": f"Of the operator, {next(_numbers)}"}
        assert self.workers.browser().post(f"/todos/{name}", json=todo, headers=AUTHORIZATION).status_code == 201
        self.town.claims[name] = self.workers.engine.submit_write(accounts.new_claim, name).result()

    # Assistants

    def connect(self) -> None:
        client = self.random.choice(self.town.clients)
        allowed = self.send("/oauth/authorize", lambda _: {"decision": "allow", **client.asks()})
        if allowed:
            life, answer = allowed
            code = parse_qs(urlsplit(answer.headers["location"]).query).get("code")
            self.keep(life, client, client.redeem(code[0])) if code else None

    def refresh(self) -> None:
        found = self.pick(self.town.refresh_tokens)
        if found:
            life, client, token = found
            self.keep(life, client, client.refresh(token))

    def keep(self, life: Life, client: Client, answer: httpx.Response) -> None:
        assert answer.status_code in (200, 400), answer.text
        if answer.status_code == 200:
            self.town.tokens.append((life, answer.json()["access_token"]))
            self.town.refresh_tokens.append((life, client, answer.json()["refresh_token"]))

    def disconnect(self) -> None:
        opened = self.open("/account")
        grants = [tag["value"] for tag in soup(opened[1]).select("[name=grant_id]")] if opened else []
        if grants:
            self.send("/account/disconnect", lambda _: {"grant_id": grants[0]})

    # Lists

    def write_by_token(self) -> httpx.Response | None:
        found = self.pick(self.town.tokens)
        if not found:
            return None
        life, token = found
        todo = {"todo": f"{life.text}, {next(_numbers)}"}
        answer = life.may_see(self.workers.browser().post("/todos/me", json=todo, headers=bearer(token)))
        assert answer.status_code in (201, 401)
        return answer

    def read_by_token(self) -> None:
        found = self.pick(self.town.tokens)
        if found:
            life, token = found
            answer = life.may_see(self.workers.browser().get("/todos/me?limit=100", headers=bearer(token)))
            assert answer.status_code in (200, 401)

    def write_by_form(self) -> None:
        self.send("/list", lambda life: {"todo": f"{life.text}, {next(_numbers)}"})

    def import_file(self) -> None:
        found = self.pick(self.town.sessions)
        if found:
            life, secret = found
            upload = {"file": ("todo.csv", f"todo\n{life.text} and {next(_numbers)}\n", "text/csv")}
            form = {"csrf_token": Session(secret).new_csrf_token()}
            assert self.browser(secret).post("/account/import", data=form, files=upload).status_code == 303

    def read_by_session(self) -> None:
        opened = self.open("/account/export")
        if opened:
            life, answer = opened
            assert answer.status_code == 303 or answer.json()["account"]["username"] == life.username

    # Addresses

    def share(self) -> None:
        found = self.pick(self.town.tokens)
        if found:
            life, token = found
            http, headers = self.workers.browser(), bearer(token)
            added = http.post("/todos/me", json={"todo": f"{life.text}, {next(_numbers)}"}, headers=headers)
            if added.status_code == 201:
                shared = http.post(f"/todos/me/{added.json()['id']}/share", json={}, headers=headers)
                if shared.status_code == 200:
                    self.town.addresses.append((life, urlsplit(shared.json()["url"]).path))

    def show_calendar(self) -> None:
        sent = self.send("/account/calendar", lambda _: {"calendar": "new"})
        opened = self.open("/account")
        if sent and opened:
            life, answer = opened
            self.town.addresses += [(life, path) for path in re.findall(r"/calendar/[\w-]+\.ics", answer.text)]

    def read_address(self) -> None:
        found = self.pick(self.town.addresses)
        if found:
            life, path = found
            assert life.may_see(self.workers.browser().get(path)).status_code in (200, 404)

    # The id of one, the secret of another

    def forge_token(self) -> None:
        forged = self.forge(self.town.tokens, len("todo_at_"))
        if forged:
            headers = bearer(forged)
            assert self.workers.browser().get("/todos/me", headers=headers).status_code == 401
            assert self.workers.browser().post("/todos/me", json={"todo": "x"}, headers=headers).status_code == 401

    def forge_session(self) -> None:
        forged = self.forge(self.town.sessions, len("todo_se_"))
        if forged:
            assert self.browser(forged).get("/account/export").status_code == 303
            form = {"csrf_token": Session(forged).new_csrf_token(), "todo": "x"}
            assert self.browser(forged).post("/list", data=form).status_code in (303, 403)

    def forge_address(self) -> None:
        start = len(self.random.choice(("/s/", "/calendar/")))
        paths = [(life, path) for life, path in self.town.addresses if path[start - 1] == "/"]
        forged = self.forge(paths, start)
        if forged:
            answer = self.workers.browser().get(forged)
            assert (answer.status_code, "life-" in answer.text) == (404, False)

    def forge(self, among: list[tuple[Life, str]], start: int) -> str | None:
        """Returns a secret with the owner's id of another, or None where there are none of two owners."""
        one, other = self.pick(among), self.pick(among)
        end = start + ID_CHARACTERS
        if not one or not other or one[1][start:end] == other[1][start:end]:
            return None
        return other[1][:end] + one[1][end:]

    # What all of it is made of

    def pick(self, among: list[T]) -> T | None:
        """Returns one of them, mostly of the latest, or None where there is none."""
        if not among:
            return None
        return self.random.choice(among[-RECENT:] if self.random.random() < 0.7 else among)

    def browser(self, secret: str) -> TestClient:
        browser = self.workers.browser()
        browser.cookies.set("session", secret)
        return browser

    def open(self, path: str) -> tuple[Life, httpx.Response] | None:
        """Returns a page as one of the sessions sees it, and whose that is."""
        found = self.pick(self.town.sessions)
        return (found[0], found[0].may_see(self.browser(found[1]).get(path))) if found else None

    def send(self, path: str, fields: Callable[[Life], Any] = lambda _: {}) -> tuple[Life, httpx.Response] | None:
        """Returns the answer to a form of one of the sessions, and whose that is."""
        found = self.pick(self.town.sessions)
        if not found:
            return None
        life, secret = found
        form = {"csrf_token": Session(secret).new_csrf_token(), **fields(life)}
        answer = life.may_see(self.browser(secret).post(path, data=form))
        assert answer.status_code in (303, 403), (path, answer.status_code)
        return life, answer


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_reaches_the_list_of_another(workers: Workers, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(attempts, "raise_if_limited", lambda _: None)
    town = Town(workers, [f"town{next(_numbers)}" for _ in range(2)])
    people = [Somebody(town, Random(f"{seed} {number}")) for number in range(3)]
    for begin in (people[0].sign_up, people[0].connect, people[0].share):
        begin()
    assert town.addresses  # which chance alone did not always bring
    at_once(*[somebody.live for somebody in people])
    assert len(town.lives) > 1
    for life, secret in town.sessions:
        life.may_see(people[0].browser(secret).get("/account/export"))
    for life, token in town.tokens:
        life.may_see(workers.browser().get("/todos/me?limit=100", headers=bearer(token)))
    for life, path in town.addresses:
        life.may_see(workers.browser().get(path))
