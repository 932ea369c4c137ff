"""The version of a list page, which open pages poll to learn that the list has changed."""

import time

from todo.domain.users import User

# Time changes a page too, as to-dos become overdue: every list gets a new version this often, at different times.
MINUTES = 10


def version_of(user_id: int, last_change_id: int) -> str:
    """Returns the version of a user's list page, as an entity tag (RFC 9110 section 8.8.3)."""
    return f'"{user_id}-{last_change_id}-{(int(time.time() / 60) + user_id) // MINUTES}"'


def version(user: User) -> str:
    """Returns `version_of` for a user."""
    return version_of(user.id, user.last_change_id)
