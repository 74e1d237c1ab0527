"""Migrations, written in SQL, run by Alembic."""

from pathlib import Path

from review.errors import UserError


def migrate(url: str) -> None:
    """Bring the database at that URL to the newest version; harmless when it is there already, and when two run at once.

    Raises UserError with what to do: no pgvector, no right to create roles, not reachable.
    """
    import sqlalchemy.exc
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = url
    try:
        command.upgrade(config, "head")
    except sqlalchemy.exc.DBAPIError as error:
        raise UserError(_what_to_do(error)) from error


def _what_to_do(error: Exception) -> str:
    words = str(getattr(error, "orig", error)).strip().splitlines()[0]
    if "CREATE ROLE" in words or "permission denied to create role" in words:
        return (
            "The database user may not create roles. Let an administrator run once: "
            "CREATE ROLE refactoriq_tenant NOLOGIN; CREATE ROLE refactoriq_system NOLOGIN; "
            "GRANT refactoriq_tenant, refactoriq_system TO CURRENT_USER; and then migrate again."
        )
    if "vector" in words:
        return f"Postgres needs pgvector 0.8 or newer ({words}). Install it, or let an administrator CREATE EXTENSION vector."
    return f"The database could not be migrated: {words}"
