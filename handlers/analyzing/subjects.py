"""What an analysis is of: the files of an upload, a pull request at its head, or a repository at a ref, as a change."""

import asyncio
import zipfile
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from handlers.analyzing.wanted import wanted_categories
from handlers.context import Context
from handlers.host import Gone
from review.change import Change
from review.context.tree import LARGEST_FILE, Tree, TreeFile
from review.errors import Superseded, TryAgain, UserError
from review.finding import Severity
from review.paths import why_ignored
from review.pull_request import PullRequest
from review.rules import RULES_PATH, ReadRules, parse_rules
from review.whole_files import BEYOND, WholeFiles, code_first
from storage.analyses import AnalysisRecord
from storage.installations import Installed
from storage.objects import NotThere

AT_ONCE = 500
"""Files of a repository that are read together."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an analysis is of, ready to be looked at. `read` are the repository's (or the upload's) own rules, with what this
    analysis asks for in their place where it asks for something. Of a pull request, how it stands and through which
    installation it is reached (GitHub's id)."""

    change: Change
    read: ReadRules
    pull: PullRequest | None = None
    installation_id: int | None = None


@asynccontextmanager
async def subject_of(context: Context, analysis: AnalysisRecord) -> AsyncIterator[Loaded]:
    """What this analysis is of, as it is now, readable until the block ends.

    Raises UserError, Gone or Rejected where it is not there (any more), TryAgain where it cannot be reached just now.
    """
    load = SUBJECTS[analysis.subject]
    loaded = await load(context, analysis)
    yield replace(loaded, read=_asked_for(loaded.read, analysis))


async def _upload(context: Context, analysis: AnalysisRecord) -> Loaded:
    upload = await context.uploads.for_job(analysis.organization_id, analysis.upload_id or 0)
    if upload is None:
        raise UserError("The upload is not there any more: upload the files again.")
    try:
        files, rules = await asyncio.to_thread(_unpacked, context, upload.object_key)
    except NotThere:
        raise UserError("The files of this upload are not there any more: upload them again.") from None
    return Loaded(files.change("", analysis.title or f"Upload {upload.id}"), _parsed(context, rules))


def _unpacked(context: Context, key: str) -> tuple[WholeFiles, bytes | None]:
    """The files of an upload's zip, as many as one analysis reads, and its rules. Blocks."""
    files = WholeFiles()
    with context.objects.reader(key) as raw, zipfile.ZipFile(raw) as archive:
        members = {member.filename: member for member in archive.infolist() if not member.is_dir()}
        for name in sorted(members, key=code_first):
            if files.full:
                files.leave_out(name, BEYOND)
            else:
                files.add(name, _beginning(archive, members[name]))
        rules = _beginning(archive, members[RULES_PATH]) if RULES_PATH in members else None
    return files, rules


def _beginning(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The file's bytes, or one more than are read of any."""
    with archive.open(member) as file:
        return file.read(LARGEST_FILE + 1)


async def _pull_request(context: Context, analysis: AnalysisRecord) -> Loaded:
    at, number = await _installed(context, analysis), analysis.number or 0
    try:
        pull = await context.host.pull_request(at.installation.id, at.repository.full_name, number)
    except Gone:
        raise Gone(f"{at.repository.full_name} has no pull request {number}, or the app may not see it any more.") from None
    if pull.repository.id != at.repository.id:  # its name may be somebody else's by now
        raise Gone(f"{at.repository.full_name} is another repository by now.")
    try:
        change = await context.source.change(at.installation.id, pull)
    except Superseded as moved:
        raise TryAgain(str(moved)) from None
    rules = await context.source.rules(at.installation.id, pull)
    return Loaded(change, _parsed(context, rules), pull, at.installation.id)


async def _repository(context: Context, analysis: AnalysisRecord) -> Loaded:
    at = await _installed(context, analysis)
    tree = await context.source.commit(at.installation.id, at.repository, analysis.ref)
    rules = await _rules_of(tree)
    read = _parsed(context, rules)
    files = await _gathered(tree, read)
    return Loaded(files.change(tree.sha, f"{at.repository.full_name} at {analysis.ref}"), read, None, at.installation.id)


async def _rules_of(tree: Tree) -> bytes | None:
    blob = (await tree.blobs([RULES_PATH])).get(RULES_PATH)
    return None if blob is None else (await tree.read([blob])).get(blob)


async def _gathered(tree: Tree, read: ReadRules) -> WholeFiles:
    """The files of that commit, as many as one analysis reads. Those that nobody wants read are not even fetched."""
    files = WholeFiles()
    wanted: list[TreeFile] = []
    for file in await tree.files():
        if because := "left out by the rules" if not read.rules.covers(file.path) else why_ignored(file.path):
            files.leave_out(file.path, because)
        else:
            wanted.append(file)
    wanted.sort(key=lambda file: code_first(file.path))
    for some in (wanted[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE)):
        await _add(files, tree, some)
    return files


async def _add(files: WholeFiles, tree: Tree, some: Sequence[TreeFile]) -> None:
    contents = {} if files.full else await tree.read([file.blob for file in some])
    for file in some:
        if files.full:
            files.leave_out(file.path, BEYOND)
        elif file.blob in contents:
            files.add(file.path, contents[file.blob])
        else:
            files.leave_out(file.path, "larger than 1 MB, or not readable")


async def _installed(context: Context, analysis: AnalysisRecord) -> Installed:
    """The repository with an installation that reaches it. Raises Gone."""
    installed = await context.installations.of_repository(analysis.repository_id or 0)
    if installed is None:
        raise Gone("The app may not see this repository (any more): install it there, or resume it, then analyze again.")
    return installed


def _parsed(context: Context, rules: bytes | None) -> ReadRules:
    return parse_rules(rules, tuple(analyzer.name for analyzer in context.reviewer.analyzers))


def _asked_for(read: ReadRules, analysis: AnalysisRecord) -> ReadRules:
    """Everything that an analysis finds is told, down to what is only worth knowing; of the categories that it asks for."""
    categories = wanted_categories(analysis.analysis_type, analysis.options)
    return replace(read, rules=replace(read.rules, min_severity=Severity.INFO, categories=categories))


SUBJECTS: dict[str, Callable[[Context, AnalysisRecord], Coroutine[Any, Any, Loaded]]] = {
    "upload": _upload,
    "pull_request": _pull_request,
    "repository": _repository,
}
