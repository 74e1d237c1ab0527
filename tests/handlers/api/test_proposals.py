"""Proposals through the API, of an upload: prepared, looked at again, approved, applied; and every step that is not legal."""

import asyncio
import io
import subprocess
import zipfile
from pathlib import Path

import pytest

from handlers.api import proposals as proposals_module
from tests.builders_api import Api
from tests.builders_proposals import BAD, MENDED, an_analyzed_upload, approved, proposed, while_working

pytestmark = pytest.mark.api


async def test_an_upload_is_mended_from_end_to_end(api: Api, tmp_path: Path) -> None:
    mona = await api.person("mona")
    analysis = await an_analyzed_upload(api, mona, {"app.py": BAD, "é x.py": BAD.replace(b"\n", b"\r\n"), "ok.py": b"x = 1\n"})
    proposal = await proposed(api, mona, analysis, title="Clean up")
    assert (proposal["state"], proposal["title"], proposal["legal_steps"]) == (
        "proposed",
        "Clean up",
        ["approved", "rejected"],
    )
    assert [change["file"] for change in proposal["changes"]] == ["app.py", "é x.py"]
    assert proposal["changes"][0]["type"] == "modified"
    assert proposal["changes"][0]["diff"].startswith("diff --git a/app.py b/app.py\n--- a/app.py\n+++ b/app.py\n@@ -1,")
    impact = proposal["impact_analysis"]
    assert (impact["files_affected"], impact["lines_added"], impact["lines_removed"]) == (2, 2, 4)
    assert impact["issues_settled"] == len(proposal["settled"]) == 4
    assert impact["estimated_improvement"] > 0
    assert {one["because"] for one in proposal["left_out"]} == {"there is no suggestion for it"}
    assert "does not find F401 there any more" in str(proposal["settled"])

    patch = await mona.get(f"/proposals/{proposal['proposal_id']}/patch")
    assert patch.headers["content-type"].startswith("text/x-diff")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "app.py").write_bytes(BAD)
    (tmp_path / "work" / "é x.py").write_bytes(BAD.replace(b"\n", b"\r\n"))
    subprocess.run(["git", "apply"], cwd=tmp_path / "work", input=patch.content, check=True)
    assert (tmp_path / "work" / "app.py").read_bytes() == MENDED

    early = await mona.get(f"/proposals/{proposal['proposal_id']}/files")
    assert early.status_code == 409
    await approved(mona, proposal["proposal_id"])
    applied = await while_working(api, mona.put(f"/proposals/{proposal['proposal_id']}/apply", {"confirm": True}))
    assert (applied.status_code, applied.json()["data"]["state"]) == (200, "applied"), applied.text
    files = await mona.get(f"/proposals/{proposal['proposal_id']}/files")
    with zipfile.ZipFile(io.BytesIO(files.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "app.py": MENDED,
            "é x.py": MENDED.replace(b"\n", b"\r\n"),
        }
    acts = [row[0] for row in api.sql("SELECT action FROM audit_logs WHERE subject LIKE 'proposal:%' ORDER BY id")]
    assert acts == ["proposal.create", "proposal.prepare", "proposal.change", "proposal.apply", "proposal.apply"]


async def test_only_the_chosen_findings_are_settled(api: Api) -> None:
    mona = await api.person()
    analysis = await an_analyzed_upload(api, mona, {"app.py": BAD})
    issues = (await mona.get(f"/analyses/{analysis}")).json()["data"]["results"]["issues"]
    (name,) = (issue["id"] for issue in issues if issue["rule"] == "E714")
    proposal = await proposed(api, mona, analysis, [name, name])
    assert [one["issue"] for one in proposal["settled"]] == proposal["issues_to_fix"] == [name]
    assert "-    if not a is None:\n+    if a is not None:\n" in proposal["changes"][0]["diff"]
    assert "import os" not in [line[1:] for line in proposal["changes"][0]["diff"].splitlines() if line.startswith("-")]


async def test_where_nothing_can_be_settled_it_has_failed_and_says_why(api: Api) -> None:
    mona = await api.person()
    analysis = await an_analyzed_upload(api, mona, {"app.py": b"def f(a):\n    return eval(a)\n"})
    proposal = await proposed(api, mona, analysis)
    assert (proposal["state"], proposal["changes"], proposal["settled"]) == ("failed", [], [])
    assert "left_out says why" in proposal["message"]
    assert (await mona.get(f"/proposals/{proposal['proposal_id']}/patch")).status_code == 409


async def test_where_nothing_was_found_nothing_is_proposed(api: Api) -> None:
    mona = await api.person()
    analysis = await an_analyzed_upload(api, mona, {"app.py": b"x = 1\n"})
    answer = await mona.post("/proposals", {"analysis_id": analysis, "issues_to_fix": "all"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert (await mona.get("/proposals")).json()["data"]["items"] == []


async def test_unknown_issues_are_named(api: Api) -> None:
    mona = await api.person()
    analysis = await an_analyzed_upload(api, mona, {"app.py": BAD})
    answer = await mona.post("/proposals", {"analysis_id": analysis, "issues_to_fix": ["style-999", "x"]})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"] == [
        {"at": "issues_to_fix", "is": "unknown: style-999"},
        {"at": "issues_to_fix", "is": "unknown: x"},
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"analysis_id": 1},
        {"analysis_id": 1, "issues_to_fix": []},
        {"analysis_id": 1, "issues_to_fix": "some"},
        {"analysis_id": 1, "issues_to_fix": [1]},
        {"analysis_id": 1, "issues_to_fix": ["a\0"]},
        {"analysis_id": 1, "issues_to_fix": "all", "auto_apply": "maybe"},
        {"analysis_id": 1, "issues_to_fix": "all", "more": 1},
    ],
)
async def test_a_request_that_does_not_fit_is_422(api: Api, body: dict[str, object]) -> None:
    mona = await api.person()
    answer = await mona.post("/proposals", body)
    assert answer.status_code == 422
    places = {place["at"] for place in answer.json()["error"]["details"]}
    assert places <= {"analysis_id", "issues_to_fix", "issues_to_fix.0", "auto_apply", "more"}, "forms of ours are none"


