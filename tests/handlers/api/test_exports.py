"""Exports: asked for, made by a job as the one who asked may see by then, fetched, and deleted."""

import csv
import hashlib
import io
import json
import zipfile
from typing import Any

import pytest

from review.pull_request import Repository
from tests.builders_api import Api, Person
from tests.builders_uploads import uploaded

pytestmark = pytest.mark.api


async def exported(api: Api, person: Person, **wanted: Any) -> tuple[dict[str, Any], bytes]:
    """An export, asked for and made: its data and its file."""
    queued = await person.post("/exports", wanted)
    assert queued.status_code == 202, queued.text
    id = queued.json()["data"]["export_id"]
    await api.work()
    made = (await person.get(f"/exports/{id}")).json()["data"]
    assert made["status"] == "ready", made
    file = await person.get(f"/exports/{id}/file")
    assert (file.status_code, len(file.content)) == (200, made["size"])
    return made, file.content


def an_analysis(api: Api, organization_id: int, repository_id: int | None, title: str = "", findings: int = 1) -> int:
    """A finished one with so many findings."""
    [[id]] = api.sql(
        "INSERT INTO analyses (organization_id, repository_id, title, tags) VALUES (%s, %s, %s, '{a,b}') RETURNING id",
        (organization_id, repository_id, title),
    )
    for number in range(findings):
        api.sql(
            "INSERT INTO findings (organization_id, analysis_id, fingerprint, path, side, first_line, last_line, severity,"
            " category, source, rule, message, quote, confidence, issue) VALUES (%s, %s, 'f', %s, 'right', 1, 2, 'high',"
            " 'security', 'bandit', 'B1', '=HYPERLINK(\"x\")', '', 0.5, 'security-001')",
            (organization_id, id, f"file{number}.py"),
        )
    return int(id)


async def test_a_csv_holds_a_line_of_names_and_a_line_a_row_and_no_formula(api: Api) -> None:
    mona = await api.person("mona")
    an_analysis(api, mona.home, None, findings=3)
    made, content = await exported(api, mona, kind="findings", format="csv")
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert (made["rows"], len(rows)) == (3, 3)
    assert [row["file"] for row in rows] == ["file0.py", "file1.py", "file2.py"]
    assert rows[0]["message"] == '\'=HYPERLINK("x")'
    assert content.count(b"\r\n") == 4


async def test_json_is_an_array_of_objects(api: Api) -> None:
    mona = await api.person("mona")
    id = an_analysis(api, mona.home, None, title="=1+1 ü\n")
    _, content = await exported(api, mona, kind="analyses", format="json")
    [row] = json.loads(content)
    assert (row["id"], row["title"], row["tags"], row["partial"]) == (id, "=1+1 ü\n", ["a", "b"], False)
    _, empty = await exported(api, mona, kind="usage", format="json")
    assert json.loads(empty) == []


async def test_a_zip_holds_both_with_a_manifest_that_names_their_hashes(api: Api) -> None:
    mona = await api.person("mona")
    await uploaded(mona)
    made, content = await exported(api, mona, kind="audit", format="zip", filters={"action": "upload.create"})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        files = {name: archive.read(name) for name in archive.namelist() if name != "manifest.json"}
    assert (manifest["rows"], manifest["filters"], manifest["kind"]) == (made["rows"], {"action": "upload.create"}, "audit")
    assert {file["name"]: file["sha256"] for file in manifest["files"]} == {
        name: hashlib.sha256(file).hexdigest() for name, file in files.items()
    }
    [row] = json.loads(files["audit.json"])
    assert (row["action"], row["actor"]) == ("upload.create", "mona@example.com")


