"""A used refresh token keeps its successor for a while, sealed with a key that the database does not have."""

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
