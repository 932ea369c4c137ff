"""Places: the order of open to-dos with the same due date, or with none.

A place is a whole number, and the smallest comes first. The place of a to-do that was never moved follows from its id:
the newest comes first among those without a date, and last on a day. A moved one has a stored place between those of
its neighbours. It is odd, so it never equals one that follows from an id, and is never zero.
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
    """Returns the sort key of a to-do in its section: date, place and, as an undo may bring back a used place, id."""
    return todo.due or NO_DUE, place_of(todo), todo.id


def id_at(place: int, section: str) -> int:
    """Returns the id to list after, for the to-dos of a section that were never moved and come after a place."""
    return -(place // SPACING) if section == "undated" else place // SPACING


def age_of(todo: Todo) -> tuple[int, int]:
    """Returns a sort key: to-dos added again one by one in this order end up as they are now."""
    if todo.status != "open":
        return todo.id * SPACING, todo.id
    return (place_of(todo), todo.id) if todo.due else (-place_of(todo), -todo.id)


def ends_of(due: str | None, last_id: int) -> tuple[int, int]:
    """Returns the bounds of places: later additions come before all moved to-dos or, on a day, after them."""
    next_place = default_of(last_id + 1, due)
    return (-MOST, next_place) if due else (next_place, MOST)


def insert(places: Sequence[int], at: int, ends: tuple[int, int]) -> Mapping[int, int]:
    """Returns the new places by index, for one more to-do at index `at` of places in ascending order.

    If its neighbours leave no room, they are spread out, and their new places are returned too.
    """
    low, high = _around(places, at, at, ends, STEP)
    place = (low + high) // 2 | 1
    return {at: place} if low < place < high else _spaced(places, at, ends)


def _spaced(places: Sequence[int], at: int, ends: tuple[int, int]) -> Mapping[int, int]:
    """Returns new places for as few neighbours as necessary, and for the one between them."""
    width, step = 1, 0
    while step < ROOM:
        width *= 2
        start, stop = max(0, at - width), min(len(places), at + width)
        low, high = _around(places, start, stop, ends, width * STEP)
        step = (high - low) // (stop - start + 2)
    return {start + number: (low + step * (number + 1)) | 1 for number in range(stop - start + 1)}


def _around(places: Sequence[int], start: int, stop: int, ends: tuple[int, int], beyond: int) -> tuple[int, int]:
    """Returns the places before index `start` and from index `stop`; at an end, twice `beyond` from the last one."""
    low = places[start - 1] if start else max(ends[0], places[0] - 2 * beyond)
    high = places[stop] if stop < len(places) else min(ends[1], places[-1] + 2 * beyond)
    return low, high
