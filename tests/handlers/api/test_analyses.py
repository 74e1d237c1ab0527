"""Analyses of uploads through the API: asked for, run, looked at, changed, cancelled, removed, and seen by nobody else."""

from typing import Any

import pytest
import redis

from tests.builders_analyses import BAD, asked, shown, types, uploaded
from tests.builders_api import Api

pytestmark = pytest.mark.api


async def test_an_upload_is_analyzed_from_end_to_end(api: Api) -> None:
    mona = await api.person("mona")
    upload = await uploaded(mona, {"app.py": BAD, "logo.png": b"\x89PNG\r\n\x1a\n\0\0", "package-lock.json": "{}"})
    answer = await mona.post("/analyses", {"upload_id": upload, "title": "First", "tags": ["demo", "demo"]})
    assert answer.status_code == 202, answer.text
    queued = answer.json()["data"]
    assert (queued["status"], queued["estimated_time"]) == ("queued", 20.0)
    id = queued["analysis_id"]
    assert answer.headers["location"] == f"/api/v1/analyses/{id}"
    before = await shown(mona, id)
    assert (before["status"], before["progress"], before["results"]) == ("queued", 0, None)
    assert await api.work() == {}
    found = await shown(mona, id)
    assert (found["status"], found["progress"], found["error"], found["title"], found["tags"]) == (
        "completed", 100, None, "First", ["demo"],
    )  # fmt: skip
    results = found["results"]
    [security] = [issue for issue in results["issues"] if issue["id"] == "security-001"]
    assert (security["type"], security["file"], security["line"], security["source"]) == ("security", "app.py", 5, "bandit")
    assert results["severities"][security["severity"]] >= 1
    assert 0 < results["overall_score"] < 100
    assert results["metrics"]["lines_of_code"] == 4
    assert results["metrics"]["complexity"] == 1.0
    assert results["coverage"]["read"] == ["app.py"]
    skipped = {one["file"]: one["because"] for one in results["coverage"]["skipped"]}
    assert skipped == {"logo.png": "binary", "package-lock.json": "lock file"}
    [job] = api.sql("SELECT state, owner_id, outcome FROM deliveries WHERE id = %s", (f"analysis-{id}",))
    assert job == ("done", mona.home, f"Analysis {id}: {len(results['issues'])} findings, score {results['overall_score']}.")


@pytest.mark.parametrize(
    ("wanted", "there", "not_there"),
    [
        ({"analysis_type": "full"}, {"security", "correctness"}, set()),
        ({"analysis_type": "security"}, {"security"}, {"correctness"}),
        ({"analysis_type": "performance"}, set(), {"security", "correctness"}),
        ({"analysis_type": "performance", "options": {"check_security": True}}, {"security"}, {"correctness"}),
        ({"options": {"check_security": False}}, {"correctness"}, {"security"}),
    ],
)
async def test_type_and_options_say_what_is_looked_for(
    api: Api, wanted: dict[str, Any], there: set[str], not_there: set[str]
) -> None:
    mona = await api.person("mona")
    id = await asked(mona, upload_id=await uploaded(mona, {"app.py": BAD}), **wanted)
    await api.work()
    analysis = await shown(mona, id)
    assert types(analysis) >= there
    assert not types(analysis) & not_there
    dropped = {f"category {category} is not asked for" for category in not_there}
    assert set(analysis["results"]["dropped"]) >= dropped


