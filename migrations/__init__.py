"""The revisions of the database, run by Alembic, and how a Citus cluster splits it."""
