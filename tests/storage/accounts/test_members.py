"""Members at once: two last owners who leave together, and people whose tokens are replaced while GitHub is being asked."""

import asyncio

import psycopg
import pytest

from review.pull_request import Installation, Repository
from storage.accounts.github_accounts import GitHubAccounts, GitHubPerson, GitHubTokens
from storage.accounts.known import known
from storage.accounts.members import Members, Unchangeable
from storage.accounts.reading import Reading
from storage.accounts.role import Role
from storage.accounts.seen_on_github import SeenInstallation, SeenOnGitHub, SeenRepository
from storage.audit import Act
from storage.database import Database

pytestmark = pytest.mark.integration

ACT = Act("test", "mona")
KEY = b"k" * 32
INSTALLATION = Installation(501, 77, "octo")
SEEN = [SeenInstallation(INSTALLATION, "member", (SeenRepository(Repository(9001, "octo/hello"), "write"),))]


async def user(database: Database, number: int) -> int:
    person = GitHubPerson(number, f"person-{number}")
    return (await GitHubAccounts(database, KEY).add(person, GitHubTokens(f"token-{number}"), ACT)).id


async def test_of_two_last_owners_who_go_at_once_one_stays(database: Database, database_url: str) -> None:
    members, people = Members(database, Reading(database)), [await user(database, number) for number in (1, 2)]
    with psycopg.connect(database_url, autocommit=True) as admin:
        row = admin.execute("INSERT INTO organizations (login, kind) VALUES ('octo', 'Organization') RETURNING id").fetchone()
    assert row is not None
    for person in people:
        await members.add(row[0], person, Role.OWNER, ACT)
    tried = await asyncio.gather(*(members.remove(row[0], person, ACT) for person in people), return_exceptions=True)
    assert sorted(type(outcome) for outcome in tried if outcome is not True) == [Unchangeable]
    assert tried.count(True) == 1


async def test_an_answer_to_tokens_that_were_replaced_meanwhile_is_not_kept(database: Database) -> None:
    accounts, seen = GitHubAccounts(database, KEY), SeenOnGitHub(database)
    id = await user(database, 1)
    before = await accounts.tokens(id)
    assert before is not None
    after = await accounts.renew(before, GitHubTokens("new"))
    assert await seen.keep(before, SEEN) is False
    assert await seen.forget(before) is False
    held = await accounts.tokens(id)
    assert held is not None and held.tokens == GitHubTokens("new")
    assert await seen.keep(after, SEEN) is True
    found = await known(database, id)
    assert found is not None and len(found[1].repositories) == 1


async def test_tokens_that_another_secret_key_encrypted_come_out_empty(database: Database) -> None:
    id = await user(database, 1)
    held = await GitHubAccounts(database, b"x" * 32).tokens(id)
    assert held is not None and held.tokens.access == ""


async def test_two_people_of_the_same_organizations_are_kept_at_once(database: Database) -> None:
    accounts, seen = GitHubAccounts(database, KEY), SeenOnGitHub(database)
    installations = [
        SeenInstallation(
            Installation(500 + number, 70 + number, f"octo-{number}"),
            "member",
            tuple(SeenRepository(Repository(100 * number + r, f"octo-{number}/r{r}"), "read") for r in range(20)),
        )
        for number in range(5)
    ]
    held = [await accounts.tokens(await user(database, number)) for number in (1, 2, 3)]
    orders = (installations, installations[::-1], installations[2:] + installations[:2])
    kept = await asyncio.gather(*(seen.keep(one, order) for one, order in zip(held, orders, strict=True) if one))
    assert kept == [True] * 3
