"""Many rows at once into Postgres: by binary COPY into a table of the transaction's own, from where SQL takes them."""

from collections.abc import Iterable, Sequence
from typing import Any, LiteralString

from storage.database import Connection

Columns = Sequence[tuple[LiteralString, LiteralString]]


async def copy_in(connection: Connection, table: LiteralString, columns: Columns, rows: Iterable[Sequence[Any]]) -> None:
    """Make the temporary `table` with these columns (name, type) and fill it; it is gone when the transaction ends.

    A table under row-level security takes no COPY, so rows come in two steps. A column of type `halfvec` is given as the
    bytes that Postgres would send.
    """
    definition = ", ".join(f"{name} {kind}" for name, kind in columns)
    await connection.execute(f"CREATE TEMPORARY TABLE {table} ({definition}) ON COMMIT DROP")
    async with connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
        # What is sent for bytes is the bytes themselves, whatever the column.
        copy.set_types(["bytea" if kind == "halfvec" else kind for _, kind in columns])
        for row in rows:
            await copy.write_row(row)
