"""The secrets in the URLs of shared to-dos and calendars."""

from todo.domain import owned_secrets
from todo.storage.statements import Connection

RANDOM_BYTES = 16
OLD_CHARACTERS = 22  # of an address without its owner's id, as they were up to 1.0.0


def new(user_id: int) -> str:
    """Returns a new secret with the owner's id and 128 random bits."""
    return owned_secrets.new(user_id, RANDOM_BYTES)


def owner_of(connection: Connection, address: str) -> int | None:
    """Returns the id of the user whom the secret names, or None. The caller must check that the secret is theirs."""
    if len(address) != OLD_CHARACTERS:
        return owned_secrets.owner_of(address)
    row = connection.owner_of_old_address(address=address)
    return row["user_id"] if row else None


def forget_old(connection: Connection, user_id: int) -> None:
    """Deletes all old addresses of a user."""
    for row in connection.old_addresses_of_user(user_id=user_id):
        connection.delete_old_address(address=row["address"])
    connection.delete_old_addresses_of_user(user_id=user_id)
