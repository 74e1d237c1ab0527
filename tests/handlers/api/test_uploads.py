"""Uploads: sent as a form or an archive, listed, read back as they were, and deleted by who may."""

import io
import zipfile
from pathlib import Path

import pytest

from tests.builders_api import Api
from tests.builders_uploads import CODE, a_tar_gz, a_zip, uploaded

pytestmark = pytest.mark.api


@pytest.mark.parametrize("archive", [a_zip(), a_tar_gz()], ids=["zip", "tar.gz"])
async def test_an_archive_is_unpacked_and_each_file_is_told_with_size_and_type(api: Api, archive: bytes) -> None:
    mona = await api.person("mona")
    answer = await mona.post("/uploads", files={"file": ("whatever.bin", archive)})
    assert answer.status_code == 201, answer.text
    data = answer.json()["data"]
    assert data["files"] == [
        {"filename": "app/main.py", "size": 25, "type": "text/x-python"},
        {"filename": "README.md", "size": 8, "type": "text/markdown"},
        {"filename": "empty.txt", "size": 0, "type": "text/plain"},
    ]
    assert (data["organization_id"], data["user_id"], data["file_count"], data["size"]) == (mona.home, mona.id, 3, 33)
    assert answer.headers["location"] == f"/api/v1/uploads/{data['upload_id']}"


async def test_plain_files_are_taken_as_they_are_with_their_relative_names(api: Api) -> None:
    mona = await api.person("mona")
    files = [("file", ("src/a.py", b"a = 1\n")), ("file", ("src/ü b.py", b"b = 2\n")), ("more", ("c.bin", b"\x00\x01"))]
    answer = await mona.post("/uploads", files=files)
    assert answer.status_code == 201, answer.text
    assert [file["filename"] for file in answer.json()["data"]["files"]] == ["src/a.py", "src/ü b.py", "c.bin"]


@pytest.mark.parametrize(("kind", "archive"), [("application/zip", a_zip()), ("application/gzip", a_tar_gz())])
async def test_an_archive_may_be_the_whole_body(api: Api, kind: str, archive: bytes) -> None:
    mona = await api.person("mona")
    answer = await mona.post("/uploads", content=archive, headers={"Content-Type": kind})
    assert answer.status_code == 201, answer.text
    assert answer.json()["data"]["file_count"] == 3


