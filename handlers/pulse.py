"""What a web process does every other second: adds what it counted to the sums of all, and says how it is."""

import asyncio
import os

from handlers.api.services import Services
from handlers.process_figures import cpu, memory_of
from storage.counts import ProcessState, process_name

EVERY = 2.0
"""Seconds; so old may another process' part of the figures be."""


async def pulse(services: Services) -> None:
    """For as long as the process serves."""
    while True:
        await services.counts.flush()
        await services.counts.say(state(services))
        await asyncio.sleep(EVERY)


def state(services: Services) -> ProcessState:
    """This web process, as it is now."""
    pool = services.database.pool
    return ProcessState(
        name=process_name(),
        role="web",
        memory=memory_of(os.getpid()),
        cpu=cpu(),
        pool_size=pool.size,
        pool_waiting=pool.waiting,
        websockets=services.live.followers,
    )
