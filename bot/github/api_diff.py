"""The change by REST, for where git cannot reach the repository: less of it, and what is missing is said."""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from unidiff.errors import UnidiffParseError as BrokenHunk

from bot.github.client import Client, Refused, fields
from handlers.host import Gone
from review.change import Change, End
from review.diff import Diff, FileDiff, FileKind, FileStatus
from review.errors import TryAgain
from review.parse_diff import BROKEN, NotADiff, parse_diff, parse_hunks
from review.pull_request import PullRequest

DIFF = "application/vnd.github.diff"
MOST_PAGES = 30
"""Of a hundred files each: GitHub lists 3,000 at most."""

MOST_FILES = 20
"""Files whose contents are read, at both ends together: each costs a call."""

AT_ONCE = 5
LARGEST = 1_000_000
STATUSES = {
    "added": FileStatus.ADDED, "copied": FileStatus.ADDED, "removed": FileStatus.REMOVED, "renamed": FileStatus.RENAMED,
}  # fmt: skip
NOT_SHOWN = "GitHub shows no patch: binary, or too large"


@dataclass
class ApiCheckout:
    """Fulfils review.change.Checkout with the contents API: the first files that are asked for, no more than `left`."""

    client: Client
    installation_id: int
    repository: str
    commits: Mapping[End, str | None]
    readable: Mapping[End, frozenset[str]]
    left: int = MOST_FILES
    known: dict[tuple[End, str], bytes | None] = field(default_factory=dict, repr=False)

    async def read(self, end: End, paths: Sequence[str]) -> Mapping[str, bytes]:
        new = [path for path in dict.fromkeys(paths) if path in self.readable[end] and (end, path) not in self.known]
        new = new[: self.left] if self.commits[end] else []
        self.left -= len(new)
        for some in (new[at : at + AT_ONCE] for at in range(0, len(new), AT_ONCE)):
            contents = await asyncio.gather(*(self._content(end, path) for path in some))
            self.known |= {(end, path): content for path, content in zip(some, contents, strict=True)}
        found = {path: self.known.get((end, path)) for path in paths}
        return {path: content for path, content in found.items() if content is not None}

    async def _content(self, end: End, path: str) -> bytes | None:
        return await file_content(self.client, self.installation_id, self.repository, path, self.commits[end] or "")


async def file_content(client: Client, installation_id: int, repository: str, path: str, ref: str) -> bytes | None:
    """A regular file of at most 1 MB at that commit or branch; None for anything else. Never follows a symbolic link."""
    try:
        answer = await client.get(
            installation_id, f"/repos/{repository}/contents/{quote(path, errors='surrogateescape')}", {"ref": ref}
        )
    except (Gone, Refused):
        return None
    body = answer.json()
    plain = isinstance(body, dict) and body.get("type") == "file" and body.get("encoding") == "base64"
    if not plain or body.get("path") != path or int(body.get("size") or 0) > LARGEST:
        return None
    try:
        return base64.b64decode(body.get("content") or "")
    except (binascii.Error, TypeError, ValueError):
        raise TryAgain("GitHub's answer holds no readable file.") from None


async def api_change(client: Client, installation_id: int, pull: PullRequest, because: str) -> Change:
    """The pull request's change from the API. `because` says why git was not used; it goes into `unread`.

    Raises Gone, TryAgain, Refused.
    """
    path = f"/repos/{pull.repository.full_name}/pulls/{pull.number}"
    unread = [f"{because} The change was read from GitHub's API instead, without the files around it."]
    diff = await _diff(client, installation_id, path)
    if pull.changed_files is not None and len(diff.files) < pull.changed_files:
        unread.append(
            f"GitHub lists {len(diff.files):,} of the {pull.changed_files:,} changed files; the others were not read."
        )
    base = await _merge_base(client, installation_id, pull)
    checkout = ApiCheckout(
        client, installation_id, pull.repository.full_name, {End.BASE: base, End.HEAD: pull.head_sha}, _readable(diff)
    )
    return Change(diff, checkout, base or pull.base_sha, pull.head_sha, pull.title, pull.body, tuple(unread))


async def _diff(client: Client, installation_id: int, path: str) -> Diff:
    """GitHub's diff; the list of files where it finds the diff too large (406)."""
    try:
        return parse_diff((await client.get(installation_id, path, accept=DIFF)).content)
    except NotADiff:
        raise TryAgain("GitHub's answer is no diff.") from None
    except Refused as refused:
        if refused.status != 406:
            raise
    return await _from_files(client, installation_id, path)


def _readable(diff: Diff) -> dict[End, frozenset[str]]:
    """The paths that are regular files at each end, as far as the diff tells."""
    text = [file for file in diff.files if file.kind is FileKind.TEXT]
    return {
        End.HEAD: frozenset(file.path for file in text if file.status is not FileStatus.REMOVED),
        End.BASE: frozenset(file.previous_path or file.path for file in text if file.status is not FileStatus.ADDED),
    }


async def _merge_base(client: Client, installation_id: int, pull: PullRequest) -> str | None:
    """The commit that GitHub compares from. Its own call: a pull request does not name it."""
    path = f"/repos/{pull.repository.full_name}/compare/{quote(pull.base_ref, safe='')}...{pull.head_sha}"
    try:
        body = fields(await client.get(installation_id, path, {"per_page": 1, "page": 2}))
    except (Gone, Refused):
        return None
    commit = body.get("merge_base_commit")
    return str(commit["sha"]) if isinstance(commit, dict) and commit.get("sha") else None


async def _from_files(client: Client, installation_id: int, path: str) -> Diff:
    """The change file by file, for a diff that GitHub finds too large."""
    files = []
    async for page in client.pages(installation_id, f"{path}/files", MOST_PAGES):
        files += [read_file(row) for row in page]
    return Diff(tuple(files))


def read_file(row: Mapping[str, Any]) -> FileDiff:
    """One entry of the list of files."""
    name, status = str(row["filename"]), STATUSES.get(str(row.get("status")), FileStatus.MODIFIED)
    previous = str(row["previous_filename"]) if status is FileStatus.RENAMED and row.get("previous_filename") else None
    patch = row.get("patch")
    if not patch:
        # A pure rename, a new mode and an empty file have no patch and no changed line either.
        because = NOT_SHOWN if row.get("changes") or status is FileStatus.MODIFIED else ""
        return FileDiff(name, status, previous_path=previous, unread=because)
    try:
        return FileDiff(name, status, parse_hunks(str(patch).split("\n")), previous)
    except BrokenHunk:
        return FileDiff(name, status, previous_path=previous, unread=BROKEN)
