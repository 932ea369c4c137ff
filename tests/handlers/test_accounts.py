"""Accounts, as a person in a browser without script finds them."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import time_machine
from starlette.testclient import TestClient

from tests.conftest import AUTHORIZATION, GENEROUS, SERVICE_KEY, migrated_sqlite
from tests.people import NEW_PASSWORD, PASSWORD, Client, Person, bearer, soup
from todo.accounts import accounts, passwords, sessions
from todo.app import create_app
from todo.config import Settings
from todo.contract import API, SITE, product
from todo.storage.database import open_engine
from todo.web import assets

pytestmark = pytest.mark.slow_on_postgresql

NewBrowser = Callable[[], TestClient]
SCRIPTS = {f'<script type="module" src="{assets.url(name)}">' for name in ("account.js", "passkeys.js")}
POSTS = {operation.path: operation for operation in SITE.operations if operation.method == "POST"}
FIELDS = {
    path: SITE.resolve(next(iter(operation.spec["requestBody"]["content"].values()))["schema"])["properties"]
    for path, operation in POSTS.items()
}
FORM_EXAMPLES = {
    *(
        "grant_id",
        "ids",
        "todo",
        "step",
        "list",
        "name",
        "id",
        "version",
        "action",
        "change_id",
        "who",
        "since_id",
        "before_day",
        "until_id",
        "calendar",
        "time_zone",
        "reset",
        "passkey",
        "credential",
    ),
}
FORMS = [path for path, fields in FIELDS.items() if "csrf_token" in fields]


def refused(response: httpx.Response, status: int, text: str) -> None:
    assert response.status_code == status
    assert text in response.text


class TestSigningUp:
    def test_signs_in_and_goes_on(self, new_browser: NewBrowser, name: str) -> None:
        person = Person(new_browser(), name.upper())
        response = person.sign_up(email="kevin@example.com", next="/account")
        assert (response.status_code, response.headers["location"]) == (303, "/account")
        page = person.browser.get("/account").text
        assert f"<strong>{name}</strong>" in page
        assert 'value="kevin@example.com"' in page

    def test_goes_on_at_once_where_somebody_is_signed_in(self, person: Person) -> None:
        for path in ("/sign-up", "/sign-in"):
            assert person.browser.get(path, params={"next": "/account"}).headers["location"] == "/account"

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"password": "short"}, "Password: must have at least 15 characters."),
            ({"password": "x" * 129}, "Password: must have at most 128 characters."),
            ({"username": "-"}, "Username: use letters, digits, dots"),
            ({"email": "nobody"}, "E-mail address: write one such as kevin@example.com"),
            ({"next": "https://evil.example/"}, "next must have the form of this example"),
            ({"next": "//evil.example/"}, "next must have the form of this example"),
            ({"next": "/\\evil.example/"}, "next must have the form of this example"),
            ({"unknown": "x"}, "unknown is not a known field"),
        ],
    )
    def test_a_wrong_field_is_named_on_a_page(
        self, new_browser: NewBrowser, name: str, fields: dict[str, str], wrong: str
    ) -> None:
        person = Person(new_browser(), name)
        given = {"username": name, "password": PASSWORD, **fields}
        refused(person.send("/sign-up", **given), 400, wrong)
        assert not person.is_signed_in()

    def test_a_field_that_comes_twice_is_refused(self, new_browser: NewBrowser) -> None:
        body = "username=a&username=b"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        refused(new_browser().post("/sign-in", content=body, headers=headers), 400, "the same field twice")

    def test_a_taken_name_is_refused(self, person: Person, new_browser: NewBrowser) -> None:
        refused(Person(new_browser(), person.username).sign_up(), 409, "An account or a list with this username exists")

    def test_me_is_nobodys_name(self, new_browser: NewBrowser) -> None:
        assert Person(new_browser(), "Me").sign_up().status_code == 409

    def test_one_address_opens_only_so_many(self, new_browser: NewBrowser, name: str) -> None:
        browser = new_browser()
        taken = Person(browser, "me")
        for _ in range(SITE.limit("sign_ups_per_address")):
            assert taken.sign_up().status_code == 409
        response = Person(browser, name).sign_up()
        refused(response, 429, "There were too many attempts. Wait 15 minutes, and try again.")
        assert 0 < int(response.headers["retry-after"]) <= 15 * 60


class TestClaiming:
    """A list that the service key has opened belongs to somebody: to whom is for the operator to say."""

    def claim_code(self, database_url: str, username: str) -> str:
        engine = open_engine(database_url)
        engine.start()
        try:
            return engine.submit_write(accounts.new_claim, username).result()
        finally:
            engine.stop()

    @pytest.fixture
    def owner_to_be(self, client: httpx.Client, new_browser: NewBrowser, name: str) -> Person:
        client.post(f"/todos/{name}", json={"todo": "Buy milk"}).raise_for_status()
        return Person(new_browser(), name)

    def test_takes_a_code(self, owner_to_be: Person, database_url: str) -> None:
        refused(owner_to_be.sign_up(), 409, "ask the operator for a claim code")
        refused(owner_to_be.sign_up(claim_code="wrong"), 403, "This claim code is for another username")
        code = self.claim_code(database_url, owner_to_be.username)
        assert owner_to_be.sign_up(claim_code=code).status_code == 303
        assert "Buy milk" in owner_to_be.browser.get("/account/export").text

    def test_on_its_own_machine_the_page_shows_the_command(
        self, owner_to_be: Person, new_browser: NewBrowser, name: str
    ) -> None:
        somebody = Person(new_browser(), f"{name}-too")
        assert somebody.sign_up().status_code == 303
        page = soup(owner_to_be.sign_up())
        assert page.select_one("#copy-claim").text == f"make claim USERNAME={owner_to_be.username}"
        assert page.select_one("[data-copies=copy-claim]")
        for taken in (somebody.username, "me"):  # an account, and what is never free
            assert soup(Person(owner_to_be.browser, taken).sign_up()).select("#copy-claim") == []

    def test_elsewhere_the_page_does_not_tell_lists_from_accounts(
        self, owner_to_be: Person, service: TestClient, database_url: str
    ) -> None:
        settings = Settings(
            service_auth_key=(SERVICE_KEY,), database_url=database_url, public_url="http://todo.example.com"
        )
        with TestClient(create_app(settings), base_url="http://todo.example.com", follow_redirects=False) as browser:
            page = Person(browser, owner_to_be.username).sign_up()
        assert page.status_code == 409
        assert "make claim" not in page.text

    def test_a_code_works_once_and_for_its_own_name(
        self, owner_to_be: Person, database_url: str, client: httpx.Client, new_browser: NewBrowser
    ) -> None:
        code = self.claim_code(database_url, owner_to_be.username)
        other = Person(new_browser(), f"{owner_to_be.username}-other")
        client.post(f"/todos/{other.username}", json={"todo": "x"}).raise_for_status()
        assert other.sign_up(claim_code=code).status_code == 403
        assert owner_to_be.sign_up(claim_code=code).status_code == 303
        owner_to_be.send("/account/delete", password=PASSWORD)
        client.post(f"/todos/{owner_to_be.username}", json={"todo": "x"}).raise_for_status()
        assert owner_to_be.sign_up(claim_code=code).status_code == 403

    def test_a_new_code_takes_the_place_of_the_old_one(self, owner_to_be: Person, database_url: str) -> None:
        old, new = (self.claim_code(database_url, owner_to_be.username) for _ in range(2))
        assert owner_to_be.sign_up(claim_code=old).status_code == 403
        assert owner_to_be.sign_up(claim_code=new).status_code == 303

    def test_a_code_expires(self, owner_to_be: Person, database_url: str) -> None:
        with time_machine.travel("2026-11-01T00:00:00Z"):
            code = self.claim_code(database_url, owner_to_be.username)
        with time_machine.travel("2026-11-08T00:00:01Z"):
            assert owner_to_be.sign_up(claim_code=code).status_code == 403


class TestSigningIn:
    def test_works_from_another_browser_whatever_the_case(self, person: Person, new_browser: NewBrowser) -> None:
        elsewhere = Person(new_browser(), person.username.title())
        assert not elsewhere.is_signed_in()
        assert elsewhere.sign_in().status_code == 303
        assert elsewhere.is_signed_in()
        assert person.is_signed_in()

    def test_the_same_password_from_another_keyboard(self, new_browser: NewBrowser, name: str) -> None:
        composed, decomposed = "sieben große Wäle", "sieben große Wa\u0308le"
        assert Person(new_browser(), name).sign_up(composed).status_code == 303
        assert Person(new_browser(), name).sign_in(decomposed).status_code == 303

    def test_whether_there_is_an_account_is_not_told(
        self, person: Person, new_browser: NewBrowser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither by the page nor by the time: one hash is checked for both, which takes nearly all of it."""
        checked: list[str] = []
        hasher = passwords._HASHER

        class Watched:
            def verify(self, password_hash: str, password: str) -> bool:
                checked.append(password_hash.rpartition("$")[0].rpartition("$")[0])  # what it costs
                return hasher.verify(password_hash, password)

        monkeypatch.setattr(passwords, "_HASHER", Watched())
        pages = []
        for username in (person.username, f"{person.username}-nobody"):
            response = Person(new_browser(), username).sign_in("not the password at all")
            pages.append((response.status_code, response.text.replace(username, "").split("</form>")[0][-200:]))
        assert pages[0] == pages[1]
        assert len(checked) == 2
        assert checked[0] == checked[1]

    def test_keeping_signed_in_outlives_the_browser(self, person: Person, new_browser: NewBrowser) -> None:
        kept = Person(new_browser(), person.username).sign_in(keep="on").headers["set-cookie"]
        short = Person(new_browser(), person.username).sign_in().headers["set-cookie"]
        assert f"Max-Age={SITE.limit('session_days') * 86400}" in kept
        assert "Max-Age" not in short
        assert "Expires" not in short

    @pytest.mark.parametrize(("keep", "hours"), [({}, 12), ({"keep": "on"}, 30 * 24)])
    def test_a_session_ends_by_itself(
        self, new_browser: NewBrowser, name: str, keep: dict[str, str], hours: int
    ) -> None:
        with time_machine.travel("2026-11-22T00:00:00Z") as clock:
            person = Person(new_browser(), name)
            person.sign_up(**keep)
            clock.shift(hours * 3600 - 5)
            assert person.is_signed_in()
            clock.shift(10)
            assert not person.is_signed_in()

    def test_one_session_too_many_ends_the_one_that_has_the_least_time_left(
        self, new_browser: NewBrowser, name: str
    ) -> None:
        most = SITE.limit("sessions_per_account")
        with time_machine.travel("2026-11-22T00:00:00Z") as clock:
            people = [Person(new_browser(), name) for _ in range(most + 2)]
            for number, person in enumerate(people):
                assert (person.sign_in() if number else person.sign_up()).status_code == 303
                clock.shift(1)
            assert [person.is_signed_in() for person in people] == [False] * 2 + [True] * most

    def test_signing_out_ends_the_session_at_the_server(self, person: Person) -> None:
        cookie = person.browser.cookies["session"]
        assert person.send("/sign-out").headers["location"] == "/sign-in?next=%2Flist"
        person.browser.cookies.set("session", cookie)
        assert not person.is_signed_in()

    def test_request_looks_up_its_session_once(self, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        form, lookups = {"csrf_token": person.csrf_token(), "todo": "A"}, []
        find = sessions.find
        monkeypatch.setattr(sessions, "find", lambda *args: lookups.append(1) or find(*args))
        assert person.browser.get("/list").status_code == 200
        assert person.browser.post("/list", data=form).status_code == 303
        assert len(lookups) == 2

    def test_pages_for_the_signed_in_lead_others_to_the_form(self, new_browser: NewBrowser) -> None:
        for path in ("/account", "/account/export"):
            assert new_browser().get(path).headers["location"] == "/sign-in?next=%2Faccount"


class TestGuessing:
    WRONG = "not the password at all"

    @pytest.fixture
    def fast_passwords(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Lets a guess cost nothing, where it is their number that matters."""
        monkeypatch.setattr(passwords, "verify", lambda _, password: password == PASSWORD)

    def test_wrong_passwords_are_not_even_looked_at_after_some(
        self, person: Person, new_browser: NewBrowser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashed = 0
        verify = passwords.verify

        def counting(*args: str) -> bool:
            nonlocal hashed
            hashed += 1
            return verify(*args)

        monkeypatch.setattr(passwords, "verify", counting)
        attacker = new_browser()
        fields = {"csrf_token": Person(attacker, "x").csrf_token(), "username": person.username, "password": self.WRONG}
        attacker.event_hooks = {}
        answers = [attacker.post("/sign-in", data=fields).status_code for _ in range(300)]
        assert answers == [403] * 10 + [429] * 290
        assert hashed == 10
        # Nor does the right password help whoever has guessed for too long, from anywhere.
        fields["password"] = PASSWORD
        assert attacker.post("/sign-in", data=fields).status_code == 429
        assert Person(new_browser(), person.username).sign_in().status_code == 429
        assert person.is_signed_in()

    def test_the_limit_ends_with_its_window(self, new_browser: NewBrowser, name: str) -> None:
        with time_machine.travel("2026-11-22T00:00:00Z") as clock:
            person = Person(new_browser(), name)
            person.sign_up()
            elsewhere = Person(new_browser(), name)
            for _ in range(11):
                last = elsewhere.sign_in(self.WRONG)
            assert last.status_code == 429
            assert 890 < int(last.headers["retry-after"]) <= 900
            clock.shift(901)
            assert elsewhere.sign_in().status_code == 303

    def test_one_address_guesses_only_so_often_whatever_the_name(
        self, new_browser: NewBrowser, name: str, fast_passwords: None
    ) -> None:
        attacker = new_browser()
        statuses = [
            Person(attacker, f"{name}-{number}").sign_in(self.WRONG).status_code
            for number in range(SITE.limit("sign_ins_per_address") + 1)
        ]
        assert statuses == [403] * SITE.limit("sign_ins_per_address") + [429]

    def test_good_sign_ins_count_for_nothing(
        self, person: Person, new_browser: NewBrowser, fast_passwords: None
    ) -> None:
        browser = new_browser()
        for _ in range(SITE.limit("sign_ins_per_address") // 10):
            for _ in range(9):
                assert Person(browser, person.username).sign_in(self.WRONG).status_code == 403
            assert Person(browser, person.username).sign_in().status_code == 303
            browser.cookies.clear()

    def test_the_password_on_the_account_page_is_guessed_no_more_often(self, person: Person) -> None:
        statuses = [person.send("/account/delete", password=self.WRONG).status_code for _ in range(11)]
        assert statuses == [403] * 10 + [429]
        assert person.is_signed_in()

    def test_guesses_of_a_stranger_are_not_counted_for_who_is_signed_in(
        self, person: Person, new_browser: NewBrowser
    ) -> None:
        stranger = Person(new_browser(), person.username)
        while stranger.sign_in(self.WRONG).status_code != 429:
            pass
        changed = person.send("/account/password", password=PASSWORD, new_password=NEW_PASSWORD)
        assert (changed.status_code, changed.headers["location"]) == (303, "/account?saved=password#notice")
        assert person.send("/account/delete", password=NEW_PASSWORD).headers["location"] == "/sign-up"


class TestForms:
    @pytest.mark.parametrize("path", FORMS)
    @pytest.mark.parametrize("token", ["0" * 64, "another's"])
    def test_a_form_of_another_session_does_nothing(
        self, person: Person, new_browser: NewBrowser, path: str, token: str
    ) -> None:
        operation = POSTS[path]
        (media_type,) = list(operation.spec["requestBody"]["content"])[:1]
        known = FIELDS[path]
        fields = {
            "username": person.username,
            "password": PASSWORD,
            "new_password": NEW_PASSWORD,
            "email": "",
            "decision": "allow",
            **{name: str(SITE.resolve(schema)["example"]) for name, schema in known.items() if name in FORM_EXAMPLES},
        }
        sent = {name: value for name, value in fields.items() if name in known}
        sent["csrf_token"] = Person(new_browser(), "x").csrf_token() if token == "another's" else token
        files = {"file": ("todo.csv", "todo\nA\n", "text/csv")} if media_type == "multipart/form-data" else None
        refused(person.browser.post(path, data=sent, files=files), 403, "does not belong to this browser")
        assert person.is_signed_in()

    def test_all_forms_are_among_them(self) -> None:
        assert set(FORMS) == {p for p, o in POSTS.items() if o.spec["tags"] != ["oauth"]} | {"/oauth/authorize"}

    def test_a_session_is_not_one_that_somebody_else_has_set(self, person: Person, new_browser: NewBrowser) -> None:
        victim = Person(new_browser(), person.username)
        victim.csrf_token()
        victim.browser.cookies.set("session", "todo_se_known-to-an-attacker", domain="localhost.local")
        known = victim.browser.cookies["session"]
        assert victim.sign_in().status_code == 303
        attacker = new_browser()
        attacker.cookies.set("session", known)
        assert attacker.get("/account").status_code == 303
        before = victim.browser.cookies["session"]
        assert victim.sign_in().status_code == 303
        assert victim.browser.cookies["session"] != before
        attacker.cookies.set("session", before)
        assert attacker.get("/account").status_code == 303

    def test_pages_load_nothing_from_elsewhere_and_are_framed_by_nobody(self, person: Person) -> None:
        signed_out = TestClient(person.browser.app, base_url="http://localhost:8000")
        for browser, path in ((person.browser, "/account"), (signed_out, "/sign-in"), (signed_out, "/sign-up")):
            response = browser.get(path)
            policy = response.headers["content-security-policy"]
            assert policy.startswith(
                "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancest"
            )
            assert (response.headers["x-frame-options"], response.headers["cache-control"]) == ("DENY", "no-store")
            assert set(re.findall(r"<script[^>]*>", response.text)) <= SCRIPTS
            assert " style=" not in response.text


class TestCookie:
    def browser(self, tmp_path: Path, public_url: str) -> TestClient:
        url = migrated_sqlite(tmp_path)
        settings = Settings(service_auth_key=(SERVICE_KEY,), database_url=url, public_url=public_url, **GENEROUS)
        return TestClient(create_app(settings), base_url=public_url, follow_redirects=False)

    def test_over_https_it_is_bound_to_the_host_and_to_tls(self, tmp_path: Path) -> None:
        with self.browser(tmp_path, "https://todo.example.com") as browser:
            cookie = Person(browser, "kevin").sign_up().headers["set-cookie"]
            assert cookie.startswith("__Host-session=todo_se_")
            assert set(cookie.split("; ")[1:]) == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}

    def test_without_https_it_is_no_less_out_of_reach(self, tmp_path: Path) -> None:
        with self.browser(tmp_path, "http://localhost:8000") as browser:
            cookie = Person(browser, "kevin").sign_up().headers["set-cookie"]
            assert cookie.startswith("session=todo_se_")
            assert set(cookie.split("; ")[1:]) == {"HttpOnly", "Path=/", "SameSite=Lax"}


class TestAddress:
    """Whose address a try counts for, behind proxies."""

    @pytest.mark.parametrize(
        ("proxies", "forwarded", "counted"),
        [
            (0, ["1.1.1.1"], "testclient"),
            (1, ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
            (1, ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
            (2, ["6.6.6.6, 1.1.1.1, 10.0.0.1"], "1.1.1.1"),
            (2, ["10.0.0.1"], "testclient"),
            (1, [], "testclient"),
        ],
    )
    def test_is_the_one_that_the_outermost_proxy_saw(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxies: int, forwarded: list[str], counted: str
    ) -> None:
        from todo.accounts import attempts

        seen = []
        sign_ins = attempts.sign_ins
        monkeypatch.setattr(attempts, "sign_ins", lambda name, address: seen.append(address) or sign_ins(name, address))
        url = migrated_sqlite(tmp_path)
        app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=url, proxies=proxies, **GENEROUS))
        with TestClient(app, base_url="http://localhost:8000") as browser:
            token = Person(browser, "kevin").csrf_token()
            browser.post(
                "/sign-in",
                data={"csrf_token": token, "username": "kevin", "password": "x"},
                headers=[("X-Forwarded-For", value) for value in forwarded],
            )
        assert seen == [counted]


class TestAccount:
    def test_changing_the_password_ends_every_other_session(self, person: Person, new_browser: NewBrowser) -> None:
        elsewhere = Person(new_browser(), person.username)
        elsewhere.sign_in()
        assert person.send("/account/password", password="wrong", new_password=NEW_PASSWORD).status_code == 403
        changed = person.send("/account/password", password=PASSWORD, new_password=NEW_PASSWORD)
        assert changed.headers["location"] == "/account?saved=password#notice"
        assert person.is_signed_in()
        assert not elsewhere.is_signed_in()
        assert elsewhere.sign_in(PASSWORD).status_code == 403
        assert elsewhere.sign_in(NEW_PASSWORD).status_code == 303

    def test_email_is_as_the_person_likes(self, person: Person) -> None:
        person.send("/account/email", email="kevin@example.com")
        assert 'value="kevin@example.com"' in person.browser.get("/account").text
        person.send("/account/email", email="")
        assert person.browser.get("/account/export").json()["account"]["email"] is None

    def test_shows_assistants_and_disconnects_them_at_once(self, person: Person, new_browser: NewBrowser) -> None:
        http = new_browser()
        token = Client.registered(http, client_name="A <b>helper</b>").connect(person)["access_token"]
        http.post("/todos/me", json={"todo": "x"}, headers=bearer(token)).raise_for_status()
        text = soup(person.browser.get("/account")).get_text()
        assert "A <b>helper</b>" in text
        assert "Added 1 to-do." in text
        for meaning in API.scopes.values():
            assert meaning in text
        assert person.send("/account/disconnect", grant_id=person.grant_id()).status_code == 303
        assert http.get("/todos/me", headers=bearer(token)).status_code == 401
        assert "helper" not in person.browser.get("/account").text

    def test_disconnects_nobody_elses(self, person: Person, new_browser: NewBrowser, name: str) -> None:
        http = new_browser()
        token = Client.registered(http).connect(person)["access_token"]
        other = Person(new_browser(), f"{name}-other")
        other.sign_up()
        answer = other.send("/account/disconnect", grant_id=person.grant_id())
        assert answer.status_code == 303
        assert http.get("/todos/me", headers=bearer(token)).status_code == 200

    def test_says_when_an_assistant_last_acted(self, new_browser: NewBrowser, name: str) -> None:
        with time_machine.travel("2026-11-22T08:00:00Z") as clock:
            person, http = Person(new_browser(), name), new_browser()
            person.sign_up()
            token = Client.registered(http).connect(person)["access_token"]
            clock.shift(45 * 60)
            http.get("/todos/me", headers=bearer(token)).raise_for_status()
            http.get("/todos/me", headers=bearer(token)).raise_for_status()
            # It is noted after the answer, which does not wait for it.
            deadline = time.perf_counter() + 10
            while "Last active today 08:45" not in person.browser.get("/account").text:
                assert time.perf_counter() < deadline

    def test_export_has_everything(self, person: Person, new_browser: NewBrowser) -> None:
        http = new_browser()
        token = Client.registered(http, client_name="Helper").connect(person)["access_token"]
        for todo in ("kept", "deleted"):
            http.post("/todos/me", json={"todo": todo}, headers=bearer(token)).raise_for_status()
        http.delete("/todos/me/2", headers=bearer(token)).raise_for_status()
        response = person.browser.get("/account/export")
        assert response.headers["content-disposition"] == f'attachment; filename="{product.NAME}.json"'
        everything = response.json()
        assert everything["account"]["username"] == person.username
        assert [(todo["todo"], todo["status"]) for todo in everything["todos"]] == [
            ("kept", "open"),
            ("deleted", "deleted"),
        ]
        assert [change["client"] for change in everything["changes"]] == ["Helper"] * 3
        added, _, deleted = (change["entries"][0] for change in everything["changes"])
        assert (added["before"], added["after"]["todo"]) == (None, "kept")
        assert (deleted["before"], deleted["after"]) == ({"status": "open"}, {"status": "deleted"})
        assert everything["assistants"][0]["client_name"] == "Helper"
        assert "argon2" not in response.text

    def test_deleting_leaves_nothing_and_frees_the_name(
        self, person: Person, new_browser: NewBrowser, service: TestClient
    ) -> None:
        http = new_browser()
        tokens = Client.registered(http).connect(person)
        http.post("/todos/me", json={"todo": "secret"}, headers=bearer(tokens["access_token"])).raise_for_status()
        assert person.send("/account/delete", password="wrong").status_code == 403
        assert person.send("/account/delete", password=PASSWORD).headers["location"] == "/sign-up"
        assert not person.is_signed_in()
        assert http.get("/todos/me", headers=bearer(tokens["access_token"])).status_code == 401
        assert http.get(f"/todos/{person.username}", headers=AUTHORIZATION).json()["total"] == 0
        assert person.sign_in().status_code == 403
        assert person.sign_up().status_code == 303
        assert person.browser.get("/account/export").json()["todos"] == []
