"""Bodies of uploads as they should not be: each gets a clear 4xx, and nothing of it is left anywhere."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.builders_api import Api, Person, open_api
from tests.builders_uploads import a_zip, a_zip_entry

pytestmark = pytest.mark.api

FORM = "multipart/form-data; boundary=frontier"


def a_part(headers: str, content: bytes = b"x = 1\n") -> bytes:
    return b"--frontier\r\n" + headers.encode() + b"\r\n\r\n" + content + b"\r\n"


FILE = 'Content-Disposition: form-data; name="file"; filename="a.py"'
ORGANIZATION = 'Content-Disposition: form-data; name="organization_id"'
END = b"--frontier--\r\n"


def left(api: Api) -> list[Any]:
    """All that may be left of an upload: rows, objects, temporary files."""
    folders = (api.settings.data_dir / "objects", api.settings.data_dir / "tmp")
    files: list[Any] = [path for folder in folders if folder.exists() for path in folder.rglob("*") if path.is_file()]
    return files + api.sql("SELECT id FROM uploads") + api.sql("SELECT ordinal FROM upload_files")


BROKEN = [
    ("application/json", b"{}", 415, "unsupported_media_type"),
    ("text/plain", b"x", 415, "unsupported_media_type"),
    ("", b"x", 415, "unsupported_media_type"),
    ("multipart/form-data", a_part(FILE) + END, 400, "malformed"),
    (f"multipart/form-data; boundary={'b' * 300}", END, 400, "malformed"),
    (FORM, b"", 400, "malformed"),
    (FORM, b"no form at all", 400, "malformed"),
    (FORM, a_part(FILE), 400, "malformed"),
    (FORM, a_part("X: y"), 400, "malformed"),
    (FORM, a_part("Content-Disposition: form-data") + END, 400, "malformed"),
    (FORM, a_part("Content-Disposition form-data") + END, 400, "malformed"),
    (FORM, a_part(FILE + "\r\nX: " + "y" * 100_000) + END, 400, "malformed"),
    (FORM, a_part("\r\n".join([FILE] + [f"X{n}: y" for n in range(500)])) + END, 400, "malformed"),
    (FORM, END, 422, "invalid"),
    (FORM, a_part('Content-Disposition: form-data; name="file"; filename=""', b"") + END, 422, "invalid"),
    (FORM, a_part('Content-Disposition: form-data; name="other"', b"1") + a_part(FILE) + END, 422, "invalid"),
    (FORM, a_part(ORGANIZATION, b"x") + a_part(FILE) + END, 422, "invalid"),
    (FORM, a_part(ORGANIZATION, b"9" * 200) + a_part(FILE) + END, 422, "invalid"),
    (FORM, a_part(ORGANIZATION, b"9999") + a_part(FILE) + END, 404, "not_found"),
    (FORM, a_part('Content-Disposition: form-data; name="f"; filename="../a.py"') + END, 422, "unsafe_archive"),
    (FORM, a_part('Content-Disposition: form-data; name="f"; filename="a\\b.py"') + END, 422, "unsafe_archive"),
    (FORM, a_part(FILE) * 2 + END, 422, "unsafe_archive"),
    (FORM, a_part(FILE) + a_part(FILE, a_zip_entry("../evil")) + END, 422, "unsafe_archive"),
    (FORM, a_part(FILE, b"x" * 300_000) + END, 413, "too_large"),
    ("application/zip", b"", 400, "malformed"),
    ("application/zip", a_zip({f"{n}.py": b"" for n in range(11)}), 413, "too_large"),
    ("application/zip", a_zip({}), 422, "invalid"),
]  # fmt: skip
"""Content type and body; then the status and the code that they get."""


async def test_a_body_that_is_none_gets_a_clear_refusal_and_leaves_nothing(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with open_api(database_url, redis_url, tmp_path, upload_max_bytes=200_000, upload_max_files=10) as api:
        mona = await api.person("mona")
        for kind, body, status, code in BROKEN:
            answer = await mona.post("/uploads", content=body, headers={"Content-Type": kind})
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), (kind, body[:200], answer.text)
            assert api.bugs == []
            assert left(api) == [], (kind, body[:200])


async def test_a_body_that_is_announced_too_large_is_refused_by_its_length(api: Api) -> None:
    mona = await api.person("mona")
    headers = {"Content-Type": "application/zip", "Content-Length": str(10**12)}
    answer = await mona.post("/uploads", content=a_zip(), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("ends", ["the client is gone", "the server gives up"])
async def test_what_breaks_off_leaves_nothing(api: Api, ends: str) -> None:
    mona = await api.person("mona")
    said: list[Any] = []
    waiting, given = asyncio.Event(), iter([a_part(FILE, b"x" * 3_000_000)])

    async def receive() -> Any:
        for body in given:
            return {"type": "http.request", "body": body, "more_body": True}
        waiting.set()
        if ends == "the client is gone":
            return {"type": "http.disconnect"}
        return await asyncio.Event().wait()

    async def send(message: Any) -> None:
        said.append(message)

    answering = asyncio.create_task(api.app(_scope(mona), receive, send))
    await asyncio.wait_for(waiting.wait(), 10)
    if ends == "the server gives up":
        answering.cancel()
    await asyncio.wait([answering], timeout=10)
    assert answering.done()
    assert [message["status"] for message in said if "status" in message] in ([400], [])
    assert left(api) == []
    assert not [name for name in _open_files() if str(api.settings.data_dir) in name]


def _scope(person: Person) -> dict[str, Any]:
    token = person.tokens["access_token"]
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/api/v1/uploads", "raw_path": b"/api/v1/uploads", "query_string": b"", "root_path": "",
        "headers": [(b"content-type", FORM.encode()), (b"authorization", f"Bearer {token}".encode())],
        "client": ("127.0.0.1", 1), "server": ("refactoriq.test", 80), "state": {},
    }  # fmt: skip


def _open_files() -> list[str]:
    """What this process has open, by name; a file without one is `/folder/#number (deleted)`."""
    names = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            names.append(str(link.readlink()))
    return names
