"""The words for dates, times and repeats in the languages that quick add reads.

Each language is a table: words with their meanings, and pattern fragments for the words around them.
"""

# ruff: noqa: RUF001 - other languages have other apostrophes

from collections.abc import Mapping
from typing import NamedTuple

GAP = r"[ \u00a0]{1,3}"  # bounded, so that a pattern takes time in proportion to the text
WEEKEND, MONTH_END = "weekend", "month end"


class Words(NamedTuple):
    """A language. Keys are in lower case; fragments are regular expressions without groups."""

    days: Mapping[str, int | str]  # from today
    weekdays: Mapping[str, int]  # as date.weekday() counts
    short: Mapping[str, int]
    months: Mapping[str, int]
    unsure: frozenset[str]  # the weekdays and months that are other words too
    units: Mapping[str, str]  # with their FREQ
    clock_units: Mapping[str, int]  # in minutes
    numbers: Mapping[str, int]
    vague: frozenset[str]  # the numbers that are also articles
    parts_of_day: Mapping[str, str]
    evenings: Mapping[str, str]  # parts of this day, such as tonight
    places: Mapping[str, int]  # first, last
    special: Mapping[str, tuple[str, str]]  # after "every": a rule and a time of day
    adverbs: Mapping[str, str]
    lead: str  # may stand before a date, and goes with it
    on_the: str  # stands before the day of a month
    ordinal: str
    of: str
    ahead: str  # in 3 days
    from_now: str
    coming: str  # next, before the word
    coming_after: str  # and behind it
    every: str
    other: str  # every other day
    until: str
    when_done: str
    at: str
    o_clock: str
    noon: str
    joins: str
    of_each_month: str
    spoils: frozenset[str]  # after a date they limit it in a way that is not understood
    refuses: frozenset[str]  # after these words a date is not when the to-do is due
    closes: frozenset[str]  # before these words a date may stand without "on"
    names: frozenset[str] = frozenset()  # before a weekday they make a name of it
    month_first: bool = False
    capital_weekdays: bool = False
    capital_nouns: bool = False
    dots: bool = False  # whether 1.12. is a date on its own
    afternoon: bool = False  # whether "at 6" is in the afternoon


def _table(text: str) -> dict[str, int]:
    """Returns the words of a text, with the number of the column that they stand in."""
    return {word: number for number, column in enumerate(text.split("|")) for word in column.split()}


