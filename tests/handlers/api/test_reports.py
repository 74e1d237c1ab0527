"""Reports through the API: made by a job when first asked for, kept, given out as files that nobody can turn into more."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from jsonschema import Draft4Validator

from bot.wiring import open_context
from handlers.api import reports
from handlers.jobs.write_report import write_report
from review.errors import UserError
from review.reports.as_pdf import Pdf
from storage.reports import Reports
from tests.builders_analyses import BAD, asked, uploaded
from tests.builders_api import Api, Person
from tests.review.reports.test_sarif import SCHEMA

pytestmark = pytest.mark.api

HOSTILE = '<script>alert(1)</script>\u202e\n#eval("1")'


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are done when a test says so: nobody waits for them."""
    monkeypatch.setattr(reports, "PATIENCE", 0.05)


async def analyzed(api: Api, person: Person, **body: Any) -> int:
    id = await asked(person, upload_id=await uploaded(person, {"app.py": BAD, "notes.md": "# Notes\n"}), **body)
    await api.work()
    return id


async def made(api: Api, person: Person, id: int, format: str = "html") -> httpx.Response:
    """The report, once it is there."""
    first = await person.get(f"/analyses/{id}/report", params={"format": format})
    assert first.status_code == 202, first.text
    await api.work()
    answer = await person.get(f"/analyses/{id}/report", params={"format": format})
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize(
    ("format", "ending", "kind", "start"),
    [
        ("html", "html", "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        ("pdf", "pdf", "application/pdf", b"%PDF-"),
        ("markdown", "md", "text/markdown; charset=utf-8", b"# RefactorIQ: "),
        ("sarif", "sarif", "application/sarif+json", b"{"),
        ("json", "json", "application/json", b"{"),
    ],
)
async def test_each_format_is_a_file_of_its_kind_and_no_browser_shows_it(
    api: Api, format: str, ending: str, kind: str, start: bytes
) -> None:
    mona = await api.person("mona")
    id = await analyzed(api, mona)
    answer = await made(api, mona, id, format)
    assert answer.content.startswith(start)
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="refactoriq-analysis-{id}.{ending}"')
    assert answer.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_html_is_what_one_gets_who_does_not_say(api: Api) -> None:
    mona = await api.person("mona")
    id = await analyzed(api, mona, title=HOSTILE)
    assert (await mona.get(f"/analyses/{id}/report")).status_code == 202
    await api.work()
    page = (await mona.get(f"/analyses/{id}/report")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "<script" not in page
    assert "security-001" in page and "correctness-001" in page and "upload 1" in page
    assert "score of 100" in page and "Lines of code" in page


async def test_what_was_kept_comes_out_again_whole(api: Api) -> None:
    mona = await api.person("mona")
    id = await analyzed(api, mona, title="First")
    document = json.loads((await made(api, mona, id, "json")).content)
    results = (await mona.get(f"/analyses/{id}")).json()["data"]["results"]
    assert [found["id"] for found in document["findings"]] == [issue["id"] for issue in results["issues"]]
    assert (document["title"], document["subject"], document["score"]) == ("First", "upload 1", results["overall_score"])
    assert document["metrics"]["lines_of_code"] == results["metrics"]["lines_of_code"]
    assert document["read"] == results["coverage"]["read"] and document["finished_at"]
    dropped = sum(results["dropped"].values())
    assert len(document["dropped"]) == dropped


async def test_sarif_of_a_kept_analysis_is_valid_and_its_fix_applies(api: Api) -> None:
    mona = await api.person("mona")
    document = json.loads((await made(api, mona, await analyzed(api, mona), "sarif")).content)
    assert [error.message for error in Draft4Validator(json.loads(SCHEMA.read_text())).iter_errors(document)] == []
    results = document["runs"][0]["results"]
    assert {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results} == {"app.py"}
    assert any("fixes" in result for result in results)


async def test_a_suggestion_is_shown_with_what_it_replaces_although_the_file_is_gone(api: Api) -> None:
    mona = await api.person("mona")
    page = (await made(api, mona, await analyzed(api, mona))).text
    assert "<del>-def run(command, seen=[]):</del>" in page and "<ins>+def run(command, seen=None):</ins>" in page


async def test_who_asks_first_waits_for_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "PATIENCE", 20.0)
    mona = await api.person("mona")
    id = await analyzed(api, mona)
    both = [asyncio.create_task(mona.get(f"/analyses/{id}/report")) for _ in range(2)]
    async with asyncio.timeout(15):
        while not api.sql("SELECT id FROM deliveries WHERE action = 'write_report'"):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        await api.work()
        answers = await asyncio.gather(*both)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert api.sql("SELECT count(*) FROM deliveries WHERE action = 'write_report'") == [(1,)]


async def test_one_that_is_being_made_says_when_to_come_again(api: Api) -> None:
    mona = await api.person("mona")
    id = await analyzed(api, mona)
    answer = await mona.get(f"/analyses/{id}/report", params={"format": "pdf"})
    assert (answer.status_code, answer.headers["retry-after"]) == (202, "2")
    assert answer.json()["data"] == {"analysis_id": id, "format": "pdf", "state": "queued"}
    again = await mona.get(f"/analyses/{id}/report", params={"format": "pdf"})
    assert again.status_code == 202
    assert api.sql("SELECT count(*) FROM deliveries WHERE action = 'write_report'") == [(1,)]


async def test_it_is_made_once_and_again_only_when_the_title_is_another(api: Api) -> None:
    mona = await api.person("mona")
    id = await analyzed(api, mona, title="Old title")
    first = await made(api, mona, id)
    tag = first.headers["etag"]
    same = await mona.get(f"/analyses/{id}/report", headers={"If-None-Match": tag})
    assert (same.status_code, same.content) == (304, b"")
    assert (await mona.put(f"/analyses/{id}", {"title": "New title"})).status_code == 200
    new = await made(api, mona, id)
    assert "New title" in new.text and "Old title" not in new.text
    assert new.headers["etag"] != tag


async def test_one_whose_file_is_gone_is_made_again(api: Api) -> None:
    mona = await api.person("mona")
    id = await analyzed(api, mona)
    first = await made(api, mona, id)
    [kept] = api.settings.data_dir.rglob("report.html")
    kept.unlink()
    assert (await made(api, mona, id)).content == first.content


async def test_an_analysis_that_is_not_completed_has_none(api: Api) -> None:
    mona = await api.person("mona")
    id = await asked(mona, upload_id=await uploaded(mona, {"app.py": BAD}))
    answer = await mona.get(f"/analyses/{id}/report")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "illegal_step")
    assert answer.json()["error"]["message"] == "The analysis is queued: there is a report once it is completed."


