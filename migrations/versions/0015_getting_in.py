"""Getting in: links that reset a password, and passkeys."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

# Byte order on both databases, as in 0001.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "resets",
        owner(),
        sa.Column("hash", Text, primary_key=True),
        sa.Column("expires_at", Text, nullable=False),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "passkeys",
        owner(),
        sa.Column("id", Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("last_used_at", Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "challenges",
        sa.Column("bucket", Text, primary_key=True),
        sa.Column("hash", Text, primary_key=True),
        sa.Column("expires_at", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("challenges_by_end", "challenges", ["bucket", "expires_at"])


def owner() -> sa.Column[int]:
    return sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False)


def downgrade() -> None:
    for table in ("challenges", "passkeys", "resets"):
        op.drop_table(table)
