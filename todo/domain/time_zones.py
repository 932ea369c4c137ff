"""Time zones of regions, and countries of time zones, by zone.tab of the package tzdata.

A region is an ISO 3166-2 subdivision ("US-CA") or an ISO 3166-1 country ("DE").

The table below adds subdivisions: all of the US and Canada, elsewhere those whose clock differs from the country's
main one. A subdivision in two zones is listed under its more populous one; zones with the same clock share a row.
"""

import re
from functools import cache
from importlib import resources

_CODE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")

# Bare countries are listed where zone.tab's first zone is not the most populous (CD: the eastern half).
_ZONES = {
    "Africa/Kinshasa": "CD-BC CD-EQ CD-KG CD-KL CD-KN CD-MN CD-MO CD-NU CD-SU CD-TU",
    "Africa/Lubumbashi": "CD",
    "America/Anchorage": "US-AK",
    "America/Cancun": "MX-ROO",
    "America/Chicago": "US-AL US-AR US-IA US-IL US-KS US-LA US-MN US-MO US-MS US-ND US-NE US-OK US-SD US-TN "
    "US-TX US-WI",
    "America/Denver": "US-CO US-ID US-MT US-NM US-UT US-WY",
    "America/Edmonton": "CA-AB CA-NT",
    "America/Halifax": "CA-NB CA-NS CA-PE",
    "America/Iqaluit": "CA-NU",
    "America/Los_Angeles": "US-CA US-NV US-OR US-WA",
    "America/Manaus": "BR-AM BR-MS BR-MT BR-RO BR-RR",
    "America/Matamoros": "MX-TAM",  # its border cities, on US time, outnumber the south
    "America/Mazatlan": "MX-BCS MX-NAY MX-SIN MX-SON",
    "America/New_York": "US-CT US-DC US-DE US-FL US-GA US-IN US-KY US-MA US-MD US-ME US-MI US-NC US-NH "
    "US-NJ US-NY US-OH US-PA US-RI US-SC US-VA US-VT US-WV",
    "America/Phoenix": "US-AZ",
    "America/Punta_Arenas": "CL-AI CL-MA",
    "America/Regina": "CA-SK",
    "America/Rio_Branco": "BR-AC",
    "America/Sao_Paulo": "BR",
    "America/St_Johns": "CA-NL",
    "America/Tijuana": "MX-BCN",
    "America/Toronto": "CA CA-ON CA-QC",
    "America/Vancouver": "CA-BC",
    "America/Whitehorse": "CA-YT",
    "America/Winnipeg": "CA-MB",
    "Asia/Hebron": "PS",
    "Asia/Hovd": "MN-043 MN-046 MN-071",
    "Asia/Irkutsk": "RU-BU RU-IRK",
    "Asia/Jayapura": "ID-MA ID-ML ID-MU ID-PA ID-PB ID-PD ID-PE ID-PP ID-PS ID-PT",
    "Asia/Kamchatka": "RU-CHU RU-KAM",
    "Asia/Makassar": "ID-BA ID-GO ID-KI ID-KS ID-KU ID-NB ID-NT ID-NU ID-SA ID-SG ID-SL ID-SN ID-SR ID-ST",
    "Asia/Novosibirsk": "RU-AL RU-ALT RU-KEM RU-KK RU-KYA RU-NVS RU-TOM RU-TY",
    "Asia/Omsk": "RU-OMS",
    "Asia/Sakhalin": "RU-MAG RU-SAK",
    "Asia/Tashkent": "UZ",
    "Asia/Vladivostok": "RU-KHA RU-PRI RU-YEV",
    "Asia/Yakutsk": "RU-AMU RU-SA RU-ZAB",
    "Asia/Yekaterinburg": "RU-BA RU-CHE RU-KGN RU-KHM RU-ORE RU-PER RU-SVE RU-TYU RU-YAN",
    "Atlantic/Azores": "PT-20",
    "Atlantic/Canary": "ES-CN ES-GC ES-TF",
    "Australia/Adelaide": "AU-SA",
    "Australia/Brisbane": "AU-QLD",
    "Australia/Darwin": "AU-NT",
    "Australia/Perth": "AU-WA",
    "Australia/Sydney": "AU",
    "Europe/Kaliningrad": "RU-KGD",
    "Europe/Kyiv": "UA",
    "Europe/Moscow": "RU",
    "Europe/Samara": "RU-AST RU-SAM RU-SAR RU-UD RU-ULY",
    "Europe/Simferopol": "UA-40 UA-43",  # the time used there, as tzdata records it
    "Pacific/Bougainville": "PG-NSB",
    "Pacific/Chatham": "NZ-CIT",
    "Pacific/Galapagos": "EC-W",
    "Pacific/Honolulu": "US-HI",
    "Pacific/Kanton": "KI-P",
    "Pacific/Kiritimati": "KI-L",
    "Pacific/Pohnpei": "FM-KSA FM-PNI",
    "Pacific/Wake": "UM",
}

