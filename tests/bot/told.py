"""What one checkup of `refactoriq doctor` says."""

from typing import Any

from bot.checkups import CHECKUPS
from bot.checkups.checkup import Line, State
from bot.settings import parse_settings


async def told(name: str, **settings: Any) -> list[Line]:
    """What one checkup says under these settings."""
    return await CHECKUPS[name](parse_settings(**settings))


async def state(name: str, **settings: Any) -> State:
    [line] = await told(name, **settings)
    return line.state
