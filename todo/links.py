"""The addresses that answers name."""

from contextvars import ContextVar

public_url: ContextVar[str] = ContextVar("public_url")


def todo_url(username: str, todo_id: int) -> str:
    """Returns where a to-do is, for whoever may see it."""
    return f"{public_url.get()}/todos/{username}/{todo_id}"
