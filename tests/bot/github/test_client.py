"""Calls of one installation: reads repeated, writes never in doubt, limits waited out, pages, ETags, and plain words."""

import asyncio

import pytest

from bot.github.client import REMEMBERED, SHORT, Client, Refused, checked, fields, rows
from bot.github.http import Answer, Http
from bot.github.identity import Identity, MemoryCache
from handlers.host import Gone, Rejected, Unclear
from review.errors import TryAgain
from tests.bot.github.conftest import Octo

pytestmark = pytest.mark.integration

PULL = "/repos/octo/app/pulls/1"
REVIEWS = f"{PULL}/reviews"
REVIEW = {"event": "COMMENT", "body": "Hello"}


def calls(octo: Octo, method: str = "GET") -> int:
    """How often the pull request or its reviews were asked for, or written to."""
    return sum(asked.startswith(f"{method} {PULL}") for asked in octo.asked())


@pytest.mark.parametrize("kind", ["500", "502", "503", "504", "html", "lose_request", "lose_answer"])
async def test_a_read_is_repeated_when_github_stumbles(octo: Octo, no_waiting: list[float], kind: str) -> None:
    octo.github.fault("GET", "pulls/1$", kind, times=2)
    assert fields(await octo.client.get(octo.id, PULL))["number"] == 1
    assert calls(octo) == 3


async def test_a_read_that_keeps_failing_is_for_later(octo: Octo, no_waiting: list[float]) -> None:
    octo.github.fault("GET", "pulls/1$", "503", times=9)
    with pytest.raises(TryAgain, match="503"):
        await octo.client.get(octo.id, PULL)
    assert calls(octo) == 3


@pytest.mark.parametrize("kind", ["500", "502", "503", "504", "html", "lose_request", "lose_answer"])
async def test_a_write_without_a_clear_answer_is_never_repeated(octo: Octo, no_waiting: list[float], kind: str) -> None:
    octo.github.fault("POST", "reviews", kind, times=9)
    with pytest.raises(Unclear, match="may have been done"):
        await octo.client.write(octo.id, "POST", REVIEWS, REVIEW)
    assert calls(octo, "POST") == 1
    assert len(octo.github.reviews("octo/app", 1)) == (kind == "lose_answer" or kind == "html")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kind", ["502", "lose_answer"])
async def test_without_a_token_nothing_was_sent_and_nothing_is_unclear(
    octo: Octo, no_waiting: list[float], method: str, kind: str
) -> None:
    octo.github.fault("POST", "access_tokens", kind, times=99)
    with pytest.raises(TryAgain):
        if method == "GET":
            await octo.client.get(octo.id, PULL)
        else:
            await octo.client.write(octo.id, "POST", REVIEWS, REVIEW)
    assert len(octo.asked()) == 3, "the token was asked for three times, not nine"


async def test_a_write_that_never_left_is_for_later_and_not_unclear(octo: Octo) -> None:
    await octo.identity.token(octo.id)
    octo.github.stop()
    with pytest.raises(TryAgain):
        await octo.client.write(octo.id, "POST", REVIEWS, REVIEW)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_dead_token_is_renewed_once(octo: Octo, method: str) -> None:
    await octo.client.get(octo.id, PULL)
    octo.github.revoke_tokens()
    if method == "GET":
        await octo.client.get(octo.id, PULL)
    else:
        await octo.client.write(octo.id, "POST", REVIEWS, REVIEW)
        assert len(octo.github.reviews("octo/app", 1)) == 1
    assert sum("access_tokens" in asked for asked in octo.asked()) == 2


async def test_a_token_refused_for_ever_is_not_renewed_for_ever(octo: Octo) -> None:
    octo.github.fault("GET", "pulls/1$", "401", times=9)
    with pytest.raises(TryAgain, match="just given"):
        await octo.client.get(octo.id, PULL)
    assert sum("access_tokens" in asked for asked in octo.asked()) == 2
    assert calls(octo) == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kind", ["secondary_limit", "429"])
async def test_a_short_limit_is_waited_out(octo: Octo, no_waiting: list[float], method: str, kind: str) -> None:
    octo.github.fault(method, "pulls/1", kind, times=2, seconds=3)
    if method == "GET":
        await octo.client.get(octo.id, PULL)
    else:
        await octo.client.write(octo.id, "POST", REVIEWS, REVIEW)
        assert len(octo.github.reviews("octo/app", 1)) == 1
    assert no_waiting == [3.0, 3.0]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("kind", "seconds", "after"),
    [
        ("secondary_limit", SHORT + 1, SHORT + 1),
        ("429", 3_000, 3_000),
        ("secondary_limit_silent", 1, 60),
        ("primary_limit", 1_800, 1_800),
    ],
)
async def test_a_long_limit_puts_the_job_back_with_its_time(
    octo: Octo, no_waiting: list[float], method: str, kind: str, seconds: float, after: float
) -> None:
    octo.github.fault(method, "pulls/1", kind, times=9, seconds=seconds)
    with pytest.raises(TryAgain, match="limit") as limited:
        if method == "GET":
            await octo.client.get(octo.id, PULL)
        else:
            await octo.client.write(octo.id, "POST", REVIEWS, REVIEW)
    assert limited.value.after == pytest.approx(after, abs=2)
    assert no_waiting == []
    assert octo.github.reviews("octo/app", 1) == []


