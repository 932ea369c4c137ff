"""Plain `gunicorn wsgi:app`: it serves, ends in order, says in one sentence why it cannot start, and logs no secret."""

import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.conftest import SERVICE_KEY
from tests.e2e.processes import WEB, Child, all_todos, environ_for, migrated, new_client, serving, started
from tests.e2e.wire import HEAD_END, Tally, connect, post_todo, post_until_refused, receive

CALLERS = 8
FORCED_AFTER = 25  # seconds: graceful_timeout of gunicorn.conf.py
ACCESS_LINE = re.compile(r"(?P<what>[A-Z]+ (?:/\S*|-) \d{3}) \d+\.\d+ms (?P<id>[A-Za-z0-9._-]{1,64})")


def test_serves_and_ends_with_0(tmp_path: Path) -> None:
    assert WEB == ["gunicorn", "wsgi:app"]
    with serving(migrated(tmp_path)) as service:
        assert "Using worker: todo.server.worker.Worker" in service.output
        with new_client(service.url) as client:
            assert client.post("/todos/kevin", json={"todo": "Buy milk"}).status_code == 201
            assert client.get("/docs").status_code == 200
        assert service.terminate() == 0
        assert not service.listens


# ----------------------------------------------------------------------------------------------------------------------
# SIGTERM
# ----------------------------------------------------------------------------------------------------------------------


def terminate_while_posting(service: Child, *, keep_alive: bool) -> list[Tally]:
    """Returns what became of the requests of all callers, in the middle of which the service was told to end."""
    with ThreadPoolExecutor(CALLERS) as pool:
        posting = [
            pool.submit(post_until_refused, service.address, caller, keep_alive=keep_alive) for caller in range(CALLERS)
        ]
        try:
            time.sleep(0.7)
            start = time.monotonic()
            assert service.terminate() == 0
            assert time.monotonic() - start < FORCED_AFTER, "a worker did not end by itself"
        finally:
            service.kill()
    return [caller.result() for caller in posting]


@pytest.mark.slow
@pytest.mark.parametrize("keep_alive", [True, False], ids=["keep-alive", "new connections"])
def test_sigterm_loses_no_answer(tmp_path: Path, keep_alive: bool) -> None:
    environ = migrated(tmp_path)
    with serving(environ) as service:
        tallies = terminate_while_posting(service, keep_alive=keep_alive)
    with serving(environ) as service, new_client(service.url) as client:
        stored = {todo["todo"] for todo in all_todos(client, "load")}
    # A request on a connection that the service has closed gets nothing at all, not a part of an answer, nor a 5xx.
    assert [part for tally in tallies for part in tally.broken] == []
    assert all(len(tally.answered) > 5 for tally in tallies)
    answered = {todo for tally in tallies for todo in tally.answered}
    assert answered <= stored
    assert stored - answered <= {todo for tally in tallies for todo in tally.cut}


def test_sigterm_waits_for_the_rest_of_a_slow_request(tmp_path: Path) -> None:
    with serving(migrated(tmp_path)) as service, connect(service.address) as connection:
        head, end, body = post_todo("kevin", "Buy milk", "Expect: 100-continue").partition(HEAD_END)
        connection.sendall(head + end)
        # The service says so when it begins to read the body.
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body[:10])
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        connection.sendall(body[10:])
        answer = receive(connection)
        assert answer.is_whole
        assert answer.status == 201
        assert service.wait() == 0


# ----------------------------------------------------------------------------------------------------------------------
# What stops the start; for all the rest see test_mistakes.py
# ----------------------------------------------------------------------------------------------------------------------


def test_impossible_manifest_stops_the_start(tmp_path: Path) -> None:
    with started(WEB, migrated(tmp_path, CONTACT_EMAIL="x" * 300 + "@y")) as service:
        assert service.wait() != 0
        assert_one_sentence(service.output, "CONTACT_EMAIL")


