"""The next due date of a series."""

import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from todo.domain import recurrence
from todo.domain.recurrence import Series
from todo.errors import InvalidRequest


def run(repeat: str, start: str, steps: int, now: str = "2020-01-01T00:00") -> list[str]:
    """Completes `steps` to-dos in a row and returns the due dates that follow."""
    series, due, dues = Series(repeat, start, start), start, []
    for _ in range(steps):
        following = series.following(due, datetime.fromisoformat(now))
        if following is None:
            break
        due, series = following
        dues.append(due)
    return dues


@pytest.mark.parametrize(
    ("repeat", "start", "dues"),
    [
        ("FREQ=DAILY", "2026-12-31", ["2027-01-01", "2027-01-02"]),
        ("FREQ=DAILY;INTERVAL=3", "2026-11-27T09:00", ["2026-11-30T09:00", "2026-12-03T09:00"]),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "2026-11-27", ["2026-11-30", "2026-12-01"]),
        ("FREQ=WEEKLY", "2026-11-27", ["2026-12-04", "2026-12-11"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", "2026-11-27", ["2026-12-07", "2026-12-11", "2026-12-21"]),
        ("FREQ=WEEKLY;BYDAY=FR", "2026-11-25", ["2026-11-27", "2026-12-04"]),
        ("FREQ=MONTHLY", "2026-01-31", ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("FREQ=MONTHLY", "2028-01-30", ["2028-02-29", "2028-03-30"]),
        ("FREQ=MONTHLY;INTERVAL=2", "2026-01-15", ["2026-03-15", "2026-05-15"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31", ["2026-02-28", "2026-03-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", "2026-01-01", ["2026-01-15", "2026-02-01"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31", ["2026-02-28", "2026-03-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=30,31", "2026-01-31", ["2026-02-28", "2026-03-30", "2026-03-31", "2026-04-30"]),
        ("FREQ=MONTHLY;BYDAY=2TU", "2026-11-10", ["2026-12-08", "2027-01-12"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27", ["2026-12-25", "2027-01-29"]),
        ("FREQ=MONTHLY;BYDAY=5MO", "2026-11-30", ["2027-03-29", "2027-05-31"]),
        ("FREQ=MONTHLY;BYDAY=MO,-1SA", "2026-11-23", ["2026-11-28", "2026-11-30", "2026-12-07"]),
        ("FREQ=MONTHLY;BYDAY=MO,-1SA;COUNT=3", "2026-11-23", ["2026-11-28", "2026-11-30"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-11-30", ["2026-12-31", "2027-01-29", "2027-02-26"]),
        ("FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1,-1", "2026-11-01", ["2026-11-29", "2026-12-05", "2026-12-27"]),
        ("FREQ=MONTHLY;BYMONTH=6,12", "2026-06-15", ["2026-12-15", "2027-06-15"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2026-11-26", ["2027-11-25", "2028-11-23"]),
        ("FREQ=YEARLY;BYMONTH=3,9", "2026-09-01", ["2027-03-01", "2027-09-01"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "2026-02-28", ["2027-02-28", "2028-02-29"]),
        ("FREQ=DAILY;BYMONTH=1", "2026-01-30", ["2026-01-31", "2027-01-01"]),
        ("FREQ=WEEKLY;BYMONTH=7;BYDAY=MO,SU", "2026-07-26", ["2026-07-27", "2027-07-04"]),
        ("FREQ=YEARLY", "2024-02-29", ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("FREQ=YEARLY;INTERVAL=2", "2025-06-15T18:00", ["2027-06-15T18:00", "2029-06-15T18:00"]),
    ],
)
def test_rhythm(repeat: str, start: str, dues: list[str]) -> None:
    assert run(repeat, start, len(dues)) == dues


@pytest.mark.parametrize(
    ("repeat", "start", "dues"),
    [
        ("FREQ=DAILY;COUNT=3", "2026-11-27", ["2026-11-28", "2026-11-29"]),
        ("FREQ=DAILY;COUNT=1", "2026-11-27", []),
        ("FREQ=DAILY;UNTIL=20261129", "2026-11-27T23:00", ["2026-11-28T23:00", "2026-11-29T23:00"]),
        ("FREQ=DAILY", "2199-12-30", ["2199-12-31"]),
        ("FREQ=YEARLY;INTERVAL=999", "2026-11-27", []),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "2026-11-27", []),
    ],
)
def test_end(repeat: str, start: str, dues: list[str]) -> None:
    assert run(repeat, start, 9) == dues


@pytest.mark.parametrize(
    ("start", "now", "due"),
    [
        ("2026-11-20", "2026-11-27T10:00", "2026-11-28"),
        ("2026-11-27", "2026-11-27T10:00", "2026-11-28"),
        ("2026-11-28", "2026-11-27T10:00", "2026-11-29"),
        ("2026-11-20T09:00", "2026-11-27T08:59", "2026-11-27T09:00"),
        ("2026-11-20T09:00", "2026-11-27T09:00", "2026-11-28T09:00"),
        ("1900-01-01T09:00", "2026-11-27T10:00", "2026-11-28T09:00"),
    ],
)
def test_next_is_after_now(start: str, now: str, due: str) -> None:
    assert run("FREQ=DAILY", start, 1, now) == [due]


def test_one_that_was_moved_to_a_day_has_the_whole_day() -> None:
    following = Series("FREQ=WEEKLY", "2026-11-28T18:00", "2026-11-28T18:00").following(
        "2026-12-05", datetime(2026, 11, 22)
    )
    assert following is not None
    assert following[0] == "2026-12-12T18:00"


@pytest.mark.parametrize(
    ("repeat", "due"),
    [
        ("FREQ=DAILY;INTERVAL=7;BYDAY=TU", ""),
        ("FREQ=DAILY;INTERVAL=6;BYDAY=TU", "2026-12-08"),
        ("FREQ=MONTHLY;BYMONTHDAY=31,30,29,28,1,2", "2026-11-28"),
        ("FREQ=MONTHLY;INTERVAL=5;BYMONTHDAY=31", "2027-02-28"),
        ("FREQ=MONTHLY;INTERVAL=12;BYDAY=5MO", "2028-01-31"),
        ("FREQ=YEARLY;INTERVAL=4", "2028-01-01"),
    ],
)
def test_a_long_way_is_not_walked_step_by_step(repeat: str, due: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    walk = recurrence._steps

    def counted(*args: Any) -> Iterator[list[datetime]]:
        nonlocal looked_at
        for found in walk(*args):
            looked_at += 1
            yield found

    monkeypatch.setattr(recurrence, "_steps", counted)
    assert run(repeat, "1900-01-01", 1, "2026-11-27T10:00") == ([due] if due else [])
    assert 0 < looked_at <= recurrence.MAX_STEPS


@pytest.mark.parametrize("repeat", ["FREQ=DAILY;INTERVAL=7;BYDAY=MO;COUNT=9", "FREQ=MONTHLY;INTERVAL=12;BYDAY=5MO"])
def test_a_rule_that_never_comes_is_found_out_quickly(repeat: str) -> None:
    started = time.monotonic()
    for _ in range(50):
        run(repeat, "2026-02-27", 1)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ("repeat", "due"),
    [
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO;COUNT=9", "2026-11-27"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO;UNTIL=20281231", "2026-11-27"),
        ("FREQ=MONTHLY;INTERVAL=12;BYDAY=5MO;COUNT=2", "2026-02-23"),
        ("FREQ=YEARLY;INTERVAL=11", "2026-11-27"),
        ("FREQ=DAILY", "2199-12-31"),
    ],
)
def test_a_rule_without_a_date_in_ten_years_is_refused(repeat: str, due: str) -> None:
    with pytest.raises(InvalidRequest):
        recurrence.check(repeat, due)


@pytest.mark.parametrize(
    ("repeat", "due"),
    [
        ("FREQ=YEARLY;INTERVAL=10", "2024-02-29"),
        ("FREQ=DAILY;COUNT=1", "2026-11-27"),
        ("FREQ=DAILY;UNTIL=20261127", "2026-11-27"),
        ("FREQ=MONTHLY;INTERVAL=12;BYDAY=5MO", "2026-11-30"),
    ],
)
def test_a_rule_with_one_is_taken(repeat: str, due: str) -> None:
    recurrence.check(repeat, due)


@pytest.mark.parametrize(
    ("repeat", "start", "done", "due"),
    [
        ("FREQ=DAILY;INTERVAL=3;FROM=COMPLETION", "2026-11-27", "2026-11-29T23:59", "2026-12-02"),
        ("FREQ=DAILY;INTERVAL=3;FROM=COMPLETION", "2026-11-27", "2026-11-25T00:00", "2026-11-28"),
        ("FREQ=DAILY;FROM=COMPLETION", "2026-11-27T07:30", "2026-12-31T22:00", "2027-01-01T07:30"),
        ("FREQ=WEEKLY;INTERVAL=2;FROM=COMPLETION", "2026-11-27", "2026-11-30T10:00", "2026-12-14"),
        ("FREQ=MONTHLY;FROM=COMPLETION", "2026-11-27", "2027-01-31T10:00", "2027-02-28"),
        ("FREQ=YEARLY;FROM=COMPLETION", "2026-11-27", "2028-02-29T10:00", "2029-02-28"),
        ("FREQ=DAILY;FROM=COMPLETION;UNTIL=20261201", "2026-11-27", "2026-11-30T10:00", "2026-12-01"),
    ],
)
def test_from_completion(repeat: str, start: str, done: str, due: str) -> None:
    following = Series(repeat, start, start).following(start, datetime.fromisoformat(done))
    assert following is not None
    assert following[0] == due


@pytest.mark.parametrize(
    ("repeat", "done"),
    [
        ("FREQ=DAILY;FROM=COMPLETION;COUNT=1", "2026-11-27T10:00"),
        ("FREQ=DAILY;FROM=COMPLETION;UNTIL=20261201", "2026-12-01T10:00"),
        ("FREQ=DAILY;FROM=COMPLETION", "2199-12-31T10:00"),
    ],
)
def test_from_completion_ends(repeat: str, done: str) -> None:
    assert Series(repeat, "2026-11-27", "2026-11-27").following("2026-11-27", datetime.fromisoformat(done)) is None


def test_from_completion_is_numbered_whatever_the_day() -> None:
    series, due = Series("FREQ=DAILY;FROM=COMPLETION;COUNT=9", "2026-11-27", "2026-11-27"), "2026-11-27"
    for number, done in ((2, "2026-11-29T10:00"), (3, "2026-11-29T11:00"), (4, "2026-12-05T11:00")):
        following = series.following(due, datetime.fromisoformat(done))
        assert following is not None
        due, series = following
        assert (series.occurrence, series.repeat) == (str(number), f"FREQ=DAILY;FROM=COMPLETION;COUNT={10 - number}")


@pytest.mark.parametrize(
    "repeat",
    [
        "FREQ=DAILY;FROM=COMPLETION;BYDAY=MO",
        "FREQ=MONTHLY;FROM=COMPLETION;BYMONTHDAY=1",
        "FREQ=MONTHLY;FROM=COMPLETION;BYMONTH=1",
        "FREQ=YEARLY;FROM=COMPLETION;INTERVAL=11",
        "FREQ=MONTHLY;BYSETPOS=-1",
        "FREQ=DAILY;BYDAY=MO;BYSETPOS=-1",
        "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=3",
        "FREQ=YEARLY;BYDAY=MO",
        "FREQ=YEARLY;BYMONTHDAY=1",
        "FREQ=WEEKLY;BYMONTH=5;BYMONTHDAY=1",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=5",
    ],
)
def test_what_cannot_be_combined_is_refused_with_the_cure(repeat: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        recurrence.check(repeat, "2026-11-27")
    (error,) = refused.value.members["errors"]
    assert error["field"] == "repeat"
    assert error["message"].startswith(("must ", "can ", "cannot ", "has no date "))


NAMES = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
WEEKDAYS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)
NTHS = st.lists(st.sampled_from([f"{n}{day}" for n in ("", -1, 1, 2, 3, 4) for day in NAMES]), min_size=1, max_size=1)
PLACES = st.lists(st.sampled_from([1, 2, 3, -1, -2]), min_size=1, max_size=2, unique=True).map(
    lambda places: f"BYSETPOS={','.join(map(str, places))}"
)
MONTH_NUMBERS = st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True).map(
    lambda months: f"BYMONTH={','.join(map(str, months))}"
)
RULES = st.one_of(
    st.tuples(st.sampled_from(["DAILY", "WEEKLY"]), st.just("BYDAY"), WEEKDAYS),
    st.tuples(st.just("MONTHLY"), st.just("BYDAY"), NTHS),
    st.tuples(
        st.just("MONTHLY"), st.just("BYMONTHDAY"), st.lists(st.sampled_from(["1", "15", "28", "-1"]), min_size=1)
    ),
)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(rule=RULES, interval=st.integers(1, 6), start=st.dates(date(1990, 1, 1), date(2030, 1, 1)))
def test_dates_are_those_of_dateutil(rule: tuple[str, str, list[str]], interval: int, start: date) -> None:
    frequency, part, values = rule
    text = f"FREQ={frequency};INTERVAL={interval};{part}={','.join(values)}"
    oracle: Any = rrulestr(text, dtstart=datetime.combine(start, datetime.min.time()))
    expected = [f"{found:%Y-%m-%d}" for found in islice(oracle.xafter(datetime(start.year, start.month, start.day)), 5)]
    assert run(text, start.isoformat(), 5, "1980-01-01T00:00") == expected


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(
    frequency=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    months=MONTH_NUMBERS,
    names=WEEKDAYS,
    places=st.none() | PLACES,
    interval=st.integers(1, 3),
    start=st.dates(date(1990, 1, 1), date(2030, 1, 1)),
)
def test_dates_in_months_and_at_places_are_those_of_dateutil(
    frequency: str, months: str, names: list[str], places: str | None, interval: int, start: date
) -> None:
    if frequency == "WEEKLY":
        # dateutil looks at the first week from `start` on alone, where the standard has whole weeks.
        start -= timedelta(days=start.weekday())
    text = f"FREQ={frequency};INTERVAL={interval};{months};BYDAY={','.join(names)}"
    text += f";{places}" if places and frequency != "DAILY" else ""
    oracle: Any = rrulestr(text, dtstart=datetime.combine(start, datetime.min.time()))
    expected = [f"{found:%Y-%m-%d}" for found in islice(oracle.xafter(datetime(start.year, start.month, start.day)), 5)]
    found = run(text, start.isoformat(), 5, "1980-01-01T00:00")
    # What no step within ten years has, ends a series.
    assert found == expected[: len(found)]
    ends = date.fromisoformat(found[-1]) if found else start
    assert len(found) == len(expected) or date.fromisoformat(expected[len(found)]) > ends.replace(
        day=1, year=ends.year + 10
    )


def test_the_rhythm_is_kept_by_one_that_is_late() -> None:
    assert run("FREQ=DAILY;INTERVAL=3", "2026-11-20", 1, "2026-11-27T10:00") == ["2026-11-29"]
    assert run("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", "2026-11-06", 1, "2026-11-21T10:00") == ["2026-12-04"]


@pytest.mark.parametrize(
    ("moved", "due"), [("2026-11-25", "2026-12-04"), ("2026-11-29", "2026-12-04"), ("2026-12-05", "2026-12-11")]
)
def test_one_that_was_moved(moved: str, due: str) -> None:
    following = Series("FREQ=WEEKLY;BYDAY=FR", "2026-11-20", "2026-11-27").following(moved, datetime(2026, 11, 22))
    assert following is not None
    assert following[0] == due
