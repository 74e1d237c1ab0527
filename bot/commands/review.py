"""`refactoriq review`: the bot's own engine on a local checkout. The report goes to stdout, all else to stderr."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from bot.apply import apply_findings
from bot.local import LocalChange, local_change
from bot.providers import providers, why_no_models
from bot.settings import ModelSettings, read_model_settings
from bot.terminal import say, text_report
from review.analysis import Analysis
from review.analyzers import ANALYZERS
from review.change import Change, End
from review.context.memory import memory_index
from review.context.retrieve import Retriever
from review.context.tree import MOST_HISTORY
from review.diff import Diff
from review.errors import UserError
from review.finding import Severity
from review.reports import REPORTS
from review.reports.report import Reported
from review.reports.words import incomplete
from review.reviewer import Reviewer
from review.rules import RULES_PATH, parse_rules

TEXT = "text"

INDEX_SECONDS = 10.0
"""For an index of the moment; files that come last by path are missing from it when that is not enough."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line's options, checked."""

    path: Path
    base: str | None
    head: str | None
    format: str
    fail_on: Severity | None
    apply: bool


def review(path: Path, base: str | None, head: str | None, format: str, fail_on: str | None, apply: bool) -> int:
    """Review and print; gives the exit code: 0, or 1 where a finding is at least as severe as `fail_on`.

    Raises UserError, and TryAgain when files that were there a moment ago cannot be read: both are sentences for the person.
    """
    asked = _checked(path, base, head, format, fail_on, apply)
    local, analysis = asyncio.run(_reviewed(asked, read_model_settings()))
    _tell(asked, analysis)
    _print(_report(asked.format, analysis, local.change.diff))
    failed = asked.fail_on is not None and any(found.severity.at_least(asked.fail_on) for found in analysis.findings)
    return 1 if failed else 0


def _checked(path: Path, base: str | None, head: str | None, format: str, fail_on: str | None, apply: bool) -> Asked:
    formats = [TEXT, *(report.name for report in REPORTS)]
    if format not in formats:
        raise UserError(f"There is no format {format}: use one of {', '.join(formats)}.")
    if fail_on is not None and fail_on not in list(Severity):
        raise UserError(f"There is no severity {fail_on}: --fail-on takes one of {', '.join(Severity)}.")
    if apply and head:
        raise UserError("--apply writes into the files on disk, and --head reviews a commit: leave one of them out.")
    return Asked(path, base, head, format, Severity(fail_on) if fail_on else None, apply)


async def _reviewed(asked: Asked, settings: ModelSettings) -> tuple[LocalChange, Analysis]:
    """The review, and what is said and written on the way."""
    local = await local_change(asked.path, asked.base, asked.head)
    if asked.apply and local.top is None:
        raise UserError("--apply needs a work tree, and this repository is bare.")
    say(f"Compared with {local.compared_with}.")
    checkout = local.change.checkout
    analyzers = tuple(analyzer() for analyzer in ANALYZERS)
    rules = await checkout.read(End.BASE, [RULES_PATH])
    read = parse_rules(rules.get(RULES_PATH), tuple(analyzer.name for analyzer in analyzers))
    async with providers(settings) as models:
        reviewer = Reviewer(analyzers, models, why_no_models(settings), on_step=_step)
        wanted = bool(models) and read.rules.models and read.rules.context
        analysis = await reviewer.review(local.change, read, retriever=await _retriever(local.change) if wanted else None)
    if asked.apply and local.top is not None:
        await _apply(analysis, local, local.top)
    return local, analysis


async def _retriever(change: Change) -> Retriever | None:
    """What finds other code for the models, in an index of the moment."""
    if change.tree is None:
        return None
    started = monotonic()
    index = await memory_index(change.tree, changesets=MOST_HISTORY, deadline=started + INDEX_SECONDS)
    _step("index", monotonic() - started)
    return Retriever(index, change.tree)


def _step(name: str, seconds: float) -> None:
    say(f"{name}: {seconds:.1f} s")


async def _apply(analysis: Analysis, local: LocalChange, top: Path) -> None:
    written = await apply_findings(analysis.findings, local.change.checkout, top)
    for file in written:
        many = f"{file.suggestions} suggestion{'' if file.suggestions == 1 else 's'}"
        say(f"Not written: {file.path}, {file.because}." if file.because else f"Wrote {many} into {file.path}.")
    if not written:
        say("There is no verified suggestion to write.")


def _tell(asked: Asked, analysis: Analysis) -> None:
    """What the text report says itself, for whoever has another one written into a file."""
    if asked.format != TEXT:
        for sentence in (*analysis.notes, *([incomplete()] if analysis.partial else [])):
            say(sentence)


def _report(format: str, analysis: Analysis, diff: Diff) -> bytes:
    if format == TEXT:
        return text_report(analysis).encode(sys.stdout.encoding or "utf-8", "backslashreplace")
    return next(report for report in REPORTS if report.name == format).write(Reported(analysis, diff))


def _print(document: bytes) -> None:
    """The whole document, or as much as the reader takes: `| head` is no failure."""
    try:
        sys.stdout.buffer.write(document)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
