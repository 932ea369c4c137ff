"""Every key begins with the id of the owner, so that tables can be split by it; usernames are a table of their own.

Sessions, codes and tokens now carry the owner's id, so the old ones are deleted. Old addresses of shared to-dos and
calendars do not carry it and go on working: `old_addresses` says whose they are.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from migrations.citus import join_tables

revision = "0010"
down_revision = "0009"

# Byte order on both databases, as in 0001.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

UNIQUE_USERNAME = "users_username_key"  # PostgreSQL's name for it; on SQLite it had none before a downgrade
NAMES = {"uq": "%(table_name)s_%(column_0_name)s_key"}

OLD_CHARACTERS = 22
OLD_ADDRESSES = f"""
SELECT user_id, share AS address FROM todos WHERE LENGTH(share) = {OLD_CHARACTERS}
UNION SELECT user_id, calendar AS address FROM accounts WHERE LENGTH(calendar) = {OLD_CHARACTERS}
"""  # noqa: S608
# An undo can bring back an address that is no longer shared. In JSON no text holds a bare quotation mark.
LOGGED = """
SELECT user_id, before, after FROM changes WHERE before LIKE '%"share":%' OR after LIKE '%"share":%'
"""
LOGGED_ADDRESS = re.compile(rf'"share": ?"([A-Za-z0-9_-]{{{OLD_CHARACTERS}}})"')

UNIQUE_ADDRESSES = (("todos", "share", "todos_by_share"), ("accounts", "calendar", "accounts_by_calendar"))

Columns = Callable[[], list[sa.Column[str] | sa.Column[int]]]

# As in the service when this revision was written: how long a client is kept that is used, and one that is not.
USED_CLIENT, UNUSED_CLIENT = timedelta(days=62), timedelta(days=1)
END_OF_CLIENTS = """
UPDATE clients SET
    fresh_until = CASE WHEN kind = 'document' THEN expires_at END,
    expires_at = CASE WHEN id IN (SELECT client_id FROM grants) THEN :used ELSE :unused END
