"""Idempotency-Key: a POST that is sent twice is done once."""

import asyncio
from datetime import timedelta

import pytest

from handlers.api.problem import Code, Problem
from tests.builders_api import Api, Person

pytestmark = pytest.mark.api

ANALYSES, UPLOAD = "/analyses", {"files": ("a.py", b"print(1)\n")}


@pytest.fixture
async def mona(api: Api) -> Person:
    return await api.person("mona")


async def uploaded(mona: Person, key: str | None = None) -> tuple[int, int, bool]:
    """The status of an upload, its id, and whether that is an earlier one's answer."""
    answer = await mona.call("POST", "/uploads", files=UPLOAD, headers={"Idempotency-Key": key} if key else {})
    return answer.status_code, answer.json()["data"]["upload_id"], answer.headers.get("idempotency-replayed") == "true"


async def ask(mona: Person, upload: int, key: str, title: str = "") -> tuple[int, dict[str, object], bool]:
    body = {"upload_id": upload, "analysis_type": "full"} | ({"options": {"check_security": False}} if title else {})
    answer = await mona.post(ANALYSES, body, headers={"Idempotency-Key": key})
    return answer.status_code, answer.json(), answer.headers.get("idempotency-replayed") == "true"


async def test_the_same_request_with_the_same_key_is_done_once_and_answered_alike(mona: Person) -> None:
    upload = (await uploaded(mona))[1]
    status, first, replayed = await ask(mona, upload, "k-1")
    assert (status, replayed) == (202, False)
    assert await ask(mona, upload, "k-1") == (202, first, True)
    assert mona.api.sql("SELECT count(*) FROM analyses") == [(1,)]


async def test_another_key_and_no_key_are_done_anew(mona: Person) -> None:
    upload = (await uploaded(mona))[1]
    answers = [await ask(mona, upload, key) for key in ("k-1", "k-2")]
    assert [replayed for _, _, replayed in answers] == [False, False]
    assert mona.api.sql("SELECT count(*) FROM analyses") == [(2,)]


async def test_another_request_with_a_known_key_is_a_mistake(mona: Person) -> None:
    upload = (await uploaded(mona))[1]
    await ask(mona, upload, "k-1")
    status, answer, _ = await ask(mona, upload, "k-1", "another")
    assert (status, answer["error"]["code"]) == (422, "idempotency_key_reused")  # type: ignore[index]


async def test_everybody_has_keys_of_their_own(api: Api, mona: Person) -> None:
    hubot = await api.person("hubot")
    answers = [await uploaded(person, "k-1") for person in (mona, hubot)]
    assert [replayed for _, _, replayed in answers] == [False, False]


async def test_a_refusal_is_answered_alike_too(mona: Person) -> None:
    first = await ask(mona, 999, "k-1")
    assert first[0] == 404
    assert await ask(mona, 999, "k-1") == (404, first[1], True)


async def test_an_upload_that_is_sent_twice_is_kept_once(mona: Person) -> None:
    first = await uploaded(mona, "k-1")
    assert await uploaded(mona, "k-1") == (201, first[1], True)
    assert mona.api.sql("SELECT count(*) FROM uploads") == [(1,)]


async def test_of_many_at_once_one_is_done_and_the_others_are_told_to_wait_or_its_answer(mona: Person) -> None:
    upload = (await uploaded(mona))[1]
    answers = await asyncio.gather(*(ask(mona, upload, "k-1") for _ in range(8)))
    assert {status for status, _, _ in answers} <= {202, 409}
    assert {body["error"]["code"] for status, body, _ in answers if status == 409} <= {"request_in_progress"}  # type: ignore[index]
    assert mona.api.sql("SELECT count(*) FROM analyses") == [(1,)]


async def test_a_first_request_whose_process_died_may_be_sent_again_after_a_minute(mona: Person) -> None:
    upload = (await uploaded(mona))[1]
    await ask(mona, upload, "k-1")
    mona.api.sql("UPDATE idempotency_keys SET status = NULL, headers = NULL, answer = NULL")
    assert (await ask(mona, upload, "k-1"))[0] == 409
    mona.api.sql("UPDATE idempotency_keys SET created_at = now() - interval '61 seconds'")
    assert (await ask(mona, upload, "k-1"))[0] == 202
    assert mona.api.sql("SELECT count(*) FROM analyses") == [(2,)]


async def test_after_a_day_a_key_is_forgotten(mona: Person) -> None:
    upload = (await uploaded(mona))[1]
    await ask(mona, upload, "k-1")
    mona.api.sql("UPDATE idempotency_keys SET created_at = now() - %s", (timedelta(hours=24, seconds=1),))
    assert (await ask(mona, upload, "k-2"))[2] is False
    assert mona.api.sql("SELECT key FROM idempotency_keys") == [("k-2",)]


async def test_what_came_to_nothing_may_be_sent_again(mona: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = (await uploaded(mona))[1]

    async def away(*_: object, **__: object) -> None:
        raise Problem(Code.UNAVAILABLE, "Away.")

    services = mona.api.app._services
    assert services is not None
    with monkeypatch.context() as broken:
        broken.setattr(type(services.analyses.asked), "ask", away)
        assert (await ask(mona, upload, "k-1"))[0] == 503
    assert mona.api.sql("SELECT count(*) FROM idempotency_keys") == [(0,)]
    assert (await ask(mona, upload, "k-1"))[0] == 202


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "schlüssel"])
async def test_a_key_that_is_none_is_said_to_be_none(mona: Person, key: str) -> None:
    answer = await mona.call("POST", "/uploads", files=UPLOAD, headers={"Idempotency-Key": key.encode("latin-1")})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")


async def test_secrets_are_kept_nowhere(mona: Person) -> None:
    body = {"name": "ci", "scopes": ["upload:read"]}
    made = [await mona.post("/auth/api-keys", body, headers={"Idempotency-Key": "k-1"}) for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert mona.api.sql("SELECT count(*) FROM idempotency_keys") == [(0,)]


async def test_an_answer_is_not_given_again_to_whoever_lost_the_organization_meanwhile(mona: Person) -> None:
    [tenant] = await mona.api.organization()
    mona.api.join(mona, tenant.organization_id, "member")
    path, headers = f"/uploads?organization_id={tenant.organization_id}", {"Idempotency-Key": "k-1"}
    first = await mona.call("POST", path, files=UPLOAD, headers=headers)
    assert (first.status_code, (await mona.call("POST", path, files=UPLOAD, headers=headers)).status_code) == (201, 201)
    mona.api.sql("DELETE FROM members WHERE organization_id = %s", (tenant.organization_id,))
    answer = await mona.call("POST", path, files=UPLOAD, headers=headers)
    assert answer.json()["error"]["code"] == "idempotency_key_reused"
    assert "data" not in answer.json()
