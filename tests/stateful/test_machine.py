"""Random actions, batches, retries, undos and restarts, over HTTP, against the model."""

from collections.abc import Callable
from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.replay import assert_log_gives_the_list
from tests.stateful.model import JSON, Model, Refused
from tests.stateful.service import SOAK, Service, run

NAMES = (f"machine{number}" for number in count(1))
COMPARED = ("id", "todo", "notes", "due", "priority", "tags", "repeat", "steps", "status", "version", "change_id")

# Far away, so that no day that passes while the test runs makes a repeating one late.
DUES = st.sampled_from([None, "2150-01-31", "2150-02-28"])
FIELDS = {
    "notes": st.sampled_from([None, "n", "more"]),
    "priority": st.sampled_from(["none", "low", "high"]),
    "tags": st.sampled_from([None, ["a"], ["a", "b"]]),
    "steps": st.sampled_from([None, ["s"], ["s", {"text": "t", "done": True}]]),
}
SINGLE: dict[str, Any] = {
    **dict.fromkeys(("add_tags", "remove_tags"), st.sampled_from([["a"], ["b", "c"]])),
    **dict.fromkeys(("check_steps", "uncheck_steps", "remove_steps"), st.sampled_from([["s"], ["t"], [1], ["2"]])),
    "add_steps": st.sampled_from([["s"], ["t"]]),
}
SINGLE_EDITS = st.one_of(
    *(st.fixed_dictionaries({name: values}) for name, values in SINGLE.items()),
    st.fixed_dictionaries({}, optional=SINGLE).filter(bool),
)
EDITS = st.one_of(
    st.fixed_dictionaries({}, optional={"todo": st.sampled_from(["A", "B"]), **FIELDS}).filter(bool), SINGLE_EDITS
)
IDS = st.integers(1, 12)
FILTERS = st.fixed_dictionaries(
    {}, optional={"tag": st.sampled_from(["a", "b"]), "priority": st.sampled_from(["low", "high"])}
).filter(bool)
BULK = st.one_of(
    st.sampled_from(["complete", "reopen", "delete", "restore"]).map(lambda action: {"action": action}),
    st.fixed_dictionaries({"action": st.just("update"), "add_tags": SINGLE["add_tags"]}),
    st.fixed_dictionaries(
        {"action": st.just("update"), "remove_tags": SINGLE["remove_tags"], "priority": FIELDS["priority"]}
    ),
)
KEYS = st.sampled_from([None, "k1", "k2", "k3", "k4"])


