"""One's own account: name, address and password, and the mails that prove who one is."""

import asyncio
from pathlib import Path

import pytest

from storage.accounts.links import MOST
from tests.builders_api import PASSWORD, Api, Person, open_api
from tests.mailbox import mails, mails_to, token_in

pytestmark = pytest.mark.api

NEW = "four quite unrelated words"


async def said(api: Api, path: str, **body: str) -> tuple[int, dict]:
    """A POST by nobody in particular."""
    answer = await api.client.post(f"/api/v1{path}", json=body)
    return answer.status_code, answer.json()


async def signs_in(api: Api, email: str, password: str) -> bool:
    return (await said(api, "/auth/login", email=email, password=password))[0] == 200


async def reset_token(api: Api, email: str) -> str:
    """What is mailed to whoever forgot their password."""
    assert (await said(api, "/auth/password/reset-request", email=email))[0] == 202
    await api.work()
    return token_in([mail for mail in mails_to(api.settings.data_dir, email) if "new password" in mail["Subject"]][-1])


async def test_whoever_registers_confirms_their_address_by_a_mail(api: Api) -> None:
    mona = await api.person("mona")
    assert (await mona.get("/auth/me")).json()["data"]["email_confirmed"] is False
    await api.work()
    (mail,) = mails(api.settings.data_dir)
    assert mail["To"] == "mona@example.com"
    assert "http://127.0.0.1:8000/confirm?token=" in mail.get_content()
    status, answer = await said(api, "/auth/email/confirm", token=token_in(mail))
    assert (status, answer["data"]["email_confirmed"]) == (200, True)
    assert (await mona.get("/auth/me")).json()["data"]["email_confirmed"] is True
    status, answer = await said(api, "/auth/email/confirm", token=token_in(mail))
    assert status == 422
    assert "ask for another" in answer["error"]["message"]


async def test_another_link_to_confirm_can_be_asked_for_until_it_is_done(api: Api) -> None:
    mona = await api.person("mona")
    api.sql("DELETE FROM deliveries")
    assert (await mona.post("/auth/email/confirm-request")).status_code == 202
    await api.work()
    await said(api, "/auth/email/confirm", token=token_in(mails(api.settings.data_dir)[-1]))
    answer = await mona.post("/auth/email/confirm-request")
    assert (answer.status_code, answer.json()["message"]) == (202, "The address is confirmed already.")


async def test_a_forgotten_password_is_set_anew_by_a_mailed_link_and_every_session_ends(api: Api) -> None:
    mona = await api.person("mona")
    token = await reset_token(api, mona.email)
    status, answer = await said(api, "/auth/password/reset", token=token, new_password=NEW)
    assert (status, answer["success"]) == (200, True)
    assert (await mona.get("/auth/me")).status_code == 401
    assert not await signs_in(api, mona.email, PASSWORD)
    assert await signs_in(api, mona.email, NEW)
    await api.work()
    assert mails_to(api.settings.data_dir, mona.email)[-1]["Subject"] == "Your password was changed"
    rows = api.sql("SELECT actor, actor_id FROM audit_logs WHERE action = 'password.reset'")
    assert rows == [(mona.email, mona.id)]


async def test_a_reset_link_is_good_once_and_only_for_resetting(api: Api) -> None:
    mona = await api.person("mona")
    token = await reset_token(api, mona.email)
    assert (await said(api, "/auth/email/confirm", token=token))[0] == 422
    answers = await asyncio.gather(
        *[said(api, "/auth/password/reset", token=token, new_password=f"{NEW} {number}") for number in range(2)]
    )
    assert sorted(status for status, _ in answers) == [200, 422]
    assert (await said(api, "/auth/password/reset", token=token, new_password=NEW))[0] == 422
    assert (await said(api, "/auth/password/reset", token="x" * 43, new_password=NEW))[0] == 422


