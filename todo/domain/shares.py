"""Shared to-dos: what anyone with the link can see."""

from hashlib import sha256
from typing import NamedTuple

from todo.domain import addresses
from todo.domain.sections import Moment
from todo.domain.todos import Todo
from todo.domain.users import Owner, User
from todo.storage.statements import Connection

PICTURE_VERSION = 2  # increase it to redraw every picture


class SharedTodo(NamedTuple):
    """A to-do with a public link, and its owner's local time."""

    todo: Todo
    moment: Moment

    @property
    def picture(self) -> str:
        """Returns the name of the preview picture, a hash of what it shows."""
        drawn = (PICTURE_VERSION, self.todo.todo, self.todo.due, self.todo.status)
        return sha256(repr(drawn).encode()).hexdigest()[:32]


def find(connection: Connection, share: str) -> SharedTodo | None:
    """Returns the to-do with this share secret, or None if there is none, it is deleted, or the link has expired."""
    user_id = addresses.owner_of(connection, share)
    row = user_id and connection.todo_by_share(user_id=user_id, share=share)
    owner = connection.user_by_id(user_id=user_id) if row else None
    if not row or not owner:
        return None
    todo, moment = Todo.from_row(row), Moment.of(User.from_row(owner, Owner(owner["username"])))
    expired = todo.share_until is not None and todo.share_until < moment.today
    return None if expired or todo.status == "deleted" else SharedTodo(todo, moment)
