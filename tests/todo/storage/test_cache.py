"""What is kept is never out of date, and never takes more room than it may."""

import httpx
import orjson
import pytest
import time_machine

from tests.handlers.test_todos import add
from todo.domain import changes, listing
from todo.domain.forgetting import forget
from todo.domain.users import Owner
from todo.storage import cache
from todo.storage.cache import PageCache
from todo.storage.database import open_engine


def test_it_gives_back_what_it_was_given() -> None:
    kept = PageCache()
    kept.put(("kevin", 1), "page")
    assert kept.get(("kevin", 1)) == "page"
    assert kept.get(("kevin", 2)) is None


def test_it_starts_anew_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_CHARACTERS", 100)
    kept = PageCache()
    for number in range(25):
        kept.put(number, "x" * 10)
    assert [number for number in range(25) if kept.get(number)] == [20, 21, 22, 23, 24]


class TestPage:
    def test_every_change_shows_at_once(self, client: httpx.Client, name: str) -> None:
        texts = []
        for number in range(3):
            add(client, name, f"{number}")
            texts.append([todo["todo"] for todo in client.get(f"/todos/{name}").json()["todos"]])
        client.patch(f"/todos/{name}/1", json={"todo": "changed"})
        texts.append([todo["todo"] for todo in client.get(f"/todos/{name}").json()["todos"]])
        client.post(f"/todos/{name}/changes/4/undo")
        texts.append([todo["todo"] for todo in client.get(f"/todos/{name}").json()["todos"]])
        assert texts == [["0"], ["0", "1"], ["0", "1", "2"], ["changed", "1", "2"], ["0", "1", "2"]]

    def test_what_is_asked_otherwise_is_another_page(self, client: httpx.Client, name: str) -> None:
        for number in range(3):
            add(client, name, f"{number}", due=f"2026-12-0{9 - number}")
        queries = ["", "?sort=newest", "?sort=due", "?limit=1", "?status=all", "?status=done", "?q=1"]
        for _ in range(2):
            pages = [client.get(f"/todos/{name}{query}").json() for query in queries]
            ids = [[todo["id"] for todo in page["todos"]] for page in pages]
            assert ids == [[1, 2, 3], [3, 2, 1], [3, 2, 1], [1], [1, 2, 3], [], [2]]
        cursor = pages[3]["next_cursor"]
        assert [todo["id"] for todo in client.get(f"/todos/{name}?limit=1&cursor={cursor}").json()["todos"]] == [2]

    def test_time_makes_overdue(self, client: httpx.Client, name: str) -> None:
        with time_machine.travel("2026-11-27T17:59:30Z", tick=False) as clock:
            client.patch(f"/profiles/{name}", json={"time_zone": "UTC"})
            add(client, name, "a", due="2026-11-27T18:00")
            add(client, name, "b", due="2026-11-27")
            seen = []
            for seconds in (0, 90, 6 * 3600):
                clock.shift(seconds)
                page = client.get(f"/todos/{name}").json()
                seen.append((page["today"], [todo["overdue"] for todo in page["todos"]]))
        assert seen == [
            ("Friday 2026-11-27", [False, False]),
            ("Friday 2026-11-27", [True, False]),
            ("Saturday 2026-11-28", [True, True]),
        ]

    def test_a_text_that_looks_like_a_member_stays_as_it_is(self, client: httpx.Client, name: str) -> None:
        add(client, name, '"overdue":false', due="2020-01-01", notes=',"overdue":false,')
        (todo,) = client.get(f"/todos/{name}").json()["todos"]
        assert (todo["todo"], todo["notes"], todo["overdue"]) == ('"overdue":false', ',"overdue":false,', True)

    def test_a_list_that_is_forgotten_and_opened_anew_is_another(self, migrated_database: str) -> None:
        engine = open_engine(migrated_database)
        engine.start()
        texts = []
        try:
            for text in ("old", "new"):
                engine.submit_write(changes.add, Owner("kevin"), {"action": "add", "todo": text}, None).result()
                page = engine.submit_read(listing.page, Owner("kevin"), "open", {}, "oldest", 20, None).result()
                texts += [todo["todo"] for todo in orjson.loads(orjson.dumps(page))["todos"]]
                engine.submit_write(forget, Owner("kevin")).result()
        finally:
            engine.stop()
        assert texts == ["old", "new"]
