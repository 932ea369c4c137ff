"""Search and fetch in the format that ChatGPT's deep research expects."""

from typing import Any

from todo.domain import steps, todos, users
from todo.domain.folding import escape_like, longest_words
from todo.domain.users import Owner
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_FOUND = 20
WORDS = ("first", "second", "third", "fourth", "fifth")  # the parameters of the statement
NO_WORD = "\n"  # this pattern matches no to-do, as folded text has no line breaks


def search(connection: Connection, owner: Owner, query: str) -> list[JSON]:
    """Returns {id, title, url} of open and done to-dos that match any word, best matches first, at most MAX_FOUND."""
    user = users.find(connection, owner)
    words = longest_words(query, len(WORDS))
    patterns = [f"%{escape_like(word)}%" for word in words] + [NO_WORD] * (len(WORDS) - len(words))
    rows = connection.search_words(user_id=user.id, limit=MAX_FOUND, **dict(zip(WORDS, patterns, strict=True)))
    return [{"id": str(row["id"]), "title": row["todo"], "url": _url(connection, owner, row["id"])} for row in rows]


def fetch(connection: Connection, owner: Owner, todo_id: int) -> JSON:
    """Returns the to-do as {id, title, text, metadata, url}. Raises TodoNotFound, also for one in the trash."""
    todo = todos.get(connection, owner, todo_id)
    title, notes, lines = todo.pop("todo"), todo.pop("notes", ""), steps.as_lines(todo.pop("steps", ()))
    return {
        "id": str(todo.pop("id")),
        "title": title,
        "text": "\n\n".join(filter(None, (title, notes, lines))),
        "metadata": {name: _as_text(value) for name, value in todo.items()},
        "url": _url(connection, owner, todo_id),
    }


def _url(connection: Connection, owner: Owner, todo_id: int) -> str:
    return f"{connection.public_url}/todos/{owner.username}/{todo_id}"


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, list) else str(value)
