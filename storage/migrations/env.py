"""Alembic's way in: `alembic upgrade head` with DATABASE_URL, or the URL that `storage.migrations.migrate` hands over."""

import os

import psycopg
import sqlalchemy
from alembic import context

from review.errors import UserError
from storage.database import postgres_url

LOCK = 0x7265666163746F72
"""Key of the advisory lock that lets one migration run at a time ("refactor" in ASCII)."""


def database_url() -> str:
    """The URL as libpq takes it, from any spelling that people use."""
    url = context.config.attributes.get("url") or os.environ.get("DATABASE_URL", "")
    if not url:
        raise SystemExit("DATABASE_URL is not set: name the Postgres that shall be migrated.")
    try:
        return postgres_url(url)
    except UserError as error:
        raise SystemExit(str(error)) from None


def run() -> None:
    """Run the migrations in one transaction, after any other that is under way."""
    if context.is_offline_mode():
        # SQLAlchemy doubles every % for the driver; this dialect has none behind it.
        context.configure(dialect_name="postgresql", dialect_opts={"paramstyle": "named"}, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    url = database_url()
    # libpq reads the URL, as it does for the pool: SQLAlchemy understands some of them differently.
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", poolclass=sqlalchemy.NullPool, creator=lambda: psycopg.connect(url, prepare_threshold=None)
    )
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        context.configure(connection=connection)
        context.run_migrations()
        connection.commit()
    engine.dispose()


run()
