"""Weeks begin where the person is: the table names countries, and a week is seven days around its day."""

from datetime import date, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo.contract import API
from todo.domain import time_zones, weeks
from todo.domain.weeks import start_in, week_of

STARTS = API.enum("WeekStart")
COUNTRIES = {country for countries in weeks._COUNTRIES.values() for country in countries.split()}


def test_table_names_each_country_once() -> None:
    assert len(COUNTRIES) == sum(len(countries.split()) for countries in weeks._COUNTRIES.values())
    assert set(time_zones._zone_by_code()) >= COUNTRIES


@pytest.mark.parametrize(
    ("region", "time_zone", "start"),
    [
        ("", "UTC", "monday"),
        ("", "Etc/GMT+5", "monday"),
        ("", "Nowhere/City", "monday"),
        ("", "America/New_York", "sunday"),
        ("", "America/Indiana/Knox", "sunday"),
        ("", "US/Eastern", "sunday"),
        ("", "Asia/Dubai", "monday"),
        ("", "Asia/Riyadh", "sunday"),
        ("", "Asia/Kuwait", "saturday"),
        ("", "Europe/London", "monday"),
        ("", "Europe/Lisbon", "sunday"),
        ("", "Europe/Stockholm", "monday"),
        ("", "Atlantic/Reykjavik", "sunday"),
        ("", "Indian/Maldives", "monday"),
        ("jp-13", "UTC", "sunday"),
        (" EG ", "UTC", "saturday"),
        ("XX", "Asia/Kuwait", "saturday"),
        ("\xff", "Asia/Kuwait", "saturday"),
        ("GB", "America/New_York", "monday"),
    ],
)
def test_start(region: str, time_zone: str, start: str) -> None:
    assert start_in(region, time_zone) == start


def test_every_zone_has_a_start() -> None:
    found = {zone: start_in("", zone) for zone in available_timezones()}
    assert set(found.values()) == set(STARTS)


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.sampled_from(STARTS))
def test_week(day: date, start: str) -> None:
    first, last = week_of(day, start)
    assert f"{first:%A}".lower() == start
    assert last - first == timedelta(days=6)
    assert first <= day <= last
