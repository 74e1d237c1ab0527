"""Keep an upload whose files are at hand, as the API keeps what it receives: the object first, then the row."""

import io
import zipfile
from collections.abc import Mapping

from handlers.context import Context
from handlers.uploads.media_type import SNIFFED, media_type
from storage.audit import Act
from storage.uploads import UploadedFile


async def keep_upload(context: Context, organization_id: int, files: Mapping[str, bytes], act: Act) -> int:
    """These files, by their paths, as an upload; gives its id. Raises StoreAway, Away."""
    id = await context.uploads.next_id(organization_id)
    key = f"uploads/{id}.zip"
    await context.objects.put(key, _zipped(files))
    listed = [UploadedFile(path, len(data), media_type(path, data[:SNIFFED])) for path, data in files.items()]
    await context.uploads.add(id, organization_id, key, listed, act)
    return id


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()
