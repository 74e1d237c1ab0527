"""Installations remembered: whose a repository is, and whether the app may act there, in whatever order GitHub tells."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from review.pull_request import Installation, Repository
from storage.database import Database
from storage.installations import Installations, Tenant
from tests.builders_storage import REPOSITORY

pytestmark = pytest.mark.integration

accounts = itertools.count(1000, 10)


@pytest.fixture
async def database(shared_database_url: str) -> AsyncIterator[Database]:
    async with Database.open(shared_database_url) as opened:
        yield opened


@pytest.fixture
def installations(database: Database) -> Installations:
    return Installations(database)


@pytest.fixture
def octo() -> Installation:
    """An installation on an account that no other test uses."""
    account = next(accounts)
    return Installation(account + 1, account, "octo", "Organization")


async def tenant_of(installations: Installations, installation: Installation, repository: Repository = REPOSITORY) -> Tenant:
    return await installations.tenant_of(
        installation.account_id, installation.account, installation.account_type, installation.id, repository
    )


async def stored(database: Database, tenant: Tenant, columns: str, table: str) -> list[tuple[object, ...]]:
    async with database.tenant(tenant.organization_id) as connection:
        return await (await connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1")).fetchall()


async def test_a_repository_has_one_tenant_however_often_and_by_however_many_it_is_asked_for(
    installations: Installations, octo: Installation
) -> None:
    tenants = await asyncio.gather(*(tenant_of(installations, octo) for _ in range(12)))
    assert len(set(tenants)) == 1
    assert not tenants[0].suspended
    assert not tenants[0].removed


async def test_two_accounts_are_two_tenants_even_with_the_same_repository(
    installations: Installations, octo: Installation
) -> None:
    """A repository that is transferred starts anew with its new owner: what was remembered is the old one's."""
    old = await tenant_of(installations, octo)
    account = next(accounts)
    new = await tenant_of(installations, Installation(account + 1, account, "hubot", "User"))
    assert (new.organization_id, new.repository_id) != (old.organization_id, old.repository_id)
    assert await tenant_of(installations, octo) == old


async def test_a_suspended_installation_is_resumed(installations: Installations, octo: Installation) -> None:
    await installations.keep(octo, [REPOSITORY])
    await installations.set_state(octo, "suspended")
    assert (await tenant_of(installations, octo)).suspended
    await installations.set_state(octo, "active")
    assert not (await tenant_of(installations, octo)).suspended


async def test_an_installation_is_kept_as_suspended_when_github_says_so(
    installations: Installations, octo: Installation
) -> None:
    await installations.keep(replace(octo, suspended=True))
    assert (await tenant_of(installations, octo)).suspended


@pytest.mark.parametrize("late", ["created", "unsuspend", "suspend", "added"])
async def test_what_comes_late_does_not_bring_a_removed_installation_back(
    installations: Installations, octo: Installation, late: str
) -> None:
    await installations.set_state(octo, "removed")
    match late:
        case "created":
            await installations.keep(octo, [REPOSITORY])
        case "unsuspend":
            await installations.set_state(octo, "active")
        case "suspend":
            await installations.set_state(octo, "suspended")
        case "added":
            await installations.change_repositories(octo, [REPOSITORY], [])
    assert (await tenant_of(installations, octo)).removed


async def test_the_next_installation_on_the_same_account_is_the_same_tenant(
    installations: Installations, octo: Installation
) -> None:
    before = await tenant_of(installations, octo)
    await installations.set_state(octo, "removed")
    again = replace(octo, id=octo.id + 1)
    await installations.keep(again, [REPOSITORY])
    assert await tenant_of(installations, again) == before


async def test_a_repository_that_was_taken_away_and_given_back(installations: Installations, octo: Installation) -> None:
    other = Repository(REPOSITORY.id + 1, "octo/other", True)
    await installations.keep(octo, [REPOSITORY, other])
    await installations.change_repositories(octo, [], [REPOSITORY])
    assert (await tenant_of(installations, octo)).removed
    assert not (await tenant_of(installations, octo, other)).removed
    await installations.change_repositories(octo, [REPOSITORY], [])
    assert not (await tenant_of(installations, octo)).removed


