"""`refactoriq index`: an installed repository's index brought up to date, or what would be indexed of a local checkout."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

from bot.commands.processes import need, with_running_services
from bot.index_local import IndexedHere, index_local
from bot.logs import set_up_logs
from bot.settings import Settings, read_settings
from bot.terminal import harmless, progress_bar
from handlers.indexing.index import Busy, Indexed, bring_up_to_date
from handlers.indexing.work import OnProgress, Work
from review.errors import UserError
from review.words import count

FULL_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
LOOK_AGAIN = 2.0
"""Seconds between two tries to get at an index that another process is working on."""


def index(what: str) -> None:
    """Index, with a progress bar on stderr, and print what there is then. Raises UserError, TryAgain."""
    path = Path(what)
    if path.is_dir():
        print(_told(asyncio.run(_here(path))))
    elif FULL_NAME.fullmatch(what):
        print(harmless(str(asyncio.run(_installed(what, _settings())))))
    else:
        raise UserError(f"{what} is neither a folder on this machine nor OWNER/REPO.")


async def _here(path: Path) -> IndexedHere:
    with progress_bar() as on_progress:
        return await index_local(path, on_progress)


def _told(here: IndexedHere) -> str:
    """What an index of the checkout would hold, as lines."""
    rows = [
        f"  {language:<14} {count(size.files, 'file'):>14} {count(size.lines, 'line'):>16} {count(size.chunks, 'chunk'):>14}"
        for language, size in sorted(here.by_language.items(), key=lambda item: -item[1].lines)
    ]
    total, rate = here.total, here.total.lines / max(here.seconds, 0.001)
    lines = [
        f"{here.sha[:7]} as an index would hold it:",
        *rows,
        f"Together {count(total.files, 'file')}, {count(total.lines, 'line')}, {count(total.chunks, 'chunk')}: "
        f"{here.seconds:.1f} s, {rate:,.0f} lines a second.",
        *_reasons("left out", here.skipped),
        *_reasons("cut by lines", here.by_lines),
        "Nothing was kept. `refactoriq index OWNER/REPO` indexes a repository on which the app is installed.",
    ]
    return "\n".join(harmless(line) for line in lines)


def _reasons(what: str, reasons: dict[str, int]) -> list[str]:
    if not reasons:
        return []
    most_first = sorted(reasons.items(), key=lambda item: -item[1])
    return [
        f"{count(sum(reasons.values()), 'file')} {what}:",
        *(f"  {number:>8,}  {because}" for because, number in most_first),
    ]


def _settings() -> Settings:
    settings = with_running_services(read_settings())
    need(settings, "database_url", "redis_url", "github_app_id", "github_private_key")
    # What is done is on the progress bar; log lines would tear it apart.
    set_up_logs(settings.model_copy(update={"log_level": "error"}))
    return settings


async def _installed(full_name: str, settings: Settings) -> Indexed:
    from bot.wiring import open_context

    async with open_context(settings) as opened:
        context = replace(opened, on_step=lambda _step, _seconds: None)
        found = await context.installations.find(full_name)
        if not found:
            raise UserError(f"{full_name} is not installed: install the app on it, then try again.")
        account, repository = found[0].installation, found[0].repository
        tenant = await context.installations.tenant_of(
            account.account_id, account.account, account.account_type, account.id, repository
        )
        with progress_bar() as on_progress:
            while True:
                try:
                    return await bring_up_to_date(context, found[0], tenant, Work(on_progress))
                except Busy:
                    await _wait(on_progress)


async def _wait(on_progress: OnProgress) -> None:
    on_progress("wait for another process that is indexing it", 0, 0)
    await asyncio.sleep(LOOK_AGAIN)