async def test_many_short_limits_in_a_row_come_to_an_end(octo: Octo, no_waiting: list[float]) -> None:
    octo.github.fault("GET", "pulls/1$", "429", times=99, seconds=0)
    with pytest.raises(TryAgain):
        await octo.client.get(octo.id, PULL)
    assert len(no_waiting) <= SHORT + 1


async def test_a_primary_limit_that_fills_up_soon_is_waited_out(octo: Octo, no_waiting: list[float]) -> None:
    octo.github.fault("GET", "pulls/1$", "primary_limit", seconds=0.01)
    await octo.client.get(octo.id, PULL)
    assert no_waiting
    assert max(no_waiting) <= 2


@pytest.mark.parametrize("status", [404, 410, 451])
def test_what_is_not_there_any_more_is_gone(status: int) -> None:
    with pytest.raises(Gone, match="does not show this"):
        checked(Answer(status, {}, b'{"message":"Not Found"}'))


async def test_a_suspended_installation_is_gone(octo: Octo) -> None:
    await octo.identity.token(octo.id)
    octo.installation.suspended = True
    with pytest.raises(Gone, match="suspended"):
        await octo.client.get(octo.id, PULL)


async def test_a_deleted_repository_is_gone(octo: Octo) -> None:
    octo.github.delete_repository("octo/app")
    with pytest.raises(Gone):
        await octo.client.get(octo.id, PULL)
    with pytest.raises(Gone):
        await octo.client.write(octo.id, "POST", REVIEWS, REVIEW)


async def test_a_missing_permission_is_named_with_what_to_do(octo: Octo) -> None:
    octo.installation.permissions["pull_requests"] = "read"
    with pytest.raises(Rejected, match=r"pull_requests=write\. Grant it in the app's settings"):
        await octo.client.write(octo.id, "POST", REVIEWS, REVIEW)


async def test_a_refusal_carries_githubs_words_and_its_status(octo: Octo) -> None:
    octo.github.accept_violations = True
    with pytest.raises(Refused, match="commitOID is not part of the pull request") as refused:
        await octo.client.write(octo.id, "POST", REVIEWS, {**REVIEW, "commit_id": "1" * 40})
    assert refused.value.status == 422


async def test_an_etag_is_sent_and_a_304_gives_the_answer_again_for_free(octo: Octo) -> None:
    first = await octo.client.get(octo.id, PULL)
    again = await octo.client.get(octo.id, PULL)
    assert [one.status for one in octo.github.rest_requests if one.path == PULL] == [200, 304]
    assert again.content == first.content
    octo.github.push(octo.pull, {"app.py": "a = 5\n"})
    assert fields(await octo.client.get(octo.id, PULL))["head"]["sha"] == octo.pull.head_sha


async def test_an_etag_is_good_for_its_token_parameters_and_kind_only(octo: Octo) -> None:
    await octo.client.get(octo.id, REVIEWS, {"page": 1})
    await octo.client.get(octo.id, REVIEWS, {"page": 2})
    await octo.client.get(octo.id, PULL)
    await octo.client.get(octo.id, PULL, accept="application/vnd.github.diff")
    octo.github.revoke_tokens()
    await octo.client.get(octo.id, PULL)
    assert {one.status for one in octo.github.rest_requests if one.path.startswith(PULL)} == {200, 401}


async def test_only_so_many_answers_are_remembered(octo: Octo) -> None:
    for page in range(1, REMEMBERED + 10):
        await octo.client.get(octo.id, REVIEWS, {"page": page})
    assert len(octo.client._known) == REMEMBERED


async def test_pages_are_followed_to_the_end_or_the_bound(octo: Octo) -> None:
    octo.github.open_pull_request("octo/app", {f"f{n:03}.py": "x\n" for n in range(230)})
    path = "/repos/octo/app/pulls/2/files"
    assert [len(page) async for page in octo.client.pages(octo.id, path, 9)] == [100, 100, 30]
    assert [len(page) async for page in octo.client.pages(octo.id, path, 2)] == [100, 100]


@pytest.mark.parametrize("content", [b"{}", b"[1]", b'"x"', b"null", b"<html>", b""])
def test_an_answer_that_is_no_list_of_objects_is_for_later(content: bytes) -> None:
    with pytest.raises(TryAgain):
        rows(Answer(200, {}, content))


@pytest.mark.parametrize("content", [b"[]", b'"x"', b"null", b"<html>", b'{"a": '])
def test_an_answer_that_is_no_object_is_for_later(content: bytes) -> None:
    with pytest.raises(TryAgain):
        fields(Answer(200, {}, content))


async def test_many_calls_at_once_share_one_token(octo: Octo) -> None:
    await asyncio.gather(*(octo.client.get(octo.id, PULL, {"x": n}) for n in range(30)))
    assert sum("access_tokens" in asked for asked in octo.asked()) == 1


async def test_a_hanging_read_is_given_up(octo: Octo, no_waiting: list[float]) -> None:
    octo.github.fault("GET", "pulls/1$", "hang", times=9)
    async with Http(octo.github.api_url, seconds=0.2) as http:
        impatient = Client(http, Identity(http, octo.github.app_id, octo.github.private_key, cache=MemoryCache()))
        with pytest.raises(TryAgain, match="no answer"):
            await impatient.get(octo.id, PULL)