async def test_filters_and_times_choose_the_rows(api: Api) -> None:
    [tenant] = await api.organization()
    mona = await api.person("mona")
    api.join(mona, tenant.organization_id, "member", github="owner")
    an_analysis(api, tenant.organization_id, tenant.repository_id, "in the repository")
    an_analysis(api, tenant.organization_id, None, "of an upload")
    old = an_analysis(api, tenant.organization_id, None, "long ago")
    api.sql("UPDATE analyses SET created_at = '2020-01-01' WHERE id = %s", (old,))
    of = {"kind": "analyses", "format": "json", "organization_id": tenant.organization_id}
    for given, titles in (
        ({"filters": {"repository_id": tenant.repository_id}}, {"in the repository"}),
        ({"since": "2024-01-01T00:00:00Z"}, {"in the repository", "of an upload"}),
        ({"until": "2024-01-01T00:00:00+02:00"}, {"long ago"}),
        ({"filters": {"status": "failed"}}, set()),
    ):
        _, content = await exported(api, mona, **of, **given)
        assert {row["title"] for row in json.loads(content)} == titles, given


async def test_it_holds_what_the_one_who_asked_may_see_when_it_is_made_not_when_it_was_asked_for(api: Api) -> None:
    [tenant] = await api.organization()
    mona = await api.person("mona")
    api.join(mona, tenant.organization_id, "member")
    an_analysis(api, tenant.organization_id, tenant.repository_id, "secret")
    an_analysis(api, tenant.organization_id, None, "everybody's")
    wanted = {"kind": "analyses", "format": "json", "organization_id": tenant.organization_id}
    _, content = await exported(api, mona, **wanted)
    assert [row["title"] for row in json.loads(content)] == ["everybody's"]
    id = (await mona.post("/exports", wanted)).json()["data"]["export_id"]
    api.join(mona, tenant.organization_id, "viewer")
    await api.work()
    failed = (await mona.get(f"/exports/{id}")).json()["data"]
    assert (failed["status"], failed["error"]) == (
        "failed", "This export takes the role member in the organization, and you do not hold it any more.",
    )  # fmt: skip
    assert (await mona.get(f"/exports/{id}/file")).status_code == 409


async def test_the_audit_is_for_admins(api: Api) -> None:
    [tenant] = await api.organization()
    mona = await api.person("mona")
    wanted = {"kind": "audit", "format": "csv", "organization_id": tenant.organization_id}
    assert (await mona.post("/exports", wanted)).status_code == 404
    for role, status in (("viewer", 403), ("maintainer", 403), ("admin", 202)):
        api.join(mona, tenant.organization_id, role)
        assert (await mona.post("/exports", wanted)).status_code == status, role


async def test_an_export_is_seen_by_whoever_asked_for_it_alone(api: Api) -> None:
    [tenant] = await api.organization()
    mona, hubert = await api.person("mona"), await api.person("hubert")
    for person in (mona, hubert):
        api.join(person, tenant.organization_id, "owner")
    made, _ = await exported(api, mona, kind="usage", format="csv", organization_id=tenant.organization_id)
    for path in ("", "/file"):
        assert (await hubert.get(f"/exports/{made['export_id']}{path}")).status_code == 404
    assert (await hubert.delete(f"/exports/{made['export_id']}")).status_code == 404
    assert (await hubert.get("/exports")).json()["data"]["items"] == []


async def test_until_it_is_ready_there_is_no_file_and_the_list_says_so(api: Api) -> None:
    mona = await api.person("mona")
    ids = [(await mona.post("/exports", {"kind": "usage", "format": "csv"})).json()["data"]["export_id"] for _ in range(3)]
    early = await mona.get(f"/exports/{ids[0]}/file")
    assert (early.status_code, early.headers["retry-after"]) == (409, "2")
    first = (await mona.get("/exports?limit=2")).json()["data"]
    rest = (await mona.get("/exports", params={"cursor": first["next_cursor"]})).json()["data"]
    assert [item["export_id"] for item in (*first["items"], *rest["items"])] == ids[::-1]
    assert {item["status"] for item in first["items"]} == {"queued"}


