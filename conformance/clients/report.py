"""Writes docs/clients.md: which steps each client passed."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from conformance.clients.catalogue import CLIENTS, Client

FILE = Path(__file__).parents[2] / "docs" / "clients.md"
ABOUT = """\
# Clients that connect

Third-party clients, in pinned versions, against a real service with two workers. `make conformance ALL=1` runs them all
and writes this file. `make conformance`, and so CI, runs those that install in reasonable time. {green} of {all} pass
every step that applies to them.

Each goes through one scenario (`conformance/test_clients.py`), with a person who allows access:

- sign in: it discovers the authorization server, registers or uses a given id and secret, and gets tokens;
- list: it sees every tool, and an empty list;
- add: it adds a to-do;
- refused: it sends an outdated version, gets an error, and passes on the hint;
- refresh: its access token has expired and it makes four calls at once; the person is never prompted again;
- undo: it undoes its first change;
- disconnect: it revokes its token, or the person disconnects it, and its next call fails.

"yes" is a pass, and "-" means that the step does not apply. A client with "key" does not support OAuth and sends the
service key.

"""
STEPS = ["sign in", "list", "add", "refused", "refresh", "undo", "disconnect"]


class Table:
    """The results of each client, by step."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, str]] = {}

    @contextlib.contextmanager
    def recording(self, client: Client, step: str, able: object) -> Iterator[None]:
        """Records whether the step in this context passes. `able` is falsy if it does not apply."""
        row = self.rows.setdefault(client.name, {})
        row[step] = "**no**"
        yield
        row[step] = "-" if not able else "yes" if client.oauth or step != "sign in" else "key"

    def write_if_asked(self) -> None:
        """Writes docs/clients.md, if ALL=1 and all clients have run."""
        if os.environ.get("ALL") and self.rows.keys() == {client.name for client in CLIENTS}:
            FILE.write_text(self.text(), encoding="utf-8")

    def text(self) -> str:
        """Returns the text of docs/clients.md."""
        green = sum(all(row.get(step) in ("yes", "-", "key") for step in STEPS) for row in self.rows.values())
        head = ["client", "package", *STEPS, "in CI"]
        lines = [head, ["---"] * len(head), *(self._cells(client) for client in CLIENTS)]
        return ABOUT.format(green=green, all=len(self.rows)) + "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def _cells(self, client: Client) -> list[str]:
        row = self.rows[client.name]
        steps = [row.get(step, "not reached") for step in STEPS]
        return [client.name, f"`{client.pinned}`", *steps, "no" if client.only_with_all else "yes"]
