"""Named documents, and the audit log, to which lines are added and of which none is changed or removed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

REFUSED = "the audit log is append-only"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "documents",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),  # seconds since the epoch
    )
    op.create_table(
        "audit",
        # The line's place in the log, from 1; a torn line has one too, so this may run ahead of the line's own number.
        sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("by_whom", sa.Text, nullable=False),
        # The line as its hash was computed: the columns before are read from it, for those who look with SQL.
        sa.Column("line", sa.Text, nullable=False),
    )
    op.create_index("audit_username", "audit", ["username"])
    op.create_index("audit_by_whom", "audit", ["by_whom"])
    op.create_index("audit_event", "audit", ["event"])
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION meetings_audit_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION meetings_audit_refuses()"
    )
    op.execute(
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION meetings_audit_refuses()"
    )
