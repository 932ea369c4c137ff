"""The private calendar, read back by other programs."""

import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import icalendar
import pytest
import time_machine

from tests.e2e.processes import migrated, new_client, serving
from tests.people import Person, soup
from todo.web import assets

NOW = "2026-03-28T12:00:00Z"
KHAL = Path(sys.executable).parent / "khal"


def address(person: Person) -> str | None:
    """Returns the path of the person's calendar, or None where there is none."""
    found = re.findall(r"/calendar/[A-Za-z0-9_-]{33}\.ics", soup(person.browser.get("/account")).get_text())
    return found[0] if found else None


@pytest.fixture
def calendar(person: Person, client: httpx.Client) -> str:
    """The path of the calendar of somebody in Berlin, where the clocks change on 29 March 2026."""
    client.patch(f"/profiles/{person.username}", json={"time_zone": "Europe/Berlin"})
    for todo, due in (
        ("before", "2026-03-28T18:00"),
        ("after", "2026-03-29T18:00"),
        ("a day", "2026-03-29"),
        ("far", "2060-07-01T09:00"),
        ("undated", None),
        ("done", "2026-03-29"),
    ):
        client.post(f"/todos/{person.username}", json={"todo": todo, "due": due, "notes": "n, m; \\ ü", "tags": ["t"]})
    client.post(f"/todos/{person.username}/6/complete")
    assert address(person) is None
    person.send("/account/calendar", calendar="new")
    found = address(person)
    assert found
    return found


def test_icalendar_reads_it_with_times_right_across_the_change_of_clocks(
    anonymous: httpx.Client, calendar: str
) -> None:
    with time_machine.travel(NOW):
        answer = anonymous.get(calendar)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    read = icalendar.Calendar.from_ical(answer.content)
    starts = {str(event["summary"]): event["dtstart"].dt for event in read.walk("VEVENT")}
    assert starts.pop("a day") == date(2026, 3, 29)
    assert {name: start.astimezone(UTC) for name, start in starts.items()} == {
        "before": datetime(2026, 3, 28, 17, tzinfo=UTC),
        "after": datetime(2026, 3, 29, 16, tzinfo=UTC),
        "far": datetime(2060, 7, 1, 7, tzinfo=UTC),
    }
    (event, *_) = read.walk("VEVENT")
    assert str(event["description"]) == "n, m; \\ ü"
    (zone,) = read.walk("VTIMEZONE")
    assert zone["tzid"] == "Europe/Berlin"
    # The rules in the file, without any knowledge of the reader's own, say the same.
    local = zone.to_tz()
    for moment, hours in ((datetime(2026, 3, 28, 18), 1), (datetime(2026, 3, 29, 18), 2), (datetime(2035, 7, 1, 9), 2)):
        offset = moment.replace(tzinfo=local).utcoffset()
        assert offset is not None
        assert offset.total_seconds() == hours * 3600


def test_rules_of_the_zone_end_some_years_ahead(client: httpx.Client, person: Person, calendar: str) -> None:
    for due in ("2199-12-31T23:59", "2035-07-01T09:00", "2199-12-31"):
        client.post(f"/todos/{person.username}", json={"todo": due, "due": due})
    with time_machine.travel(NOW):
        read = icalendar.Calendar.from_ical(client.get(calendar).content)
    starts = {str(event["summary"]): event["dtstart"].dt for event in read.walk("VEVENT")}
    assert starts["2199-12-31"] == date(2199, 12, 31)
    assert starts["2199-12-31T23:59"] == datetime(2199, 12, 31, 22, 59, tzinfo=UTC)
    assert starts["2035-07-01T09:00"].utcoffset() == timedelta(hours=2)
    (zone,) = read.walk("VTIMEZONE")
    changes = [moment.dt for part in zone.subcomponents for moment in (part["DTSTART"], *dates(part))]
    assert 20 < len(changes) <= 2 * 13
    assert max(changes).year <= 2037


def dates(part: icalendar.Component) -> list[Any]:
    return list(part["RDATE"].dts) if "RDATE" in part else []


def test_files_and_calendars_have_one_date(tmp_path: Path) -> None:
    with serving(migrated(tmp_path)) as child, new_client(child.url) as browser:
        person = Person(browser, "dated")
        person.sign_up()
        person.send("/account/calendar", calendar="new")
        for path in (address(person), "/logo.png", assets.url("site.css"), "/"):
            answer = browser.get(path)
            assert (answer.status_code, len(answer.headers.get_list("date"))) == (200, 1), path


def test_khal_reads_it(anonymous: httpx.Client, calendar: str, tmp_path: Path) -> None:
    with time_machine.travel(NOW):
        (tmp_path / "feed.ics").write_bytes(anonymous.get(calendar).content)
    (tmp_path / "todo").mkdir()
    (tmp_path / "config").write_text(
        f"[calendars]\n[[todo]]\npath = {tmp_path}/todo\n"
        "[locale]\nlocal_timezone = UTC\ndefault_timezone = UTC\n"
        "timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
        "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
        f"[sqlite]\npath = {tmp_path}/khal.db\n",
        encoding="utf-8",
    )
    environ = {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}

    def khal(*arguments: str) -> str:
        command = [KHAL, "-c", str(tmp_path / "config"), *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout

    khal("import", "--batch", "-a", "todo", str(tmp_path / "feed.ics"))
    told = khal("list", "--format", "{start-date} {start-time} {title}", "2026-03-28", "3d")
    assert "2026-03-28 17:00 before" in told
    assert "2026-03-29 16:00 after" in told
    assert re.search(r"2026-03-29 +a day", told)


def test_it_is_not_sent_again_while_nothing_changes(anonymous: httpx.Client, person: Person, calendar: str) -> None:
    version = anonymous.get(calendar).headers["etag"]
    assert anonymous.get(calendar, headers={"If-None-Match": version}).status_code == 304
    person.send("/list", todo="A")
    assert anonymous.get(calendar, headers={"If-None-Match": version}).status_code == 200


def test_a_repeating_one_is_an_event_without_a_rule(anonymous: httpx.Client, person: Person, calendar: str) -> None:
    rule = "FREQ=DAILY;INTERVAL=3;FROM=COMPLETION"
    person.send("/list", todo="water", due_day="2026-03-29", repeat=rule)
    with time_machine.travel(NOW):
        read = icalendar.Calendar.from_ical(anonymous.get(calendar).content)
    (event,) = [event for event in read.walk("VEVENT") if str(event["summary"]) == "water"]
    assert event["dtstart"].dt == date(2026, 3, 29)
    assert "rrule" not in event


def test_a_new_address_ends_the_old_one(anonymous: httpx.Client, person: Person, calendar: str) -> None:
    person.send("/account/calendar", calendar="new")
    new = address(person)
    assert new
    assert new != calendar
    assert (anonymous.get(calendar).status_code, anonymous.get(new).status_code) == (404, 200)
    person.send("/account/calendar", calendar="none")
    assert anonymous.get(new).status_code == 404
    assert address(person) is None


def test_an_empty_calendar_is_one(person: Person, anonymous: httpx.Client) -> None:
    person.send("/account/calendar", calendar="new")
    read = icalendar.Calendar.from_ical(anonymous.get(str(address(person))).content)
    assert not read.walk("VEVENT")
