"""The region header is a hint from outside: right for real places, None for anything else."""

from collections import Counter
from importlib import resources
from zoneinfo import available_timezones

import pytest

from todo.domain import time_zones
from todo.domain.time_zones import zone_of_region

US = (
    "AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV "
    "NY OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY"
)
CA = "AB BC MB NB NL NS NT NU ON PE QC SK YT"
LISTED = [code for codes in time_zones._ZONES.values() for code in codes.split()]
TAB = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines()
ROWS = [line.split("\t") for line in TAB if line and not line.startswith("#")]
COUNTRIES = Counter(row[0] for row in ROWS)


@pytest.mark.parametrize(
    ("zone", "codes"),
    [
        ("America/Los_Angeles", "US-CA us-ca Us-Wa US-NV"),
        ("America/New_York", "US-NY US-DC US-FL US-KY US-MI US-IN"),
        ("America/Chicago", "US-TX US-TN US-ND US-SD US-NE US-KS"),
        ("America/Denver", "US-CO US-ID"),
        ("America/Phoenix", "US-AZ"),
        ("Pacific/Honolulu", "US-HI"),
        ("America/Puerto_Rico", "US-PR PR"),
        ("America/Toronto", "CA-ON CA-QC"),
        ("America/Vancouver", "CA-BC"),
        ("America/St_Johns", "CA-NL"),
        ("America/Regina", "CA-SK"),
        ("Australia/Sydney", "AU-NSW AU-VIC AU-ACT AU-TAS"),
        ("Australia/Brisbane", "AU-QLD"),
        ("Australia/Perth", "AU-WA"),
        ("America/Manaus", "BR-AM BR-MT"),
        ("America/Tijuana", "MX-BCN"),
        ("Asia/Vladivostok", "RU-PRI"),
        ("Asia/Makassar", "ID-BA"),
        ("Africa/Kinshasa", "CD-KN"),
        ("Atlantic/Canary", "ES-TF ES-CN"),
        ("Atlantic/Azores", "PT-20"),
        ("Asia/Almaty", "KZ KZ-75 KZ-27"),
        ("America/Curacao", "NL-CW CW"),
        ("Indian/Reunion", "FR-974 RE"),
        ("Europe/Paris", "FR FR-IDF FR-75C"),
        ("Europe/Berlin", "DE DE-BE de-by"),
        ("Asia/Tokyo", "JP JP-13"),
        ("Europe/London", "GB GB-ENG"),
    ],
)
def test_known_regions(zone: str, codes: str) -> None:
    assert {code: zone_of_region(code) for code in codes.split()} == dict.fromkeys(codes.split(), zone)


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("AQ", "Antarctica/McMurdo"), ("AR", "America/Argentina/Buenos_Aires"), ("AU", "Australia/Sydney"),
        ("BR", "America/Sao_Paulo"), ("CA", "America/Toronto"), ("CD", "Africa/Lubumbashi"),
        ("CL", "America/Santiago"), ("CN", "Asia/Shanghai"), ("CY", "Asia/Nicosia"), ("DE", "Europe/Berlin"),
        ("EC", "America/Guayaquil"), ("ES", "Europe/Madrid"), ("FM", "Pacific/Chuuk"), ("GL", "America/Nuuk"),
        ("ID", "Asia/Jakarta"), ("KI", "Pacific/Tarawa"), ("KZ", "Asia/Almaty"), ("MH", "Pacific/Majuro"),
        ("MN", "Asia/Ulaanbaatar"), ("MX", "America/Mexico_City"), ("MY", "Asia/Kuala_Lumpur"),
        ("NZ", "Pacific/Auckland"), ("PF", "Pacific/Tahiti"), ("PG", "Pacific/Port_Moresby"),
        ("PS", "Asia/Hebron"), ("PT", "Europe/Lisbon"), ("RU", "Europe/Moscow"), ("UA", "Europe/Kyiv"),
        ("UM", "Pacific/Wake"), ("US", "America/New_York"), ("UZ", "Asia/Tashkent"),
    ],
)  # fmt: skip
def test_country_alone_or_with_an_unknown_state(country: str, zone: str) -> None:
    assert COUNTRIES[country] > 1
    assert [zone_of_region(code) for code in (country, f" {country.lower()}-Q9Q  ")] == [zone, zone]


@pytest.mark.parametrize(
    "code",
    [
        "", " ", "-", "U", "USA", "ZZ", "ZZ-CA", "XK", "EU", "T1", "12", "US-", "-CA", "US_CA", "US CA",
        "US--CA", "US-CALI", "US-CA-SF", "US-C A", "US-CA\n", "\tUS-CA", "US-\x00CA", "\x7fUS", "US-CA\u00a0",
        "US\u2010CA", "\u00df", "\u00dfE", "D\u0130", "\ufb01", "u\u017f", "\uff35\uff33", "US-\u00c7",
        "U\ud800", "\u65e5", "../../etc", "America/New_York", "US-CA," * 9, "US" * 1_000_000,
        " " * 1_000_000 + "!", "US-" + "9" * 1_000_000,
    ],
    ids=lambda code: ascii(code[:12]),
)  # fmt: skip
def test_anything_else_says_nothing(code: str) -> None:
    assert zone_of_region(code) is None


@pytest.mark.parametrize("code", [f"US-{s}" for s in US.split()] + [f"CA-{s}" for s in CA.split()])
def test_us_and_canadian_states_are_listed_one_by_one(code: str) -> None:
    assert code in LISTED


def test_table_is_sound() -> None:
    assert len(US.split()) == 51
    assert len(CA.split()) == 13
    assert not [code for code, times in Counter(LISTED).items() if times > 1]
    assert set(time_zones._ZONES) <= available_timezones() & {row[2] for row in ROWS}
    owner = {row[2]: row[0] for row in ROWS}
    assert not [c for zone, codes in time_zones._ZONES.items() for c in codes.split() if c[:2] != owner[zone]]


@pytest.mark.parametrize("country", sorted(COUNTRIES))
def test_every_country_has_a_zone_of_its_own(country: str) -> None:
    zone = zone_of_region(country)
    assert zone in available_timezones()
    assert [country, zone] in [[row[0], row[2]] for row in ROWS]
