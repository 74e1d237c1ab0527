"""What administrators do to other people's accounts: close and open them, and make others administrators."""

from review.errors import RefactorIQError
from storage.accounts.users import COLUMNS, User
from storage.audit import Act, record
from storage.database import Connection, Database, plain


class LastAdministrator(RefactorIQError):
    """Nobody would be left to look after this installation."""


CHANGE = f"""
UPDATE users SET full_name = %s, administrator = %s,
    disabled_at = CASE WHEN %s THEN coalesce(disabled_at, now()) END
WHERE id = %s RETURNING {COLUMNS}
"""  # noqa: S608


class Administration:
    """Changes of users by administrators. Every method may raise Away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(
        self,
        user_id: int,
        act: Act,
        *,
        full_name: str | None = None,
        administrator: bool | None = None,
        disabled: bool | None = None,
    ) -> User | None:
        """Change what is not None; gives the user, None where there is none. Closing an account takes its API keys and mailed
        links away, too. Raises LastAdministrator."""
        async with self._database.system() as connection:
            await connection.execute("SELECT FROM users WHERE administrator ORDER BY id FOR UPDATE")
            cursor = await connection.execute(f"SELECT {COLUMNS} FROM users WHERE id = %s FOR UPDATE", (user_id,))  # noqa: S608
            row = await cursor.fetchone()
            if row is None:
                return None
            before = User(*row)
            name = before.full_name if full_name is None else plain(full_name)
            administers = before.administrator if administrator is None else administrator
            closed = before.disabled_at is not None if disabled is None else disabled
            cursor = await connection.execute(CHANGE, (name, administers, closed, user_id))
            row = await cursor.fetchone()
            assert row is not None  # noqa: S101  (it was there a moment ago, and is locked)
            if closed:
                await connection.execute("DELETE FROM api_keys WHERE user_id = %s", (user_id,))
                await connection.execute("DELETE FROM user_links WHERE user_id = %s", (user_id,))
            if before.administrator and (closed or not administers):
                await _somebody_is_left(connection)
            said = {"full_name": full_name, "administrator": administrator, "disabled": disabled}
            details = {name: value for name, value in said.items() if value is not None}
            await record(connection, None, act, f"user:{user_id}", details)
        return User(*row)


async def _somebody_is_left(connection: Connection) -> None:
    cursor = await connection.execute("SELECT FROM users WHERE administrator AND disabled_at IS NULL LIMIT 1")
    if await cursor.fetchone() is None:
        raise LastAdministrator("This is the last administrator of this installation: make somebody else one first.")
