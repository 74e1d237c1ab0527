"""Reading from the replica: what is only there is shown, what is not there yet is not missed, and its outage costs nothing."""

import secrets
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from storage.accounts import reading
from tests.builders_api import Api, Person, open_api
from tests.conftest import at_database, own_database

pytestmark = pytest.mark.api


@pytest.fixture
def behind_url(postgres_url: str) -> Iterator[str]:
    """A second database, which stands for a replica that has seen nothing yet."""
    yield from own_database(postgres_url)


@pytest.fixture
async def api(database_url: str, behind_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The API with that replica."""
    async with open_api(database_url, redis_url, tmp_path, database_replica_url=behind_url) as opened:
        yield opened
        assert opened.bugs == []


async def uploads(person: Person) -> list[int]:
    """The ids of the uploads that a list shows."""
    answer = await person.get("/uploads")
    assert answer.status_code == 200, answer.text
    return [item["upload_id"] for item in answer.json()["data"]["items"]]


async def upload(person: Person) -> int:
    answer = await person.call("POST", "/uploads", files={"files": ("a.py", b"print(1)\n")})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["data"]["upload_id"])


def forget_that_they_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is some seconds later."""

    async def no(*_: object) -> bool:
        return False

    monkeypatch.setattr(reading.Reading, "wrote_lately", no)


async def test_a_list_comes_from_the_replica(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    mona = await api.person("mona")
    await upload(mona)
    forget_that_they_wrote(monkeypatch)
    assert await uploads(mona) == [], "the replica has not seen it yet"


async def test_whoever_changed_something_sees_it_at_once(api: Api) -> None:
    mona = await api.person("mona")
    made = await upload(mona)
    assert await uploads(mona) == [made]


async def test_a_detail_that_the_replica_does_not_have_yet_is_looked_up_on_the_primary(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    mona = await api.person("mona")
    made = await upload(mona)
    forget_that_they_wrote(monkeypatch)
    assert (await mona.get(f"/uploads/{made}")).status_code == 200
    assert (await mona.get(f"/uploads/{made + 1}")).status_code == 404


async def test_a_change_never_goes_by_what_the_replica_shows(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    mona = await api.person("mona")
    made = await upload(mona)
    forget_that_they_wrote(monkeypatch)
    assert (await mona.delete(f"/uploads/{made}")).status_code < 300


async def test_a_replica_that_goes_away_is_noticed_at_once_and_tried_again_later(
    api: Api, behind_url: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mona = await api.person("mona")
    made = await upload(mona)
    forget_that_they_wrote(monkeypatch)
    assert await uploads(mona) == []
    name = psycopg.conninfo.conninfo_to_dict(behind_url)["dbname"]
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
    started = time.monotonic()
    assert [await uploads(mona) for _ in range(5)] == [[made]] * 5
    assert time.monotonic() - started < 4, "one request waited for it"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
    monkeypatch.setattr(reading, "RETRY_SECONDS", 0.0)
    deadline = time.monotonic() + 30  # the pool tries again later each time
    while await uploads(mona) != []:
        assert time.monotonic() < deadline, "the replica is never asked again"


async def test_a_replica_that_was_never_there_costs_nobody_their_answer(
    database_url: str, postgres_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = at_database(postgres_url, f"no_{secrets.token_hex(4)}")
    async with open_api(database_url, redis_url, tmp_path, database_replica_url=nowhere) as api:
        mona = await api.person("mona")
        made = await upload(mona)
        forget_that_they_wrote(monkeypatch)
        assert await uploads(mona) == [made]
