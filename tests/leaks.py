"""Whether any secret that the service gave out, or was given, stands readable in what all the tests have left."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.people import NEW_PASSWORD, PASSWORD
from todo.accounts.tokens import PREFIXES

# Every secret that the service makes has the form of todo/accounts/tokens.py; the rest is what tests send.
MADE = re.compile(b"(?:%s)[A-Za-z0-9_-]{43}" % "|".join(PREFIXES.values()).encode())
SENT = [text.encode() for text in (PASSWORD, NEW_PASSWORD, "test-key-0123456789-", "next-key-0123456789-")]
HAND_MADE = re.compile(rb"todo_[a-z]{2}_(.)\1{42}")  # a test's own, of one letter, which never was one


def leaks(folder: Path) -> Iterator[str]:
    """Yields every file below the folder that holds a secret, with its first letters: databases, WAL and logs alike."""
    for file in folder.rglob("*"):
        # The operator's own file of settings is where the key belongs.
        if file.is_file() and not file.is_symlink() and file.name != ".env":
            yield from (f"{file}: {secret[:12].decode()}..." for secret in secrets_in(file.read_bytes()))


def secrets_in(data: bytes) -> set[bytes]:
    """Returns the secrets that stand in the data. A gigabyte is looked through, so by plain search first."""
    found = {secret for secret in SENT if secret in data}
    if b"todo_" in data:
        found |= {secret for secret in MADE.findall(data) if not HAND_MADE.fullmatch(secret)}
    return found
