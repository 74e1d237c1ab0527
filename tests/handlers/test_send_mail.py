"""The job that sends mails: tried again until the server takes it, and its link good once and nowhere kept."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from bot.worker import attempt
from tests.builders_api import PASSWORD, Api, open_api
from tests.mailbox import token_in
from tests.smtp_server import Post, post_office

pytestmark = pytest.mark.integration

NEW = "four quite unrelated words"


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with post_office(tmp_path) as server:
        yield server


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path, post: Post) -> AsyncIterator[Api]:
    """The API with a mail server, and Mona, who has an account."""
    async with open_api(database_url, redis_url, tmp_path, smtp_url=f"smtp://127.0.0.1:{post.port}") as opened:
        body = {"email": "mona@example.com", "password": PASSWORD}
        assert (await opened.client.post("/api/v1/auth/register", json=body)).status_code == 201
        opened.sql("DELETE FROM deliveries")
        await opened.work()  # what is queued without being remembered is not done
        yield opened


async def forget(api: Api) -> str:
    """Mona asks for a new password; gives the job's id."""
    await api.client.post("/api/v1/auth/password/reset-request", json={"email": "mona@example.com"})
    return str(api.sql("SELECT id FROM deliveries")[0][0])


async def do(api: Api, id: str) -> float | None:
    arguments = {"mail": "reset_password", "email": "mona@example.com", "user_id": None, "delivery_id": id}
    seconds = await attempt(api.settings, "send_mail", arguments)
    structlog.contextvars.clear_contextvars()
    return seconds


async def test_what_is_refused_for_now_is_sent_later_and_only_the_link_that_arrived_is_good(api: Api, post: Post) -> None:
    post.refusals = ["451 Come again"]
    id = await forget(api)
    assert (await api.work()).keys() == {id}
    assert api.sql("SELECT state FROM deliveries") == [("retrying",)]
    assert api.sql("SELECT count(*) FROM user_links WHERE purpose = 'reset_password'") == [(0,)]
    assert await do(api, id) is None
    (mail,) = post.mails
    assert mail["Message-ID"] == f"<{id}@127.0.0.1>"
    assert api.sql("SELECT state, outcome FROM deliveries") == [("done", "Sent.")]
    body = {"token": token_in(mail), "new_password": NEW}
    assert (await api.client.post("/api/v1/auth/password/reset", json=body)).status_code == 200


async def test_a_refusal_for_good_fails_with_the_servers_words_and_leaves_no_link(api: Api, post: Post) -> None:
    post.recipient_refusal = "550 5.1.1 No such mailbox"
    await forget(api)
    await api.work()
    ((state, outcome),) = api.sql("SELECT state, outcome FROM deliveries")
    assert (state, outcome) == ("failed", "The mail server refused it (550): 5.1.1 No such mailbox")
    assert api.sql("SELECT count(*) FROM user_links WHERE purpose = 'reset_password'") == [(0,)]


async def test_a_job_whose_process_died_after_sending_sends_the_same_message_again_and_both_links_are_good(
    api: Api, post: Post
) -> None:
    id = await forget(api)
    assert await do(api, id) is None
    api.sql("UPDATE deliveries SET state = 'running'")  # it died before it could write down the end
    assert await do(api, id) is None
    assert len(post.mails) == 2
    assert len({mail["Message-ID"] for mail in post.mails}) == 1
    body = {"token": token_in(post.mails[0]), "new_password": NEW}
    assert (await api.client.post("/api/v1/auth/password/reset", json=body)).status_code == 200
    body = {"token": token_in(post.mails[1]), "new_password": PASSWORD}
    assert (await api.client.post("/api/v1/auth/password/reset", json=body)).status_code == 422


async def test_no_link_and_no_password_ever_stands_in_a_log(api: Api, post: Post) -> None:
    with capture_logs() as lines:
        await forget(api)
        await api.work()
        token = token_in(post.mails[0])
        for _ in range(2):
            body = {"token": token, "new_password": NEW}
            await api.client.post("/api/v1/auth/password/reset", json=body)
    assert lines
    assert not [line for line in lines if token in str(line) or NEW in str(line) or PASSWORD in str(line)]
