"""Make an export: what the one who asked may see by now, as a file in the object store."""

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, aclosing, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from handlers.context import Context
from handlers.table_files import CsvFile, JsonFile, TableFile
from review.errors import Superseded, UserError
from storage.accounts.role import Role
from storage.accounts.sight import Sight
from storage.exported import TABLES
from storage.exports import Export

MOST_ROWS = 1_000_000
PARTS: dict[str, tuple[str, ...]] = {"csv": ("csv",), "json": ("json",), "zip": ("csv", "json")}
"""The files that a format is made of."""


@dataclass(frozen=True, slots=True)
class Request:
    """Which export. Ids are ours."""

    delivery_id: str
    organization_id: int
    export_id: int


@dataclass(frozen=True, slots=True)
class Made:
    """The file of an export, and how many rows are in it."""

    path: Path
    rows: int


async def export(context: Context, arguments: Mapping[str, Any]) -> str:
    """Make it and keep it; gives the outcome as a sentence. Raises Superseded, TryAgain, UserError."""
    request = msgspec.convert(arguments, Request)
    wanted = await context.exports.for_job(request.organization_id, request.export_id)
    if wanted is None:
        raise Superseded("The export was removed.")
    topic = f"export:{wanted.id}"
    try:
        await _make_and_keep(context, wanted)
    except UserError as error:
        await context.exports.failed(wanted, str(error))
        await context.live.tell(topic, {"type": "error", "export_id": wanted.id, "message": str(error)}, last=True)
        raise
    await context.live.tell(topic, {"type": "complete", "export_id": wanted.id}, last=True)
    return "Made."


async def _make_and_keep(context: Context, wanted: Export) -> None:
    """The object first, then its row: whoever reads the row finds the object."""
    sight = await _sight(context, wanted)
    key = f"exports/{wanted.id}.{wanted.format}"
    with tempfile.TemporaryDirectory() as folder:
        made = await _made(context, wanted, sight, Path(folder))
        size = await context.objects.put(key, made.path)
    if not await context.exports.ready(wanted, sight, key, size, made.rows):
        await context.objects.delete(key)
        raise Superseded("The export was removed.")


async def _sight(context: Context, wanted: Export) -> Sight:
    """What the one who asked may see now, which may be less than when they asked. Raises UserError."""
    known = await context.exports.requester(wanted)
    if known is None or known[0].disabled_at is not None:
        raise UserError("The account that asked for this export is closed.")
    needed, held = (Role.ADMIN if wanted.kind == "audit" else Role.MEMBER), known[1].role_in(wanted.organization_id)
    if held is None or not held.at_least(needed):
        raise UserError(f"This export takes the role {needed} in the organization, and you do not hold it any more.")
    return known[1]


async def _made(context: Context, wanted: Export, sight: Sight, folder: Path) -> Made:
    """All rows in all files of the format. Raises UserError where they are too many."""
    columns, count = TABLES[wanted.kind].columns, 0
    paths = [folder / f"{wanted.kind}.{part}" for part in PARTS[wanted.format]]
    with ExitStack() as stack:
        files: list[TableFile] = [stack.enter_context(closing(_file(path, columns))) for path in paths]
        async with aclosing(context.exports.rows(wanted, sight)) as pages:
            async for page in pages:
                count += len(page)
                if count > MOST_ROWS:
                    raise UserError(f"There are more than {MOST_ROWS:,} rows: ask for a shorter time, with since and until.")
                for file in files:
                    file.add(page)
    return Made(paths[0] if len(paths) == 1 else _packed(wanted, paths, count, folder / "all.zip"), count)


def _file(path: Path, columns: Sequence[str]) -> TableFile:
    return CsvFile(path, columns) if path.suffix == ".csv" else JsonFile(path, columns)


def _packed(wanted: Export, paths: Sequence[Path], count: int, to: Path) -> Path:
    """These files with a manifest in one zip."""
    manifest = {
        "kind": wanted.kind,
        "organization_id": wanted.organization_id,
        "filters": wanted.filters,
        "rows": count,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": [{"name": path.name, "size": path.stat().st_size, "sha256": _sha256(path)} for path in paths],
    }
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")
        for path in paths:
            archive.write(path, path.name)
    return to


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
