"""The table of docs/clients.md: what each client of a run could do."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from conformance.clients.catalogue import CLIENTS, Client

FILE = Path(__file__).parents[2] / "docs" / "clients.md"
ABOUT = """\
# Clients that connect

Clients written by others, each in the version that is named, against a real service with two workers.
`make conformance ALL=1` runs them all and writes this file. `make conformance`, and so CI, runs those that install in
reasonable time. {green} of {all} can do all that is asked of them.

Each lives one story (`conformance/test_clients.py`), in which a person allows what the client asks for:

- sign in: it finds the authorization server, registers itself or is given an id and a secret, and gets its tokens;
- list: it sees every tool, and an empty list;
- add: it adds a to-do;
- refused: it names an old version, is refused, and hands on the hint to whoever uses it;
- refresh: its access token has expired, and it makes four calls at once; the person is not asked again, then or later;
- undo: it takes its first change back;
- disconnect: it revokes its token, or the person disconnects it; it gets no further.

"yes" means that it did, "-" that there is no such thing for it: a client with "key" knows no OAuth, and brings the
service key.

"""
STEPS = ["sign in", "list", "add", "refused", "refresh", "undo", "disconnect"]


class Table:
    """What happened in each step of each client's story."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, str]] = {}

    @contextlib.contextmanager
    def noting(self, client: Client, step: str, able: object) -> Iterator[None]:
        """Notes how a step ends."""
        row = self.rows.setdefault(client.name, {})
        row[step] = "**no**"
        yield
        row[step] = "-" if not able else "yes" if client.oauth or step != "sign in" else "key"

    def write_if_asked(self) -> None:
        """Writes the file once all clients have run, with ALL=1."""
        if os.environ.get("ALL") and self.rows.keys() == {client.name for client in CLIENTS}:
            FILE.write_text(self.text(), encoding="utf-8")

    def text(self) -> str:
        """Returns the file."""
        green = sum(all(row.get(step) in ("yes", "-", "key") for step in STEPS) for row in self.rows.values())
        head = ["client", "package", *STEPS, "in CI"]
        lines = [head, ["---"] * len(head), *(self._cells(client) for client in CLIENTS)]
        return ABOUT.format(green=green, all=len(self.rows)) + "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def _cells(self, client: Client) -> list[str]:
        row = self.rows[client.name]
        steps = [row.get(step, "not reached") for step in STEPS]
        return [client.name, f"`{client.pinned}`", *steps, "no" if client.only_with_all else "yes"]
