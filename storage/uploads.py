"""Uploads: what people sent to be looked at, one zip in the object store for each, and what is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from storage.accounts.reading import Reading
from storage.accounts.sight import Sight
from storage.audit import Act, record
from storage.database import Connection, Database


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload. `files` is their number, `size` their bytes unpacked; `user_id` is None once the account is gone."""

    id: int
    organization_id: int
    user_id: int | None
    object_key: str
    files: int
    size: int
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """One file of an upload: its path with slashes, its bytes, and its media type by what it holds."""

    filename: str
    size: int
    type: str


ADD = """
INSERT INTO uploads (id, organization_id, user_id, object_key, files, size, expires_at)
OVERRIDING SYSTEM VALUE
VALUES (%(id)s, %(organization)s, %(user)s, %(key)s, %(files)s, %(size)s, now() + make_interval(secs => %(seconds)s))
RETURNING id, organization_id, user_id, object_key, files, size, created_at, expires_at
"""
ADD_FILES = """
INSERT INTO upload_files (organization_id, upload_id, ordinal, filename, size, type)
SELECT %s, %s, row_number() OVER (), * FROM unnest(%s::text[], %s::bigint[], %s::text[])
"""
GET = """
SELECT id, organization_id, user_id, object_key, files, size, created_at, expires_at FROM uploads
WHERE id = %(id)s AND expires_at > now()
"""
PAGE = """
SELECT u.* FROM unnest(%(organizations)s::bigint[]) AS o, LATERAL (
    SELECT id, organization_id, user_id, object_key, files, size, created_at, expires_at FROM uploads
    WHERE organization_id = o AND id < %(before)s AND expires_at > now() ORDER BY id DESC LIMIT %(limit)s
) AS u ORDER BY u.id DESC LIMIT %(limit)s
"""


class Uploads:
    """The table of uploads and of their files. Expired ones are not seen any more. Every method may raise Away."""

    def __init__(self, database: Database, reading: Reading, days: float) -> None:
        self._database = database
        self._reading = reading
        self._seconds = days * 24 * 3600

    async def next_id(self, organization_id: int) -> int:
        """An id for an upload to come: its object is kept first, so that no row is without one."""
        async with self._database.tenant(organization_id) as connection:
            row = await (await connection.execute("SELECT nextval('uploads_id_seq')")).fetchone()
        assert row is not None  # noqa: S101  (a SELECT of a function has one row)
        return int(row[0])

    async def add(self, id: int, organization_id: int, key: str, files: Sequence[UploadedFile], act: Act) -> Upload:
        """Remember the upload whose object lies under that key."""
        values = {
            "id": id, "organization": organization_id, "user": act.user_id, "key": key, "files": len(files),
            "size": sum(file.size for file in files), "seconds": self._seconds,
        }  # fmt: skip
        columns = [file.filename for file in files], [file.size for file in files], [file.type for file in files]
        async with self._database.tenant(organization_id) as connection:
            added = await _one(connection, ADD, values)
            await connection.execute(ADD_FILES, (organization_id, id, *columns))
            await record(connection, organization_id, act, f"upload:{id}", {"files": len(files), "size": values["size"]})
        assert added is not None  # noqa: S101  (an INSERT returns its row)
        return added

    async def get(self, sight: Sight, id: int) -> Upload | None:
        """The upload, where that sight reaches it."""
        rows = await self._reading.rows(sight, GET, {"id": id})
        return Upload(*rows[0]) if rows else None

    async def page(self, sight: Sight, organizations: Sequence[int], limit: int, before: int) -> list[Upload]:
        """The newest uploads of these organizations, below the id `before`."""
        values = {"organizations": list(organizations), "before": before, "limit": limit}
        return [Upload(*row) for row in await self._reading.rows(sight, PAGE, values)]

    async def files(self, sight: Sight, id: int) -> list[UploadedFile]:
        """What is in it, in the order of the archive."""
        query = "SELECT filename, size, type FROM upload_files WHERE upload_id = %s ORDER BY ordinal"
        return [UploadedFile(*row) for row in await self._reading.rows(sight, query, (id,))]

    async def file(self, sight: Sight, id: int, filename: str) -> UploadedFile | None:
        """One of its files, by its path."""
        query = "SELECT filename, size, type FROM upload_files WHERE upload_id = %s AND filename = %s"
        rows = await self._reading.rows(sight, query, (id, filename))
        return UploadedFile(*rows[0]) if rows else None

    async def for_job(self, organization_id: int, id: int) -> Upload | None:
        """The same as `get`, for a job of that organization."""
        async with self._database.tenant(organization_id) as connection:
            return await _one(connection, GET, {"id": id})

    async def delete(self, upload: Upload, act: Act) -> bool:
        """It is gone, its files with it; False where it was already. Its object is for the caller to remove."""
        async with self._database.tenant(upload.organization_id) as connection:
            gone = await connection.execute("DELETE FROM uploads WHERE id = %s", (upload.id,))
            if gone.rowcount:
                await record(connection, upload.organization_id, act, f"upload:{upload.id}", {"files": upload.files})
        return bool(gone.rowcount)


async def _one(connection: Connection, query: LiteralString, values: dict[str, Any]) -> Upload | None:
    row = await (await connection.execute(query, values)).fetchone()
    return Upload(*row) if row else None
