"""The app's JWT and the installations' tokens: kept, shared, renewed once, and said plainly when they cannot be had."""

import asyncio
import time

import jwt
import pytest

from bot.github.identity import Identity, MemoryCache
from handlers.host import Gone
from review.errors import TryAgain, UserError
from tests.bot.github.conftest import Octo
from tests.sandbox.app_key import AppKey, make_app_key

pytestmark = pytest.mark.integration

TOKEN_CALL = "POST /app/installations/{}/access_tokens"


def tokens_asked(octo: Octo) -> int:
    return octo.asked().count(TOKEN_CALL.format(octo.id))


async def test_the_jwt_lives_within_githubs_bounds_and_names_the_app(octo: Octo, app_key: AppKey) -> None:
    identity = Identity(octo.http, "4711", app_key.private, cache=MemoryCache())
    scheme, _, text = identity.app_authorization().partition(" ")
    claims = jwt.decode(text, app_key.public, algorithms=["RS256"], options={"verify_aud": False})
    assert (scheme, claims["iss"]) == ("Bearer", "4711")
    assert claims.keys() == {"iss", "iat", "exp"}
    assert claims["iat"] <= time.time() - 55, "our clock may be ahead of GitHub's"
    assert claims["exp"] <= time.time() + 540, "GitHub allows ten minutes, by its own clock"
    assert jwt.get_unverified_header(text)["alg"] == "RS256"
    assert await identity.token(octo.id)


async def test_one_token_serves_many_at_once(octo: Octo) -> None:
    tokens = await asyncio.gather(*(octo.identity.token(octo.id) for _ in range(20)))
    assert len(set(tokens)) == 1
    assert tokens_asked(octo) == 1


async def test_each_installation_has_its_own_token(octo: Octo) -> None:
    other = octo.github.install("else")
    assert await octo.identity.token(octo.id) != await octo.identity.token(other.id)


@pytest.mark.parametrize("long", [True, False])
async def test_a_token_of_any_length_is_taken_as_it_is(octo: Octo, long: bool) -> None:
    octo.github.world.long_tokens = long
    token = await octo.identity.token(octo.id)
    assert (len(token) > 200) is long
    assert (await octo.host.pull_request(octo.id, "octo/app", 1)).number == 1


async def test_processes_share_a_token(octo: Octo) -> None:
    cache = MemoryCache()
    one, two = octo.another_process(cache), octo.another_process(cache)
    assert await one.token(octo.id) == await two.token(octo.id)
    assert tokens_asked(octo) == 1


async def test_a_token_that_expires_within_five_minutes_is_not_used(octo: Octo) -> None:
    octo.github.world.token_seconds = 299
    first = await octo.identity.token(octo.id)
    assert await octo.identity.token(octo.id) != first
    octo.github.world.token_seconds = 400
    third = await octo.identity.token(octo.id)
    assert await octo.identity.token(octo.id) == third


async def test_a_refused_token_is_renewed_once_for_all_who_had_it(octo: Octo) -> None:
    old = await octo.identity.token(octo.id)
    renewed = await asyncio.gather(*(octo.identity.renewed(octo.id, old) for _ in range(10)))
    assert len(set(renewed)) == 1
    assert renewed[0] != old
    assert tokens_asked(octo) == 2


async def test_a_token_that_another_process_renewed_is_taken_over(octo: Octo) -> None:
    cache = MemoryCache()
    one, two = octo.another_process(cache), octo.another_process(cache)
    old = await one.token(octo.id)
    assert await two.token(octo.id) == old
    new = await one.renewed(octo.id, old)
    assert await two.renewed(octo.id, old) == new
    assert tokens_asked(octo) == 2


async def test_a_suspended_or_removed_installation_is_gone(octo: Octo) -> None:
    octo.installation.suspended = True
    with pytest.raises(Gone, match="suspended"):
        await octo.identity.token(octo.id)
    octo.installation.suspended, octo.installation.removed = False, True
    with pytest.raises(Gone, match="Not Found"):
        await octo.identity.token(octo.id)


async def test_a_wrong_key_is_a_sentence_that_names_the_settings(octo: Octo) -> None:
    identity = Identity(octo.http, "4711", make_app_key().private, cache=MemoryCache())
    with pytest.raises(UserError, match=r"GITHUB_APP_ID.*GITHUB_PRIVATE_KEY"):
        await identity.token(octo.id)


@pytest.mark.parametrize("pem", ["", "nonsense", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"])
async def test_no_rsa_key_is_a_sentence_without_the_key(octo: Octo, pem: str) -> None:
    with pytest.raises(UserError, match="GITHUB_PRIVATE_KEY") as refused:
        Identity(octo.http, "4711", pem, cache=MemoryCache())
    assert "AAAA" not in str(refused.value)


@pytest.mark.parametrize("kind", ["500", "503", "html", "lose_request", "lose_answer"])
async def test_a_token_call_is_asked_again_when_github_stumbles(octo: Octo, no_waiting: list[float], kind: str) -> None:
    octo.github.fault("POST", "access_tokens", kind, times=2)
    assert await octo.identity.token(octo.id)
    assert tokens_asked(octo) == 3


async def test_a_token_call_that_stays_lost_is_for_later(octo: Octo, no_waiting: list[float]) -> None:
    octo.github.fault("POST", "access_tokens", "502", times=9)
    with pytest.raises(TryAgain):
        await octo.identity.token(octo.id)
    assert tokens_asked(octo) == 3


async def test_half_an_answer_holds_no_token(octo: Octo) -> None:
    octo.github.fault("POST", "access_tokens", "malformed")
    with pytest.raises(TryAgain) as failed:
        await octo.identity.token(octo.id)
    assert "ghs_" not in str(failed.value)


async def test_a_limit_on_the_app_names_when_to_come_back(octo: Octo) -> None:
    octo.github.fault("POST", "access_tokens", "429", seconds=42)
    with pytest.raises(TryAgain) as limited:
        await octo.identity.token(octo.id)
    assert limited.value.after == 42


async def test_the_login_is_asked_once_and_shared(octo: Octo) -> None:
    cache = MemoryCache()
    one, two = octo.another_process(cache), octo.another_process(cache)
    assert [await one.app_login(), await one.app_login(), await two.app_login()] == ["refactoriq[bot]"] * 3
    assert octo.asked() == ["GET /app"]


async def test_neither_token_nor_key_shows_in_a_repr(octo: Octo, app_key: AppKey) -> None:
    token = await octo.identity.token(octo.id)
    told = f"{octo.identity!r} {octo.client!r} {octo.http!r} {octo.host!r}"
    assert token not in told
    assert app_key.private[40:80] not in told


async def test_memory_forgets_in_time() -> None:
    cache = MemoryCache()
    await cache.put("a", "1", 0.02)
    assert await cache.get("a") == "1"
    await asyncio.sleep(0.03)
    assert await cache.get("a") is None
    assert await cache.get("b") is None
