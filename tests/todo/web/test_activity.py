"""Actors as plain text."""

import pytest

from todo.domain.history import Actor
from todo.web import activity


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
    assert activity.actor(actor) == said
    assert Actor.named(actor.key) == actor
