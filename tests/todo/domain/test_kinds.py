"""Each kind of record has what the log, undo, the contract and the pages ask of it."""

import pytest

from todo.contract import API
from todo.domain.kinds import KINDS
from todo.domain.records import Kind

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def test_they_stand_in_their_order() -> None:
    assert [name for name in KINDS if name in ("list", "profile", "todo")] == ["todo", "list", "profile"]


@each_kind
def test_what_people_see_is_stored(kind: Kind) -> None:
    assert set(kind.visible.values()) <= set(kind.fields)
    assert set(kind.visible) >= kind.later | kind.silent | set(kind.display)
    assert set(kind.fields) >= kind.texts | kind.sequences | kind.monotonic | set(kind.settings)
    assert "change_id" in kind.monotonic


@each_kind
def test_answers_about_changes_tell_of_it_as_the_contract_says(kind: Kind) -> None:
    if kind.listed_as:
        for schema in ("Change", "Undone"):
            assert kind.listed_as in API.resolved_schema(schema)["properties"]
    else:
        assert kind.settings
    if kind.id_name:
        assert kind.id_name in API.resolved_schema("UndoConflict")["properties"]


@each_kind
def test_it_is_counted_by_action_or_as_a_group(kind: Kind) -> None:
    assert bool(kind.group) == (kind.name != "todo")