class Machine(RuleBasedStateMachine):
    """One list of its own in a service that may be restarted at any time."""

    service: Service
    database_url: str

    def __init__(self) -> None:
        super().__init__()
        self.name = next(NAMES)
        self.model = Model()
        self.texts = count(1)
        self.conversations = count(1)

    def teardown(self) -> None:
        assert_log_gives_the_list(self.database_url, self.name)

    @rule(fields=st.fixed_dictionaries({}, optional=FIELDS), due=DUES, repeat=st.booleans(), key=KEYS)
    def add(self, fields: JSON, due: str | None, repeat: bool, key: str | None) -> None:
        action = {"action": "add", "todo": f"text {next(self.texts)}", **self.full(fields, due, repeat)}
        self.send("POST", "", {n: v for n, v in action.items() if n != "action"}, key, lambda: self.single(action))

    @rule(todo_id=IDS, edits=EDITS, stale=st.booleans(), key=KEYS)
    def update(self, todo_id: int, edits: JSON, stale: bool, key: str | None) -> None:
        body = {**edits, **self.version(todo_id, stale)}
        self.send("PATCH", f"/{todo_id}", body, key, lambda: self.single({"action": "update", "id": todo_id, **body}))

    @precondition(lambda self: self.model.todos)
    @rule(place=st.integers(0, 11), edits=SINGLE_EDITS, then=st.sampled_from(["complete", "reopen"]), key=KEYS)
    def edit_single(self, place: int, edits: JSON, then: str, key: str | None) -> None:
        todo_id = sorted(self.model.todos)[place % len(self.model.todos)]
        whole = {"tags": ["a", "b"], "steps": ["s", {"text": "t", "done": True}]}
        self.update(todo_id, whole, stale=False, key=None)
        self.update(todo_id, edits, stale=False, key=key)
        self.act(todo_id, then, stale=False, key=None)

    @rule(todo_id=IDS, kind=st.sampled_from(["complete", "reopen", "delete"]), stale=st.booleans(), key=KEYS)
    def act(self, todo_id: int, kind: str, stale: bool, key: str | None) -> None:
        body = self.version(todo_id, stale)
        method, path = ("DELETE", f"/{todo_id}") if kind == "delete" else ("POST", f"/{todo_id}/{kind}")
        self.send(method, path, body, key, lambda: self.single({"action": kind, "id": todo_id, **body}))

    @rule(
        steps=st.lists(
            st.one_of(
                st.builds(lambda fields: {"action": "add", **fields}, st.fixed_dictionaries({}, optional=FIELDS)),
                st.builds(lambda n, fields: {"action": "update", "id": n, **fields}, IDS, EDITS),
                st.builds(
                    lambda kind, n: {"action": kind, "id": n},
                    st.sampled_from(["complete", "reopen", "delete", "restore"]),
                    IDS,
                ),
            ),
            min_size=1,
            max_size=6,
        ),
        key=KEYS,
    )
    def batch(self, steps: list[JSON], key: str | None) -> None:
        actions = [{**step, "todo": f"text {next(self.texts)}"} if step["action"] == "add" else step for step in steps]

        def answer() -> JSON:
            change_id, todos = self.model.apply(actions)
            return {"todos": todos} | ({"change_id": change_id} if change_id else {})

        self.send("POST", "/changes", {"actions": actions}, key, answer)

    @rule(filters=FILTERS, action=BULK, off=st.sampled_from([0, 0, 0, 1]), key=KEYS)
    def change_matching(self, filters: JSON, action: JSON, off: int, key: str | None) -> None:
        matching = self.model.matching(filters, action["action"])
        body = {"filter": filters, **action, "expect": len(matching) + off}

        def answer() -> JSON:
            if off:
                raise Refused("unexpected_count", matched=len(matching))
            change_id, _ = self.model.apply([{**action, "id": todo_id} for todo_id in matching])
            counts = {"matched": len(matching), **self.model.counts_of(change_id)}
            return counts | ({"change_id": change_id} if change_id else {})

        self.send("POST", "/changes/matching", body, key, answer)

    @precondition(lambda self: self.model.changes)
    @rule(back=st.integers(0, 5), force=st.booleans(), key=KEYS)
    def undo(self, back: int, force: bool, key: str | None) -> None:
        change_id = max(1, len(self.model.changes) - back)

        def answer() -> JSON:
            new_id, skipped = self.model.undo(change_id, force=force)
            return {"change_id": new_id, "undoes": change_id} | ({"skipped": skipped} if skipped else {})

        self.send("POST", f"/changes/{change_id}/undo", {"force": force}, key, answer)

    @rule(text=st.sampled_from(["twin", "other"]))
    def retry_without_a_key(self, text: str) -> None:
        body = {"todo": f"{text} {next(self.texts)}"}
        self.send("POST", "", body, None, lambda: self.single({"action": "add", **body}))
        again = self.service.client.post(f"/todos/{self.name}", json=body, headers=self.conversation).json()
        assert (again["deduplicated"], again["id"]) == (True, self.model.last_id)

    @rule(now=st.sampled_from([True, False, False, False, False, False]))
    def restart(self, now: bool) -> None:
        if now:
            self.service.restart()

    @invariant()
    def lists_are_the_models(self) -> None:
        shown = {
            status: self.service.client.get(f"/todos/{self.name}", params={"status": status, "limit": 100}).json()[
                "todos"
            ]
            for status in ("all", "deleted")
        }
        expected = [self.model.todos[number] for number in sorted(self.model.todos)]
        kept, deleted = ([t for t in expected if (t["status"] == "deleted") is flag] for flag in (False, True))
        assert [compared(todo) for todo in shown["all"]] == [compared(todo) for todo in kept[:100]]
        assert [compared(todo) for todo in shown["deleted"]] == [compared(todo) for todo in deleted[:100]]

    def send(self, method: str, path: str, body: JSON, key: str | None, answer: Callable[[], JSON]) -> None:
        """Sends a request and compares the answer with the model's."""
        # Without a key the same batch would count as a retry, unless it comes from another conversation.
        self.conversation = {"openai-conversation-id": f"{next(self.conversations)}"}
        headers = {"Idempotency-Key": key} if key else self.conversation
        response = self.service.client.request(method, f"/todos/{self.name}{path}", json=body, headers=headers)
        replay = key in self.model.answers
        refusal, expected = None, {}
        try:
            expected = self.model.once(key, (method, path, body), answer)
        except Refused as refused:
            refusal = refused
        if refusal:
            assert response.json().get("code") == refusal.code, response.text
            assert response.json().items() >= refusal.members.items()
            return
        assert response.status_code < 300, response.text
        assert ("idempotent-replay" in response.headers) == replay
        self.compare(response, expected)

    @staticmethod
    def compare(response: httpx.Response, expected: JSON) -> None:
        found = response.json()
        if "matched" in expected:
            names = ("change_id", "matched", "changed", "next_added")
            assert {name: found[name] for name in names if name in found} == expected
        elif "todos" in expected:
            assert found.get("change_id") == expected.get("change_id")
            assert [compared(todo) for todo in found["todos"]] == [compared(todo) for todo in expected["todos"]]
        elif "undoes" in expected:
            names = ("change_id", "undoes", "skipped")
            assert [found.get(name) for name in names] == [expected.get(name) for name in names]
        else:
            assert compared(found) == compared(expected)

    def single(self, action: JSON) -> JSON:
        return self.model.apply([action])[1][0]

    def version(self, todo_id: int, stale: bool) -> JSON:
        todo = self.model.todos.get(todo_id)
        return {"if_version": todo["version"] + 1} if todo and stale else {}

    @staticmethod
    def full(fields: JSON, due: str | None, repeat: bool) -> JSON:
        return {**fields, "due": due} | ({"repeat": "FREQ=DAILY"} if repeat and due else {})


def compared(todo: JSON) -> JSON:
    return {name: todo[name] for name in COMPARED if name in todo}


@pytest.mark.slow_on_postgresql
def test_service_does_what_the_model_does(migrated_database: str) -> None:
    run(Machine, migrated_database, examples=400 if SOAK else 5, steps=50)
