"""Places of to-dos among each other: there is always room for one more between any two."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo.domain.places import MOST, ROOM, SPACING, age_of, default_of, ends_of, id_at, insert, order_of
from todo.domain.todos import Todo

DUES = st.sampled_from([None, "2026-12-04"])


def todo(number: int, due: str | None = None, position: int | None = None, status: str = "open") -> Todo:
    return Todo(number, f"{number}", "", "", due=due, position=position, status=status)


def moved(places: list[int], source: int, target: int, due: str | None, last_id: int) -> tuple[list[int], int]:
    """Moves one of the places, and returns them with how many others were spaced anew."""
    others = places[:source] + places[source + 1 :]
    new = insert(others, target, ends_of(due, last_id))
    assert target in new
    result = [*others[:target], 0, *others[target:]]
    for index, place in new.items():
        result[index] = place
    assert all(place % 2 for place in new.values())
    return result, len(new) - 1


@given(DUES, st.integers(2, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=80))
def test_any_moves_keep_the_order_that_they_make(due: str | None, count: int, moves: list[tuple[int, int]]) -> None:
    places = sorted(default_of(number, due) for number in range(1, count + 1))
    for source, target in moves:
        before = len(places)
        places, _ = moved(places, source % count, target % count, due, count)
        assert len(places) == before
        assert places == sorted(set(places))
        low, high = ends_of(due, count)
        assert low < places[0]
        assert places[-1] < high


@pytest.mark.parametrize("due", [None, "2026-12-04"])
@pytest.mark.parametrize(("source", "target"), [(2, 1), (-1, 0), (0, -1), (0, 1)])
def test_room_does_not_run_out(due: str | None, source: int, target: int) -> None:
    count = 300
    places = sorted(default_of(number, due) for number in range(1, count + 1))
    most = 0
    for _ in range(3000):
        places, spaced = moved(places, source % count, target % count, due, count)
        assert places == sorted(set(places))
        most = max(most, spaced)
    assert most < 40  # few neighbours, whatever the length of the list
    assert max(map(abs, places)) < MOST


@pytest.mark.parametrize("due", [None, "2026-12-04"])
def test_to_the_top_again_and_again_moves_one_at_a_time(due: str | None) -> None:
    places = sorted(default_of(number, due) for number in range(1, 11))
    for _ in range(500):
        places, spaced = moved(places, -1 % 10, 0, due, 10)
        assert spaced == 0


def test_neighbours_that_are_spaced_anew_have_room_for_a_while() -> None:
    new = insert([1, 3, 2 * SPACING], 1, (-MOST, MOST))
    places = [new.get(0, 1), new[1], *(new[index] for index in sorted(new) if index > 1)]
    assert min(later - earlier for earlier, later in pairwise(places)) >= ROOM


@given(DUES, st.integers(1, 2**31 - 1), st.integers(-5, 5))
def test_an_id_is_found_at_its_place(due: str | None, todo_id: int, off: int) -> None:
    section = "upcoming" if due else "undated"
    place = default_of(todo_id, due)
    assert id_at(place, section) == todo_id
    neighbours = [number for number in range(todo_id - 2, todo_id + 3) if default_of(number, due) > place + off]
    after = id_at(place + off, section)
    behind = [number for number in range(todo_id - 2, todo_id + 3) if (number > after if due else number < after)]
    assert behind == neighbours


def test_added_again_in_order_of_age_they_stand_as_before() -> None:
    todos = [todo(1), todo(2, position=-3 * SPACING + 1), todo(3), todo(4, "2026-12-04"), todo(5, "2026-12-04", 7)]
    by_age = sorted([*todos, todo(6, status="done")], key=age_of)
    again = [each._replace(id=number, position=None) for number, each in enumerate(by_age, start=1)]
    texts = [[each.todo for each in sorted(some, key=order_of) if each.status == "open"] for some in (todos, again)]
    assert texts[0] == texts[1]