async def test_what_was_sent_comes_back_as_a_zip_and_file_by_file(api: Api) -> None:
    mona = await api.person("mona")
    id = (await uploaded(mona))["upload_id"]
    whole = await mona.get(f"/uploads/{id}", headers={"Accept": "application/zip"})
    assert whole.headers["content-type"] == "application/zip"
    assert whole.headers["content-disposition"].startswith(f'attachment; filename="upload-{id}.zip"')
    with zipfile.ZipFile(io.BytesIO(whole.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == CODE
    for name, content in CODE.items():
        assert (await mona.get(f"/uploads/{id}/files/{name}")).content == content
    listed = await mona.get(f"/uploads/{id}", headers={"Accept": "application/json, application/zip"})
    assert len(listed.json()["data"]["files"]) == 3


async def test_hostile_content_and_names_come_back_as_attachments_that_no_browser_runs(api: Api) -> None:
    mona = await api.person("mona")
    name = "a\";b='x' é.html"
    id = (await uploaded(mona, {f"d/{name}": b"<!doctype html><script>alert(1)</script>"}))["upload_id"]
    answer = await mona.get(f"/uploads/{id}/files/d/{name}")
    assert answer.status_code == 200
    disposition = answer.headers["content-disposition"]
    assert disposition == ("attachment; filename=\"a__b__x___.html\"; filename*=UTF-8''a%22%3Bb%3D%27x%27%20%C3%A9.html")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_another_file_another_upload_or_another_persons_upload_is_not_there(api: Api) -> None:
    mona, hubert = await api.person("mona"), await api.person("hubert")
    id = (await uploaded(mona))["upload_id"]
    for person, path in (
        (mona, f"/uploads/{id}/files/app/other.py"), (mona, f"/uploads/{id + 1}"), (hubert, f"/uploads/{id}"),
        (hubert, f"/uploads/{id}/files/README.md"),
    ):  # fmt: skip
        assert (await person.get(path)).status_code == 404, path
    assert (await hubert.delete(f"/uploads/{id}")).status_code == 404
    assert (await mona.get(f"/uploads/{id}")).status_code == 200


async def test_whoever_made_it_and_maintainers_may_delete_it_other_members_may_not(api: Api) -> None:
    [tenant] = await api.organization()
    mona, hubert, lead = await api.person("mona"), await api.person("hubert"), await api.person("lead")
    for person, role in ((mona, "member"), (hubert, "member"), (lead, "maintainer")):
        api.join(person, tenant.organization_id, role)
    first, second = [(await uploaded(mona, organization_id=tenant.organization_id))["upload_id"] for _ in range(2)]
    assert (await hubert.delete(f"/uploads/{first}")).status_code == 403
    assert (await mona.delete(f"/uploads/{first}")).status_code == 200
    assert (await lead.delete(f"/uploads/{second}")).status_code == 200
    assert (await mona.get(f"/uploads/{first}")).status_code == 404
    assert not list(objects(api))
    acts = api.sql("SELECT action, subject FROM audit_logs WHERE organization_id = %s ORDER BY id", (tenant.organization_id,))
    assert [act for act in acts if act[1] == f"upload:{first}"] == [
        ("upload.create", f"upload:{first}"), ("upload.delete", f"upload:{first}"),
    ]  # fmt: skip


async def test_an_upload_for_an_organization_takes_a_member_of_it(api: Api) -> None:
    [tenant] = await api.organization()
    mona = await api.person("mona")
    form = {"data": {"organization_id": str(tenant.organization_id)}, "files": {"file": ("a.zip", a_zip())}}
    assert (await mona.post("/uploads", **form)).status_code == 404
    api.join(mona, tenant.organization_id, "viewer")
    assert (await mona.post("/uploads", **form)).status_code == 403
    api.join(mona, tenant.organization_id, "member")
    assert (await mona.post("/uploads", **form)).json()["data"]["organization_id"] == tenant.organization_id


async def test_lists_come_in_pages_of_all_ones_organizations_or_of_one(api: Api) -> None:
    [tenant] = await api.organization()
    mona = await api.person("mona")
    api.join(mona, tenant.organization_id, "member")
    ids = [(await uploaded(mona, organization_id=id))["upload_id"] for id in (mona.home, tenant.organization_id, mona.home)]
    first = (await mona.get("/uploads?limit=2")).json()["data"]
    rest = (await mona.get("/uploads", params={"limit": 2, "cursor": first["next_cursor"]})).json()["data"]
    assert [item["upload_id"] for item in (*first["items"], *rest["items"])] == ids[::-1]
    assert rest["next_cursor"] is None
    own = (await mona.get(f"/uploads?organization_id={mona.home}")).json()["data"]["items"]
    assert [item["upload_id"] for item in own] == [ids[2], ids[0]]
    assert (await mona.get(f"/uploads?organization_id={tenant.organization_id + 99}")).status_code == 404


async def test_an_expired_upload_is_not_there_any_more(api: Api) -> None:
    mona = await api.person("mona")
    id = (await uploaded(mona))["upload_id"]
    api.sql("UPDATE uploads SET expires_at = now() - interval '1 second'")
    assert (await mona.get(f"/uploads/{id}")).status_code == 404
    assert (await mona.get("/uploads")).json()["data"]["items"] == []


def objects(api: Api) -> list[Path]:
    """Files in the store."""
    return [path for path in (api.settings.data_dir / "objects").rglob("*") if path.is_file()]
