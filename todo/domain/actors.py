"""Actors: who made a change. An assistant is known by its grant or, with the service key, by its name."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from todo.contract import SITE
from todo.domain.users import DAY, User
from todo.storage.statements import Connection

JSON = dict[str, Any]

ASSISTANT = "assistant"
RECENT_CHANGES = SITE.limit("recent_changes")
OF_CHATGPT = "openai "  # with the service key, ChatGPT is logged by an id of its conversation
CODE = 4  # characters of a grant's id that tell it from another


class ActorFilter(NamedTuple):
    """A filter for changes: by kind of actor, and for assistants by their grant or, without one, by their name."""

    actor: str | None = None
    client: str | None = None
    grant_id: str | None = None

    @property
    def conditions(self) -> JSON:
        """Returns the SQL parameters. ChatGPT's changes carry its name or an id of its conversations."""
        # No client name contains a line break.
        pattern = "%" if self.client is None else f"{OF_CHATGPT}%" if self.client == "ChatGPT" else "\n"
        return {
            "actor_pattern": self.actor or "%",
            "client": self.client or "",
            "client_pattern": pattern,
            "any_grant": self.grant_id is None,
            "grant_id": self.grant_id or "",
        }


class Actor(NamedTuple):
    """Who made a change: a person, the operator, or an assistant with its self-reported name.

    `grant_id` is "" for the service key. `connected` is the local day on which the person connected the assistant, ""
    if it is no longer connected. `note` distinguishes actors that would look the same.
    """

    kind: str
    client: str = ""
    grant_id: str = ""
    connected: str = ""
    note: str = ""

    @classmethod
    def of(cls, row: Any) -> "Actor":
        """Returns who made a logged change, from its row alone: without what is known about a grant."""
        if row["actor"] != ASSISTANT:
            return cls(row["actor"])
        name, grant_id = row["client"], row["grant_id"] or ""
        return cls(ASSISTANT, "ChatGPT" if not grant_id and name.startswith(OF_CHATGPT) else name, grant_id)

    @classmethod
    def named(cls, key: str) -> "Actor":
        """Returns the actor with this `key`, such as `person`, `assistant:ChatGPT` or `grant:` and an id."""
        kind, _, name = key.partition(":")
        return cls(ASSISTANT, grant_id=name) if kind == "grant" else cls(kind, name)

    @property
    def key(self) -> str:
        if self.grant_id:
            return f"grant:{self.grant_id}"
        return f"{self.kind}:{self.client}" if self.kind == ASSISTANT else self.kind

    @property
    def by(self) -> ActorFilter:
        """Returns the filter for this actor's changes."""
        if self.grant_id:
            return ActorFilter(self.kind, grant_id=self.grant_id)
        return ActorFilter(self.kind, self.client, "") if self.kind == ASSISTANT else ActorFilter(self.kind)


class Actors:
    """Finds the actors of changes in the log; knows the assistants that are connected."""

    def __init__(self, connection: Connection, user: User, recent: Sequence[Any] = ()) -> None:
        """`recent` are the latest changes, which tell disconnected assistants of the same name apart."""
        self._recent = recent
        self._connected: dict[str, Actor] = {}
        seen: Counter[tuple[str, str]] = Counter()
        for grant in connection.grants_of_user(user_id=user.id):
            name, day = grant["client_name"], user.local_minute(grant["created_at"])[:DAY]
            seen[name, day] += 1
            note = f"{seen[name, day]}" if seen[name, day] > 1 else ""
            self._connected[grant["id"]] = Actor(ASSISTANT, name, grant["id"], day, note)
        ended = {(row["client"], row["grant_id"]) for row in recent if row["grant_id"]}
        names = Counter(name for name, grant_id in ended if grant_id not in self._connected)
        self._alike = {name for name, count in names.items() if count > 1}

    @property
    def found(self) -> list[Actor]:
        """The actors of the recent changes."""
        return sorted({self.of(row) for row in self._recent})

    def named(self, key: str) -> Actor:
        """Returns the actor with this key, with its name and day if they are known."""
        who = Actor.named(key)
        return self._connected.get(who.grant_id) or next((one for one in self.found if one.key == key), who)

    def latest_change(self, who: Actor) -> int | None:
        """Returns the id of the actor's latest change, if it is recent."""
        return next((row["id"] for row in self._recent if self.of(row).key == who.key), None)

    def of(self, row: Any) -> Actor:
        """Returns who made the logged change in a row."""
        actor = Actor.of(row)
        if not actor.grant_id:
            return actor
        note = actor.grant_id[:CODE] if actor.client in self._alike else ""
        return self._connected.get(actor.grant_id) or actor._replace(note=note)


def conversation_of(row: Any) -> str:
    """Returns the id of the conversation in which a change was made, or "" if the log has none."""
    return row["client"] if not row["grant_id"] and row["client"].startswith(OF_CHATGPT) else ""
