"""Run the analyzers on both ends of a change, and keep what the change is to blame for."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from review.analyzers.analyzer import Analyzer
from review.analyzers.blame import Blame
from review.analyzers.written import WrittenFiles, write_files
from review.change import Change
from review.errors import AnalyzerFailed
from review.finding import Finding, worst_first
from review.progress import Looking, unseen

SECONDS = 60.0
"""How long one analyzer may look at one end of a change."""

MOST = 1_000
"""Findings of one analyzer that are kept, worst first: nobody reads more, and what follows compares them with each other."""


@dataclass(frozen=True, slots=True)
class AnalyzersResult:
    """What the analyzers found. `ran` names those that looked at something; `notes` are sentences on what they left out."""

    findings: tuple[Finding, ...] = ()
    ran: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Looked:
    """What one analyzer found at one end; `failed` says why it did not look at everything."""

    findings: tuple[Finding, ...] = ()
    failed: str = ""


async def run_analyzers(
    change: Change,
    head: Mapping[str, bytes],
    base: Mapping[str, bytes],
    analyzers: tuple[Analyzer, ...],
    looking: Looking = unseen,
) -> AnalyzersResult:
    """What these analyzers find on the lines that the change adds or alters, and that was not there before.

    `head` and `base` hold the files by their path at that end (a renamed file has its old one at the base). Never raises for
    an analyzer that fails: its partial findings stand, and `notes` names it. `looking` is told of each file as it is handed
    to the analyzers, which take them all at once.
    """
    wanted = [analyzer for analyzer in analyzers if any(map(analyzer.wants, head))]
    blame = Blame(change.diff, head, base)
    with TemporaryDirectory(prefix="refactoriq-") as folder:
        at_head = _written(head, Path(folder, "head"))
        for number, path in enumerate(head):
            looking(number / len(head), path)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_run(analyzer, at_head, blame, Path(folder, analyzer.name))) for analyzer in wanted]
    results = [task.result() for task in tasks]
    return AnalyzersResult(
        findings=tuple(finding for result in results for finding in result.findings),
        ran=tuple(name for result in results for name in result.ran),
        notes=tuple(note for result in results for note in result.notes),
    )


async def _run(analyzer: Analyzer, at_head: WrittenFiles, blame: Blame, room: Path) -> AnalyzersResult:
    """One analyzer on the head, then on what is needed of the base: only files where it found something on altered lines.

    That is hardly ever much, so that the base costs next to nothing where both at once would cost the same again.
    """
    head = await _look(analyzer, at_head)
    before = blame.base_of(head.findings)
    base = await _look(analyzer, _written(before, room)) if before else Looked()
    return _compared(analyzer.name, head, base, blame)


def _written(files: Mapping[str, bytes], folder: Path) -> WrittenFiles:
    folder.mkdir()
    return write_files(files, folder)


async def _look(analyzer: Analyzer, end: WrittenFiles) -> Looked:
    """One analyzer on one end, within its time."""
    names = end.names({path for path in end.paths.values() if analyzer.wants(path)})
    if not names:
        return Looked()
    try:
        async with asyncio.timeout(SECONDS):
            findings = await analyzer.analyze(end.folder, names)
    except TimeoutError:
        return Looked(failed=f"it was not done after {SECONDS:.0f} s")
    except AnalyzerFailed as failure:
        return Looked(tuple(end.renamed(failure.findings)), str(failure))
    return Looked(tuple(end.renamed(findings)))


def _compared(name: str, head: Looked, base: Looked, blame: Blame) -> AnalyzersResult:
    """What is kept of one analyzer, and what must be said about it."""
    new = worst_first(blame.new(head.findings, base.findings))
    notes = []
    if head.failed:
        notes.append(f"The analyzer {name} did not look at everything: {head.failed}.")
    if base.failed and new:
        notes.append(f"The analyzer {name} could not compare with all of the base ({base.failed}): some findings may be old.")
    if len(new) > MOST:
        notes.append(f"The analyzer {name} found {len(new):,} things, of which the {MOST:,} worst were kept.")
    ran = () if head.failed and not head.findings else (name,)
    return AnalyzersResult(tuple(new[:MOST]), ran, tuple(notes))
