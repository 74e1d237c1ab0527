"""Files that last: one contract on a local folder and over the S3 protocol, and a sentence for a URL that names no store."""

import io
import secrets
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import LocalStore, S3Store

from bot.checkups.storage import storage
from bot.settings import read_settings
from review.errors import UserError
from storage.objects import PART, NotThere, Objects, StoreAway, open_store

pytestmark = pytest.mark.integration

LARGE = bytes(range(256)) * ((PART + 1_000_000) // 256)
"""More than S3 takes in one part."""


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """An S3 server on loopback; gives its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def aws(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """The variables by which S3 is reached."""
    given = {"ACCESS_KEY_ID": "id", "SECRET_ACCESS_KEY": "secret", "REGION": "us-east-1", "ENDPOINT": endpoint}
    for name, value in given.items():
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.fixture(params=["file", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """STORAGE_URL of an empty store."""
    if request.param == "file":
        return f"file://{tmp_path}/store"
    endpoint, bucket = request.getfixturevalue("s3"), f"bucket-{secrets.token_hex(4)}"
    aws(monkeypatch, endpoint)
    assert httpx.put(f"{endpoint}/{bucket}").status_code == 200
    return f"s3://{bucket}/of/octo"


@pytest.fixture
def objects(url: str, tmp_path: Path) -> Objects:
    return Objects(open_store(url, tmp_path))


async def pieces(*of: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    for piece in of:
        yield piece
    if then is not None:
        raise then


async def test_what_is_kept_is_read_back_whole_in_pieces_and_from_anywhere(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(LARGE)
    sources: dict[str, tuple[bytes | Path | AsyncIterator[bytes], bytes]] = {
        "temp/bytes": (b"hello", b"hello"), "temp/none": (b"", b""), "temp/path": (tmp_path / "large", LARGE),
        "temp/pieces": (pieces(LARGE[:300], LARGE[300:]), LARGE), "temp/no-piece": (pieces(), b""),
    }  # fmt: skip
    for key, (source, content) in sources.items():
        assert await objects.put(key, source) == len(content) == await objects.size(key), key
        assert await objects.read(key) == content
        assert b"".join([piece async for piece in objects.stream(key)]) == content
    assert b"".join([piece async for piece in objects.stream("temp/path", 1_000_000)]) == LARGE[1_000_000:]
    assert {stored.key: stored.size async for stored in objects.under("temp")} == {
        key: len(content) for key, (_, content) in sources.items()
    }


async def test_what_is_kept_anew_replaces_what_was_there(objects: Objects) -> None:
    await objects.put("temp/a", b"long before")
    await objects.put("temp/a", b"now")
    assert await objects.read("temp/a") == b"now"


async def test_a_zip_is_read_by_ranges(objects: Objects) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("large", LARGE)
        archive.writestr("a/b.py", b"x = 1")
    await objects.put("uploads/1.zip", made.getvalue())
    with objects.reader("uploads/1.zip") as file, zipfile.ZipFile(file) as archive:
        assert archive.read("a/b.py") == b"x = 1"
        assert archive.read("large") == LARGE


async def test_what_breaks_off_keeps_nothing(objects: Objects) -> None:
    with pytest.raises(RuntimeError, match="broke off"):
        await objects.put("temp/broken", pieces(LARGE, then=RuntimeError("broke off")))
    assert await objects.size("temp/broken") is None
    assert [stored async for stored in objects.under("temp")] == []


async def test_what_is_not_there_says_so_and_deleting_it_is_no_error(objects: Objects) -> None:
    assert await objects.size("temp/a") is None
    with pytest.raises(NotThere):
        await objects.read("temp/a")
    with pytest.raises(NotThere):
        await anext(objects.stream("temp/a"))
    with pytest.raises(NotThere):
        objects.reader("temp/a")
    await objects.delete("temp/a")
    await objects.delete_under("analyses/4")


async def test_all_under_a_prefix_is_deleted_and_nothing_beside_it(objects: Objects) -> None:
    for key in ("analyses/4/report.pdf", "analyses/4/report.md", "analyses/44/report.pdf"):
        await objects.put(key, b"x")
    await objects.delete_under("analyses/4")
    assert [stored.key async for stored in objects.under("analyses")] == ["analyses/44/report.pdf"]


@pytest.mark.parametrize(
    "key", ["../a", "temp/../a", "/temp/a", "temp", "temp/", "temp//a", "other/a", "temp/.a", "temp/a b", "temp/ü", ""]
)
async def test_a_key_that_is_none_of_ours_is_a_mistake(key: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no key"):
        await Objects(open_store("", tmp_path)).put(key, b"x")


async def test_a_store_that_is_away_is_told_apart_from_a_file_that_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aws(monkeypatch, "http://127.0.0.1:1")
    objects = Objects(open_store("s3://bucket", tmp_path))
    for attempt in (objects.size("temp/a"), objects.read("temp/a"), objects.put("temp/a", b"x"), objects.delete("temp/a")):
        with pytest.raises(StoreAway):
            await attempt


async def test_the_doctor_writes_and_reads_there(url: str, tmp_path: Path) -> None:
    [line] = await storage(read_settings(storage_url=url, data_dir=tmp_path, environment="test"))
    assert "files can be kept in" in line.sentence


async def test_without_a_url_files_lie_in_the_data_folder(tmp_path: Path) -> None:
    store = open_store("", tmp_path / "data & more")
    await store.put_async("reports/7.pdf", b"%PDF")
    assert bytes(await (await store.get_async("reports/7.pdf")).bytes_async()) == b"%PDF"
    assert (tmp_path / "data & more" / "objects" / "reports" / "7.pdf").read_bytes() == b"%PDF"


async def test_a_file_url_names_another_folder(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/there/yet%20another", tmp_path / "data")
    assert isinstance(store, LocalStore)
    await store.put_async("a", b"1")
    assert (tmp_path / "there" / "yet another" / "a").read_bytes() == b"1"
    assert not (tmp_path / "data").exists()


async def test_no_key_leads_out_of_the_folder(tmp_path: Path) -> None:
    store = open_store("", tmp_path / "data")
    with pytest.raises((ValueError, OSError)):
        await store.put_async("../../evil", b"1")
    assert not (tmp_path / "evil").exists()


def test_an_s3_url_names_a_bucket_and_a_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    store = open_store("s3://reports/of/octo", tmp_path)
    assert isinstance(store, S3Store)
    assert store.prefix == "of/octo"
    assert "hunter2" not in repr(store)


@pytest.mark.parametrize("url", ["file://relative/path", "file://", "s3://", "https://example.com/bucket", "/a/path"])
def test_any_other_url_is_answered_with_what_it_must_be(tmp_path: Path, url: str) -> None:
    with pytest.raises(UserError, match="STORAGE_URL must be"):
        open_store(url, tmp_path)
