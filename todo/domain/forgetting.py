"""Forgetting a user: what is removed with an account."""

from todo.domain import addresses, users
from todo.domain.kinds import KINDS
from todo.domain.users import Owner
from todo.storage.statements import Connection


def forget(connection: Connection, owner: Owner) -> bool:
    """Deletes the user with the list, log, account, grants and sessions. Returns False if there is no such user.

    Raises SignedOut if the session has ended.
    """
    user_id = users.lock(connection, owner).id if owner.user_id else users.locked_id(connection, owner.username)
    connection.delete_claim(username=owner.username)
    if user_id is None:
        return False
    connection.delete_tokens_of_user(user_id=user_id)
    connection.delete_codes_of_user(user_id=user_id)
    connection.delete_grants_of_user(user_id=user_id)
    connection.delete_sessions_of_user(user_id=user_id)
    connection.delete_resets_of_user(user_id=user_id)
    connection.delete_passkeys_of_user(user_id=user_id)
    connection.delete_account(user_id=user_id)
    connection.delete_answers_of_user(user_id=user_id)
    connection.delete_changes_of_user(user_id=user_id)
    for kind in KINDS.values():
        kind.remove_all(connection, user_id)
    addresses.forget_old(connection, user_id)
    connection.delete_user(user_id=user_id)
    connection.free_username(username=owner.username, user_id=user_id)
    return True
