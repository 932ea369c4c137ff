"""Quick add over HTTP: what a page is told of a text, and what its form fills."""

import pytest
import time_machine
from starlette.testclient import TestClient

from tests.handlers.test_lists import NOW, Assistant, assistant, follow, notice, refused
from tests.handlers.test_side_bar import archive
from tests.people import Person

pytestmark = pytest.mark.slow_on_postgresql

__all__ = ["assistant"]  # the fixture


def read(person: Person, todo: str, plain: str = "", language: str = "en-GB,en;q=0.9") -> list[tuple[str, str, str]]:
    """Returns what the page is told, as (text, field, meaning)."""
    params = {"todo": todo} | ({"plain": plain} if plain else {})
    answer = person.browser.get("/list/read", params=params, headers={"Accept-Language": language})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), answer.text
    return [(part["text"], part["field"], part["meaning"]) for part in answer.json()["parts"]]


class TestRead:
    def test_meanings(self, person: Person, assistant: Assistant) -> None:
        assistant.add("Milk", list="Shopping", create_list=True)
        with time_machine.travel(NOW):
            assert read(person, "Call mum tomorrow 6pm #family !high every week @Shopping") == [
                ("tomorrow 6pm", "due", "tomorrow 18:00"),
                ("#family", "tags", "#family"),
                ("!high", "priority", "high priority"),
                ("every week", "repeat", "every week"),
                ("@Shopping", "list", "list Shopping"),
            ]
            assert read(person, 'Pay rent every month on the 15th @"New home"') == [
                ("every month on the 15th", "repeat", "every month on the 15th, from 15 Dec"),
                ('@"New home"', "list", "new list New home"),
            ]
            assert read(person, "At 6pm call mum on friday") == [
                ("At 6pm", "due", "18:00"),
                ("on friday", "due", "Friday"),
            ]

    def test_what_is_plain_text(self, person: Person) -> None:
        assert read(person, "Buy milk today #a #b", "#a\r\ntoday") == [("#b", "tags", "#b")]

    def test_the_browsers_language(self, person: Person) -> None:
        with time_machine.travel(NOW):
            assert read(person, "Miete zahlen übermorgen", language="de-AT,de;q=0.9,en;q=0.5") == [
                ("übermorgen", "due", "Tuesday")
            ]
            assert read(person, "Miete zahlen übermorgen") == []

    def test_places_are_those_of_a_browser(self, person: Person) -> None:
        answer = person.browser.get("/list/read", params={"todo": "😀😀 #a"})
        assert answer.json()["parts"] == [{"start": 5, "end": 7, "field": "tags", "text": "#a", "meaning": "#a"}]

    def test_an_archived_list_is_not_named(self, person: Person, assistant: Assistant) -> None:
        assistant.add("Old", list="Attic", create_list=True)
        assert read(person, "Tidy @Attic") == [("@Attic", "list", "list Attic")]
        archive(assistant, "Attic")
        assert read(person, "Tidy @Attic") == []

    @pytest.mark.parametrize("params", [{}, {"todo": ""}, {"todo": "a" * 501}, {"todo": "a", "plain": "\x01"}])
    def test_bad_requests(self, person: Person, params: dict[str, str]) -> None:
        assert person.browser.get("/list/read", params=params).status_code == 400

    def test_nobody_is_signed_in(self, anonymous: TestClient) -> None:
        answer = anonymous.get("/list/read", params={"todo": "Buy milk"}, follow_redirects=False)
        assert answer.status_code == 303


class TestAdd:
    def add(self, person: Person, todo: str, **fields: str) -> str:
        fields = {"quick": "on", "priority": "none", "list": "Inbox", **fields}
        return notice(follow(person, person.send("/list", todo=todo, **fields)))

    def test_fields_are_read(self, person: Person, assistant: Assistant) -> None:
        assistant.add("Milk", list="Shopping", create_list=True)
        with time_machine.travel(NOW):
            assert "“Call mum”" in self.add(person, "Call mum tomorrow 6pm #family !high every week @Shopping")
        todo = assistant.call("GET", "/2")
        expected = {
            "todo": "Call mum",
            "due": "2026-11-23T18:00",
            "tags": ["family"],
            "priority": "high",
            "repeat": "FREQ=WEEKLY",
            "list": "Shopping",
        }
        assert expected.items() <= todo.items()

    def test_fields_that_are_filled_win(self, person: Person, assistant: Assistant) -> None:
        fields = {"due_day": "2027-01-01", "priority": "low", "tags": "b", "repeat": "FREQ=DAILY", "new_list": "New"}
        self.add(person, "Call mum tomorrow 6pm #a !high every week @Inbox", **fields)
        todo = assistant.call("GET", "/1")
        expected = {
            "due": "2027-01-01T18:00",
            "priority": "low",
            "tags": ["a", "b"],
            "repeat": "FREQ=DAILY",
            "list": "New",
        }
        assert expected.items() <= todo.items()

    def test_a_new_list_is_named_in_quotation_marks(self, person: Person, assistant: Assistant) -> None:
        self.add(person, 'Paint @"New home"')
        assert assistant.call("GET", "/1")["list"] == "New home"

    def test_parts_that_are_plain_text(self, person: Person, assistant: Assistant) -> None:
        self.add(person, "Read tomorrow #a", plain="tomorrow\r\n#b")
        assert {"todo": "Read tomorrow", "tags": ["a"]}.items() <= assistant.call("GET", "/1").items()

    def test_a_text_that_is_not_to_be_read(self, person: Person, assistant: Assistant) -> None:
        follow(person, person.send("/list", todo="Call mum tomorrow #family"))
        assert assistant.call("GET", "/1")["todo"] == "Call mum tomorrow #family"

    def test_a_refused_form_has_what_was_typed(self, person: Person) -> None:
        answer = person.send("/list", quick="on", todo="Call mum tomorrow #family", tags="x" * 51)
        assert "at most 50 characters" in refused(answer, 400)
        assert 'value="Call mum tomorrow #family"' in answer.text
