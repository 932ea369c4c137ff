"""The version of what a page shows, by which it learns that its list has changed."""

import time

from todo.domain.users import User

# Time changes a page too: what was due in an hour is overdue. Pages are told so every ten minutes, not all at once.
MINUTES = 10


def version_of(user_id: int, last_change_id: int) -> str:
    """Returns the version of what a page shows of a list, as an entity tag (RFC 9110 section 8.8.3)."""
    return f'"{user_id}-{last_change_id}-{(int(time.time() / 60) + user_id) // MINUTES}"'


def version(user: User) -> str:
    """Returns the same for a user."""
    return version_of(user.id, user.last_change_id)
