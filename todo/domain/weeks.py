"""The first day of the week, where the person lives.

The countries are those of CLDR 48 (supplemental/weekData, firstDay); in all others it is Monday. The Maldives, where it
is Friday, are treated like the others.
"""

from datetime import date, timedelta

from todo.contract import API
from todo.domain.time_zones import country_of_region, country_of_zone

MONDAY, SUNDAY, SATURDAY = API.enum("WeekStart")
_WEEKDAYS = {MONDAY: 0, SUNDAY: 6, SATURDAY: 5}  # as date.weekday() counts
_COUNTRIES = {
    SUNDAY: "AG AS BD BR BS BT BW BZ CA CO DM DO ET GT GU HK HN ID IL IN IS JM JP KE KH KR LA MH MM MO MT MX MZ NI NP "
    "PA PE PH PK PR PT PY SA SG SV TH TT TW UM US VE VI WS YE ZA ZW",
    SATURDAY: "AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY",
}
_START_BY_COUNTRY = {country: start for start, countries in _COUNTRIES.items() for country in countries.split()}


def start_in(region: str, time_zone: str) -> str:
    """Returns the first day of the week in a region, or if it is unknown, in the country of a time zone."""
    country = country_of_region(region) or country_of_zone(time_zone)
    return _START_BY_COUNTRY.get(country or "", MONDAY)


def days_from(start: str) -> list[int]:
    """Returns the days of a week from its first one, as date.weekday() counts."""
    return [(_WEEKDAYS[start] + number) % 7 for number in range(7)]


def week_of(day: date, start: str) -> tuple[date, date]:
    """Returns the first and the last day of the week that contains a day."""
    first = day - timedelta(days=(day.weekday() - _WEEKDAYS[start]) % 7)
    return first, first + timedelta(days=6)
