"""The last message on an analysis: what came of it, fetched once for all clients of this process that wait for it."""

import asyncio
from typing import Any

import orjson

from handlers.analyzing.results import results_of
from handlers.api.services import Services
from storage.accounts.sight import Sight


class Endings:
    """One for a process. When an analysis is over all its followers ask in the same moment, and get one answer."""

    def __init__(self) -> None:
        self._under_way: dict[int, asyncio.Task[str | None]] = {}

    async def of(self, services: Services, sight: Sight, id: int) -> str | None:
        """See `ending`. Whoever asks may see the analysis, or did a minute ago; None may be due to another one's sight."""
        task = self._under_way.get(id)
        if task is None:
            task = self._under_way[id] = asyncio.create_task(ending(services, sight, id))
            task.add_done_callback(lambda done: self._over(id, done))
        return await asyncio.shield(task)

    def _over(self, id: int, task: asyncio.Task[str | None]) -> None:
        del self._under_way[id]
        if not task.cancelled():
            task.exception()  # whoever still waits is told; where nobody does, it is none of the log's business


async def ending(services: Services, sight: Sight, id: int) -> str | None:
    """The message, with results as GET gives them; None while it is not over, or is not seen. Raises TryAgain."""
    whole = await services.analyses.whole(sight, id)
    if whole is None or not whole.record.ended:
        return None
    record = whole.record
    message: dict[str, Any] = {"type": "complete", "analysis_id": id}
    if record.status == "completed":
        message["results"] = results_of(record, whole.findings, whole.dropped).model_dump(mode="json")
    else:
        because = record.error or f"The analysis was {record.status}."
        message |= {"type": "error", "code": record.status, "message": because}
    return orjson.dumps(message).decode()
