"""Rate limits on sign-ins and the like, counted in the database and so shared by all workers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from todo.accounts import tokens
from todo.accounts.buckets import bucket_of, make_room, share_of
from todo.contract import SITE
from todo.domain.users import STORED_TIME, utc_now
from todo.errors.access import TooManyAttempts
from todo.storage.statements import Connection

WINDOW = timedelta(minutes=SITE.limit("attempts_minutes"))
MAX_COUNTERS = share_of(SITE.limit("attempt_counters"))  # in a bucket


@dataclass(frozen=True)
class AttemptLimit:
    """At most `max_attempts` of one kind per WINDOW and subject, such as a username or an IP address."""

    kind: str
    subject: str
    max_attempts: int
    per_address: bool = False

    @property
    def key(self) -> str:
        """Returns the counter's key, a hash that reveals no username or address."""
        return tokens.digest(f"{self.kind} {self.subject}")

    @property
    def bucket(self) -> str:
        return bucket_of(self.key)


def sign_ins(username: str, address: str) -> list[AttemptLimit]:
    """Returns the limits on a sign-in, whether or not the account exists."""
    return [
        AttemptLimit("sign-in from", address, SITE.limit("sign_ins_per_address"), per_address=True),
        AttemptLimit("sign-in to", username, SITE.limit("sign_ins_per_account")),
    ]


def passkeys(username: str | None, address: str) -> list[AttemptLimit]:
    """Returns the limits on a sign-in with a passkey: those of any sign-in, per account only if it names one."""
    limits = sign_ins(username or "", address)
    return limits if username else [limit for limit in limits if limit.per_address]


def own_passwords(session: str) -> list[AttemptLimit]:
    """Returns the limits on re-entering one's own password; strangers' attempts do not count towards them."""
    return [AttemptLimit("password in", session, SITE.limit("passwords_per_session"))]


def sign_ups(address: str) -> list[AttemptLimit]:
    return [AttemptLimit("sign-up from", address, SITE.limit("sign_ups_per_address"), per_address=True)]


def resets(username: str, address: str) -> list[AttemptLimit]:
    """Returns the limits on asking for a new password, whether or not the account exists."""
    return [
        AttemptLimit("reset from", address, SITE.limit("resets_per_address"), per_address=True),
        AttemptLimit("reset of", username, SITE.limit("resets_per_account")),
    ]


def registrations(address: str) -> list[AttemptLimit]:
    return [AttemptLimit("registration from", address, SITE.limit("registrations_per_address"), per_address=True)]


def fetches(address: str) -> list[AttemptLimit]:
    return [AttemptLimit("fetch for", address, SITE.limit("fetches_per_address"), per_address=True)]


def assertions(client_id: str) -> list[AttemptLimit]:
    """Returns the limits on client assertions, each of which is stored until it expires."""
    return [AttemptLimit("assertion of", client_id, SITE.limit("assertions_per_client"))]


def count(connection: Connection, limits: list[AttemptLimit]) -> int:
    """Counts an attempt before it is made, so that parallel ones count too. Returns the seconds to wait, or 0.

    An attempt over one limit is not counted by the next, so an address adds at most a row per attempt.
    """
    for bucket in sorted({limit.bucket for limit in limits}):  # in one order, so that no two calls wait for each other
        make_room(connection, "attempts", bucket, MAX_COUNTERS)
    for limit in limits:
        row = connection.count_attempt(bucket=limit.bucket, key=limit.key, now=utc_now(), until=utc_now(WINDOW))
        if row["count"] > limit.max_attempts:
            end = datetime.strptime(row["until"], STORED_TIME).replace(tzinfo=UTC)
            return max(1, int((end - datetime.now(UTC)).total_seconds()))
    return 0


def raise_if_limited(wait: int) -> None:
    """Raises TooManyAttempts for the result of `count`, which cannot: a write that raises is rolled back."""
    if wait:
        raise TooManyAttempts(wait)


def forgive(connection: Connection, limits: list[AttemptLimit]) -> None:
    """Uncounts a successful attempt: resets the account's counter, and decrements the address's.

    Resetting both would let an address guess other people's passwords between sign-ins of its own.
    """
    for limit in limits:
        uncount = connection.take_back_attempt if limit.per_address else connection.forget_attempts
        uncount(bucket=limit.bucket, key=limit.key)
