"""Large changes: as many statements as small ones, whatever they hold."""

from typing import Any

from todo.domain import import_export, undo, users
from todo.domain.users import Owner
from todo.storage.engine import Engine
from todo.storage.statements import Connection

KEVIN = Owner("kevin")


class Counting:
    """A driver that counts what it is asked; a statement for many rows is one."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.count = 0

    def execute(self, *args: Any) -> Any:
        self.count += 1
        return self.driver.execute(*args)

    def cursor(self) -> Any:
        self.count += 1
        return self.driver.cursor()


def counted(connection: Connection, rule: Any, *args: Any, **kwargs: Any) -> int:
    """Returns how many statements a rule takes."""
    driver = Counting(connection.driver)
    rule(type(connection)(driver, connection.cache, connection.public_url), *args, **kwargs)
    return driver.count


def test_an_import_and_its_undo_take_a_few_statements(engine: Engine) -> None:
    file = import_export.Import.of(import_export.read_file("todo\n" + "A\n" * 300))
    assert engine.submit_write(counted, import_export.add_all, KEVIN, file).result() < 20
    for change_id in (1, 2):  # the import, and its undo
        assert engine.submit_write(counted, undo.undo, KEVIN, change_id, force=False).result() < 20


def test_a_list_that_is_known_is_found_and_locked_by_one_statement(engine: Engine) -> None:
    assert engine.submit_write(counted, users.open_list, KEVIN).result() <= 4
    engine.submit_read(users.find, KEVIN).result()
    assert engine.submit_read(counted, users.find, KEVIN).result() == 1
    assert engine.submit_write(counted, users.open_list, KEVIN).result() == 1
