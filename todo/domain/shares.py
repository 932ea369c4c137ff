"""Shared to-dos: what somebody sees who has the address of one, and nothing else."""

from hashlib import sha256
from typing import NamedTuple

from todo.domain import users
from todo.domain.sections import Moment
from todo.domain.todos import Todo
from todo.domain.users import Owner
from todo.storage.statements import Connection

DRAWING = 1  # another number makes every picture be drawn anew


class Shared(NamedTuple):
    """A to-do that anybody may see, and what time it is where its owner is."""

    todo: Todo
    moment: Moment

    @property
    def picture(self) -> str:
        """Returns the name of its picture, which is another whenever something else is drawn."""
        drawn = (DRAWING, self.todo.todo, self.todo.due, self.todo.status)
        return sha256(repr(drawn).encode()).hexdigest()[:32]


def find(connection: Connection, share: str) -> Shared | None:
    """Returns the to-do of this secret, unless it is in the trash or its last day has passed."""
    row = connection.todo_by_share(share=share)
    if row is None:
        return None
    todo, moment = Todo.from_row(row), Moment.of(users.find(connection, Owner(row["username"], user_id=row["user_id"])))
    expired = todo.share_until is not None and todo.share_until < moment.today
    return None if expired or todo.status == "deleted" else Shared(todo, moment)
