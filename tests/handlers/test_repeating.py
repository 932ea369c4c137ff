"""Repeating to-dos, as a person meets them."""

import time
from datetime import UTC, datetime

import httpx
import pytest
import time_machine

from tests.handlers.test_changes import changes, undo
from tests.handlers.test_todos import add, page, problem, texts

SUNDAY = datetime(2026, 11, 22, 16, 5, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def on_sunday() -> None:
    with time_machine.travel(SUNDAY, tick=False):
        yield  # type: ignore[misc]


def complete(client: httpx.Client, name: str, todo_id: int) -> None:
    assert client.post(f"/todos/{name}/{todo_id}/complete").status_code == 200


def test_completing_leaves_it_done_and_adds_the_next_in_one_change(client: httpx.Client, name: str) -> None:
    add(client, name, notes="n", due="2026-11-27T18:00", repeat="FREQ=WEEKLY;BYDAY=FR", tags=["t"], priority="high")
    complete(client, name, 1)
    (following,) = page(client, name)["todos"]
    kept = {"todo": "Buy milk", "notes": "n", "repeat": "FREQ=WEEKLY;BYDAY=FR", "tags": ["t"], "priority": "high"}
    assert following.items() >= {**kept, "id": 2, "due": "2026-12-04T18:00", "version": 1, "change_id": 2}.items()
    assert texts(client, name, status="done") == ["Buy milk"]
    assert changes(client, name)[0]["summary"] == "Completed 1 to-do and added 1."


def test_completing_twice_adds_no_twin(client: httpx.Client, name: str) -> None:
    add(client, name, due="2026-11-27", repeat="FREQ=DAILY")
    complete(client, name, 1)
    complete(client, name, 1)
    assert page(client, name)["total"] == 1


def test_completing_reopening_and_completing_again_adds_no_twin(client: httpx.Client, name: str) -> None:
    add(client, name, due="2026-11-27", repeat="FREQ=DAILY")
    complete(client, name, 1)
    client.post(f"/todos/{name}/1/reopen")
    complete(client, name, 1)
    assert [todo["id"] for todo in page(client, name)["todos"]] == [2]


def test_a_next_one_that_was_deleted_comes_again(client: httpx.Client, name: str) -> None:
    add(client, name, due="2026-11-27", repeat="FREQ=DAILY")
    complete(client, name, 1)
    client.post(f"/todos/{name}/1/reopen")
    client.delete(f"/todos/{name}/2")
    complete(client, name, 1)
    assert [todo["id"] for todo in page(client, name)["todos"]] == [3]


def test_two_series_of_the_same_days_are_two(client: httpx.Client, name: str) -> None:
    for todo_id in (1, 2):
        add(client, name, due="2026-11-27", repeat="FREQ=DAILY")
        complete(client, name, todo_id * 2 - 1)
    assert [todo["id"] for todo in page(client, name)["todos"]] == [2, 4]


def test_undo_takes_the_next_back(client: httpx.Client, name: str) -> None:
    add(client, name, due="2026-11-27", repeat="FREQ=DAILY")
    complete(client, name, 1)
    undo(client, name, 2)
    assert [todo["id"] for todo in page(client, name, status="all")["todos"]] == [1]


def test_rescheduling_keeps_the_rule(client: httpx.Client, name: str) -> None:
    add(client, name, due="2026-11-27T18:00", repeat="FREQ=WEEKLY;BYDAY=FR")
    moved = client.patch(f"/todos/{name}/1", json={"due": "2026-11-25T09:00"}).json()
    assert moved["repeat"] == "FREQ=WEEKLY;BYDAY=FR"
    complete(client, name, 1)
    # Moved forward to Wednesday it is still this Friday's, so the next one is the Friday after, at the usual time.
    assert page(client, name)["todos"][0]["due"] == "2026-12-04T18:00"


def test_an_overdue_one_goes_on_after_today(client: httpx.Client, name: str) -> None:
    add(client, name, due="2026-11-18", repeat="FREQ=DAILY")
    complete(client, name, 1)
    assert page(client, name)["todos"][0]["due"] == "2026-11-23"


def test_local_time_stays_when_the_clocks_change(client: httpx.Client, name: str) -> None:
    client.patch(f"/profiles/{name}", json={"time_zone": "Europe/Berlin"})
    add(client, name, due="2027-03-27T09:00", repeat="FREQ=DAILY")
    complete(client, name, 1)
    assert page(client, name)["todos"][0]["due"] == "2027-03-28T09:00"


def test_today_is_the_persons(client: httpx.Client, name: str) -> None:
    client.patch(f"/profiles/{name}", json={"time_zone": "Pacific/Auckland"})  # Monday the 23rd, 5:05
    add(client, name, due="2026-11-20", repeat="FREQ=DAILY")
    complete(client, name, 1)
    assert page(client, name)["todos"][0]["due"] == "2026-11-24"


def test_a_series_ends(client: httpx.Client, name: str) -> None:
    add(client, name, due="2026-11-27", repeat="FREQ=DAILY;COUNT=2")
    complete(client, name, 1)
    assert page(client, name)["todos"][0]["repeat"] == "FREQ=DAILY;COUNT=1"
    complete(client, name, 2)
    assert page(client, name)["total"] == 0


def test_a_rule_can_be_changed_and_cleared(client: httpx.Client, name: str) -> None:
    add(client, name, due="2026-11-27", repeat="FREQ=DAILY")
    client.patch(f"/todos/{name}/1", json={"repeat": "FREQ=MONTHLY", "due": "2026-12-31"})
    complete(client, name, 1)
    assert page(client, name)["todos"][0]["due"] == "2027-01-31"
    assert "repeat" not in client.patch(f"/todos/{name}/2", json={"repeat": None}).json()
    complete(client, name, 2)
    assert page(client, name)["total"] == 0


def test_due_and_rule_go_together(client: httpx.Client, name: str) -> None:
    response = client.post(f"/todos/{name}", json={"todo": "x", "repeat": "FREQ=DAILY"})
    assert problem(response, 400, "invalid_request")["errors"][0]["field"] == "repeat"
    add(client, name, due="2026-11-27", repeat="FREQ=DAILY")
    response = client.patch(f"/todos/{name}/1", json={"due": None})
    assert problem(response, 400, "invalid_request")["errors"][0]["field"] == "due"
    assert "due" not in client.patch(f"/todos/{name}/1", json={"due": None, "repeat": None}).json()


@pytest.mark.parametrize(
    "repeat",
    [
        "DAILY",
        "FREQ=HOURLY",
        "freq=daily",
        "RRULE:RRULE:FREQ=DAILY",
        "rrule:FREQ=DAILY",
        "FREQ=DAILY;FROM=START",
        "FREQ=MONTHLY;BYSETPOS=0;BYDAY=MO",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=2;UNTIL=20271231",
        "FREQ=DAILY;INTERVAL=2;INTERVAL=3",
        "FREQ=DAILY;UNTIL=20270230",
        "FREQ=DAILY;BYMONTHDAY=1",
        "FREQ=WEEKLY;BYDAY=2MO",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "FREQ=YEARLY;BYDAY=MO",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO;COUNT=9",
        "FREQ=YEARLY;INTERVAL=999",
        "FREQ=DAILY\n",
        "",
        5,
    ],
)
def test_refuses(client: httpx.Client, name: str, repeat: object) -> None:
    response = client.post(f"/todos/{name}", json={"todo": "x", "due": "2026-11-27", "repeat": repeat})
    assert [error["field"] for error in problem(response, 400, "invalid_request")["errors"]] == ["repeat"]


def completed(client: httpx.Client, name: str, todo_id: int, **body: object) -> dict:
    response = client.post(f"/todos/{name}/{todo_id}/complete", json=body)
    assert response.status_code == 200
    return dict(response.json())


def test_completing_tells_the_next(client: httpx.Client, name: str) -> None:
    add(client, name, due="2026-11-27T18:00", repeat="FREQ=WEEKLY;BYDAY=FR")
    following = {"id": 2, "due": "2026-12-04T18:00", "due_weekday": "Friday"}
    assert completed(client, name, 1, request_id="a")["next"] == following
    assert completed(client, name, 1, request_id="a")["next"] == following
    assert completed(client, name, 1)["next"] == following  # it was done before
    client.post(f"/todos/{name}/1/reopen")
    assert completed(client, name, 1)["next"] == following
    assert "next" not in client.get(f"/todos/{name}/1").json()
    assert "next" not in changes(client, name)[0]["todos"][0].get("after", {})


def test_completing_tells_the_next_where_it_was_moved(client: httpx.Client, name: str) -> None:
    add(client, name, due="2026-11-27", repeat="FREQ=DAILY")
    complete(client, name, 1)
    client.patch(f"/todos/{name}/2", json={"due": "2026-12-24"})
    assert completed(client, name, 1)["next"] == {"id": 2, "due": "2026-12-24", "due_weekday": "Thursday"}


def test_there_is_no_next_after_the_last_or_of_one_that_does_not_repeat(client: httpx.Client, name: str) -> None:
    add(client, name, due="2026-11-27", repeat="FREQ=DAILY;COUNT=1")
    add(client, name, due="2026-11-27")
    for todo_id in (1, 2):
        assert "next" not in completed(client, name, todo_id)


def test_there_is_no_next_that_is_done(client: httpx.Client, name: str) -> None:
    add(client, name, due="2026-11-27", repeat="FREQ=DAILY")
    complete(client, name, 1)
    complete(client, name, 2)
    client.post(f"/todos/{name}/1/reopen")
    assert "next" not in completed(client, name, 1)


def test_a_batch_tells_the_next_on_each(client: httpx.Client, name: str) -> None:
    for text in "ab":
        add(client, name, text, due="2026-11-27", repeat="FREQ=DAILY")
    actions = [{"action": "complete", "id": number} for number in (1, 2)]
    answer = client.post(f"/todos/{name}/changes", json={"actions": [*actions, {"action": "add", "todo": "c"}]}).json()
    assert [todo.get("next", {}).get("id") for todo in answer["todos"]] == [3, 4, None]


def test_counting_from_completion(client: httpx.Client, name: str) -> None:
    client.patch(f"/profiles/{name}", json={"time_zone": "Pacific/Auckland"})  # Monday the 23rd, 5:05
    add(client, name, due="2026-11-10T08:00", repeat="FREQ=DAILY;INTERVAL=3;FROM=COMPLETION")
    assert completed(client, name, 1)["next"]["due"] == "2026-11-26T08:00"
    client.post(f"/todos/{name}/1/reopen")
    with time_machine.travel(datetime(2026, 11, 25, 12, tzinfo=UTC), tick=False):
        assert completed(client, name, 1)["next"]["due"] == "2026-11-26T08:00"  # no twin
        assert completed(client, name, 2)["next"]["due"] == "2026-11-29T08:00"
    assert [todo["id"] for todo in page(client, name)["todos"]] == [3]


def test_the_name_of_the_property_is_taken_off(client: httpx.Client, name: str) -> None:
    added = add(client, name, due="2026-11-27", repeat="RRULE:FREQ=DAILY")
    assert added["repeat"] == "FREQ=DAILY"
    assert client.patch(f"/todos/{name}/1", json={"repeat": "RRULE:FREQ=DAILY"}).json()["version"] == 1


@pytest.mark.parametrize(
    ("due", "repeat", "note"),
    [
        ("2026-11-26", "FREQ=WEEKLY;BYDAY=FR", "due is a Thursday, but the to-do repeats on Fridays."),
        (
            "2026-11-26T18:00",
            "FREQ=WEEKLY;BYDAY=MO,WE",
            "due is a Thursday, but the to-do repeats on Mondays, Wednesdays.",
        ),
        ("2026-11-26", "FREQ=MONTHLY;BYDAY=1TU,-1TU", "due is a Thursday, but the to-do repeats on Tuesdays."),
        ("2026-11-27", "FREQ=WEEKLY;BYDAY=FR", None),
        ("2026-11-27", "FREQ=WEEKLY", None),
    ],
)
def test_a_due_date_on_another_weekday_is_noted(
    client: httpx.Client, name: str, due: str, repeat: str, note: str | None
) -> None:
    assert add(client, name, due=due, repeat=repeat).get("note") == note
    assert "note" not in client.get(f"/todos/{name}/1").json()
    assert client.patch(f"/todos/{name}/1", json={"due": due}).json().get("note") == note
    assert "note" not in client.patch(f"/todos/{name}/1", json={"todo": "other"}).json()


def test_a_new_rule_on_the_first_of_a_series_is_a_series_of_its_own(client: httpx.Client, name: str) -> None:
    add(client, name, due="2026-11-27", repeat="FREQ=DAILY")
    complete(client, name, 1)  # the second is due on the 28th, as one of the first series
    client.patch(f"/todos/{name}/1", json={"repeat": "FREQ=DAILY;INTERVAL=1"})
    client.post(f"/todos/{name}/1/reopen")
    complete(client, name, 1)
    assert [todo["due"] for todo in page(client, name)["todos"]] == ["2026-11-28", "2026-11-28"]


def test_rules_that_one_change_sets_are_series_of_their_own(client: httpx.Client, name: str) -> None:
    for text in "ab":
        add(client, name, text, due="2026-11-27")
    actions = [{"action": "update", "id": number, "repeat": "FREQ=DAILY"} for number in (1, 2)]
    assert client.post(f"/todos/{name}/changes", json={"actions": actions}).status_code == 200
    for number in (1, 2):
        complete(client, name, number)
    assert page(client, name)["total"] == 2


def test_completing_many_whose_rule_never_comes_again_is_quick(
    client: httpx.Client, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("todo.domain.recurrence.check", lambda *_: None)  # as before it was refused
    rule = {"due": "2026-11-27", "repeat": "FREQ=DAILY;INTERVAL=7;BYDAY=MO;COUNT=9"}
    actions = [{"action": "add", "todo": f"{number}", **rule} for number in range(50)]
    assert client.post(f"/todos/{name}/changes", json={"actions": actions}).status_code == 200
    started = time.monotonic()
    done = [{"action": "complete", "id": number} for number in range(1, 51)]
    assert client.post(f"/todos/{name}/changes", json={"actions": done}).status_code == 200
    assert time.monotonic() - started < 2