async def test_the_rules_in_an_upload_say_what_is_read(api: Api) -> None:
    mona = await api.person("mona")
    rules = "paths:\n  exclude: [generated_by_us/]\nanalyzers: {bandit: false}\nseverity: critical\n"
    id = await asked(mona, upload_id=await uploaded(mona, {"a.py": BAD, "generated_by_us/b.py": BAD, ".refactoriq.yml": rules}))
    await api.work()
    results = (await shown(mona, id))["results"]
    assert {issue["file"] for issue in results["issues"]} == {"a.py"}
    assert "bandit" not in results["coverage"]["analyzers"]
    assert {"file": "generated_by_us/b.py", "because": "left out by the rules"} in results["coverage"]["skipped"]
    assert {"medium", "high", "low"} & {issue["severity"] for issue in results["issues"]}, "an analysis tells all severities"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "name one thing to analyze"),
        ({"upload_id": 1, "ref": "main"}, "name one thing to analyze"),
        ({"upload_id": 1, "repository": "octo/hello"}, "an upload_id with neither"),
        ({"ref": "main"}, "goes with a repository"),
        ({"repository": "octo/hello", "repository_id": 1, "ref": "main"}, "goes with a repository"),
        ({"repository": "octo/hello", "ref": "a..b"}, "must be the name of a branch"),
        ({"repository": "octo/hello", "ref": "--upload-pack=x"}, "must be the name of a branch"),
        ({"repository": "hello", "ref": "main"}, "repository"),
        ({"upload_id": 1, "analysis_type": "security", "options": {"check_security": False}}, "turn off all"),
        ({"upload_id": 1, "tags": ["x"] * 21}, "tags"),
        ({"upload_id": 1, "tags": [" x"]}, "without spaces"),
        ({"upload_id": 1, "analysis_type": "everything"}, "analysis_type"),
        ({"upload_id": 1, "options": {"check_everything": True}}, "check_everything"),
    ],
)
async def test_what_does_not_fit_is_refused_with_a_sentence(api: Api, body: dict[str, Any], says: str) -> None:
    mona = await api.person("mona")
    answer = await mona.post("/analyses", body)
    assert answer.status_code == 422
    assert says in answer.json()["error"]["message"]


async def test_an_upload_that_is_gone_when_its_turn_comes_says_what_to_do(api: Api) -> None:
    mona = await api.person("mona")
    upload = await uploaded(mona, {"app.py": BAD})
    id = await asked(mona, upload_id=upload)
    assert (await mona.delete(f"/uploads/{upload}")).status_code == 200
    await api.work()
    analysis = await shown(mona, id)
    assert (analysis["status"], analysis["error"]) == ("failed", "The upload is not there any more: upload the files again.")
    assert analysis["finished_at"] is not None