def _units(text: str, start: str = "") -> dict[str, str]:
    """Returns the words of a text with the FREQ of their column."""
    return {word: start + ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")[number] for word, number in _table(text).items()}


def _clock(text: str) -> dict[str, int]:
    return {word: (1, 60)[number] for word, number in _table(text).items()}


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _numbers(text: str) -> dict[str, int]:
    return {word: number + 1 for word, number in _table(text).items()}


ENGLISH = Words(
    days={
        **dict.fromkeys(("today", "tod"), 0),
        **dict.fromkeys(("tomorrow", "tmr", "tmrw", "tomorow", "tommorow", "tommorrow"), 1),
        **dict.fromkeys(("the day after tomorrow", "day after tomorrow"), 2),
        **dict.fromkeys(("this weekend", "the weekend"), WEEKEND),
        **dict.fromkeys(("the end of the month", "end of the month", "end of month"), MONTH_END),
    },
    weekdays=_table("monday|tuesday|wednesday|thursday|friday|saturday|sunday"),
    short=_table("mon|tue tues|wed|thu thur thurs|fri|sat|sun"),
    months=_numbers(
        "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sept sep|october oct"
        "|november nov|december dec"
    ),
    unsure=_set("may march mar sun sat wed mon jan"),
    units=_units("day days|week weeks|month months|year years"),
    clock_units=_clock("minute minutes min mins|hour hours h"),
    numbers={"a": 1, "an": 1} | _numbers("one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"),
    vague=_set("a an one"),
    parts_of_day={"morning": "09:00", "afternoon": "15:00", "evening": "18:00", "night": "20:00"},
    evenings={"tonight": "20:00", "this evening": "18:00", "this afternoon": "15:00", "this morning": "09:00"},
    places={"last": -1} | _numbers("first 1st|second 2nd|third 3rd|fourth 4th|fifth 5th"),
    special={
        "weekday": ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", ""),
        "workday": ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", ""),
        "weekend": ("FREQ=WEEKLY;BYDAY=SA", ""),
        "morning": ("FREQ=DAILY", "09:00"),
        "afternoon": ("FREQ=DAILY", "15:00"),
        "evening": ("FREQ=DAILY", "18:00"),
        "night": ("FREQ=DAILY", "20:00"),
        "quarter": ("FREQ=MONTHLY;INTERVAL=3", ""),
        "fortnight": ("FREQ=WEEKLY;INTERVAL=2", ""),
    },
    adverbs={
        **_units("daily|weekly|monthly|yearly annually", "FREQ="),
        "quarterly": "FREQ=MONTHLY;INTERVAL=3",
        "fortnightly": "FREQ=WEEKLY;INTERVAL=2",
    },
    lead=rf"(?:due{GAP})?(?:on{GAP}the|on|by{GAP}the|by|due|this|starting|starting{GAP}on)",
    on_the=rf"(?:on|by){GAP}the",
    ordinal="st|nd|rd|th",
    of="of",
    ahead="in",
    from_now=rf"from{GAP}(?:now|today)",
    coming="next",
    coming_after="",
    every="every|each",
    other="other|second",
    until=r"until|till|through",
    when_done=rf"after{GAP}(?:it{GAP}is{GAP}|it['’]s{GAP}|i{GAP}am{GAP}|being{GAP})?"
    "(?:done|completed|completion|completing)",
    at="at|@|by",
    o_clock=r"[ ]?o['’]clock",
    noon="noon|midday",
    joins="and|or|to|until|till|through|&",
    of_each_month=rf"of{GAP}(?:every|each){GAP}month",
    spoils=_set("except but"),
    refuses=_set(
        "before after since from until till for of about than to the a an is was it's like my your our his her their "
        "last past no not and or between through version vs versus every each during except early late mid"
    ),
    closes=_set("with in at for to by and about on via from before after if when because as re regarding or until"),
    names=_set("black good casual taco ash freaky cyber easter palm super fat giving bloody holy whit maundy shrove"),
    month_first=True,
    capital_weekdays=True,
    afternoon=True,
)

GERMAN = Words(
    days={
        **{"heute": 0, "morgen": 1, "übermorgen": 2},
        **dict.fromkeys(("am wochenende", "dieses wochenende"), WEEKEND),
        **dict.fromkeys(("ende des monats", "am monatsende", "bis monatsende"), MONTH_END),
    },
    weekdays=_table("montag|dienstag|mittwoch|donnerstag|freitag|samstag sonnabend|sonntag"),
    short={},
    months=_numbers(
        "januar jänner jan|februar feber feb|märz|april|mai|juni|juli|august|september sept|oktober okt|november nov"
        "|dezember dez"
    ),
    unsure=_set("mai"),
    units=_units("tag tage tagen|woche wochen|monat monate monaten|jahr jahre jahren"),
    clock_units=_clock("minute minuten|stunde stunden"),
    numbers={"einer": 1, "einem": 1, "ein": 1} | _numbers("|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn"),
    vague=_set("ein einem einer"),
    parts_of_day={"früh": "09:00", "vormittag": "09:00", "mittag": "12:00", "nachmittag": "15:00"}
    | {"abend": "18:00", "nacht": "20:00"},
    evenings={},
    places={"letzten": -1} | _numbers("ersten|zweiten|dritten|vierten|fünften"),
    special={
        "werktag": ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", ""),
        "morgen": ("FREQ=DAILY", "09:00"),
        "abend": ("FREQ=DAILY", "18:00"),
        "quartal": ("FREQ=MONTHLY;INTERVAL=3", ""),
    },
    adverbs=_units("täglich|wöchentlich|monatlich|jährlich", "FREQ="),
    lead="am|bis|bis zum|ab|diese[nrs]?",
    on_the="am|bis zum",
    ordinal=r"\.",
    of="des",
    ahead="in",
    from_now="",
    coming="nächste[nrs]?|kommende[nrs]?",
    coming_after="",
    every="jede[nrs]?|alle",
    other="zweiten?|zweites",
    until="bis|bis zum",
    when_done=rf"nach{GAP}(?:der{GAP})?erledigung",
    at="um",
    o_clock="[ ]?uhr",
    noon="mittags",
    joins="und|oder|bis",
    of_each_month=rf"jede[ns]{GAP}monats?",
    spoils=_set("außer"),
    refuses=_set(
        "vor nach seit von vom der die das den dem ein eine einen für über zu zum ist war und oder bis version letzten "
        "guten mit"
    ),
    closes=_set("mit in im um bei und wegen für zu zum zur von an auf oder"),
    names=_set("schwarzer rosen"),
    capital_weekdays=True,
    capital_nouns=True,
    dots=True,
)

FRENCH = Words(
    days={
        **dict.fromkeys(("aujourd'hui", "aujourd’hui"), 0),
        "demain": 1,
        **dict.fromkeys(("après-demain", "apres-demain"), 2),
        "ce week-end": WEEKEND,
        "fin du mois": MONTH_END,
    },
    weekdays=_table(
        "lundi lundis|mardi mardis|mercredi mercredis|jeudi jeudis|vendredi vendredis|samedi samedis|dimanche dimanches"
    ),
    short={},
    months=_numbers(
        "janvier|février fevrier|mars|avril|mai|juin|juillet|août aout|septembre|octobre|novembre|décembre decembre"
    ),
    unsure=frozenset(),
    units=_units("jour jours|semaine semaines|mois|an ans année années"),
    clock_units=_clock("minute minutes|heure heures"),
    numbers={"un": 1, "une": 1} | _numbers("|deux|trois|quatre|cinq|six|sept|huit|neuf|dix"),
    vague=_set("un une"),
    parts_of_day={"matin": "09:00", "après-midi": "15:00", "soir": "18:00"},
    evenings={"ce soir": "20:00", "cet après-midi": "15:00", "ce matin": "09:00"},
    places={},
    special={"matins": ("FREQ=DAILY", "09:00"), "matin": ("FREQ=DAILY", "09:00"), "soirs": ("FREQ=DAILY", "18:00")}
    | {"soir": ("FREQ=DAILY", "18:00"), "trimestre": ("FREQ=MONTHLY;INTERVAL=3", "")},
    adverbs={},
    lead="le|ce|d'ici|avant le|à partir de|à partir du",
    on_the="le",
    ordinal="er",
    of="de",
    ahead="dans",
    from_now="",
    coming="",
    coming_after="prochaine?",
    every="chaque|tous les|toutes les",
    other="deuxième",
    until="jusqu'au|jusqu’au",
    when_done="",
    at="à|a",
    o_clock="[ ]?h",
    noon="midi",
    joins="et|ou|au|à",
    of_each_month=rf"de{GAP}chaque{GAP}mois",
    spoils=_set("sauf"),
    refuses=_set(
        "avant après depuis de du des pour la les un une et ou est était au aux jusqu'à dernier version le mon ma"
    ),
    closes=_set("avec à a au chez pour et dans en sur par ou"),
)

SPANISH = Words(
    days={"hoy": 0, "mañana": 1, "pasado mañana": 2, "este fin de semana": WEEKEND, "fin de mes": MONTH_END},
    weekdays=_table("lunes|martes|miércoles miercoles|jueves|viernes|sábado sabado sábados|domingo domingos"),
    short={},
    months=_numbers(
        "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre setiembre|octubre|noviembre|diciembre"
    ),
    unsure=frozenset(),
    units=_units("día días dia dias|semana semanas|mes meses|año años"),
    clock_units=_clock("minuto minutos|hora horas"),
    numbers={"un": 1, "una": 1} | _numbers("|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez"),
    vague=_set("un una"),
    parts_of_day={"por la mañana": "09:00", "por la tarde": "15:00", "por la noche": "20:00"},
    evenings={"esta noche": "20:00", "esta tarde": "15:00"},
    places={},
    special={"mañanas": ("FREQ=DAILY", "09:00"), "noches": ("FREQ=DAILY", "20:00")},
    adverbs={},
    lead="el|este|a partir del",
    on_the="el",
    ordinal="º|ro",
    of="de",
    ahead="en|dentro de",
    from_now="",
    coming="(?:el |la )?próxim[oa]",
    coming_after="que viene",
    every="cada|todos los|todas las",
    other="otro",
    until="hasta el",
    when_done="",
    at="a las|a la",
    o_clock="[ ]?h",
    noon="mediodía",
    joins="y|o|al|a",
    of_each_month=rf"de{GAP}cada{GAP}mes",
    spoils=_set("excepto salvo menos"),
    afternoon=True,
    refuses=_set(
        "antes después desde hasta de del para la las un una y o es fue por esta cada último versión los el mi"
    ),
    closes=_set("con en a al para y por o"),
)

LANGUAGES = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH}
