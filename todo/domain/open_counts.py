"""How many to-dos are open and overdue, by list and by tag."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from todo.contract import API
from todo.domain.users import DAY, User
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_TAGS = API.limit("profile_tags")


class OpenCounts(NamedTuple):
    """Open and overdue to-dos by list id, and outside archived lists by tag."""

    open: Counter[int]
    overdue: Counter[int]
    tags: Sequence[JSON] = ()  # the most used first, as {tag, open, overdue}

    @classmethod
    def of(cls, connection: Connection, user: User, archived: set[int]) -> "OpenCounts":
        """Returns the counts; `archived` has the ids of archived lists."""
        now = user.local_now()
        opened: Counter[int] = Counter()
        overdue: Counter[int] = Counter()
        tags: dict[str, JSON] = {}
        for row in connection.count_open(user_id=user.id, now=now, today=now[:DAY]):
            opened[row["list_id"]] += row["open"]
            overdue[row["list_id"]] += row["overdue"]
            if row["list_id"] not in archived:
                # Folded anew, the tags of a large list would take seconds.
                for key, tag in zip(row["tag_keys"][1:-1].split("\n\n"), orjson.loads(row["tags"]), strict=False):
                    counted = tags.setdefault(key, {"tag": tag, "open": 0, "overdue": 0})
                    counted["open"] += row["open"]
                    counted["overdue"] += row["overdue"]
        return cls(opened, overdue, sorted(tags.values(), key=lambda tag: (-tag["open"], tag["tag"])))

    @classmethod
    def by_list(cls, connection: Connection, user: User) -> "OpenCounts":
        """Returns the counts by list only, which takes a hundredth of the time: a write can wait for it."""
        now = user.local_now()
        rows = connection.count_open_by_list(user_id=user.id, now=now, today=now[:DAY])
        opened, overdue = ({row["list_id"]: row[name] for row in rows} for name in ("open", "overdue"))
        return cls(Counter(opened), Counter(overdue))

    def of_list(self, list_id: int) -> JSON:
        """Returns the counts of one list."""
        return {"open": self.open[list_id], "overdue": self.overdue[list_id]}

    def shown_tags(self) -> JSON:
        """Returns the most used tags, and how many others were left out."""
        more = len(self.tags) - MAX_TAGS
        return {"tags": list(self.tags[:MAX_TAGS]), **({"tags_left_out": more} if more > 0 else {})}
