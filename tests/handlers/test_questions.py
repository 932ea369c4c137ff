"""Questions answered in one call: when to-dos are due, what was done when, words without accents, kinds of changes."""

from datetime import UTC, datetime
from itertools import product

import httpx
import pytest
import time_machine

from tests.handlers.test_todos import add, page, problem, texts
from todo.contract import API

REGION = "openai-subdivision-1-iso-code"
SUNDAY = datetime(2026, 11, 22, 16, 5, 9, tzinfo=UTC)


def live_in(client: httpx.Client, name: str, time_zone: str, **more: str) -> None:
    client.patch(f"/profiles/{name}", json={"time_zone": time_zone, **more}).raise_for_status()


def complete(client: httpx.Client, name: str, todo_id: int) -> dict:
    response = client.post(f"/todos/{name}/{todo_id}/complete")
    assert response.status_code == 200, response.text
    return response.json()


class TestWhen:
    # The same instant is Sunday 08:05 in Los Angeles and Monday 06:05 on Kiritimati.
    @pytest.mark.parametrize(
        ("time_zone", "days"),
        [
            ("America/Los_Angeles", ["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-28", "2026-11-29"]),
            ("Pacific/Kiritimati", ["2026-11-22", "2026-11-23", "2026-11-24", "2026-11-29", "2026-11-30"]),
        ],
    )
    @time_machine.travel(SUNDAY, tick=False)
    def test_days_are_the_persons(self, client: httpx.Client, name: str, time_zone: str, days: list[str]) -> None:
        live_in(client, name, time_zone)
        yesterday, today, tomorrow, sixth, seventh = days
        dues = {
            "yesterday": yesterday,
            "earlier": f"{today}T06:04",
            "today": today,
            "later": f"{today}T23:59",
            "tomorrow": f"{tomorrow}T00:00",
            "sixth": f"{sixth}T23:59",
            "seventh": seventh,
            "never": None,
        }
        for text, due in dues.items():
            add(client, name, text, due=due)
        assert {when: texts(client, name, when=when) for when in ("overdue", "today", "today_and_overdue")} == {
            "overdue": ["yesterday", "earlier"],
            "today": ["earlier", "today", "later"],
            "today_and_overdue": ["yesterday", "earlier", "today", "later"],
        }
        assert texts(client, name, when="tomorrow") == ["tomorrow"]
        assert texts(client, name, when="next_7_days") == ["earlier", "today", "later", "tomorrow", "sixth"]
        assert texts(client, name, when="no_due") == ["never"]

    @pytest.mark.parametrize("at", ["2026-11-22T08:05:09Z", "2026-11-23T00:00:00Z", "2026-11-23T00:01:59Z"])
    @pytest.mark.parametrize("sort", ["oldest", "due", "priority", "updated"])
    def test_overdue_is_what_the_field_says(self, client: httpx.Client, name: str, at: str, sort: str) -> None:
        with time_machine.travel(datetime.fromisoformat(at), tick=False):
            for day in ("2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"):
                for time in ("", "T00:00", "T00:01", "T08:04", "T08:05", "T23:59"):
                    add(client, name, f"{day}{time}", due=f"{day}{time}")
            add(client, name, "never")
            listed = page(client, name, limit=100)["todos"]
            overdue = {todo["todo"] for todo in listed if todo.get("overdue")}
            assert set(texts(client, name, when="overdue", sort=sort, limit=100)) == overdue
            assert client.get(f"/profiles/{name}").json()["counts"]["overdue"] == len(overdue)
            assert page(client, name, when="overdue", limit=1)["total"] == len(overdue)

    @time_machine.travel(SUNDAY, tick=False)
    def test_a_done_one_is_never_overdue(self, client: httpx.Client, name: str) -> None:
        for text, due in (
            ("open", "2026-11-21"),
            ("late", "2026-11-21"),
            ("done", "2026-11-22"),
            ("now", "2026-11-22"),
        ):
            add(client, name, text, due=due)
        for todo_id in (2, 3):
            complete(client, name, todo_id)
        assert texts(client, name, when="overdue", status="all") == ["open"]
        assert texts(client, name, when="overdue", status="done") == []
        assert texts(client, name, when="today_and_overdue", status="all") == ["open", "done", "now"]
        assert texts(client, name, when="today", status="done") == ["done"]

    @pytest.mark.parametrize(
        ("week_start", "at", "expected"),
        [
            ("monday", "2026-11-22", ["16", "21", "22"]),
            ("sunday", "2026-11-22", ["22", "23", "27", "28"]),
            ("saturday", "2026-11-22", ["21", "22", "23", "27"]),
            ("monday", "2026-11-23", ["23", "27", "28", "29"]),
            ("sunday", "2026-11-28", ["22", "23", "27", "28"]),
            ("saturday", "2026-11-28", ["28", "29"]),
        ],
    )
    def test_a_week_is_whole(
        self, client: httpx.Client, name: str, week_start: str, at: str, expected: list[str]
    ) -> None:
        live_in(client, name, "America/Los_Angeles", week_start=week_start)
        for day in (15, 16, 21, 22, 23, 27, 28, 29):
            add(client, name, str(day), due=f"2026-11-{day}")
        with time_machine.travel(datetime.fromisoformat(f"{at}T20:00:00Z"), tick=False):
            assert texts(client, name, when="this_week") == expected

    # Clocks go forward on 14 March 2027 and back on 1 November 2026; at each of these instants it is that day there.
    @pytest.mark.parametrize(
        ("at", "today", "tomorrow"),
        [
            ("2026-11-01T04:00:00Z", "2026-11-01", "2026-11-02"),
            ("2026-11-02T04:59:00Z", "2026-11-01", "2026-11-02"),
            ("2027-03-14T05:00:00Z", "2027-03-14", "2027-03-15"),
            ("2027-03-15T03:59:00Z", "2027-03-14", "2027-03-15"),
        ],
    )
    def test_days_on_which_clocks_change(
        self, client: httpx.Client, name: str, at: str, today: str, tomorrow: str
    ) -> None:
        live_in(client, name, "America/New_York")
        for day in (today, tomorrow):
            add(client, name, day, due=f"{day}T12:00")
        with time_machine.travel(datetime.fromisoformat(at), tick=False):
            assert texts(client, name, when="today") == [today]
            assert texts(client, name, when="tomorrow") == [tomorrow]

    @time_machine.travel(SUNDAY, tick=False)
    def test_it_narrows_other_filters(self, client: httpx.Client, name: str) -> None:
        add(client, name, "bread", due="2026-11-20", tags=["home"])
        add(client, name, "milk", due="2026-11-21", tags=["home"])
        add(client, name, "paper", due="2026-11-21", tags=["work"])
        add(client, name, "tea", due="2026-11-23")
        add(client, name, "oil")
        assert texts(client, name, when="overdue", tag="home") == ["bread", "milk"]
        assert texts(client, name, when="overdue", due_from="2026-11-21") == ["milk", "paper"]
        assert texts(client, name, when="overdue", due_to="2026-11-20") == ["bread"]
        add(client, name, "salt", due="2026-11-21T18:00")
        assert texts(client, name, due_from="2026-11-21T18:00:00", due_to="2026-11-21T18:00:00") == ["salt"]
        client.delete(f"/todos/{name}/6")
        assert texts(client, name, when="today_and_overdue", due_from="2026-11-21", due_to="2026-12-31") == [
            "milk",
            "paper",
        ]
        assert texts(client, name, when="tomorrow", due_from="2026-11-24") == []
        assert texts(client, name, when="no_due", due_from="2026-11-20") == ["oil"]
        assert texts(client, name, when="no_due", due_to="2026-12-31") == []
        assert texts(client, name, when="overdue", q="milk", sort="due", limit=1) == ["milk"]

    @pytest.mark.parametrize("sort", ["oldest", "newest", "due", "priority", "updated"])
    @time_machine.travel(SUNDAY, tick=False)
    def test_alone_it_finds_what_it_finds_beside_another_filter(
        self, client: httpx.Client, name: str, sort: str
    ) -> None:
        dues = [None, "2026-11-21", "2026-11-22", "2026-11-22T08:05", "2026-11-22T18:00", "2026-11-23", "2026-11-29"]
        for number, due in enumerate(dues * 3):
            add(client, name, f"{number}", due=due, priority=["none", "low", "high"][number // len(dues)])
        complete(client, name, 3)
        client.delete(f"/todos/{name}/4")
        questions = [{"when": when} for when in API.enum("When")]
        questions += [
            {"due_from": "2026-11-22T08:05"},
            {"due_to": "2026-11-22"},
            {"when": "overdue", "due_from": "2026-11-21"},
        ]
        for question, limit in product(questions, (3, 100)):
            asked: dict[str, object] | None = {"sort": sort, "limit": limit, **question}
            while asked:
                alone = page(client, name, **asked)
                assert alone == page(client, name, list="Inbox", **asked)
                asked = {**asked, "cursor": alone["next_cursor"]} if "next_cursor" in alone else None

    @time_machine.travel(SUNDAY, tick=False)
    def test_it_finds_in_one_list_or_in_all_but_archived_ones(self, client: httpx.Client, name: str) -> None:
        add(client, name, "tea", due="2026-11-22")
        add(client, name, "plan", due="2026-11-22", list="Old", create_list=True)
        assert texts(client, name, when="today") == ["tea", "plan"]
        assert texts(client, name, when="today", list="Old") == ["plan"]
        client.patch(f"/lists/{name}/Old", json={"archived": True}).raise_for_status()
        assert texts(client, name, when="today") == ["tea"]
        assert texts(client, name, when="today", list="Old") == ["plan"]

    @time_machine.travel(SUNDAY, tick=False)
    def test_pages_join_to_the_whole(self, client: httpx.Client, name: str) -> None:
        for number in range(5):
            add(client, name, str(number), due=f"2026-11-2{number}T08:00")
        seen: list[str] = []
        query: dict[str, object] = {"when": "today_and_overdue", "sort": "due", "limit": 1}
        while True:
            answer = page(client, name, **query)
            seen += [todo["todo"] for todo in answer["todos"]]
            assert answer["total"] == 3
            if "next_cursor" not in answer:
                break
            query["cursor"] = answer["next_cursor"]
        assert seen == ["0", "1", "2"]

    def test_unknown(self, client: httpx.Client, name: str) -> None:
        refused = problem(client.get(f"/todos/{name}", params={"when": "yesterday"}), 400, "invalid_request")
        (error,) = refused["errors"]
        assert error["field"] == "when"
        assert "today_and_overdue" in error["message"]


class TestWeekStart:
    @pytest.mark.parametrize(
        ("region", "time_zone", "expected"),
        [
            ("", "America/Los_Angeles", "sunday"),
            ("", "US/Pacific", "sunday"),
            ("", "Europe/Berlin", "monday"),
            ("", "Africa/Cairo", "saturday"),
            ("", "Asia/Calcutta", "sunday"),
            ("", "UTC", "monday"),
            ("DE-BE", "America/Los_Angeles", "monday"),
            ("US-CA", "Europe/Berlin", "sunday"),
            ("XX", "America/Los_Angeles", "sunday"),
        ],
    )
    def test_as_the_region_has_it(
        self, client: httpx.Client, name: str, region: str, time_zone: str, expected: str
    ) -> None:
        live_in(client, name, time_zone)
        found = client.get(f"/profiles/{name}", headers={REGION: region} if region else {}).json()
        assert found["week_start"] == expected

    def test_as_the_guessed_region_has_it(self, client: httpx.Client, name: str) -> None:
        assert client.get(f"/profiles/{name}", headers={REGION: "US-CA"}).json()["week_start"] == "sunday"
        add(client, name)
        assert client.get(f"/profiles/{name}").json()["week_start"] == "monday"

    def test_set_alone_logged_and_undone(self, client: httpx.Client, name: str) -> None:
        live_in(client, name, "Europe/Berlin")
        set_to = client.patch(f"/profiles/{name}", json={"week_start": "sunday"}).json()
        assert (set_to["week_start"], set_to["time_zone"], set_to["change_id"]) == ("sunday", "Europe/Berlin", 2)
        assert "change_id" not in client.patch(f"/profiles/{name}", json={"week_start": "sunday"}).json()
        client.patch(f"/profiles/{name}", json={"week_start": "saturday"})
        newest, before, first = client.get(f"/todos/{name}/changes").json()["changes"]
        assert newest["summary"] == before["summary"] == "Set the first day of the week."
        assert newest["week_start"] == {"before": "sunday", "after": "saturday"}
        assert before["week_start"] == {"after": "sunday"}
        assert "time_zone" not in before
        assert "week_start" not in first
        undone = client.post(f"/todos/{name}/changes/3/undo").json()
        assert undone["week_start"] == {"before": "saturday", "after": "sunday"}
        assert client.post(f"/todos/{name}/changes/2/undo").json()["week_start"] == {"before": "sunday"}
        assert client.get(f"/profiles/{name}").json()["week_start"] == "monday"

    def test_set_with_the_time_zone(self, client: httpx.Client, name: str) -> None:
        live_in(client, name, "Asia/Tokyo", week_start="monday")
        (change,) = client.get(f"/todos/{name}/changes").json()["changes"]
        assert change["summary"] == "Set the time zone and set the first day of the week."
        assert change["time_zone"] == {"before": "UTC", "after": "Asia/Tokyo"}
        # A later time zone leaves it as it is, and does not stand in the way of its undo.
        live_in(client, name, "Asia/Seoul")
        refused = problem(client.post(f"/todos/{name}/changes/1/undo"), 409, "undo_conflict")
        assert refused["conflicts"] == [{"change_id": 2}]
        assert client.get(f"/profiles/{name}").json()["week_start"] == "monday"

    @pytest.mark.parametrize("week_start", ["friday", "Monday", "", 1, None])
    def test_unknown(self, client: httpx.Client, name: str, week_start: object) -> None:
        refused = client.patch(f"/profiles/{name}", json={"week_start": week_start})
        assert problem(refused, 400, "invalid_request")["errors"][0]["field"] == "week_start"

    @pytest.mark.parametrize("body", [{}, {"request_id": "r"}])
    def test_nothing_to_set(self, client: httpx.Client, name: str, body: dict) -> None:
        problem(client.patch(f"/profiles/{name}", json=body), 400, "invalid_request")


class TestDone:
    # Both persons complete "a" to "c" at the same instants.
    @pytest.mark.parametrize(
        ("time_zone", "days"),
        [
            ("America/Los_Angeles", ["21T23:59", "22T00:00", "22T23:59"]),
            ("Asia/Tokyo", ["22T16:59", "22T17:00", "23T16:59"]),
        ],
    )
    def test_days_are_the_persons_and_inclusive(
        self, client: httpx.Client, name: str, time_zone: str, days: list[str]
    ) -> None:
        live_in(client, name, time_zone)
        for number, at in enumerate(("2026-11-22T07:59:59", "2026-11-22T08:00:00", "2026-11-23T07:59:59"), start=1):
            with time_machine.travel(datetime.fromisoformat(f"{at}Z"), tick=False):
                add(client, name, f"{number}")
                assert complete(client, name, number)["done_at"] == f"2026-11-{days[number - 1]}"
        add(client, name, "open")
        listed = page(client, name, status="done")["todos"]
        assert [todo["done_at"] for todo in listed] == [f"2026-11-{day}" for day in days]
        for day in (21, 22, 23):
            expected = [f"{number}" for number, at in enumerate(days, start=1) if at.startswith(str(day))]
            asked = {"done_from": f"2026-11-{day}", "done_to": f"2026-11-{day}"}
            assert texts(client, name, **asked) == expected
            assert page(client, name, **asked)["total"] == len(expected)
        assert (
            texts(client, name, done_from="2026-11-21") == texts(client, name, done_to="2026-11-23") == ["1", "2", "3"]
        )

    def test_the_hours_of_a_day_on_which_clocks_go_back(self, client: httpx.Client, name: str) -> None:
        live_in(client, name, "America/New_York")
        for number, at in enumerate(("2026-11-01T03:59:59", "2026-11-01T04:00:00", "2026-11-02T04:59:59"), start=1):
            with time_machine.travel(datetime.fromisoformat(f"{at}Z"), tick=False):
                add(client, name, f"{number}")
                complete(client, name, number)
        assert texts(client, name, done_from="2026-11-01", done_to="2026-11-01") == ["2", "3"]
        assert [todo["done_at"] for todo in page(client, name, status="done")["todos"]] == [
            "2026-10-31T23:59",
            "2026-11-01T00:00",
            "2026-11-01T23:59",
        ]

    def test_status_is_done_unless_it_is_given(self, client: httpx.Client, name: str) -> None:
        for text in ("a", "b", "c"):
            add(client, name, text)
        for todo_id in (1, 2):
            complete(client, name, todo_id)
        client.delete(f"/todos/{name}/2")
        past = {"done_from": "2020-01-01"}
        assert texts(client, name, **past) == ["a"]
        assert texts(client, name, **past, status="all") == ["a"]
        assert texts(client, name, **past, status="open") == []
        assert texts(client, name, **past, status="deleted") == ["b"]
        assert texts(client, name, done_to="2020-01-01") == []
        assert texts(client, name) == ["c"]

    @time_machine.travel(SUNDAY, tick=False)
    def test_shown_on_done_ones_alone_wherever_the_person_is(self, client: httpx.Client, name: str) -> None:
        add(client, name, '"done_at":"2026-11-22T16:05:09Z"', notes='{"done_at":"2026-11-22T16:05:09Z"}')
        add(client, name, "b")
        complete(client, name, 1)
        for time_zone, done_at in (("Asia/Tokyo", "2026-11-23T01:05"), ("America/New_York", "2026-11-22T11:05")):
            live_in(client, name, time_zone)
            for status in ("all", "all", "done"):
                done, *others = page(client, name, status=status)["todos"]
                assert done["done_at"] == done_at
                assert done["notes"] == '{"done_at":"2026-11-22T16:05:09Z"}'
                assert not [other for other in others if "done_at" in other]
            assert client.get(f"/todos/{name}/1").json()["done_at"] == done_at
            for sort in ("newest", "due", "priority", "updated"):
                assert [t["done_at"] for t in page(client, name, status="done", sort=sort)["todos"]] == [done_at]
        assert "done_at" not in client.post(f"/todos/{name}/1/reopen").json()
        assert "done_at" not in page(client, name)["todos"][0]
        batch = {"actions": [{"action": "complete", "id": 2}]}
        assert client.post(f"/todos/{name}/changes", json=batch).json()["todos"][0]["done_at"] == "2026-11-22T11:05"
        assert client.get(f"/todos/{name}/search/2").json()["metadata"]["done_at"] == "2026-11-22T11:05"

    @pytest.mark.parametrize("given", [{"done_from": "2026-11-31"}, {"done_to": "2026-11-22T08:00"}, {"done_to": ""}])
    def test_no_day(self, client: httpx.Client, name: str, given: dict) -> None:
        refused = problem(client.get(f"/todos/{name}", params=given), 400, "invalid_request")
        assert [error["field"] for error in refused["errors"]] == list(given)


class TestWords:
    @pytest.mark.parametrize(
        ("stored", "queries"),
        [
            (
                "Steuererklärung abgeben",
                ["Steuererklarung", "STEUERERKLÄRUNG", "steuererkla\u0308rung", "abgeben klarung"],
            ),
            ("Steuererklarung", ["Steuererklärung"]),
            ("Crème brûlée", ["creme brulee", "brulee CREME", "crème"]),
            ("Ёлка, чай", ["елка", "ЧАИ"]),
            ("Việt Nam", ["viet nam", "nam việt"]),
            ("Straße nach Malmö", ["malmo strasse"]),
            ("한국어", ["한국어", "한국"]),
            ("がぎぐ", ["がぎ"]),
            ("50% off_now!", ["50%", "off_now!", "now! 50%"]),
        ],
    )
    def test_found_by_words_without_accents(
        self, client: httpx.Client, name: str, stored: str, queries: list[str]
    ) -> None:
        add(client, name, "something else")
        for number, fields in enumerate(({"text": stored}, {"notes": stored}, {"tags": [stored]}), start=2):
            add(client, name, **{"text": f"x{number}", **fields})
        for query in queries:
            assert [todo["id"] for todo in page(client, name, q=query)["todos"]] == [2, 3, 4], query
            found = client.get(f"/todos/{name}/search", params={"query": query}).json()["results"]
            assert {result["id"] for result in found} == {"2", "3", "4"}, query

    def test_all_words_in_any_order_and_field(self, client: httpx.Client, name: str) -> None:
        add(client, name, "Call Anna", notes="about the flat", tags=["home"])
        add(client, name, "Call Bert", notes="about the flat")
        assert texts(client, name, q="flat call") == ["Call Anna", "Call Bert"]
        assert texts(client, name, q="home  anna\u3000FLAT") == ["Call Anna"]
        assert texts(client, name, q="flat anna work") == []
        assert page(client, name, q="flat call", limit=1)["total"] == 2

    def test_the_ten_longest_words_count(self, client: httpx.Client, name: str) -> None:
        words = [f"word{number:02}" for number in range(10)]
        add(client, name, " ".join(words))
        assert page(client, name, q=" ".join([*words, "x"]))["total"] == 1
        assert page(client, name, q=" ".join([*words, *words]))["total"] == 1
        for missing in range(10):
            other = [*words[:missing], "missing", *words[missing + 1 :]]
            assert page(client, name, q=" ".join(other))["total"] == 0, missing

    def test_only_accents(self, client: httpx.Client, name: str) -> None:
        add(client, name, "plain")
        add(client, name, "\u00b4")
        assert texts(client, name, q="\u00b4") == ["\u00b4"]
        assert texts(client, name, q="\u00a8 plain") == ["plain"]
        found = client.get(f"/todos/{name}/search", params={"query": "plain"}).json()["results"]
        assert [result["title"] for result in found] == ["plain"]

    def test_tags_keep_their_accents(self, client: httpx.Client, name: str) -> None:
        add(client, name, "a", tags=["Läden"])
        assert texts(client, name, tag="läden") == ["a"]
        assert texts(client, name, tag="laden") == []
        assert client.patch(f"/todos/{name}/1", json={"tags": ["Läden", "Laden"]}).json()["tags"] == ["Läden", "Laden"]


class TestKindsOfChanges:
    @pytest.fixture
    def changed(self, client: httpx.Client, name: str) -> str:
        add(client, name, "a")
        actions = [{"action": "add", "todo": "b"}, {"action": "complete", "id": 1}, {"action": "add", "todo": "c"}]
        client.post(f"/todos/{name}/changes", json={"actions": actions}).raise_for_status()
        complete(client, name, 2)
        client.post(f"/todos/{name}/3/share").raise_for_status()
        client.delete(f"/todos/{name}/3/share").raise_for_status()
        client.post(f"/todos/{name}/changes/3/undo").raise_for_status()
        live_in(client, name, "Asia/Tokyo")
        return name

    @pytest.mark.parametrize(
        ("action", "expected"),
        [
            ("add", [2, 1]),
            ("complete", [3, 2]),
            ("share", [4]),
            ("unshare", [5]),
            ("undo", [6]),
            ("update", [7]),
            ("delete", []),
            ("restore", []),
            ("reopen", []),
            ("import", []),
        ],
    )
    def test_by_kind(self, client: httpx.Client, changed: str, action: str, expected: list[int]) -> None:
        found = client.get(f"/todos/{changed}/changes", params={"action": action}).json()
        assert [change["id"] for change in found["changes"]] == expected
        assert action in API.enum("Deed")

    def test_pages_join_to_the_whole(self, client: httpx.Client, changed: str) -> None:
        first = client.get(f"/todos/{changed}/changes", params={"action": "complete", "limit": 1}).json()
        asked = {"action": "complete", "limit": 1, "cursor": first["next_cursor"]}
        second = client.get(f"/todos/{changed}/changes", params=asked).json()
        assert [change["id"] for change in first["changes"] + second["changes"]] == [3, 2]
        assert "next_cursor" not in second

    def test_summary(self, client: httpx.Client, changed: str) -> None:
        brief = client.get(f"/todos/{changed}/changes", params={"detail": "summary"}).json()
        full = client.get(f"/todos/{changed}/changes").json()
        told = ("id", "at", "actor", "summary")
        assert brief["changes"] == [{name: change[name] for name in told} for change in full["changes"]]
        assert client.get(f"/todos/{changed}/changes", params={"detail": "full"}).json() == full

    @pytest.mark.parametrize("given", [{"action": "finish"}, {"detail": "short"}])
    def test_unknown(self, client: httpx.Client, name: str, given: dict) -> None:
        refused = problem(client.get(f"/todos/{name}/changes", params=given), 400, "invalid_request")
        assert [error["field"] for error in refused["errors"]] == list(given)
