"""Actors as plain text, and their names that cannot pass for somebody else."""

import pytest
import time_machine

from todo.domain.actors import Actor
from todo.web import activity


@pytest.mark.parametrize(
    ("actor", "said"),
    [
        (Actor("person"), "You"),
        (Actor("operator"), "The operator"),
        (Actor("assistant", "Claude"), "Service key, calls itself “\u2068Claude\u2069”"),
        (Actor("assistant"), "Service key, without a name"),
        (Actor("assistant", "You\u200b"), "Service key, without a name"),
        (Actor("assistant", "An assistant without a name"), "Service key, without a name"),
        (Actor("assistant", " YOU "), "Service key, calls itself “\u2068YOU\u2069”"),
        (Actor("assistant", "x” and “You"), "Service key, calls itself “\u2068x' and 'You\u2069”"),
    ],
)
def test_actor(actor: Actor, said: str) -> None:
    assert activity.actor(actor) == said
    assert Actor.named(actor.key) == actor


@pytest.mark.parametrize(
    ("actor", "said"),
    [
        (Actor("assistant", "Claude", "ab12", "2026-11-24"), "“\u2068Claude\u2069”, connected 24 November"),
        (Actor("assistant", "Claude", "ab12", "2026-11-24", "2"), "“\u2068Claude\u2069”, connected 24 November (2)"),
        (Actor("assistant", "Claude", "ab12", "2025-11-24"), "“\u2068Claude\u2069”, connected 24 November 2025"),
        (Actor("assistant", "Claude", "ab12"), "“\u2068Claude\u2069”, disconnected"),
        (Actor("assistant", "Claude", "ab12", note="ab12"), "“\u2068Claude\u2069”, disconnected (ab12)"),
        (Actor("assistant", "", "ab12"), "Assistant without a name, disconnected"),
        (Actor("assistant", "x”, connected 1 May", "ab12"), "“\u2068x', connected 1 May\u2069”, disconnected"),
    ],
)
def test_actor_by_a_grant(actor: Actor, said: str) -> None:
    with time_machine.travel("2026-11-30T12:00:00Z"):
        assert activity.actor(actor) == said
    assert actor.key == f"grant:{actor.grant_id}"
