"""Migrations, written in SQL, run by Alembic."""

from pathlib import Path

from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import Identifier

from review.errors import UserError
from storage.database import postgres_url


def migrate(url: str) -> None:
    """Bring the database at that URL to the newest version; harmless when it is there already, and when two run at once.

    Raises UserError with what to do: no pgvector, no right to create roles, not reachable, no URL.
    """
    import sqlalchemy.exc
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["url"] = postgres_url(url)
    try:
        command.upgrade(config, "head")
    except sqlalchemy.exc.DBAPIError as error:
        raise UserError(_what_to_do(str(error.orig).strip().splitlines()[0], url)) from error


def _what_to_do(words: str, url: str) -> str:
    if "role" in words and ("permission denied" in words or "admin option" in words):
        user = Identifier(str(conninfo_to_dict(postgres_url(url)).get("user") or "…")).as_string()
        return (
            "The database user may not create or take on roles. Let an administrator run once: "
            "CREATE ROLE refactoriq_tenant NOLOGIN; CREATE ROLE refactoriq_system NOLOGIN; "
            "CREATE ROLE refactoriq_reader NOLOGIN; "
            f"GRANT refactoriq_tenant, refactoriq_system, refactoriq_reader TO {user}; and then migrate again."
        )
    if "vector" in words:
        return f"Postgres needs pgvector 0.8 or newer ({words}). Install it, or let an administrator CREATE EXTENSION vector."
    return f"The database could not be migrated: {words.removesuffix('.')}. `refactoriq doctor` says what to do."
