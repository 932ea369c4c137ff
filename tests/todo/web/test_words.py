"""How things are said to a person."""

import pytest

from todo.domain.history import Actor
from todo.domain.sections import Moment
from todo.web import words

SUNDAY = Moment("2026-11-22T12:00", "2026-11-23", "Europe/Berlin")


@pytest.mark.parametrize(
    ("due", "said"),
    [
        ("2026-11-22", "today"),
        ("2026-11-22T18:00", "today 18:00"),
        ("2026-11-23T18:00", "tomorrow 18:00"),
        ("2026-11-21", "yesterday"),
        ("2026-11-20T09:05", "2 days ago 09:05"),
        ("2026-11-27", "Friday"),
        ("2026-11-28", "Saturday"),
        ("2026-11-29", "29 November"),
        ("2026-11-15", "15 November"),
        ("2027-02-01", "1 February 2027"),
    ],
)
def test_due(due: str, said: str) -> None:
    assert words.due(due, SUNDAY) == said


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR", "every 2 weeks on Monday, Wednesday and Friday"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "every month on the last Friday"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,2,3,11,22,-1", "every month on the 1st, 2nd, 3rd, 11th, 22nd and last day"),
        ("FREQ=YEARLY;COUNT=1", "every year, 1 more time"),
        ("FREQ=DAILY;UNTIL=20270301", "every day, until 1 March 2027"),
        ("FREQ=DAILY;UNTIL=20382183", "every day, until 20382183"),
    ],
)
def test_repeat(rule: str, said: str) -> None:
    assert words.repeat(rule) == said


@pytest.mark.parametrize(
    ("actor", "said"),
    [
        (Actor("person"), "You"),
        (Actor("operator"), "The operator"),
        (Actor("assistant", "Claude"), "Assistant “\u2068Claude\u2069”"),
        (Actor("assistant"), "Assistant without a name"),
        (Actor("assistant", "You\u200b"), "Assistant without a name"),
        (Actor("assistant", "An assistant without a name"), "Assistant without a name"),
        (Actor("assistant", " YOU "), "Assistant “\u2068YOU\u2069”"),
        (Actor("assistant", "x” and “You"), "Assistant “\u2068x' and 'You\u2069”"),
    ],
)
def test_actor(actor: Actor, said: str) -> None:
    assert words.actor(actor) == said
    assert Actor.named(actor.key) == actor


def test_addresses_keep_what_they_are_about() -> None:
    assert words.without("/list?q=a+b&changed=3&edit=4", "edit") == "/list?q=a+b"
    assert words.with_edit("/list?tag=x&changed=3", 7) == "/list?tag=x&edit=7#todo-7"