async def test_a_late_delivery_about_a_repository_does_not_bring_it_back(
    installations: Installations, octo: Installation
) -> None:
    await tenant_of(installations, octo)
    await installations.change_repositories(octo, [], [REPOSITORY])
    assert (await tenant_of(installations, octo)).removed
    assert (await tenant_of(installations, octo)).removed


async def test_taking_a_repository_from_one_account_leaves_it_to_the_other(
    installations: Installations, octo: Installation
) -> None:
    account = next(accounts)
    hubot = Installation(account + 1, account, "hubot", "User")
    await installations.keep(hubot, [REPOSITORY])
    await installations.keep(octo, [REPOSITORY])
    await installations.change_repositories(octo, [], [REPOSITORY])
    assert not (await tenant_of(installations, hubot)).removed


async def test_names_follow_renames_and_ids_stay(database: Database, installations: Installations, octo: Installation) -> None:
    before = await tenant_of(installations, octo)
    renamed = Repository(REPOSITORY.id, "octocats/bye", True, "trunk")
    assert await tenant_of(installations, replace(octo, account="octocats"), renamed) == before
    assert await stored(database, before, "full_name, private, default_branch", "repositories") == [
        ("octocats/bye", True, "trunk")
    ]
    assert await stored(database, before, "login", "organizations") == [("octocats",)]


async def test_an_installation_event_does_not_know_the_default_branch_and_leaves_it(
    database: Database, installations: Installations, octo: Installation
) -> None:
    tenant = await tenant_of(installations, octo, replace(REPOSITORY, default_branch="trunk"))
    await installations.change_repositories(octo, [replace(REPOSITORY, default_branch="main")], [])
    assert await stored(database, tenant, "default_branch", "repositories") == [("trunk",)]


async def test_a_thousand_repositories_come_and_go_twice_over(
    database: Database, installations: Installations, octo: Installation
) -> None:
    many = [Repository(n, f"octo/r{n}", False) for n in range(1000)]
    await asyncio.gather(installations.keep(octo, many), installations.keep(octo, many[::-1]))
    await asyncio.gather(*(installations.change_repositories(octo, [], many[:400]) for _ in range(2)))
    tenant = await tenant_of(installations, octo, many[-1])
    kept = await stored(database, tenant, "count(*) FILTER (WHERE removed), count(*)", "repositories")
    assert kept == [(400, 1000)]


async def test_the_repositories_of_an_active_installation_are_listed_and_found_by_name(
    installations: Installations, octo: Installation
) -> None:
    known = replace(REPOSITORY, full_name=f"octo-{octo.id}/Hello", default_branch="develop")
    await installations.keep(octo, [known, replace(known, id=known.id + 1, full_name=f"octo-{octo.id}/other")])
    assert [one.repository.full_name for one in await installations.installed(octo.id)] == [
        f"octo-{octo.id}/Hello",
        f"octo-{octo.id}/other",
    ]
    [found] = await installations.find(f"OCTO-{octo.id}/hello")
    assert (found.installation, found.repository.id) == (octo, known.id)
    await installations.change_repositories(octo, [], [known])
    assert await installations.find(f"octo-{octo.id}/hello") == []
    await installations.set_state(octo, "suspended")
    assert await installations.installed(octo.id) == []


async def test_code_is_to_be_forgotten_where_the_app_is_gone_and_not_while_it_is_suspended(
    installations: Installations, octo: Installation
) -> None:
    two = [replace(REPOSITORY, id=REPOSITORY.id + n) for n in range(2)]
    await installations.keep(octo, two)
    assert await installations.left(octo, two) == []
    await installations.change_repositories(octo, [], two[:1])
    assert len(await installations.left(octo, two)) == 1
    await installations.set_state(octo, "suspended")
    assert await installations.left(octo, []) == []
    await installations.set_state(octo, "removed")
    assert len(await installations.left(octo, [])) == 2
    again = replace(octo, id=octo.id + 1)
    await installations.keep(again, [])
    assert await installations.left(octo, []) == [], "installed anew before the old one's removal was told"
