"""Accounts, sessions and the authorization server. Only hashes of secrets are stored."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# Byte order on both databases, as in 0001.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def user_id(*, primary_key: bool = False) -> sa.Column[int]:
    key = {"primary_key": True, "autoincrement": False} if primary_key else {"nullable": False}
    return sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), **key)  # type: ignore[arg-type]


def upgrade() -> None:
    op.create_table(
        "accounts",
        user_id(primary_key=True),
        sa.Column("password_hash", Text, nullable=False),
        sa.Column("email", Text),
        sa.Column("created_at", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sessions",
        sa.Column("hash", Text, primary_key=True),
        user_id(),
        sa.Column("expires_at", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("sessions_by_user", "sessions", ["user_id"])
    # One-time codes with which a person takes over a list that a trusted host opened under their username.
    op.create_table(
        "claims",
        sa.Column("username", Text, primary_key=True),
        sa.Column("hash", Text, nullable=False),
        sa.Column("expires_at", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    # Counters for rate limits; the key is a hash of what is counted.
    op.create_table(
        "attempts",
        sa.Column("key", Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("until", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("attempts_by_end", "attempts", ["until"])
    op.create_table(
        "clients",
        sa.Column("id", Text, primary_key=True),
        sa.Column("kind", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("secret_hash", Text),
        sa.Column("redirect_uris", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("expires_at", Text),
        sqlite_with_rowid=False,
    )
    op.create_index("clients_by_end", "clients", ["expires_at"])
    # A person's consent for one client, to which all tokens issued under it belong.
    op.create_table(
        "grants",
        user_id(primary_key=True),
        sa.Column("id", Text, primary_key=True),
        sa.Column("client_id", Text, nullable=False),
        sa.Column("client_name", Text, nullable=False),
        sa.Column("scope", Text, nullable=False),
        sa.Column("resource", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("last_used_at", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("grants_by_client", "grants", ["client_id"])
    op.create_table(
        "codes",
        sa.Column("hash", Text, primary_key=True),
        user_id(),
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
        sa.Column("hash", Text, primary_key=True),
        user_id(),
        sa.Column("grant_id", Text, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("scope", Text, nullable=False),
        sa.Column("expires_at", Text, nullable=False),
        sa.Column("used_at", Text),
        sqlite_with_rowid=False,
    )
    op.create_index("tokens_by_grant", "tokens", ["user_id", "grant_id", "expires_at"])
    op.add_column("changes", sa.Column("grant_id", Text))
    by_grant = sa.text("grant_id IS NOT NULL")
    op.create_index(
        "changes_by_grant",
        "changes",
        ["user_id", "grant_id", "id"],
        sqlite_where=by_grant,
        postgresql_where=by_grant,
    )


def downgrade() -> None:
    op.drop_index("changes_by_grant", "changes")
    op.drop_column("changes", "grant_id")
    for table in ("tokens", "codes", "grants", "clients", "attempts", "claims", "sessions", "accounts"):
        op.drop_table(table)
