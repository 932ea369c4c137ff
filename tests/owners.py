"""Lists with an id that a test knows, so that it can write down secrets that carry it."""

from todo.domain.owned_secrets import owner_of
from todo.domain.users import utc_now
from todo.storage.statements import Connection

ENCODED_ID = "B" * 11
ID = owner_of(ENCODED_ID)


def open_list(connection: Connection, username: str) -> None:
    """Opens a list with that id."""
    connection.take_username(username=username, user_id=ID)
    connection.open_user(user_id=ID, username=username, time_zone=None, time_zone_guessed=True, now=utc_now())
