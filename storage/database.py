"""The way into Postgres: transactions under a role that sees one tenant's rows only, or the few that the system needs."""

import re
import select
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import orjson
import psycopg
from psycopg import AsyncClientCursor, AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from review.errors import TryAgain, UserError

Connection = AsyncConnection[TupleRow]
Values = Sequence[object] | Mapping[str, object]

set_json_loads(orjson.loads)  # three columns of JSON in each row of a list

WAIT = 5.0
"""Seconds to wait for a connection before the database counts as away."""


READER = (
    "set_config('role', 'refactoriq_reader', true), set_config('app.tenants', '%s', true),"
    " set_config('app.whole', '%s', true), set_config('app.readable', '%s', true)"
)
"""Who the reader reads for: three arrays of ids."""


class Away(TryAgain):
    """Postgres cannot be reached just now, or broke off."""


@dataclass(frozen=True, slots=True)
class Pool:
    """How many connections there are, and how many requests wait for one."""

    size: int
    waiting: int


class Database:
    """A pool of connections. Each transaction takes on a role for its own duration: a transaction pooler does no harm."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, pool_size: int = 4, wait: float = WAIT) -> AsyncIterator["Database"]:
        """Open with up to `pool_size` connections, made when first needed: a Postgres that is away is no error here. It counts
        as away when none is free after `wait` seconds.

        Raises UserError when that is no URL of a Postgres.
        """
        pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            postgres_url(url),
            min_size=0,
            max_size=pool_size,
            timeout=wait,
            # Beyond this the pool would wait ever longer between its attempts: as long again as the outage lasted.
            reconnect_timeout=WAIT,
            open=False,
            check=_still_open,
            # No prepared statements: behind a transaction pooler the next one may run on another server connection.
            kwargs={"prepare_threshold": None, "connect_timeout": 5, "application_name": "refactoriq"},
        )
        await pool.open(wait=False)
        try:
            yield cls(pool)
        finally:
            await pool.close()

    @property
    def pool(self) -> Pool:
        """The pool of this process."""
        stats = self._pool.get_stats()
        return Pool(stats.get("pool_size", 0), stats.get("requests_waiting", 0))

    async def ping(self) -> None:
        """A sign of life. Raises Away."""
        async with self._transaction() as connection:
            await connection.execute("SELECT 1")

    @asynccontextmanager
    async def tenant(self, organization_id: int) -> AsyncIterator[Connection]:
        """A transaction that sees and writes this organization's rows only, whatever the queries say. Raises Away."""
        async with self._transaction() as connection:
            await connection.execute(
                "SELECT set_config('role', 'refactoriq_tenant', true), set_config('app.tenant', %s, true)",
                (str(organization_id),),
            )
            yield connection

    @asynccontextmanager
    async def code(self, organization_id: int, repository_ids: Sequence[int]) -> AsyncIterator[Connection]:
        """The same as `tenant`, and the code index of these repositories: no other transaction sees any code. Raises Away."""
        async with self._transaction() as connection:
            await connection.execute(
                "SELECT set_config('role', 'refactoriq_tenant', true), set_config('app.tenant', %s, true),"
                " set_config('app.repositories', %s, true)",
                (str(organization_id), _array(repository_ids)),
            )
            yield connection

    @asynccontextmanager
    async def reader(
        self, organizations: Sequence[int], whole: Sequence[int], repositories: Sequence[int]
    ) -> AsyncIterator[Connection]:
        """A transaction that reads, and sees these organizations' rows only: of repositories, those of the `whole`
        organizations, and else these. See `storage.accounts.sight`. Raises Away.
        """
        async with self._transaction() as connection:
            ids = (_array(organizations), _array(whole), _array(repositories))
            await connection.execute(f"SELECT {READER % ids}".encode())
            yield connection

    @asynccontextmanager
    async def owner(self) -> AsyncIterator[Connection]:
        """The login itself, without transactions: for what none may hold (CREATE INDEX CONCURRENTLY). Raises Away."""
        async with self._transaction(begin=False) as connection:
            yield connection

    @asynccontextmanager
    async def system(self) -> AsyncIterator[Connection]:
        """A transaction for the receiver, the sweep and the installations, which belong to no single tenant. Raises Away."""
        async with self._transaction() as connection:
            await connection.execute("SELECT set_config('role', 'refactoriq_system', true)")
            yield connection

    async def at_once(self, statement: LiteralString, values: Values) -> list[TupleRow]:
        """One statement as in `system`, sent in one message and one transaction of its own: for the hot path. Raises Away.

        Gives its rows. The values are written into the text by libpq's rules, since such a message takes no parameters.
        """
        return await self._message("set_config('role', 'refactoriq_system', true)", statement, values)

    async def read_at_once(
        self,
        organizations: Sequence[int],
        whole: Sequence[int],
        repositories: Sequence[int],
        statement: LiteralString,
        values: Values,
    ) -> list[TupleRow]:
        """One statement as in `reader`, in the same way."""
        ids = (_array(organizations), _array(whole), _array(repositories))
        return await self._message(READER % ids, statement, values)

    async def _message(self, settings: str, statement: LiteralString, values: Values) -> list[TupleRow]:
        """`settings` are of our own making, numbers at most."""
        # The message is a transaction by itself: none is begun around it.
        async with self._transaction(begin=False) as connection:
            cursor = AsyncClientCursor(connection)
            await cursor.execute(f"SELECT {settings.replace('%', '%%')}; {statement}".encode(), values)
            cursor.nextset()
            return await cursor.fetchall()

    @asynccontextmanager
    async def _transaction(self, *, begin: bool = True) -> AsyncIterator[Connection]:
        try:
            async with self._pool.connection() as connection:
                await connection.set_autocommit(not begin)  # sends nothing
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise Away("The database cannot be reached just now.") from error


def _array(ids: Sequence[int]) -> str:
    """An array as Postgres reads it. Numbers only, whatever was handed in: it may become part of a statement."""
    return "{" + ",".join(str(int(id)) for id in ids) + "}"


async def _still_open(connection: Connection) -> None:
    """Drop connections that the server closed while they lay idle (a restart, a failover); costs no round trip.

    An idle connection has nothing to read, unless the server said its last words.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        await connection.close()  # or the pool would take it back as sound
        raise psycopg.OperationalError("The server closed this connection.")


def postgres_url(url: str) -> str:
    """libpq's spelling of a Postgres URL, from any that people use. Raises UserError, which repeats nothing of the URL.

    libpq's own complaints quote the part that it stumbled over, which may be the password.
    """
    spelled = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)
    try:
        parts = conninfo_to_dict(spelled) if spelled.startswith("postgresql://") else {}
    except psycopg.ProgrammingError:
        parts = {}
    ports = str(parts.get("port") or "").split(",")
    if not parts or "@" in str(parts.get("host", "")) or not all(port == "" or port.isdecimal() for port in ports):
        raise UserError(
            "DATABASE_URL must be postgresql://user:password@host:port/database. In the password, write @ as %40, / as %2F, "
            "% as %25 and : as %3A."
        )
    return spelled


def plain(text: str) -> str:
    """Text that Postgres takes: no NUL, and no half of a surrogate pair."""
    if text.isascii() and "\x00" not in text:  # nearly every name in code, of which a file has hundreds
        return text
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def plain_json(value: Any) -> Any:
    """The same for every string inside a JSON value."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain(str(key)): plain_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(item) for item in value]
    return value
