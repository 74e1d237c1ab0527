"""Uploads: code that is sent to be looked at, without a repository."""

import asyncio
import zipfile
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from datetime import datetime

from starlette.responses import Response

from handlers.api.cursor import below, cut
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.files import file_answer
from handlers.api.forms import LARGEST_ID, Data, Id, Nothing, Page, PageQuery, Query
from handlers.api.problem import Code, Problem, not_found
from handlers.uploads.receive import TAKES
from handlers.uploads.spool import PIECE, stream_of
from handlers.uploads.unpack import Packed
from storage.objects import NotThere, Objects, StoreAway
from storage.uploads import Upload, UploadedFile

ZIP = "application/zip"
SECONDS = 900.0
"""How long an upload may take, with the time that its bytes need to arrive."""


class Whose(Query):
    """The organization that it is for: one's own home when none is given. A form may name it in a field instead."""

    organization_id: Id | None = None


class UploadQuery(PageQuery):
    """Those of all one's organizations when none is given."""

    organization_id: Id | None = None


class FileData(Data):
    """`filename` is its path with slashes, `size` its bytes, `type` its media type by what it holds."""

    filename: str
    size: int
    type: str


class UploadSummary(Data):
    """`file_count` files of `size` bytes together; `user_id` is null once the account of who made it is gone."""

    upload_id: int
    organization_id: int
    user_id: int | None
    file_count: int
    size: int
    created_at: datetime
    expires_at: datetime


class UploadData(UploadSummary):
    files: list[FileData]


async def create(asked: Asked[Nothing, Whose]) -> Answer:
    """Take files, or an archive of files, for an analysis."""
    receiving = asked.services.receiving
    _must_belong(asked, _organization(asked, {}))
    async with receiving.body(asked.request) as received:
        organization_id = _organization(asked, received.fields)
        _must_belong(asked, organization_id)
        async with receiving.packed(received) as packed:
            upload = await _keep(asked, organization_id, packed)
    return Answer(_data(upload, packed.files), headers={"Location": f"/api/v1/uploads/{upload.id}"})


def _organization(asked: Asked[Nothing, Whose], fields: dict[str, str]) -> int:
    """The one that is named in the form or else in the query. Raises Problem."""
    unknown = sorted(fields.keys() - {"organization_id"})
    if unknown:
        raise Problem(Code.INVALID, f"The form knows no field `{unknown[0]}`.", [{"at": unknown[0], "is": "unknown"}])
    named = fields.get("organization_id")
    if named is None:
        return asked.query.organization_id or asked.user.home_id
    if not (named.isascii() and named.isdecimal() and 1 <= int(named) <= LARGEST_ID):
        raise Problem(Code.INVALID, "`organization_id` must be a number.", [{"at": "organization_id", "is": "no number"}])
    return int(named)


def _must_belong(asked: Asked[Nothing, Whose], organization_id: int) -> None:
    if asked.caller.sight.role_in(organization_id) is None:
        raise not_found("organization")
    asked.must_hold(organization_id)


async def _keep(asked: Asked[Nothing, Whose], organization_id: int, packed: Packed) -> Upload:
    """The object first, then the row: what dies between the two leaves an object that expiry finds."""
    uploads, objects = asked.services.uploads, asked.services.objects
    id = await uploads.next_id(organization_id)
    key = f"uploads/{id}.zip"
    await objects.put(key, stream_of(packed.file))
    return await uploads.add(id, organization_id, key, packed.files, asked.act)


async def list_uploads(asked: Asked[Nothing, UploadQuery]) -> Answer:
    """A page of uploads, newest first."""
    query, sight = asked.query, asked.caller.sight
    if query.organization_id is not None and sight.role_in(query.organization_id) is None:
        raise not_found("organization")
    organizations = sight.organizations if query.organization_id is None else [query.organization_id]
    found = await asked.services.uploads.page(sight, organizations, query.limit + 1, below(query))
    items, more = cut(query, found, lambda upload: [upload.id])
    return Answer(Page[UploadSummary](items=[UploadSummary(**_summary(upload)) for upload in items], next_cursor=more))


