"""What has had its time is removed, with its file; what the store refuses stays on record until the next time."""

import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.chores import expire_once
from handlers.expire import expire, expiry_jobs, remove_orphans
from storage.expired import Expired
from storage.objects import Objects, StoreAway, open_store
from tests.builders_api import Api, open_api
from tests.builders_uploads import uploaded

pytestmark = pytest.mark.api


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(database_url, redis_url, tmp_path) as opened:
        yield opened
        assert opened.bugs == []


def files(api: Api) -> set[str]:
    folder = api.settings.data_dir / "objects"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def grow_old(api: Api, hours: float = 25) -> None:
    """All files in the store were kept so long ago."""
    for name in files(api):
        then = time.time() - hours * 3600
        os.utime(api.settings.data_dir / "objects" / name, (then, then))


async def test_the_scheduler_puts_jobs_that_remove_what_has_expired_and_leave_the_rest(api: Api) -> None:
    mona = await api.person("mona")
    old, new = [(await uploaded(mona))["upload_id"] for _ in range(2)]
    export = (await mona.post("/exports", {"kind": "usage", "format": "csv"})).json()["data"]["export_id"]
    await api.work()
    assert files(api) == {f"uploads/{old}.zip", f"uploads/{new}.zip", f"exports/{export}.csv"}
    api.sql("UPDATE uploads SET expires_at = now() WHERE id = %s", (old,))
    api.sql("UPDATE exports SET expires_at = now()")
    api.sql("INSERT INTO user_links VALUES ('a', %s, 'confirm_email', 'a', now()), ('b', %s, 'confirm_email', 'b', 'infinity')",
            (mona.id, mona.id))  # fmt: skip
    api.sql("INSERT INTO idempotency_keys (user_id, key, request, created_at) VALUES (%s, 'a', 'x', now() - interval '25 h'),"
            " (%s, 'b', 'x', now())", (mona.id, mona.id))  # fmt: skip
    api.sql("DELETE FROM user_links WHERE email = 'mona@example.com'")
    for _ in range(2):
        await expire_once(api.settings)
        await api.work()
    assert files(api) == {f"uploads/{new}.zip"}
    assert api.sql("SELECT id FROM uploads") == [(new,)]
    assert api.sql("SELECT DISTINCT upload_id FROM upload_files") == [(new,)]
    assert api.sql("SELECT id FROM exports") == []
    assert api.sql("SELECT email FROM user_links") == [("b",)]
    assert api.sql("SELECT key FROM idempotency_keys") == [("b",)]
    assert api.sql("SELECT outcome FROM deliveries WHERE action = 'expire'") == [("Removed 4.",)]


async def test_files_that_belong_to_nothing_are_removed_after_a_day(api: Api) -> None:
    mona = await api.person("mona")
    kept = (await uploaded(mona))["upload_id"]
    objects = Objects(open_store("", api.settings.data_dir))
    [[analysis]] = api.sql("INSERT INTO analyses (organization_id) VALUES (%s) RETURNING id", (mona.home,))
    for key in ("temp/x", "uploads/999.zip", "exports/999.csv", "analyses/999/report.pdf", "proposals/999/changes.patch"):
        await objects.put(key, b"orphan")
    await objects.put(f"analyses/{analysis}/report.pdf", b"kept")
    expired, everything = Expired(api.database), files(api)
    assert (await remove_orphans(expired, objects)).removed == 0
    assert files(api) == everything
    grow_old(api)
    assert (await remove_orphans(expired, objects)).removed == 5
    assert files(api) == {f"uploads/{kept}.zip", f"analyses/{analysis}/report.pdf"}


class Refusing(Objects):
    """A store that deletes nothing just now."""

    async def delete(self, key: str) -> None:
        raise StoreAway("away")


async def test_what_the_store_refuses_to_delete_is_tried_again_the_next_time(api: Api) -> None:
    mona = await api.person("mona")
    await uploaded(mona)
    api.sql("UPDATE uploads SET expires_at = now()")
    store, expired = open_store("", api.settings.data_dir), Expired(api.database)
    refused = await expire(expired, Refusing(store))
    assert (refused.removed, refused.refused) == (0, 1)
    assert len(files(api)) == len(api.sql("SELECT id FROM uploads")) == 1
    assert (await expire(expired, Objects(store))).removed == 1
    assert len(files(api)) == len(api.sql("SELECT id FROM uploads")) == 0


def test_the_jobs_of_an_hour_and_of_a_day_have_one_name_each() -> None:
    early, late = datetime(2026, 1, 2, 3, 4, tzinfo=UTC), datetime(2026, 1, 2, 4, 4, tzinfo=UTC)
    assert [job.id for job in expiry_jobs(early)] == ["expire-2026010203", "remove-orphans-20260102"]
    assert [job.id for job in expiry_jobs(late)] == ["expire-2026010204", "remove-orphans-20260102"]