async def test_nobody_else_gets_it_nor_has_it_made(api: Api) -> None:
    mona, eve = await api.person("mona"), await api.person("eve")
    id = await analyzed(api, mona)
    await made(api, mona, id)
    for given in (id, id + 1):
        answer = await eve.get(f"/analyses/{given}/report", params={"format": "json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert (await api.client.get(f"/api/v1/analyses/{id}/report")).status_code == 401
    assert api.sql("SELECT count(*) FROM deliveries WHERE action = 'write_report'") == [(1,)]


@pytest.mark.parametrize("format", ["xml", "", "HTML", "../html", "html\x00"])
async def test_a_format_that_is_none_is_refused(api: Api, format: str) -> None:
    mona = await api.person("mona")
    assert (await mona.get("/analyses/1/report", params={"format": format})).status_code == 422


def too_large(*_: object) -> bytes:
    raise UserError("Too large: ask for the HTML report.")


async def test_one_that_cannot_be_made_says_why_and_is_not_tried_at_every_request(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    mona = await api.person("mona")
    id = await analyzed(api, mona)
    with monkeypatch.context() as broken:
        broken.setattr(Pdf, "write", too_large)
        assert (await mona.get(f"/analyses/{id}/report", params={"format": "pdf"})).status_code == 202
        await api.work()
    for _ in range(2):
        answer = await mona.get(f"/analyses/{id}/report", params={"format": "pdf"})
        assert (answer.status_code, answer.json()["error"]["message"]) == (409, "Too large: ask for the HTML report.")
    monkeypatch.setattr(reports, "FAILED_STANDS", timedelta(0))
    assert (await made(api, mona, id, "pdf")).content.startswith(b"%PDF-")


async def test_a_report_of_an_analysis_that_is_removed_meanwhile_leaves_nothing_behind(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    mona = await api.person("mona")
    id = await analyzed(api, mona)
    assert (await mona.get(f"/analyses/{id}/report")).status_code == 202
    dropped = Reports.dropped

    async def removed(self: Reports, organization_id: int, analysis_id: int) -> Any:
        found = await dropped(self, organization_id, analysis_id)
        api.sql("DELETE FROM analyses WHERE id = %s", (analysis_id,))
        return found

    monkeypatch.setattr(Reports, "dropped", removed)
    await api.work()
    assert list(api.settings.data_dir.rglob("report.html")) == []
    assert api.sql("SELECT state FROM deliveries WHERE action = 'write_report'") == [("superseded",)]


async def test_a_job_that_is_done_twice_makes_the_same(api: Api) -> None:
    mona = await api.person("mona")
    id = await analyzed(api, mona)
    first = await made(api, mona, id)
    arguments = {"delivery_id": "again", "organization_id": mona.home, "analysis_id": id, "format": "html"}
    async with open_context(api.settings) as context:
        await write_report(context, arguments)
    assert (await mona.get(f"/analyses/{id}/report")).content == first.content
