"""Client assertions: each client's authentication methods and keys, and the assertions already used."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# Byte order on both databases, as in 0001.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for name in ("auth_methods", "jwks", "jwks_uri"):
        op.add_column("clients", sa.Column(name, Text))
    op.create_table(
        "assertions",
        sa.Column("hash", Text, primary_key=True),
        sa.Column("expires_at", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("assertions_by_end", "assertions", ["expires_at"])


def downgrade() -> None:
    op.drop_table("assertions")
    for name in ("jwks_uri", "jwks", "auth_methods"):
        op.drop_column("clients", name)
