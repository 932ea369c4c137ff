"""Buckets, which partition the tables that have no owner.

A write removes expired and surplus rows from its own bucket only, and so never searches a whole table.
"""

from todo.domain.users import utc_now
from todo.storage.statements import Connection

COUNT = 16  # the first hexadecimal digits of a hash or of a random id; ids that are addresses have a bucket more


def bucket_of(key: str) -> str:
    return key[:1]


def share_of(limit: int) -> int:
    """Returns one bucket's share of a limit on the rows of a table."""
    return max(1, limit // COUNT)


def make_room(connection: Connection, table: str, bucket: str, most: int) -> None:
    """Deletes the expired rows of a bucket and, if `most` are left, the tenth that expires first."""
    delete_old, count, delete_soonest = (
        getattr(connection, f"{name}_{table}") for name in ("delete_old", "count", "delete_soonest")
    )
    delete_old(bucket=bucket, now=utc_now())
    if count(bucket=bucket)["total"] >= most:
        delete_soonest(bucket=bucket, limit=max(1, most // 10))