async def test_nobody_else_sees_changes_or_removes_an_analysis(api: Api) -> None:
    mona, hubot = await api.person("mona"), await api.person("hubot")
    upload = await uploaded(mona, {"app.py": BAD})
    id = await asked(mona, upload_id=upload)
    await api.work()
    answers = [
        await hubot.get(f"/analyses/{id}"),
        await hubot.put(f"/analyses/{id}", {"title": "mine"}),
        await hubot.delete(f"/analyses/{id}"),
        await hubot.post("/analyses", {"upload_id": upload}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    await shown(mona, id)  # which keeps its results at hand
    assert (await hubot.get(f"/analyses/{id}")).status_code == 404
    assert (await hubot.get("/analyses")).json()["data"]["items"] == []


async def test_a_member_changes_their_own_and_a_maintainer_anybodys(api: Api) -> None:
    [tenant] = await api.organization()
    owner, member, maintainer, viewer = [await api.person(name) for name in ("owner", "member", "maintainer", "viewer")]
    for person in (owner, member, maintainer, viewer):
        api.join(person, tenant.organization_id, person.email.partition("@")[0])
    upload = await uploaded(member, {"app.py": "a = 1\n"}, organization_id=tenant.organization_id)
    assert (await viewer.post("/analyses", {"upload_id": upload})).status_code == 403
    mine, theirs = await asked(member, upload_id=upload), await asked(owner, upload_id=upload)
    assert (await member.put(f"/analyses/{mine}", {"title": "mine"})).status_code == 200
    assert (await member.put(f"/analyses/{theirs}", {"title": "mine"})).status_code == 403
    assert (await member.delete(f"/analyses/{theirs}")).status_code == 403
    assert (await maintainer.delete(f"/analyses/{mine}")).status_code == 200
    assert (await viewer.get(f"/analyses/{theirs}")).status_code == 200


async def test_what_is_removed_is_gone_with_all_that_belongs_to_it(api: Api) -> None:
    mona = await api.person("mona")
    id = await asked(mona, upload_id=await uploaded(mona, {"app.py": BAD}))
    await api.work()
    await shown(mona, id)
    report = api.settings.data_dir / "objects" / "analyses" / str(id) / "report.html"
    report.parent.mkdir(parents=True)
    report.write_text("<html>")
    assert (await mona.delete(f"/analyses/{id}")).status_code == 200
    assert (await mona.get(f"/analyses/{id}")).status_code == 404
    assert (await mona.delete(f"/analyses/{id}")).status_code == 404
    assert api.sql("SELECT count(*) FROM findings WHERE analysis_id = %s", (id,)) == [(0,)]
    assert not report.exists()
    acts = [row[0] for row in api.sql("SELECT action FROM audit_logs WHERE subject = %s ORDER BY id", (f"analysis:{id}",))]
    assert acts == ["analysis.create", "analysis.complete", "analysis.delete"]


async def test_a_new_title_is_seen_at_once_although_the_results_are_kept_at_hand(api: Api) -> None:
    mona = await api.person("mona")
    id = await asked(mona, upload_id=await uploaded(mona, {"app.py": BAD}), tags=["one"])
    await api.work()
    first = await shown(mona, id)
    assert (await mona.put(f"/analyses/{id}", {"title": "Better", "tags": ["two", "three"]})).status_code == 200
    second = await shown(mona, id)
    assert (second["title"], second["tags"], second["results"]) == ("Better", ["two", "three"], first["results"])


async def test_the_next_one_is_estimated_by_what_those_like_it_took(api: Api) -> None:
    mona = await api.person("mona")
    upload = await uploaded(mona, {"app.py": BAD})
    for seconds in (3, 300, 7):
        id = await asked(mona, upload_id=upload)
        api.sql(
            "UPDATE analyses SET status = 'completed', started_at = now(), finished_at = now() + make_interval(secs => %s)"
            " WHERE id = %s",
            (seconds, id),
        )
    answer = await mona.post("/analyses", {"upload_id": upload})
    assert answer.json()["data"]["estimated_time"] == 7.0


async def test_a_list_is_paged_filtered_and_sorted(api: Api) -> None:
    mona = await api.person("mona")
    upload = await uploaded(mona, {"app.py": BAD})
    made = [await asked(mona, upload_id=upload, tags=["odd"] if number % 2 else []) for number in range(5)]
    for number, id in enumerate(made):
        api.sql("UPDATE analyses SET status = 'completed', score = %s WHERE id = %s", (90 - 10 * number, id))
    seen, cursor = [], None
    for _ in range(3):
        page = (await mona.get("/analyses", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()["data"]
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (made[::-1], None)
    best = (await mona.get("/analyses", params={"sort": "-score", "limit": 2})).json()["data"]
    assert [one["score"] for one in best["items"]] == [90, 80]
    following = await mona.get("/analyses", params={"sort": "-score", "limit": 2, "cursor": best["next_cursor"]})
    assert [one["score"] for one in following.json()["data"]["items"]] == [70, 60]
    odd = (await mona.get("/analyses", params={"tag": "odd", "min_score": 65, "status": "completed"})).json()["data"]["items"]
    assert [one["id"] for one in odd] == [made[1]]
    wrong = await mona.get("/analyses", params={"sort": "created_at", "cursor": best["next_cursor"]})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "invalid_cursor")


async def test_results_that_an_older_version_kept_at_hand_are_read_anew(api: Api) -> None:
    mona = await api.person("mona")
    id = await asked(mona, upload_id=await uploaded(mona, {"app.py": BAD}))
    await api.work()
    first = await shown(mona, id)
    with redis.Redis.from_url(api.settings.redis_url.get_secret_value()) as cache:
        assert cache.exists(f"cache:analysis:{id}")
        cache.set(f"cache:analysis:{id}", b'{"overall_score": "of another form"}')
    assert await shown(mona, id) == first
