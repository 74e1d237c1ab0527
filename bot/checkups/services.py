"""Checkups of Postgres and Redis."""

from bot.checkups.checkup import Line, ok, warning, wrong
from bot.settings import Settings
from storage.condition import DatabaseCondition, database_condition, redis_condition

OLDEST_POSTGRES = 14
OLDEST_PGVECTOR = (0, 8)
OLDEST_REDIS = (6, 2)
OWN = "is not set: `refactoriq serve` brings its own. The processes `web` and `worker` need it."


async def postgres(settings: Settings) -> list[Line]:
    """Version, pgvector, migrations, and the roles that keep tenants apart."""
    url = settings.database_url.get_secret_value()
    if not url:
        return [] if settings.production else [ok("DATABASE_URL", OWN)]
    found = await database_condition(url)
    return [_version(found), _pgvector(found), *_migrations(found)]


def _version(found: DatabaseCondition) -> Line:
    if found.version < OLDEST_POSTGRES:
        return wrong("DATABASE_URL", f"Postgres {found.version} is too old: {OLDEST_POSTGRES} or newer is needed.")
    return ok("DATABASE_URL", f"Postgres {found.version} answers.")


def _pgvector(found: DatabaseCondition) -> Line:
    has = found.pgvector or found.pgvector_offered
    if has is None:
        return wrong("pgvector", "is not installed on the server: install 0.8 or newer (the package postgresql-NN-pgvector).")
    if _numbers(has) < OLDEST_PGVECTOR:
        return wrong("pgvector", f"{has} is too old: install 0.8 or newer, then ALTER EXTENSION vector UPDATE.")
    return ok("pgvector", f"{has}.")


def _numbers(version: str) -> tuple[int, ...]:
    """The first two numbers of a version."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _migrations(found: DatabaseCondition) -> list[Line]:
    if not found.migrated:
        at = f"is at {found.revision}" if found.revision else "is empty"
        return [wrong("migrations", f"The database {at}, and {found.newest} is needed: run `refactoriq migrate`.")]
    unsafe = [wrong("roles", f"The role {role} {because}: run `refactoriq migrate` as an administrator, or grant it.")
              for role, because in found.roles.items()]  # fmt: skip
    kept_apart = ok("roles", "Tenants are kept apart: neither role is an owner, a superuser, or above row-level security.")
    return [ok("migrations", f"The database is at {found.revision}, the newest."), *(unsafe or [kept_apart])]


async def redis(settings: Settings) -> list[Line]:
    """Version, and whether jobs survive a full memory and a crash."""
    url = settings.redis_url.get_secret_value()
    if not url:
        return [] if settings.production else [ok("REDIS_URL", OWN)]
    found = await redis_condition(url)
    if _numbers(found.version) < OLDEST_REDIS:
        return [wrong("REDIS_URL", f"Redis {found.version} is too old: 6.2 or newer is needed.")]
    lines = [ok("REDIS_URL", f"Redis {found.version} answers.")]
    if found.policy not in ("", "noeviction"):
        advice = "jobs would be thrown away when its memory is full. Set maxmemory-policy to noeviction."
        lines.append(wrong("REDIS_URL", f"The eviction policy is {found.policy}: {advice}"))
    if not found.persists:
        advice = "after a crash, waiting jobs come back from Postgres only as deliveries are swept. Set appendonly to yes."
        lines.append(warning("REDIS_URL", f"Redis keeps no log of its writes: {advice}"))
    return lines