async def read(asked: Asked[Nothing, Nothing]) -> Answer | Response:
    """One upload with the list of its files; all of them as a zip where `Accept` asks for one."""
    upload = await _upload(asked)
    if _wants_zip(asked.request.headers.get("accept", "")):
        size = await asked.services.objects.size(upload.object_key)
        if size is None:
            raise not_found("upload")
        return await _file(asked.services.objects.stream(upload.object_key), f"upload-{upload.id}.zip", ZIP, size)
    return Answer(_data(upload, await asked.services.uploads.files(asked.caller.sight, upload.id)))


async def read_file(asked: Asked[Nothing, Nothing]) -> Response:
    """One file of an upload, as it was sent."""
    upload = await _upload(asked)
    file = await asked.services.uploads.file(asked.caller.sight, upload.id, asked.path["name"])
    if file is None:
        raise not_found("file in this upload")
    return await _file(_member(asked.services.objects, upload.object_key, file.filename), file.filename, file.type, file.size)


async def _file(pieces: AsyncIterator[bytes], name: str, kind: str, size: int) -> Response:
    try:
        return await file_answer(pieces, name, kind, size)
    except NotThere:  # it expired just now
        raise not_found("upload") from None


async def _member(objects: Objects, key: str, name: str) -> AsyncIterator[bytes]:
    """One file out of the zip, by ranges. Raises NotThere, StoreAway."""
    with closing(await asyncio.to_thread(objects.reader, key)) as file:
        archive = await asyncio.to_thread(zipfile.ZipFile, file)
        with await asyncio.to_thread(archive.open, name) as member:
            while piece := await asyncio.to_thread(member.read, PIECE):
                yield piece


async def delete(asked: Asked[Nothing, Nothing]) -> Answer:
    """The upload and its files are gone. What was found in them stays."""
    upload = await _upload(asked)
    asked.must_hold(upload.organization_id, made_by=upload.user_id)
    if not await asked.services.uploads.delete(upload, asked.act):
        raise not_found("upload")
    with suppress(StoreAway):  # expiry removes the object that belongs to nothing
        await asked.services.objects.delete(upload.object_key)
    return Answer(Nothing(), "Deleted.")


async def _upload(asked: Asked[Nothing, Nothing]) -> Upload:
    upload = await asked.services.uploads.get(asked.caller.sight, asked.path["id"])
    if upload is None:
        raise not_found("upload")
    return upload


def _wants_zip(accept: str) -> bool:
    """Whether that header asks for a zip before JSON: it names the one, and not the other before it."""
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return ZIP in kinds and ("application/json" not in kinds or kinds.index(ZIP) < kinds.index("application/json"))


def _data(upload: Upload, files: list[UploadedFile]) -> UploadData:
    listed = [FileData(filename=file.filename, size=file.size, type=file.type) for file in files]
    return UploadData(**_summary(upload), files=listed)


def _summary(upload: Upload) -> dict[str, object]:
    return {
        "upload_id": upload.id, "organization_id": upload.organization_id, "user_id": upload.user_id,
        "file_count": upload.files, "size": upload.size, "created_at": upload.created_at, "expires_at": upload.expires_at,
    }  # fmt: skip


ENDPOINTS = (
    Endpoint(
        "POST", "/uploads", "upload.create", "Upload files or an archive", create, Needs.MEMBER,
        query=Whose, data=UploadData, status=201, takes=TAKES, seconds=SECONDS,
        codes=(Code.UNSAFE_ARCHIVE, Code.NOT_FOUND),
    ),
    Endpoint(
        "GET", "/uploads", "upload.list", "Uploads", list_uploads, Needs.ACCOUNT,
        query=UploadQuery, data=Page[UploadSummary], codes=(Code.NOT_FOUND,),
    ),
    Endpoint(
        "GET", "/uploads/{id}", "upload.read", "An upload and its files", read, Needs.ACCOUNT,
        data=UploadData, gives=(ZIP,),
    ),
    Endpoint(
        "DELETE", "/uploads/{id}", "upload.delete", "Delete an upload", delete, Needs.MAINTAINER,
        data=Nothing,
    ),
    Endpoint(
        "GET", "/uploads/{id}/files/{name:path}", "upload.read", "A file of an upload", read_file, Needs.ACCOUNT,
        gives=("*/*",),
    ),
)  # fmt: skip
