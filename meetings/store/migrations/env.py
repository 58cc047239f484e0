"""What Alembic runs to begin: the steps go through a connection that is given, each in a transaction of its own."""

from __future__ import annotations

from alembic import context

from meetings.store.database import VERSIONS

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSIONS,
    transaction_per_migration=True,
    transactional_ddl=True,  # of SQLite too: the driver is kept from ending transactions by itself
)
context.run_migrations()
