"""Used refresh tokens store their successor for a grace period, encrypted with a key derived from the token."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("tokens", sa.Column("successor", sa.Text))
    sealed = sa.text("successor IS NOT NULL")
    op.create_index(
        "tokens_by_successor", "tokens", ["user_id", "grant_id"], sqlite_where=sealed, postgresql_where=sealed
    )


def downgrade() -> None:
    op.drop_index("tokens_by_successor", "tokens")
    op.drop_column("tokens", "successor")
