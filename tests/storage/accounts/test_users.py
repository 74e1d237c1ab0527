"""Users and their links in Postgres: who is found how, and that what is looked for stands in an index."""

import asyncio
from typing import Any

import psycopg
import pytest

from storage.accounts.administration import Administration, LastAdministrator
from storage.accounts.links import MOST, Links
from storage.accounts.users import BEGINNING_WITH, NEWEST, Taken, Users
from storage.audit import Act
from storage.database import Database

pytestmark = pytest.mark.integration

ACT = Act("test", actor="a test")


def scans(database_url: str, statement: str, values: tuple[Any, ...]) -> str:
    """The plan where Postgres looks through whole tables only if it must."""
    with psycopg.connect(database_url) as connection:
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET enable_bitmapscan = off")  # which would sort these few rows
        rows = connection.execute(f"EXPLAIN {statement}".encode(), values).fetchall()
        return "\n".join(row[0] for row in rows)


def test_users_are_found_on_an_index_and_never_sorted(database_url: str) -> None:
    found = scans(database_url, BEGINNING_WITH, ("mo", "mo", "", 20))
    assert "users_beginning_with" in found
    assert "Sort" not in found
    newest = scans(database_url, NEWEST, (10, 20))
    assert "users_pkey" in newest
    assert "Sort" not in newest
    assert "users_administrators" in scans(database_url, "SELECT FROM users WHERE administrator ORDER BY id FOR UPDATE", ())


async def test_an_address_is_anothers_whatever_the_case(database: Database) -> None:
    users = Users(database)
    mona = await users.add("Mona@example.com", "", None, ACT)
    assert (await users.by_email("mONA@example.com")) == mona
    with pytest.raises(Taken):
        await users.add("mona@example.com", "", None, ACT)
    other = await users.add("other@example.com", "", None, ACT)
    with pytest.raises(Taken):
        await users.confirm(other.id, "MONA@example.com", ACT)
    assert (await users.by_id(other.id)) == other


async def test_what_postgres_cannot_keep_is_replaced(database: Database) -> None:
    users = Users(database)
    user = await users.add("a@example.com", "a\x00b\ud800", None, ACT)
    assert user.full_name == "a\ufffdb?"
    assert await users.by_email("a\x00@example.com") is None


async def test_a_password_that_was_changed_meanwhile_is_not_overwritten(database: Database) -> None:
    users = Users(database)
    user = await users.add("mona@example.com", "", "first", ACT)
    assert await users.set_password(user, "second", ACT)
    assert not await users.set_password(user, "third", ACT)
    await users.signed_in(user, ACT, "first, hashed anew")
    now = await users.by_id(user.id)
    assert now is not None
    assert now.password_hash == "second"
    assert now.last_login_at is not None


async def test_a_link_is_for_one_purpose_once_and_takes_its_like_with_it(database: Database) -> None:
    users, links = Users(database), Links(database)
    user = await users.add("mona@example.com", "", None, ACT)
    first, second = [await links.make(user.id, "reset_password", "mona@example.com", 60, ACT) for _ in range(2)]
    confirming = await links.make(user.id, "confirm_email", "mona@example.com", 60, ACT)
    assert first and second and confirming
    assert await links.look(first, "confirm_email") is None
    assert await links.take(first, "confirm_email") is None
    taken = await asyncio.gather(*[links.take(first, "reset_password") for _ in range(4)])
    assert sum(link is not None for link in taken) == 1
    assert await links.look(second, "reset_password") is None
    assert await links.look(confirming, "confirm_email") is not None


async def test_a_link_that_ended_is_not_good_and_makes_room(database: Database) -> None:
    users, links = Users(database), Links(database)
    user = await users.add("mona@example.com", "", None, ACT)
    made = [await links.make(user.id, "reset_password", "m", -1 if number else 60, ACT) for number in range(3)]
    assert made[2] is not None
    assert await links.look(made[2], "reset_password") is None
    assert await links.take(made[2], "reset_password") is None
    more = await asyncio.gather(*[links.make(user.id, "reset_password", "m", 60, ACT) for _ in range(MOST + 2)])
    assert sum(secret is not None for secret in more) == MOST - 1
    await links.drop(next(secret for secret in more if secret))
    assert await links.make(user.id, "reset_password", "m", 60, ACT) is not None


async def test_the_last_open_administrator_stays_one_whoever_tries_at_once(database: Database) -> None:
    users, administration = Users(database), Administration(database)
    people = [await users.add(f"{n}@example.com", "", None, ACT, administrator=True) for n in range(4)]

    async def close(id: int) -> bool:
        try:
            return await administration.change(id, ACT, disabled=True) is not None
        except LastAdministrator:
            return False

    assert sum(await asyncio.gather(*[close(person.id) for person in people])) == 3
    left = [user for user in await users.newest(2**60, 10) if user.disabled_at is None]
    assert len(left) == 1
    assert await administration.change(2**60, ACT, disabled=True) is None
