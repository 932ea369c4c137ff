"""Random changes of lists and of the to-dos in them: what must hold after each, and after an undo of an undo."""

from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from starlette.testclient import TestClient

from tests.people import Person, soup
from tests.replay import assert_log_gives_the_list
from tests.stateful.service import SOAK, Service, run

JSON = dict[str, Any]

NUMBERS = count(1)
NAMES = st.sampled_from(["Inbox", "Home", "Work", "WORK", "Trip"])
IDS = st.integers(1, 8)
# What the service may say to a change that cannot be.
REFUSALS = {
    *("list_not_found", "list_archived", "list_exists", "inbox_is_fixed", "todo_not_found", "invalid_request"),
    *("undo_conflict", "nothing_to_undo", "change_not_found", "unexpected_count"),
}
COUNTED = {"version", "updated_at", "change_id"}  # these count on whatever is undone


class Lists(RuleBasedStateMachine):
    """One person's lists."""

    service: Service
    database_url: str

    def __init__(self) -> None:
        super().__init__()
        number = next(NUMBERS)
        address = (f"198.51.{number // 250}.{number % 250}", 50000)  # few may sign up from one
        self.browser = TestClient(self.service.client.app, follow_redirects=False, client=address)
        self.texts = count(1)
        self.last_change = 0
        self.user = f"lists{number}"
        self.open()

    def open(self) -> None:
        """Has a person open the list."""
        self.person = Person(self.browser, self.user)
        assert self.person.sign_up().status_code == 303

    def teardown(self) -> None:
        assert_log_gives_the_list(self.database_url, self.user)

    @rule(name=NAMES, create=st.booleans())
    def add(self, name: str, create: bool) -> None:
        self.send("POST", "/todos/{user}", {"todo": f"text {next(self.texts)}", "list": name, "create_list": create})

    @rule(todo_id=IDS, name=NAMES, create=st.booleans())
    def move(self, todo_id: int, name: str, create: bool) -> None:
        self.send("PATCH", f"/todos/{{user}}/{todo_id}", {"list": name, "create_list": create})

    @rule(todo_id=IDS, action=st.sampled_from(["complete", "reopen", "delete", "restore"]))
    def act(self, todo_id: int, action: str) -> None:
        self.send("POST", "/todos/{user}/changes", {"actions": [{"action": action, "id": todo_id}]})

    @rule(
        name=NAMES,
        wanted=st.fixed_dictionaries(
            {},
            optional={
                "name": NAMES,
                "archived": st.booleans(),
                "position": st.integers(1, 4),
                "create_list": st.booleans(),
            },
        ).filter(bool),
    )
    def change_list(self, name: str, wanted: JSON) -> None:
        self.send("PATCH", f"/lists/{{user}}/{name}", wanted)

    @rule(name=NAMES, move_to=st.one_of(st.none(), NAMES))
    def delete_list(self, name: str, move_to: str | None) -> None:
        self.send("DELETE", f"/lists/{{user}}/{name}", {"move_to": move_to} if move_to else {})

    @rule(todo_id=IDS, way=st.sampled_from(["before", "after", "top", "bottom"]), other=IDS)
    def put(self, todo_id: int, way: str, other: int) -> None:
        before = self.shown()
        where = {way: f"{other}"} if way in ("before", "after") else {"to": way}
        answer = self.person.send("/list/order", id=f"{todo_id}", **where)
        assert answer.status_code in (303, 400, 404), answer.text
        after = self.shown()
        assert sorted(after) == sorted(before)
        assert [shown for shown in after if shown != todo_id] == [shown for shown in before if shown != todo_id]
        if answer.status_code == 303 and todo_id in after:
            place = after.index(todo_id)
            if way == "before" and other in after:
                assert after[place + 1] == other
            elif way == "after" and other in after:
                assert after[place - 1] == other
            elif way == "top":
                assert place == 0
            elif way == "bottom":
                assert place == len(after) - 1
        else:
            assert after == before
        self.last_change = int(answer.headers.get("location", "").partition("changed=")[2] or self.last_change)

    @rule(name=NAMES, other=NAMES)
    def move_all(self, name: str, other: str) -> None:
        body = {"filter": {"list": name}, "action": "update", "list": other, "create_list": True}
        matching = self.service.client.post(f"/todos/{self.user}/changes/matching", json={**body, "dry_run": True})
        self.send("POST", "/todos/{user}/changes/matching", {**body, "expect": matching.json().get("matched", 0)})

    @rule(back=st.integers(0, 6), force=st.booleans())
    def undo_twice(self, back: int, force: bool) -> None:
        before = self.state()
        change_id = max(1, self.last_change - back)
        undone = self.send("POST", f"/todos/{{user}}/changes/{change_id}/undo", {"force": force})
        if undone.status_code == 200:
            again = self.send("POST", f"/todos/{{user}}/changes/{undone.json()['change_id']}/undo", {})
            assert again.status_code == 200, again.text
            assert self.state() == before

    @invariant()
    def lists_hold_their_todos(self) -> None:
        profile = self.get(f"/profiles/{self.user}")
        lists = {listed["name"]: listed for listed in profile["lists"]}
        assert len({name.casefold() for name in lists}) == len(profile["lists"])
        assert [listed.get("position", 0) for listed in profile["lists"]] == list(range(len(lists)))
        shown = self.get(f"/todos/{self.user}", status="all", limit=100)
        archived = {name for name, listed in lists.items() if listed.get("archived")}
        assert {todo.get("list", "Inbox") for todo in shown["todos"]} <= lists.keys() - archived
        counts = profile["counts"]
        assert shown["total"] == len(shown["todos"]) == counts["open"] + counts["done"]
        assert counts["open"] == sum(listed["open"] for name, listed in lists.items() if name not in archived)
        for name, listed in lists.items():
            assert self.get(f"/todos/{self.user}", list=name)["total"] == listed["open"]

    def state(self) -> Any:
        """Returns everything that a person can see."""
        lists = self.get(f"/profiles/{self.user}")["lists"]
        pages = [self.get(f"/todos/{self.user}", status="deleted", limit=100)]
        pages += [self.get(f"/todos/{self.user}", status="all", list=listed["name"], limit=100) for listed in lists]
        todos = [todo for page in pages for todo in page["todos"]]
        seen = [{name: value for name, value in todo.items() if name not in COUNTED} for todo in todos]
        return lists, seen, self.shown()

    def shown(self) -> list[int]:
        """Returns the ids of the to-dos on the page, in their order; none has a date."""
        ids: list[int] = []
        path = "/list?section=undated"
        while path:
            page = soup(self.browser.get(path))
            ids += [int(str(tag["id"]).removeprefix("todo-")) for tag in page.select("li.todo")]
            more = page.find("a", string="More")
            path = str(more["href"]) if more else ""
        return ids

    def get(self, path: str, **params: Any) -> JSON:
        response = self.service.client.get(path, params=params)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def send(self, method: str, path: str, body: JSON) -> httpx.Response:
        """Sends a change, which is done or refused for a reason that there may be."""
        headers = {"Idempotency-Key": f"{self.user}-{next(self.texts)}"}  # no two of them are one
        response = self.service.client.request(method, path.format(user=self.user), json=body, headers=headers)
        assert response.status_code < 300 or response.json()["code"] in REFUSALS, response.text
        self.last_change = max(self.last_change, response.json().get("change_id", 0))
        return response


@pytest.mark.slow_on_postgresql
def test_lists_hold_what_they_are_given(migrated_database: str) -> None:
    run(Lists, migrated_database, examples=200 if SOAK else 6, steps=40)