async def test_a_reset_link_ends_after_an_hour(api: Api) -> None:
    mona = await api.person("mona")
    token = await reset_token(api, mona.email)
    left = api.sql("SELECT extract(epoch FROM expires_at - now())::float FROM user_links WHERE purpose = 'reset_password'")
    assert 3500 < left[0][0] <= 3600
    api.sql("UPDATE user_links SET expires_at = now() - interval '1 second'")
    assert (await said(api, "/auth/password/reset", token=token, new_password=NEW))[0] == 422
    assert await signs_in(api, mona.email, PASSWORD)


async def test_a_refused_new_password_does_not_use_the_link_up(api: Api) -> None:
    mona = await api.person("mona")
    token = await reset_token(api, mona.email)
    status, answer = await said(api, "/auth/password/reset", token=token, new_password="mona@example.com")
    assert (status, answer["error"]["details"][0]["at"]) == (422, "new_password")
    assert (await said(api, "/auth/password/reset", token=token, new_password=NEW))[0] == 200


async def test_whether_there_is_an_account_is_told_by_neither_answer_nor_work(api: Api) -> None:
    await api.person("mona")
    await api.work()
    before = {mail["Message-ID"] for mail in mails(api.settings.data_dir)}
    answers = [await said(api, "/auth/password/reset-request", email=f"{name}@example.com") for name in ("mona", "nobody")]
    assert len({(status, answer["message"], str(answer["data"])) for status, answer in answers}) == 1
    queued = api.sql("SELECT action, owner_id, length(job) FROM deliveries WHERE state = 'received'")
    assert [row[:2] for row in queued] == [("send_mail", None)] * 2
    await api.work()
    sent = [mail for mail in mails(api.settings.data_dir) if mail["Message-ID"] not in before]
    assert [mail["To"] for mail in sent] == ["mona@example.com"]


async def test_no_table_and_no_queue_ever_holds_the_secret_of_a_link(api: Api) -> None:
    mona = await api.person("mona")
    token = await reset_token(api, mona.email)
    held = api.sql("SELECT convert_from(job, 'UTF8') || outcome FROM deliveries")
    held += api.sql("SELECT details::text FROM audit_logs") + api.sql("SELECT encode(hash, 'escape') FROM user_links")
    assert len(held) > 4
    assert token not in str(held)


async def test_nobody_fills_a_strangers_mailbox(api: Api) -> None:
    await api.person("mona")
    for _ in range(5):
        await said(api, "/auth/password/reset-request", email="Mona@example.com")
    jobs = api.sql("SELECT count(*) FROM deliveries WHERE convert_from(job, 'UTF8') LIKE '%reset_password%'")
    assert jobs in ([(1,)], [(2,)])  # once a minute, which may end meanwhile
    for _ in range(MOST + 2):
        await api.work()
        api.sql("DELETE FROM deliveries")
        await said(api, "/auth/password/reset-request", email="mona@example.com")
    await api.work()
    assert api.sql("SELECT count(*) FROM user_links WHERE purpose = 'reset_password'") == [(MOST,)]
    assert api.sql("SELECT outcome FROM deliveries") == [("Enough such links are out already.",)]


async def test_a_mail_to_a_closed_account_is_not_sent(api: Api) -> None:
    mona = await api.person("mona")
    await api.work()
    api.sql("UPDATE users SET disabled_at = now()")
    assert (await said(api, "/auth/password/reset-request", email=mona.email))[0] == 202
    await api.work()
    assert len(mails(api.settings.data_dir)) == 1


async def test_who_registered_with_a_strangers_address_keeps_no_way_in_once_its_owner_comes(api: Api) -> None:
    thief = await api.person("mona")
    key = (await thief.post("/auth/api-keys", {"name": "later", "scopes": ["account:read"]})).json()["data"]["key"]
    api.sql("UPDATE users SET github_id = 66, github_login = 'thief', github_tokens = 'x'")
    token = await reset_token(api, "mona@example.com")
    assert (await said(api, "/auth/password/reset", token=token, new_password=NEW))[0] == 200
    assert (await Person(api, 0, 0, "", {"access_token": key}).get("/auth/me")).status_code == 401
    rows = api.sql("SELECT github_id, github_login, github_tokens, confirmed_at IS NOT NULL FROM users")
    assert rows == [(None, "", None, True)]