WHERE kind <> 'operator'
"""


def attempts() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        sa.Column("key", Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("until", Text, nullable=False),
    ]


def assertions() -> list[sa.Column[str] | sa.Column[int]]:
    return [sa.Column("hash", Text, primary_key=True), sa.Column("expires_at", Text, nullable=False)]


def clients() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        sa.Column("id", Text, primary_key=True),
        sa.Column("kind", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("secret_hash", Text),
        sa.Column("redirect_uris", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("expires_at", Text),
        sa.Column("auth_methods", Text),
        sa.Column("jwks", Text),
        sa.Column("jwks_uri", Text),
        sa.Column("fresh_until", Text),
    ]


# Each table without an owner, with its columns and the one that says when a row ends.
BUCKETED: dict[str, tuple[Columns, str]] = {
    "attempts": (attempts, "until"),
    "assertions": (assertions, "expires_at"),
    "clients": (clients, "expires_at"),
}


def upgrade() -> None:
    split_usernames()
    keep_old_addresses()
    op.drop_index("todos_by_share", "todos")
    shared = sa.text("share IS NOT NULL")
    by_share = ["user_id", "share"]
    op.create_index("todos_by_share", "todos", by_share, unique=True, sqlite_where=shared, postgresql_where=shared)
    op.drop_index("accounts_by_calendar", "accounts")
    split_into_buckets()
    op.execute("DELETE FROM grants")
    op.drop_index("grants_by_client", "grants")
    for table in ("sessions", "codes", "tokens"):
        op.drop_table(table)
    create_secrets(by_owner=True)


def split_usernames() -> None:
    op.create_table(
        "usernames",
        sa.Column("username", Text, primary_key=True),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO usernames (username, user_id) SELECT username, id FROM users")
    with op.batch_alter_table("users", naming_convention=NAMES) as users:
        users.drop_constraint(UNIQUE_USERNAME, type_="unique")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE users ALTER COLUMN id DROP IDENTITY")


def keep_old_addresses() -> None:
    op.create_table(
        "old_addresses",
        sa.Column("address", Text, primary_key=True),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    # The same by user, to delete a user's.
    op.create_table(
        "old_addresses_of_users",
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
        sa.Column("address", Text, primary_key=True),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    known = {tuple(row) for row in connection.execute(sa.text(OLD_ADDRESSES))} | {*logged_addresses(connection)}
    rows = [{"user_id": user_id, "address": address} for user_id, address in sorted(known)]
    for table in ("old_addresses", "old_addresses_of_users") if rows else ():
        statement = f"INSERT INTO {table} (user_id, address) VALUES (:user_id, :address)"  # noqa: S608
        connection.execute(sa.text(statement), rows)


def logged_addresses(connection: sa.Connection) -> Iterator[tuple[int, str]]:
    for user_id, *texts in connection.execute(sa.text(LOGGED)):
        for text in filter(None, texts):
            yield from ((user_id, address) for address in LOGGED_ADDRESS.findall(text))


def split_into_buckets() -> None:
    """Puts the first letter of a hash or an id before it, into the key. Clients in use now have an end, too."""
    connection = op.get_bind()
    op.add_column("clients", sa.Column("fresh_until", Text))
    connection.execute(sa.text(END_OF_CLIENTS), {"used": after(USED_CLIENT), "unused": after(UNUSED_CLIENT)})
    for table, (columns, end) in BUCKETED.items():
        rebuild(table, columns, end, with_bucket=True)


def after(time: timedelta) -> str:
    return f"{datetime.now(UTC) + time:%Y-%m-%dT%H:%M:%SZ}"


def rebuild(table: str, columns: Columns, end: str, *, with_bucket: bool) -> None:
    """Copies a table of buckets into one with, or without, its first column."""
    op.drop_index(f"{table}_by_end", table)
    op.rename_table(table, f"old_{table}")
    made = columns()
    names = [column.name for column in made]
    bucket = [sa.Column("bucket", Text, primary_key=True)] if with_bucket else []
    op.create_table(table, *bucket, *made, sqlite_with_rowid=False)
    copied, first = ", ".join(names), f"SUBSTR({names[0]}, 1, 1), "
    op.execute(
        f"INSERT INTO {table} ({'bucket, ' if bucket else ''}{copied})"  # noqa: S608
        f" SELECT {first if bucket else ''}{copied} FROM old_{table}"
    )
    op.drop_table(f"old_{table}")
    op.create_index(f"{table}_by_end", table, [*(["bucket"] if bucket else []), end])


def create_secrets(*, by_owner: bool) -> None:
    """Creates the tables of sessions, codes and tokens, with the owner's id in their keys or beside them."""
    op.create_table(
        "sessions",
        *key(by_owner=by_owner),
        sa.Column("expires_at", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "codes",
        *key(by_owner=by_owner),
        sa.Column("client_id", Text, nullable=False),
        sa.Column("redirect_uri", Text, nullable=False),
        sa.Column("scope", Text, nullable=False),
        sa.Column("resource", Text, nullable=False),
        sa.Column("challenge", Text),
        sa.Column("expires_at", Text, nullable=False),
        sa.Column("grant_id", Text),
        sqlite_with_rowid=False,
    )
    op.create_index("codes_by_user", "codes", ["user_id", "expires_at"])
    op.create_table(
        "tokens",
        *key(by_owner=by_owner),
        sa.Column("grant_id", Text, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("scope", Text, nullable=False),
        sa.Column("expires_at", Text, nullable=False),
        sa.Column("used_at", Text),
        sa.Column("successor", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_index("tokens_by_grant", "tokens", ["user_id", "grant_id", "expires_at"])
    sealed = sa.text("successor IS NOT NULL")
    op.create_index(
        "tokens_by_successor", "tokens", ["user_id", "grant_id"], sqlite_where=sealed, postgresql_where=sealed
    )


def key(*, by_owner: bool) -> list[sa.Column[int] | sa.Column[str]]:
    user_id = sa.Column(
        "user_id", sa.BigInteger, sa.ForeignKey("users.id"), primary_key=by_owner, nullable=False, autoincrement=False
    )
    secret = sa.Column("hash", Text, primary_key=True)
    return [user_id, secret] if by_owner else [secret, user_id]


def downgrade() -> None:
    """Signs everybody out, too. Addresses that have been given out since go on working."""
    join_tables(op.get_bind())
    for table in ("sessions", "codes", "tokens"):
        op.drop_table(table)
    create_secrets(by_owner=False)
    op.create_index("sessions_by_user", "sessions", ["user_id"])
    op.execute("DELETE FROM grants")
    op.create_index("grants_by_client", "grants", ["client_id"])
    for table, (columns, end) in BUCKETED.items():
        rebuild(table, columns, end, with_bucket=False)
    op.execute("UPDATE clients SET expires_at = fresh_until WHERE kind = 'document'")
    op.drop_column("clients", "fresh_until")
    op.drop_index("todos_by_share", "todos")
    for table, column, index in UNIQUE_ADDRESSES:
        given = sa.text(f"{column} IS NOT NULL")
        op.create_index(index, table, [column], unique=True, sqlite_where=given, postgresql_where=given)
    for table in ("old_addresses_of_users", "old_addresses"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE users ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY")
    with op.batch_alter_table("users") as users:
        users.create_unique_constraint(UNIQUE_USERNAME, ["username"])
    op.drop_table("usernames")