async def test_a_deleted_export_is_gone_with_its_file_and_is_not_made_any_more(api: Api) -> None:
    mona = await api.person("mona")
    made, _ = await exported(api, mona, kind="usage", format="csv")
    queued = (await mona.post("/exports", {"kind": "usage", "format": "csv"})).json()["data"]
    for export in (made, queued):
        assert (await mona.delete(f"/exports/{export['export_id']}")).status_code == 200
        assert (await mona.get(f"/exports/{export['export_id']}")).status_code == 404
    await api.work()
    assert not [path for path in (api.settings.data_dir / "objects").rglob("*") if path.is_file()]
    acts = api.sql("SELECT action FROM audit_logs WHERE subject = %s ORDER BY id", (f"export:{made['export_id']}",))
    assert acts == [("export.create",), ("export.delete",)]


async def test_a_job_that_was_given_up_makes_the_export_a_failed_one(api: Api) -> None:
    mona = await api.person("mona")
    id = (await mona.post("/exports", {"kind": "usage", "format": "csv"})).json()["data"]["export_id"]
    api.sql("UPDATE deliveries SET state = 'failed', outcome = 'Given up.' WHERE id = %s", (f"export-{id}",))
    failed = (await mona.get(f"/exports/{id}")).json()["data"]
    assert (failed["status"], failed["error"]) == ("failed", "Given up.")


@pytest.mark.parametrize(
    "body",
    [
        {}, {"kind": "users", "format": "csv"}, {"kind": "usage", "format": "xlsx"},
        {"kind": "usage", "format": "csv", "filters": {"severity": "high"}},
        {"kind": "usage", "format": "csv", "filters": {"other": 1}},
        {"kind": "usage", "format": "csv", "since": "2024-01-01T00:00:00"},
        {"kind": "usage", "format": "csv", "since": "2024-01-02T00:00:00Z", "until": "2024-01-01T00:00:00Z"},
        {"kind": "usage", "format": "csv", "organization_id": 0},
    ],
)  # fmt: skip
async def test_what_is_no_export_is_invalid(api: Api, body: dict[str, Any]) -> None:
    mona = await api.person("mona")
    answer = await mona.post("/exports", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")


async def test_an_export_is_not_seen_any_more_by_whoever_lost_a_repository_that_is_in_it(api: Api) -> None:
    mona = await api.person("mona")
    one, two = await api.organization(100, Repository(9001, "octo/hello"), Repository(9002, "octo/other"))
    api.join(mona, one.organization_id, github="member")
    for tenant in (one, two):
        api.may_read(mona, tenant)
        an_analysis(api, tenant.organization_id, tenant.repository_id)
    made, _ = await exported(api, mona, kind="findings", format="csv", organization_id=one.organization_id)
    assert made["rows"] == 2
    api.sql("DELETE FROM repository_readers WHERE repository_id = %s", (two.repository_id,))
    assert (await mona.get(f"/exports/{made['export_id']}/file")).status_code == 404
    assert (await mona.get("/exports")).json()["data"]["items"] == []
    again, _ = await exported(api, mona, kind="findings", format="csv", organization_id=one.organization_id)
    assert again["rows"] == 1


async def test_an_owner_who_is_none_any_more_does_not_see_what_was_exported_for_one(api: Api) -> None:
    mona = await api.person("mona")
    [tenant] = await api.organization()
    api.join(mona, tenant.organization_id, github="owner")
    whole, _ = await exported(api, mona, kind="findings", format="json", organization_id=tenant.organization_id)
    api.join(mona, tenant.organization_id, "admin", github="member")
    assert (await mona.get(f"/exports/{whole['export_id']}/file")).status_code == 404
    audit, _ = await exported(api, mona, kind="audit", format="json", organization_id=tenant.organization_id)
    api.join(mona, tenant.organization_id, github="member")
    assert (await mona.get(f"/exports/{audit['export_id']}/file")).status_code == 404
