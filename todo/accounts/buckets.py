"""Buckets, by which the tables that have no owner are split.

What is expired or surplus is looked for in the bucket that a call writes to, and so never in all of a table.
"""

COUNT = 16  # the first hexadecimal digits of a hash or of a random id; ids that are addresses have a bucket more


def bucket_of(key: str) -> str:
    return key[:1]


def share_of(limit: int) -> int:
    """Returns how much of a limit on all rows of a table is for one bucket."""
    return max(1, limit // COUNT)
