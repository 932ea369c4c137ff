"""Usernames and the lists they name: one list for each name, found by its id, which is never another's."""

from typing import Any

import pytest

from todo.domain import users
from todo.domain.forgetting import forget
from todo.domain.users import FIRST_ID, Owner
from todo.errors import StorageUnavailable
from todo.storage.database import open_engine
from todo.storage.engine import Engine
from todo.storage.statements import Connection

KEVIN = Owner("kevin")


def ids(connection: Connection) -> list[int]:
    """Returns the ids of all lists, after checking that each has its name and each name its list."""
    named = connection.driver.execute("SELECT user_id, username FROM usernames").fetchall()
    lists = connection.driver.execute("SELECT id, username FROM users").fetchall()
    assert sorted(tuple(dict(row).values()) for row in named) == sorted(tuple(dict(row).values()) for row in lists)
    return [dict(row)["id"] for row in lists]


def test_an_id_is_random_and_none_of_an_early_version(engine: Engine) -> None:
    opened = [engine.submit_write(users.open_list, Owner(f"user{number}")).result().id for number in range(20)]
    assert len({*opened}) == 20
    assert all(FIRST_ID <= user_id < 2**63 for user_id in opened)
    assert max(opened) > 2**58


def test_a_name_that_is_free_again_gets_another_id(engine: Engine) -> None:
    first = engine.submit_write(users.open_list, KEVIN).result().id
    assert engine.submit_write(forget, KEVIN).result()
    assert engine.submit_read(users.find, KEVIN).result().id == 0
    second = engine.submit_write(users.open_list, KEVIN).result().id
    assert second not in (0, first)
    assert engine.submit_read(users.find, KEVIN).result().id == second
    assert engine.submit_read(ids).result() == [second]


def test_another_process_may_have_given_the_name_to_another_list(
    engine: Engine, migrated_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.submit_write(users.open_list, KEVIN).result()
    first = engine.submit_read(users.find, KEVIN).result().id
    other = open_engine(migrated_database)
    other.start()
    try:
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(users, "_ids", {})
            other.submit_write(forget, KEVIN).result()
            second = other.submit_write(users.open_list, KEVIN).result().id
    finally:
        other.stop()
    assert users._ids["kevin"] == first != second
    assert engine.submit_read(users.find, KEVIN).result().id == second
    users._ids["kevin"] = first
    assert engine.submit_write(users.open_list, KEVIN).result().id == second


def test_a_cached_id_of_somebody_else_is_not_used(engine: Engine) -> None:
    kevin, anna = (engine.submit_write(users.open_list, Owner(name)).result().id for name in ("kevin", "anna"))
    users._ids["kevin"] = anna
    assert engine.submit_read(users.find, KEVIN).result().id == kevin


def test_what_is_rolled_back_opens_no_list(engine: Engine) -> None:
    def fail(connection: Connection) -> None:
        users.open_list(connection, KEVIN)
        raise KeyError

    with pytest.raises(KeyError):
        engine.submit_write(fail).result()
    assert engine.submit_read(users.find, KEVIN).result().id == 0
    assert engine.submit_read(ids).result() == []
    assert engine.submit_write(users.open_list, KEVIN).result().id


def test_first_writes_at_once_open_one_list(engine: Engine, migrated_database: str) -> None:
    other = open_engine(migrated_database)
    other.start()
    try:
        opened = [each.submit_write(users.open_list, Owner("kevin")) for _ in range(10) for each in (engine, other)]
        assert len({future.result().id for future in opened}) == 1
    finally:
        other.stop()
    assert len(engine.submit_read(ids).result()) == 1


def test_opened_and_deleted_at_once_it_has_one_name_or_none(engine: Engine, migrated_database: str) -> None:
    other = open_engine(migrated_database)
    other.start()
    try:
        rules = [users.open_list, forget] * 20
        ended: list[Any] = [each.submit_write(rule, KEVIN) for rule in rules for each in (engine, other)]
        failed = [error for future in ended if (error := future.exception())]
    finally:
        other.stop()
    assert not failed
    assert len(engine.submit_read(ids).result()) <= 1


def test_a_name_whose_list_is_not_there_is_not_waited_for(engine: Engine) -> None:
    """A database that is split may show one and not yet the other."""
    name = "INSERT INTO usernames (username, user_id) VALUES ('kevin', 5)"
    engine.submit_write(lambda connection: connection.driver.execute(name) and None).result()
    assert engine.submit_read(users.find, KEVIN).result().id == 0
    with pytest.raises(StorageUnavailable):
        engine.submit_write(users.open_list, KEVIN).result()
    assert not engine.submit_write(forget, KEVIN).result()
