"""A change that was undone says by which one."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

# Each undo of a single change notes itself in that change; of several undoes of one, the last.
NOTE = """
UPDATE changes SET undone_by = :id WHERE user_id = :user_id AND overflow = 0 AND id = :undoes
"""
UNDOES = """
SELECT user_id, id, undoes FROM changes WHERE overflow = 0 AND undoes IS NOT NULL ORDER BY user_id, id
"""


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column("changes", sa.Column("undone_by", sa.Integer))
    undoes = [dict(row) for row in connection.execute(sa.text(UNDOES)).mappings()]
    if undoes:
        connection.execute(sa.text(NOTE), undoes)


def downgrade() -> None:
    op.drop_column("changes", "undone_by")
