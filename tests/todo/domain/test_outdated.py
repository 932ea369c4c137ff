"""A bulk change is done to what matched, or not at all."""

from functools import partial
from typing import Any

import pytest

from todo.domain import changes, matching
from todo.domain.users import Owner
from todo.storage.engine import Engine

KEVIN = Owner("kevin")
WANTED: dict[str, Any] = {"filter": {"tag": "home"}, "action": "complete", "expect": 1}


def add(engine: Engine, **fields: Any) -> None:
    engine.submit_write(changes.act, KEVIN, {"action": "add", "todo": "Buy milk", **fields}).result()


@pytest.mark.parametrize("tags", [["home"], ["work"]])
def test_what_was_found_before_another_change_is_not_done(engine: Engine, tags: list[str]) -> None:
    add(engine, tags=["home"])
    found = engine.submit_read(matching.find, KEVIN, WANTED).result()
    assert (found.matched, found.ids) == (1, [1])
    add(engine, tags=tags)
    with pytest.raises(matching.Outdated):
        engine.submit_write(partial(matching.change, found=found), KEVIN, WANTED).result()


def test_what_was_removed_for_good_since_is_looked_for_again(engine: Engine) -> None:
    add(engine, tags=["home"])
    found = engine.submit_read(matching.find, KEVIN, WANTED).result()
    gone = found._replace(ids=[1, 2], matched=2)
    with pytest.raises(matching.Outdated):
        engine.submit_write(partial(matching.change, found=gone), KEVIN, {**WANTED, "expect": 2}).result()


def test_a_list_that_is_new_meanwhile(engine: Engine) -> None:
    found = engine.submit_read(matching.find, KEVIN, WANTED).result()
    add(engine, tags=["home"])
    with pytest.raises(matching.Outdated):
        engine.submit_write(partial(matching.change, found=found), KEVIN, WANTED).result()
