"""The page of a month, and of a day in it."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from bs4 import BeautifulSoup
from starlette.testclient import TestClient

from tests.conftest import AUTHORIZATION
from tests.handlers.test_lists import Assistant, page, said, shown
from tests.people import Person, soup
from todo.contract import SITE
from todo.domain import import_export, month
from todo.domain.users import Owner
from todo.storage.engine import Engine

pytestmark = pytest.mark.slow_on_postgresql

NOW = "2026-12-30T12:00:00Z"


@pytest.fixture
def assistant(person: Person, new_browser: Callable[[], TestClient]) -> Assistant:
    return Assistant(new_browser(), person.username)


def days(text: BeautifulSoup) -> dict[str, list[str]]:
    """Returns what stands under each day that has something."""
    cells = [(cell.time["datetime"], [said(item) for item in cell.select("li")]) for cell in text.select(".month td")]
    return {day: items for day, items in cells if items}


def headings(text: BeautifulSoup) -> list[str]:
    return [cell.text for cell in text.select(".month th")]


def add(assistant: Assistant, *texts: str, **fields: Any) -> None:
    assistant.call("POST", "/changes", actions=[{"action": "add", "todo": text, **fields} for text in texts])


class TestMonth:
    def test_each_day_has_its_todos(self, person: Person, assistant: Assistant) -> None:
        add(assistant, "before", due="2199-10-31")
        add(assistant, "first", due="2199-12-01")
        add(assistant, "late", due="2199-12-24T18:00")
        add(assistant, "early", due="2199-12-24")
        add(assistant, "done", due="2199-12-24")
        add(assistant, "undated")
        assistant.call("POST", "/5/complete")
        text = page(person, "/calendar?month=2199-12")
        assert said(text.h1) == "December 2199"
        assert days(text) == {"2199-12-01": ["first"], "2199-12-24": ["early", "18:00 late"]}
        assert "Nothing is due in November 2199." in said(page(person, "/calendar?month=2199-11"))

    def test_without_a_month_it_is_this_one(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel(NOW, tick=False):
            person.sign_in()  # a month from now, the session has ended
            add(assistant, "today", due="2026-12-30")
            add(assistant, "overdue", due="2026-12-29")
            text = page(person, "/calendar")
            assert said(text.h1) == "December 2026"
            assert said(text.select_one("[aria-current=date]")) == "30Today today"
            assert [said(item) for item in text.select("li.late")] == ["overdue"]
            links = [link["href"].partition("=")[2] for link in text.select("nav[aria-label=Months] a")]
            assert links == ["2026-11", "2026-12", "2027-01"]
            last = page(person, "/calendar?month=2199-12").select("nav[aria-label=Months] a")
            assert [link["href"].partition("=")[2] for link in last] == ["2199-11", "2026-12"]

    @pytest.mark.parametrize(
        ("start", "first", "days_shown"), [("monday", "Mon", "2026-11-30"), ("sunday", "Sun", "2026-11-29")]
    )
    def test_weeks_start_where_the_person_has_them(
        self, person: Person, assistant: Assistant, start: str, first: str, days_shown: str
    ) -> None:
        assistant.http.patch(f"/profiles/{person.username}", json={"week_start": start}, headers=AUTHORIZATION)
        text = page(person, "/calendar?month=2026-12")
        assert headings(text)[0] == first
        assert text.select_one(".month time")["datetime"] == days_shown
        assert all(len(week.select("td")) == 7 for week in text.select(".month tbody tr"))

    def test_more_than_fit_are_counted(self, person: Person, assistant: Assistant) -> None:
        add(assistant, *"abcdefg", due="2199-12-06")
        most = SITE.limit("day_todos")
        (found,) = days(page(person, "/calendar?month=2199-12")).values()
        assert found == [*"abcdefg"[:most], f"+{7 - most} more on Friday 6 December 2199"]
        person.send("/list/order", id="7", to="top")
        (found,) = days(page(person, "/calendar?month=2199-12")).values()
        assert found[:most] == [*"gabcdef"[:most]]

    def test_of_one_list(self, person: Person, assistant: Assistant) -> None:
        add(assistant, "in the inbox", due="2199-12-06")
        assistant.add("at work", due="2199-12-06", list="Work", create_list=True)
        text = page(person, "/calendar?month=2199-12&list=work")
        assert days(text) == {"2199-12-06": ["at work"]}
        assert text.select_one("option[selected]").text == "Work"
        assert "list=Work" in text.select_one(".month .day")["href"]
        person.send("/lists/edit", list="Work", archived="on")
        assert days(page(person, "/calendar?month=2199-12")) == {"2199-12-06": ["in the inbox"]}
        assert days(page(person, "/calendar?month=2199-12&list=")) == {"2199-12-06": ["in the inbox"]}

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            *(("month=2026-13", 400), ("month=x", 400), ("month=1899-12", 400), ("day=2026-02-30", 400)),
            *(("day=2026-02-03&cursor=x", 400), ("list=Nowhere", 404), ("day=2026-02-03&list=Nowhere", 404)),
            *(("month=1900-01", 200), ("month=2199-12", 200), ("day=1900-01-01", 200), ("day=2199-12-31", 200)),
        ],
    )
    def test_bounds(self, person: Person, query: str, status: int) -> None:
        answer = person.browser.get(f"/calendar?{query}")
        assert answer.status_code == status
        assert soup(answer).h1


class TestDay:
    def test_all_of_it_in_pages(self, person: Person, assistant: Assistant) -> None:
        texts = [f"{number:03}" for number in range(1, 71)]
        for start in range(0, 70, 35):
            add(assistant, *texts[start : start + 35], due="2199-12-06")
        add(assistant, "another day", due="2199-12-07")
        person.send("/list/order", id="70", to="top")
        found: list[str] = []
        path = "/calendar?day=2199-12-06"
        while path:
            text = page(person, path)
            found += shown(text)
            more = text.find("a", string="More")
            path = more["href"] if more else ""
        assert found == ["070", *texts[:69]]
        assert said(text.h1) == "Friday 6 December 2199"
        assert "Nothing is due on this day." in said(page(person, "/calendar?day=2199-12-08"))

    def test_completed_it_stays_on_the_page(self, person: Person, assistant: Assistant) -> None:
        add(assistant, "a", "b", due="2199-12-06")
        back = "/calendar?day=2199-12-06"
        done = person.send("/list/act", action="complete", id="1", next=back)
        assert done.headers["location"] == f"{back}&changed=2"
        text = page(person, done.headers["location"])
        assert shown(text) == ["b"]
        assert "You completed “a”." in said(text)


def test_ten_thousand_in_a_month_are_quick(engine: Engine) -> None:
    rows = "".join(f"{number},2026-12-{number % 28 + 1:02}\n" for number in range(10_000))
    file = import_export.Import.of(import_export.read_file(f"todo,due\n{rows}"))
    engine.submit_write(import_export.add_all, Owner("kevin"), file).result()
    started = time.perf_counter()
    found = engine.submit_read(month.page, Owner("kevin"), "2026-12", None).result()
    taken = time.perf_counter() - started
    assert sum(day.total for day in found.days) == 10_000
    assert sum(len(day.todos) for day in found.days) == 28 * month.MOST
    assert taken < 2