async def test_it_is_applied_only_when_that_is_confirmed_and_it_was_approved(api: Api) -> None:
    mona = await api.person()
    analysis = await an_analyzed_upload(api, mona, {"app.py": BAD})
    path = f"/proposals/{(await proposed(api, mona, analysis))['proposal_id']}"
    for body in ({}, {"confirm": False}, {"confirm": None}):
        assert (await mona.put(f"{path}/apply", body)).status_code == 422
    early = await mona.put(f"{path}/apply", {"confirm": True})
    assert (early.status_code, early.json()["error"]["code"]) == (409, "illegal_step")
    assert early.json()["error"]["details"] == {"state": "proposed", "legal": ["approved", "rejected"]}
    assert (await mona.put(path, {})).status_code == 422
    assert (await mona.put(path, {"state": "applied"})).status_code == 422
    assert (await mona.put(path, {"title": "New"})).json()["data"]["title"] == "New"
    rejected = await mona.put(path, {"state": "rejected", "title": "No"})
    assert (rejected.json()["data"]["state"], rejected.json()["data"]["title"]) == ("rejected", "No")
    late = await mona.put(path, {"state": "approved"})
    assert (late.status_code, late.json()["error"]["details"]) == (409, {"state": "rejected", "legal": []})


async def test_of_two_decisions_at_once_one_wins(api: Api) -> None:
    mona = await api.person()
    analysis = await an_analyzed_upload(api, mona, {"app.py": BAD})
    path = f"/proposals/{(await proposed(api, mona, analysis))['proposal_id']}"
    answers = await asyncio.gather(*(mona.put(path, {"state": "approved"}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    applies = asyncio.gather(*(mona.put(f"{path}/apply", {"confirm": True}) for _ in range(3)))
    task = asyncio.ensure_future(applies)
    while not task.done():
        await api.work()
        await asyncio.wait([task], timeout=0.02)
    assert sorted(answer.status_code for answer in task.result()) == [200, 409, 409]


async def test_with_auto_apply_all_steps_are_taken(api: Api) -> None:
    mona = await api.person()
    analysis = await an_analyzed_upload(api, mona, {"app.py": BAD})
    proposal = await proposed(api, mona, analysis, auto_apply=True)
    await api.work()
    answer = await mona.get(f"/proposals/{proposal['proposal_id']}")
    assert answer.json()["data"]["state"] == "applied"


async def test_what_takes_longer_is_answered_with_its_state(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals_module, "PATIENCE", 0.05)
    mona = await api.person()
    analysis = await an_analyzed_upload(api, mona, {"app.py": BAD})
    answer = await mona.post("/proposals", {"analysis_id": analysis, "issues_to_fix": "all"})
    assert (answer.status_code, answer.json()["data"]["state"]) == (202, "preparing")
    assert answer.headers["retry-after"] == "2"
    path = answer.headers["location"].removeprefix("/api/v1")
    assert (await mona.get(f"{path}/patch")).status_code == 409
    await mona.put(path, {"state": "rejected"})
    await api.work()
    assert (await mona.get(path)).json()["data"]["state"] == "rejected"
    assert (await mona.get(path)).json()["data"]["changes"] == []


async def test_lists_hold_what_is_asked_for_page_by_page(api: Api) -> None:
    mona = await api.person()
    analysis = await an_analyzed_upload(api, mona, {"app.py": BAD})
    ids = [(await proposed(api, mona, analysis))["proposal_id"] for _ in range(3)]
    await mona.put(f"/proposals/{ids[0]}", {"state": "rejected"})
    first = (await mona.get("/proposals?limit=2")).json()["data"]
    assert [item["proposal_id"] for item in first["items"]] == ids[:0:-1]
    assert first["items"][0]["files"] == ["app.py"]
    assert "changes" not in first["items"][0]
    second = (await mona.get(f"/proposals?limit=2&cursor={first['next_cursor']}")).json()["data"]
    assert ([item["proposal_id"] for item in second["items"]], second["next_cursor"]) == (ids[:1], None)
    for query, found in (
        (f"analysis_id={analysis}&state=rejected", ids[:1]),
        ("state=proposed", ids[:0:-1]),
        ("analysis_id=99", []),
    ):
        items = (await mona.get(f"/proposals?{query}")).json()["data"]["items"]
        assert [item["proposal_id"] for item in items] == found
    assert (await mona.get("/proposals?state=odd")).status_code == 422


async def test_strangers_see_nothing_and_members_do_not_decide(api: Api) -> None:
    mona, stranger, member = await api.person(), await api.person(), await api.person()
    api.join(member, mona.home, "member")
    analysis = await an_analyzed_upload(api, mona, {"app.py": BAD})
    proposal = await proposed(api, member, analysis)
    path = f"/proposals/{proposal['proposal_id']}"
    wish = {"analysis_id": analysis, "issues_to_fix": "all"}
    for call in (
        stranger.get(path), stranger.get(f"{path}/patch"), stranger.put(path, {"state": "approved"}),
        stranger.put(f"{path}/apply", {"confirm": True}), stranger.post("/proposals", wish),
    ):  # fmt: skip
        assert (await call).status_code == 404
    assert (await stranger.get("/proposals")).json()["data"]["items"] == []
    assert (await member.get(path)).status_code == 200
    assert (await member.put(path, {"state": "approved"})).status_code == 403
    assert (await member.put(f"{path}/apply", {"confirm": True})).status_code == 403
    assert (await member.post("/proposals", wish | {"auto_apply": True})).status_code == 403


async def test_files_that_were_removed_meanwhile_are_a_reason_to_fail(api: Api) -> None:
    mona = await api.person()
    analysis = await an_analyzed_upload(api, mona, {"app.py": BAD})
    upload = (await mona.get("/uploads")).json()["data"]["items"][0]["upload_id"]
    await mona.delete(f"/uploads/{upload}")
    proposal = await proposed(api, mona, analysis)
    assert (proposal["state"], proposal["message"]) == ("failed", "The upload is not there any more: upload the files again.")