# Territories that are subdivisions in ISO 3166-2 and countries in ISO 3166-1.
_TERRITORIES = (
    "FR-971=GP FR-972=MQ FR-973=GF FR-974=RE FR-976=YT FR-BL=BL FR-MF=MF FR-NC=NC FR-PF=PF FR-PM=PM FR-WF=WF "
    "NL-AW=AW NL-BQ1=BQ NL-BQ2=BQ NL-BQ3=BQ NL-CW=CW NL-SX=SX US-AS=AS US-GU=GU US-MP=MP US-PR=PR US-VI=VI"
)


def _lines(file: str) -> list[str]:
    """Returns the lines of a file of tzdata, without comments."""
    lines = (resources.files("tzdata") / "zoneinfo" / file).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@cache
def _country_by_zone() -> dict[str, str]:
    """Returns the country of each zone, in the order of zone.tab, and of each link to one."""
    rows = [line.split("\t") for line in _lines("zone.tab")]
    countries = {zone: country for country, _, zone, *_ in rows}
    links = [line.split()[1:] for line in _lines("tzdata.zi") if line.startswith("L ")]
    linked = {link: countries[zone] for zone, link in links if zone in countries}
    return {**countries, **{link: country for link, country in linked.items() if link not in countries}}


@cache
def _zone_by_code() -> dict[str, str]:
    zones: dict[str, str] = {}
    for zone, country in _country_by_zone().items():
        zones.setdefault(country, zone)
    zones.update((code, zone) for zone, codes in _ZONES.items() for code in codes.split())
    zones.update((pair[:-3], zones[pair[-2:]]) for pair in _TERRITORIES.split())
    return zones


def zone_of_region(code: str) -> str | None:
    """Returns the IANA name of the region's most populous zone, or None for an unknown country.

    `code` is an ISO 3166-2 subdivision or an ISO 3166-1 country, in any case, and may be padded with spaces. A
    subdivision that is not listed gets its country's zone.
    """
    region = _region(code)
    return _zone_by_code().get(region) or _zone_by_code().get(region[:2])


def country_of_region(code: str) -> str | None:
    """Returns the ISO 3166-1 country of a region as `zone_of_region` takes it, or None for an unknown country."""
    country = _region(code)[:2]
    return country if country in _zone_by_code() else None


def country_of_zone(zone: str) -> str | None:
    """Returns the ISO 3166-1 country of an IANA time zone, or None for a zone without a country, such as UTC."""
    return _country_by_zone().get(zone)


def _region(code: str) -> str:
    """Returns a region in upper case, or "" if it is not one."""
    region = code.strip(" ").upper()
    # upper() maps some non-ASCII letters to A-Z, so the code itself must be ASCII.
    return region if code.isascii() and _CODE.fullmatch(region) else ""
