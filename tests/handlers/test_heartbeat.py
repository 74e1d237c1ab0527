"""Work with a heartbeat beside it: which of the two ends the other, and that neither outlives them."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from handlers.heartbeat import beside
from review.errors import TryAgain

pytestmark = pytest.mark.unit


async def for_ever() -> None:
    await asyncio.Event().wait()


async def lost() -> None:
    raise TryAgain("Another job has it.")


async def slowly(result: str) -> str:
    for _ in range(5):
        await asyncio.sleep(0)
    return result


def left_running() -> list[str]:
    names = {for_ever.__name__, lost.__name__, slowly.__name__}
    return [task.get_name() for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") in names]


async def test_the_works_result_ends_the_heartbeat() -> None:
    assert await beside(for_ever(), slowly("done"), ends_work=True) == "done"
    assert not left_running()


async def test_a_heartbeat_that_fails_ends_the_work_where_it_may() -> None:
    with pytest.raises(TryAgain, match="Another job"):
        await beside(lost(), for_ever(), ends_work=True)
    assert not left_running()


async def test_where_it_may_not_the_work_goes_on_and_nothing_is_said_of_the_heartbeat() -> None:
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, about: complaints.append(about))
    assert await beside(lost(), slowly("done"), ends_work=False) == "done"
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize("beating", [for_ever, lost])
async def test_whoever_is_cancelled_leaves_nothing_running(beating: Callable[[], Coroutine[Any, Any, None]]) -> None:
    outer = asyncio.create_task(beside(beating(), for_ever(), ends_work=False))
    await asyncio.sleep(0.01)
    outer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await outer
    assert not left_running()