async def link_to_another_address(api: Api, person: Person) -> str:
    """What is mailed to the address that they want to have instead."""
    assert (await person.put("/auth/me", {"email": "other@example.com", "password": PASSWORD})).status_code == 200
    await api.work()
    return token_in(mails_to(api.settings.data_dir, "other@example.com")[-1])


async def test_a_link_to_another_address_does_not_take_an_account_back_from_whoever_reset_its_password(api: Api) -> None:
    thief = await api.person("mona")
    kept = await link_to_another_address(api, thief)
    reset = await reset_token(api, "mona@example.com")
    assert (await said(api, "/auth/password/reset", token=reset, new_password=NEW))[0] == 200
    assert (await said(api, "/auth/email/confirm", token=kept))[0] == 422
    assert api.sql("SELECT email FROM users") == [("mona@example.com",)]


async def test_a_link_to_another_address_is_void_once_the_password_was_changed(api: Api) -> None:
    mona = await api.person("mona")
    kept = await link_to_another_address(api, mona)
    own = token_in(mails_to(api.settings.data_dir, mona.email)[0])
    assert (await mona.post("/auth/password", {"old_password": PASSWORD, "new_password": NEW})).status_code == 200
    assert (await said(api, "/auth/email/confirm", token=kept))[0] == 422
    assert (await said(api, "/auth/email/confirm", token=own))[0] == 200  # one to their own address stays good


async def test_a_proven_owner_who_forgot_the_password_keeps_their_keys(api: Api) -> None:
    mona = await api.person("mona")
    api.sql("UPDATE users SET confirmed_at = now(), github_id = 66")
    key = (await mona.post("/auth/api-keys", {"name": "CI", "scopes": ["account:read"]})).json()["data"]["key"]
    token = await reset_token(api, mona.email)
    await said(api, "/auth/password/reset", token=token, new_password=NEW)
    assert (await Person(api, 0, 0, "", {"access_token": key}).get("/auth/me")).status_code == 200
    assert api.sql("SELECT github_id FROM users") == [(66,)]


async def test_the_password_is_changed_by_whoever_knows_the_old_one_and_other_sessions_end(api: Api) -> None:
    mona = await api.person("mona")
    _, elsewhere = await said(api, "/auth/login", email=mona.email, password=PASSWORD)
    wrong = await mona.post("/auth/password", {"old_password": "not this one", "new_password": NEW})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "invalid_credentials")
    weak = await mona.post("/auth/password", {"old_password": PASSWORD, "new_password": "password123456"})
    assert weak.status_code == 422
    right = await mona.post("/auth/password", {"old_password": PASSWORD, "new_password": NEW})
    assert right.status_code == 200
    assert (await mona.get("/auth/me")).status_code == 200
    assert (await Person(api, 0, 0, "", elsewhere["data"]).get("/auth/me")).status_code == 401
    assert await signs_in(api, mona.email, NEW)
    assert not await signs_in(api, mona.email, PASSWORD)


async def test_a_link_to_reset_is_void_once_the_password_was_changed(api: Api) -> None:
    mona = await api.person("mona")
    token = await reset_token(api, mona.email)
    await mona.post("/auth/password", {"old_password": PASSWORD, "new_password": NEW})
    assert (await said(api, "/auth/password/reset", token=token, new_password=PASSWORD))[0] == 422


