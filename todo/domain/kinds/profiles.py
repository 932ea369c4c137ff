"""The profile as a kind of record: the settings of a list. It is stored with the list's counters."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from todo.domain.records import Key, Kind, Stored
from todo.domain.users import User
from todo.storage.statements import Connection

if TYPE_CHECKING:
    from todo.domain.changeset import Changeset

JSON = dict[str, Any]

PROFILE = "profile"
PROFILE_KEY = Key(PROFILE, 0)  # each list has one profile


class Profile(NamedTuple):
    """The time zone and the first day of the week as stored; until somebody sets them, they are guessed or None."""

    time_zone: str | None
    time_zone_guessed: bool
    week_start: str | None = None
    change_id: int = 0


class ProfileKind(Kind):
    name = PROFILE
    place = 3
    record = Profile
    nouns = ("profile", "profiles")
    visible: ClassVar = {"time_zone": "time_zone", "time_zone_guessed": "time_zone_guessed", "week_start": "week_start"}
    later = frozenset({"week_start"})
    silent = frozenset({"time_zone_guessed"})
    settings: ClassVar = {
        "time_zone": "time zone",
        "time_zone_guessed": "time zone",
        "week_start": "first day of the week",
    }
    group = "lists or settings"

    def title(self, record: Profile) -> str:
        return record.time_zone or ""

    def find(self, connection: Connection, user: User, record_id: int) -> Stored:  # noqa: ARG002
        profile = Profile(user.stored_zone, user.time_zone_guessed, user.stored_week_start, user.profile_change_id)
        return Stored(profile, has_row=True, change_id=profile.change_id)

    def all_of(self, connection: Connection, user: User) -> Iterable[Any]:
        return [self.find(connection, user, PROFILE_KEY.id).record]

    def row(self, changeset: "Changeset", before: Profile, after: Profile, stored: Stored) -> JSON:  # noqa: ARG002
        return after._asdict()

    def save(self, changeset: "Changeset", new: Sequence[JSON], changed: Sequence[JSON]) -> None:  # noqa: ARG002
        for row in changed:
            changeset.connection.save_profile(**row)


KIND = ProfileKind()
