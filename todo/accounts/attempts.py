"""What may be tried only so often: counted in the database, so that any number of workers counts as one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from todo.accounts import tokens
from todo.contract import SITE
from todo.domain.users import STORED_TIME, utc_now
from todo.errors import TooManyAttempts
from todo.storage.statements import Connection

WINDOW = timedelta(minutes=SITE.limit("attempts_minutes"))
MAX_COUNTERS = SITE.limit("attempt_counters")


@dataclass(frozen=True)
class Count:
    """One counter: `most` tries of one kind, by or for `whom`, in each window. Of an address, many people's count."""

    kind: str
    whom: str
    most: int
    of_address: bool = False

    @property
    def key(self) -> str:
        """Returns the name it is kept under, which is nobody's name or address to read."""
        return tokens.digest(f"{self.kind} {self.whom}")


def sign_ins(username: str, address: str) -> list[Count]:
    """Returns what a try to sign in counts for, whether or not there is such an account."""
    return [
        Count("sign-in from", address, SITE.limit("sign_ins_per_address"), of_address=True),
        Count("sign-in to", username, SITE.limit("sign_ins_per_account")),
    ]


def own_passwords(session: str) -> list[Count]:
    """Returns what the password of somebody who is signed in already counts for: what strangers try is not among it."""
    return [Count("password in", session, SITE.limit("passwords_per_session"))]


def sign_ups(address: str) -> list[Count]:
    return [Count("sign-up from", address, SITE.limit("sign_ups_per_address"), of_address=True)]


def registrations(address: str) -> list[Count]:
    return [Count("registration from", address, SITE.limit("registrations_per_address"), of_address=True)]


def fetches(address: str) -> list[Count]:
    return [Count("fetch for", address, SITE.limit("fetches_per_address"), of_address=True)]


def assertions(client_id: str) -> list[Count]:
    """Returns what an assertion counts for: each is kept until it has expired, so one client may bring so many."""
    return [Count("assertion of", client_id, SITE.limit("assertions_per_client"))]


def count(connection: Connection, counts: list[Count]) -> int:
    """Counts a try before it is made, so that tries at the same time count too. Returns the seconds to wait, or 0.

    What one counter refuses is not counted by the next, so an address adds no more rows than it has tries.
    """
    connection.delete_old_attempts(now=utc_now())
    if connection.count_attempts()["total"] >= MAX_COUNTERS:
        connection.delete_soonest_attempts(limit=MAX_COUNTERS // 10)
    for counted in counts:
        row = connection.count_attempt(key=counted.key, now=utc_now(), until=utc_now(WINDOW))
        if row["count"] > counted.most:
            end = datetime.strptime(row["until"], STORED_TIME).replace(tzinfo=UTC)
            return max(1, int((end - datetime.now(UTC)).total_seconds()))
    return 0


def limit(wait: int) -> None:
    """Raises TooManyAttempts where `count` said to wait. Apart from it, as a write that raises keeps nothing."""
    if wait:
        raise TooManyAttempts(wait)


def forgive(connection: Connection, counts: list[Count]) -> None:
    """Takes a try that succeeded back: the account's counter starts anew, the address's forgets this one try.

    Not all of the address's, or it could guess at others between two good sign-ins of its own.
    """
    for counted in counts:
        forget = connection.take_back_attempt if counted.of_address else connection.forget_attempts
        forget(key=counted.key)