async def test_another_address_takes_the_password_and_counts_once_it_is_confirmed(api: Api) -> None:
    mona = await api.person("mona")
    await api.work()
    for given, status in ({"email": "new@example.com"}, 422), ({"email": "new@example.com", "password": "wrong"}, 401):
        assert (await mona.put("/auth/me", given)).status_code == status
    answer = await mona.put("/auth/me", {"email": "new@example.com", "password": PASSWORD, "full_name": "Mona"})
    assert (answer.status_code, answer.json()["data"]["email"]) == (200, "mona@example.com")
    assert answer.json()["data"]["full_name"] == "Mona"
    await api.work()
    (mail,) = mails_to(api.settings.data_dir, "new@example.com")
    old_link = await reset_token(api, "mona@example.com")
    assert (await said(api, "/auth/email/confirm", token=token_in(mail)))[0] == 200
    me = (await mona.get("/auth/me")).json()["data"]
    assert (me["email"], me["email_confirmed"]) == ("new@example.com", True)
    assert await signs_in(api, "new@example.com", PASSWORD)
    assert not await signs_in(api, "mona@example.com", PASSWORD)
    assert (await said(api, "/auth/password/reset", token=old_link, new_password=NEW))[0] == 422
    await api.work()
    assert mails_to(api.settings.data_dir, "mona@example.com")[-1]["Subject"] == "Your e-mail address was changed"


async def test_that_an_address_is_somebody_elses_is_not_told_to_whoever_wants_it(api: Api) -> None:
    mona, _ = await api.person("mona"), await api.person("other")
    await api.work()
    answers = [await mona.put("/auth/me", {"email": f"{name}@example.com", "password": PASSWORD}) for name in ("other", "x")]
    assert len({(answer.status_code, answer.json()["message"]) for answer in answers}) == 1
    await api.work()
    assert len(mails_to(api.settings.data_dir, "other@example.com")) == 1  # to its owner, when they registered


async def test_of_two_who_want_one_address_the_one_who_confirms_first_has_it(api: Api) -> None:
    people = [await api.person("mona"), await api.person("other")]
    for person in people:
        await person.put("/auth/me", {"email": "new@example.com", "password": PASSWORD})
    await api.work()
    tokens = [token_in(mail) for mail in mails_to(api.settings.data_dir, "new@example.com")]
    answers = await asyncio.gather(*[said(api, "/auth/email/confirm", token=token) for token in tokens])
    assert sorted(status for status, _ in answers) == [200, 409]


async def test_in_production_without_a_mail_server_what_needs_mail_is_off_and_names_the_setting(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    production = {
        "environment": "production", "github_app_id": "1", "github_webhook_secret": "long enough for production",
        "github_private_key": "-----BEGIN none", "public_url": "https://refactoriq.example.com",
    }  # fmt: skip
    async with open_api(database_url, redis_url, tmp_path, **production) as api:
        mona = await api.person("mona")
        answers = [
            await api.client.post("/api/v1/auth/password/reset-request", json={"email": mona.email}),
            await mona.put("/auth/me", {"email": "new@example.com", "password": PASSWORD}),
            await mona.post("/auth/email/confirm-request"),
        ]
        assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers} == {(503, "feature_off")}
        assert all("SMTP_URL" in answer.json()["error"]["message"] for answer in answers)
        right = await mona.post("/auth/password", {"old_password": PASSWORD, "new_password": NEW})
        assert right.status_code == 200
        assert api.sql("SELECT count(*) FROM deliveries") == [(0,)]


async def test_links_lead_to_the_public_address_whatever_host_a_request_names(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with open_api(database_url, redis_url, tmp_path, public_url="https://riq.example.com/") as api:
        forged = {"Host": "evil.example.net", "X-Forwarded-Host": "evil.example.net"}
        body = {"email": "mona@example.com", "password": PASSWORD, "full_name": "Win: http://evil.example.net"}
        assert (await api.client.post("/api/v1/auth/register", json=body, headers=forged)).status_code == 201
        await api.work()
        (mail,) = mails(tmp_path)
        assert "https://riq.example.com/confirm?token=" in mail.get_content()
        assert "evil" not in mail.as_string()
        assert mail["From"] == "noreply@riq.example.com"