def test_two_workers_say_it_once(tmp_path: Path) -> None:
    with started(WEB, environ_for(tmp_path, WEB_CONCURRENCY="2")) as service:
        assert service.wait() != 0
        assert_one_sentence(service.output, f"There is no database at {tmp_path}/todo.db: run `make migrate` first.")


def test_empty_database_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "todo.db").touch()
    with started(WEB, environ_for(tmp_path)) as service:
        assert service.wait() != 0
        assert_one_sentence(service.output, ": run `make migrate` first.")


def assert_one_sentence(output: str, sentence: str) -> None:
    assert output.count(sentence) == 1
    assert "Traceback" not in output
    assert SERVICE_KEY not in output


# ----------------------------------------------------------------------------------------------------------------------
# The log
# ----------------------------------------------------------------------------------------------------------------------

NAME = "zelda"
TEXT = "xylophone"
TODO = f"/todos/{NAME}"
REQUESTS = [
    ("GET", "/healthz", None, "GET /healthz 200"),
    ("POST", TODO, {"todo": TEXT, "notes": TEXT, "tags": [TEXT]}, "POST /todos/{username} 201"),
    ("POST", TODO, {"todo": 5, TEXT: TEXT}, "POST /todos/{username} 400"),
    ("GET", f"{TODO}?q={TEXT}&status=all", None, "GET /todos/{username} 200"),
    ("GET", f"{TODO}?{TEXT}={TEXT}", None, "GET /todos/{username} 400"),
    ("HEAD", f"{TODO}/1", None, "HEAD /todos/{username}/{todo_id} 200"),
    ("PATCH", f"{TODO}/1", {"due": TEXT}, "PATCH /todos/{username}/{todo_id} 400"),
    ("PATCH", f"{TODO}/1", {"todo": f"{TEXT}s", "if_version": 7}, "PATCH /todos/{username}/{todo_id} 409"),
    ("PUT", f"{TODO}/1", {"todo": TEXT}, "PUT /todos/{username}/{todo_id} 405"),
    ("DELETE", f"{TODO}/2", None, "DELETE /todos/{username}/{todo_id} 404"),
    ("GET", f"/{NAME}/{TEXT}", None, "GET - 404"),
    ("DELETE", TODO, {"todo_idx": 0}, "DELETE /todos/{username} 200"),
    ("GET", f"/profiles/{NAME}", None, "GET /profiles/{username} 200"),
]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Child, list[httpx.Response]]:
    """A service that has ended, and its answers to the requests above and to one with a wrong token."""
    with serving(migrated(tmp_path_factory.mktemp("log"))) as service:
        with new_client(service.url) as client:
            answers = [client.request(method, url, json=body) for method, url, body, _ in REQUESTS]
            client.headers["Authorization"] = f"Bearer {TEXT}"
            answers.append(client.get(TODO, headers={"X-Request-ID": "given-by.the_platform"}))
        assert service.terminate() == 0
    return service, answers


def test_one_access_line_for_each_request(log: tuple[Child, list[httpx.Response]]) -> None:
    service, answers = log
    lines = service.out.read_text(encoding="utf-8").splitlines()
    found = [ACCESS_LINE.fullmatch(line) for line in lines]
    assert None not in found, lines
    logged = [(line["what"], line["id"]) for line in found if line and "/readyz" not in line["what"]]
    expected = [*(what for *_, what in REQUESTS), "GET /todos/{username} 401"]
    assert logged == [(what, answer.headers["x-request-id"]) for what, answer in zip(expected, answers, strict=True)]
    assert logged[-1][1] == "given-by.the_platform"


def test_log_holds_nothing_private(log: tuple[Child, list[httpx.Response]]) -> None:
    service, _ = log
    assert "POST /todos/{username} 201" in service.output
    assert [private for private in (SERVICE_KEY, NAME, TEXT) if private in service.output] == []
