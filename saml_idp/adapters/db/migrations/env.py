"""Alembic's entry: runs migrations on the connection that ``schema.py`` hands in."""

from alembic import context

_config = context.config
context.configure(
    connection=_config.attributes["connection"],
    target_metadata=_config.attributes["metadata"],
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
