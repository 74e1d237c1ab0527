"""`refactoriq doctor`: for each setting and service, does it work, and what to do where it does not."""

import asyncio
from collections.abc import Sequence

from bot.checkups import CHECKUPS
from bot.checkups.checkup import Checkup, Line, State, ok, wrong
from bot.logs import Redactor, known_secrets
from bot.settings import Settings, parse_settings, why_incomplete
from bot.terminal import harmless
from review.errors import RefactorIQError, UserError

SECONDS = 12.0
"""How long one checkup may take; all run at the same time."""

STYLES = {State.OK: "green", State.WARNING: "yellow", State.WRONG: "bold red"}


def doctor() -> int:
    """Look at everything and print a line for each; gives the exit code: 1 when something is wrong."""
    try:
        settings = parse_settings()
    except UserError as error:
        lines = [wrong("settings", sentence) for sentence in str(error).splitlines()]
        _print(lines, Redactor())
        return 1
    lines = [*_settings(settings), *asyncio.run(_all(settings))]
    _print(lines, Redactor(known_secrets(settings)))
    return 1 if any(line.state is State.WRONG for line in lines) else 0


def _settings(settings: Settings) -> list[Line]:
    missing = [wrong("settings", sentence) for sentence in why_incomplete(settings)]
    return missing or [ok("settings", f"can be read; this is {settings.environment}.")]


async def _all(settings: Settings) -> list[Line]:
    told = await asyncio.gather(*(_one(name, checkup, settings) for name, checkup in CHECKUPS.items()))
    return [line for lines in told for line in lines]


async def _one(name: str, checkup: Checkup, settings: Settings) -> list[Line]:
    try:
        async with asyncio.timeout(SECONDS):
            return await checkup(settings)
    except TimeoutError:
        return [wrong(name, f"gave no answer within {SECONDS:.0f} seconds.")]
    except RefactorIQError as error:
        return [wrong(name, str(error))]


def _print(lines: Sequence[Line], redact: Redactor) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
    width = max(len(line.subject) for line in lines)
    for line in lines:
        sentence = harmless(redact(line.sentence))
        console.print(Text.assemble((f"{line.state:<8}", STYLES[line.state]), f" {line.subject:<{width}}  {sentence}"))
