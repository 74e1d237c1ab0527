"""Alembic's way in: `alembic upgrade head` with DATABASE_URL, or the URL that `storage.migrations.migrate` hands over."""

import os
import re

import sqlalchemy
from alembic import context

LOCK = 0x7265666163746F72
"""Key of the advisory lock that lets one migration run at a time ("refactor" in ASCII)."""


def database_url() -> str:
    """The URL for SQLAlchemy with the psycopg driver, from any spelling that people use."""
    url = context.config.attributes.get("url") or os.environ.get("DATABASE_URL", "")
    if not url:
        raise SystemExit("DATABASE_URL is not set: name the Postgres that shall be migrated.")
    return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", url)


def run() -> None:
    """Run the migrations in one transaction, after any other that is under way."""
    if context.is_offline_mode():
        context.configure(url=database_url(), literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    engine = sqlalchemy.create_engine(database_url(), poolclass=sqlalchemy.NullPool, connect_args={"prepare_threshold": None})
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        context.configure(connection=connection)
        context.run_migrations()
        connection.commit()
    engine.dispose()


run()
