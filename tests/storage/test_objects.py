"""Files that last: one interface over a local folder, and a sentence for a URL that names no store."""

from pathlib import Path

import pytest
from obstore.store import LocalStore, S3Store

from review.errors import UserError
from storage.objects import open_store

pytestmark = pytest.mark.integration


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
