"""To-dos as documents: found by words and read whole, in the shape that ChatGPT's deep research wants."""

from typing import Any

from todo.domain import todos, users
from todo.domain.users import Owner
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_FOUND = 20
WORDS = ("first", "second", "third", "fourth", "fifth")  # the parameters of the statement
NOT_A_WORD = ""  # a pattern that no text matches, as none is empty


def search(connection: Connection, owner: Owner, query: str) -> list[JSON]:
    """Returns id, title and url of the open and done to-dos with one of the words, those with most of them first."""
    user = users.find(connection, owner)
    # The longest words say the most.
    words = sorted(set(todos.fold(query).split()), key=lambda word: (-len(word), word))[: len(WORDS)]
    patterns = [f"%{todos.literal(word)}%" for word in words] + [NOT_A_WORD] * (len(WORDS) - len(words))
    rows = connection.search_words(user_id=user.id, limit=MAX_FOUND, **dict(zip(WORDS, patterns, strict=True)))
    return [{"id": str(row["id"]), "title": row["todo"], "url": _address(owner, row["id"])} for row in rows]


def fetch(connection: Connection, owner: Owner, todo_id: int) -> JSON:
    """Returns the to-do as a document. Raises TodoNotFound, also for one in the trash."""
    todo = todos.get(connection, owner, todo_id)
    title, notes = todo.pop("todo"), todo.pop("notes", "")
    return {
        "id": str(todo.pop("id")),
        "title": title,
        "text": f"{title}\n\n{notes}".strip(),
        "metadata": {name: _as_text(value) for name, value in todo.items()},
        "url": _address(owner, todo_id),
    }


def _address(owner: Owner, todo_id: int) -> str:
    """Returns where the to-do is, for whoever may see it."""
    return f"/todos/{owner.username}/{todo_id}"


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, list) else str(value)
