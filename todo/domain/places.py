"""Places: where open to-dos with the same due date, or with none, stand among each other.

A place is a whole number, and the least comes first. A to-do that was never moved has one that follows from its id:
the newest comes first where there is no date, and last on a day. One that was moved has a place of its own between
those of its neighbours. It is odd, so it never equals one that follows from an id, and never zero.
"""

from collections.abc import Mapping, Sequence

from todo.domain.paging import MOST, NO_DUE
from todo.domain.todos import Todo

SPACING = 2**30  # between to-dos that were never moved; an id has up to 31 bits
STEP = 2**16  # from the first or the last to-do to one that is moved there
ROOM = 2**8  # the least between neighbours that are spaced anew


def default_of(todo_id: int, due: str | None) -> int:
    """Returns the place of a to-do that was never moved."""
    return todo_id * SPACING if due else -todo_id * SPACING


def place_of(todo: Todo) -> int:
    return default_of(todo.id, todo.due) if todo.position is None else todo.position


def order_of(todo: Todo) -> tuple[str, int, int]:
    """Returns what sorts to-dos of a section: the date, the place and, where an undo brought a place back, the id."""
    return todo.due or NO_DUE, place_of(todo), todo.id


def id_at(place: int, section: str) -> int:
    """Returns the id after which to-dos of a section that were never moved stand behind a place."""
    return -(place // SPACING) if section == "undated" else place // SPACING


def age_of(todo: Todo) -> tuple[int, int]:
    """Returns what sorts to-dos so that, added again one after the other, they are in the same order."""
    if todo.status != "open":
        return todo.id * SPACING, todo.id
    return (place_of(todo), todo.id) if todo.due else (-place_of(todo), -todo.id)


def ends_of(due: str | None, last_id: int) -> tuple[int, int]:
    """Returns the bounds of places: what is added later stands before all that were moved, on a day behind them."""
    next_place = default_of(last_id + 1, due)
    return (-MOST, next_place) if due else (next_place, MOST)


def insert(places: Sequence[int], at: int, ends: tuple[int, int]) -> Mapping[int, int]:
    """Returns the place of one more to-do at index `at` of places in ascending order, by its index.

    Where its neighbours leave no room, they are spaced anew, and what is returned has their places too.
    """
    low, high = _around(places, at, at, ends, STEP)
    place = (low + high) // 2 | 1
    return {at: place} if low < place < high else _spaced(places, at, ends)


def _spaced(places: Sequence[int], at: int, ends: tuple[int, int]) -> Mapping[int, int]:
    """Returns new places of as few neighbours as need be, and the one between them."""
    width, step = 1, 0
    while step < ROOM:
        width *= 2
        start, stop = max(0, at - width), min(len(places), at + width)
        low, high = _around(places, start, stop, ends, width * STEP)
        step = (high - low) // (stop - start + 2)
    return {start + number: (low + step * (number + 1)) | 1 for number in range(stop - start + 1)}


def _around(places: Sequence[int], start: int, stop: int, ends: tuple[int, int], beyond: int) -> tuple[int, int]:
    """Returns the places before index `start` and from index `stop` on; at an end, twice `beyond` from the last one."""
    low = places[start - 1] if start else max(ends[0], places[0] - 2 * beyond)
    high = places[stop] if stop < len(places) else min(ends[1], places[-1] + 2 * beyond)
    return low, high
