"""`refactoriq context`: what other code a diff would be reviewed with, each file and place with the reason that it is there."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic

from bot.git.local import LocalRepository
from bot.terminal import harmless, say
from review.context.memory import memory_index
from review.context.query import query_of
from review.context.retrieve import Retriever
from review.context.retrieved import Place, RankedFile, Retrieved
from review.context.tree import MOST_HISTORY, Tree
from review.diff import Diff, FileDiff, FileKind, FileStatus
from review.errors import UserError
from review.find_context import MOST_OF_A_PIECE, size_of
from review.parse_diff import parse_diff

TEXT, JSON = "text", "json"
STDIN = "-"

LARGEST_DIFF = 60_000_000
"""Bytes; a larger diff is nothing that anybody reviews."""

SECONDS = 120.0
"""For the index; files that come last by path are missing from it when that is not enough."""


def context(path: Path, rev: str, diff_file: str, format: str, k: int) -> int:
    """Print the `k` files that belong to the diff most, and the places worth showing, as they stand at `rev`; gives 0.

    `diff_file` is the output of `git diff` against `rev`; `-` reads it from stdin. Raises UserError, TryAgain and NotADiff.
    """
    if format not in (TEXT, JSON):
        raise UserError(f"There is no format {format}: use {TEXT} or {JSON}.")
    if k < 1:
        raise UserError(f"-k {k} asks for nothing: use 1 or more.")
    diff = _diff(diff_file)
    sha, retrieved = asyncio.run(_retrieved(path, rev, diff))
    files = retrieved.files[:k]
    document = _as_json(sha, files, retrieved.places) if format == JSON else _as_text(sha, files, retrieved.places)
    _print(document)
    return 0


def _diff(diff_file: str) -> Diff:
    try:
        if diff_file == STDIN:
            data = sys.stdin.buffer.read(LARGEST_DIFF + 1)
        else:
            with Path(diff_file).open("rb") as file:
                data = file.read(LARGEST_DIFF + 1)
    except OSError as error:
        raise UserError(f"The diff cannot be read: {error.strerror} ({diff_file}).") from None
    if len(data) > LARGEST_DIFF:
        raise UserError(f"The diff is larger than {LARGEST_DIFF // 1_000_000} MB: give a part of it.")
    diff = parse_diff(_with_plain_ends(data))
    if not diff.files:
        raise UserError("The diff is empty: give the output of `git diff`.")
    if all(file.unread for file in diff.files):
        raise UserError(f"Nothing in the diff can be read: {diff.files[0].unread}.")
    return diff


def _with_plain_ends(data: bytes) -> bytes:
    """A diff as git wrote it: on its way through a file or a pipe on Windows each line may have got another end."""
    return data.replace(b"\r\n", b"\n") if data.count(b"\r\n") == data.count(b"\n") else data


async def _retrieved(path: Path, rev: str, diff: Diff) -> tuple[str, Retrieved]:
    tree = await LocalRepository(path).tree(rev)
    index = await memory_index(tree, changesets=MOST_HISTORY, deadline=monotonic() + SECONDS)
    base = await _base(tree, diff)
    _check(diff, base, rev)
    query = query_of(diff, base)
    budget = min(size_of(diff), MOST_OF_A_PIECE)
    return tree.sha, await Retriever(index, tree).retrieve(query, diff, budget_tokens=budget)


def _check(diff: Diff, base: Mapping[str, bytes], rev: str) -> None:
    """Raises UserError where none of the changed files is there before the change; says which are not, where some are."""
    expected = [file.previous_path or file.path for file in diff.files if file.kind is FileKind.TEXT and not _is_new(file)]
    missing = [path for path in expected if path not in base]
    if missing and len(missing) == len(expected):
        raise UserError(
            f"{missing[0]} is not in {rev}, nor is any other file that the diff changes: name the revision that the diff "
            "starts from, and make it in the repository's top folder, without --relative."
        )
    if missing:
        say(f"Not at {rev}, or larger than 1 MB: {', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}.")


def _is_new(file: FileDiff) -> bool:
    return file.status is FileStatus.ADDED


async def _base(tree: Tree, diff: Diff) -> dict[str, bytes]:
    """The changed files as they are before the change."""
    blobs = await tree.blobs([file.previous_path or file.path for file in diff.files])
    contents = await tree.read(list(dict.fromkeys(blobs.values())))
    return {path: contents[blob] for path, blob in blobs.items() if blob in contents}


def _as_json(sha: str, files: tuple[RankedFile, ...], places: tuple[Place, ...]) -> str:
    document = {
        "rev": sha,
        "files": [
            {"rank": rank, "path": file.path, "score": file.score, "why": file.why} for rank, file in enumerate(files, 1)
        ],
        "places": [
            {
                "path": place.path,
                "first_line": place.first_line,
                "last_line": place.last_line,
                "symbol": place.symbol,
                "why": place.why,
                "score": place.score,
                "text": place.text,
            }
            for place in places
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _as_text(sha: str, files: tuple[RankedFile, ...], places: tuple[Place, ...]) -> str:
    return "".join(f"{harmless(line.expandtabs(8))}\n" for line in _lines(sha, files, places))


def _lines(sha: str, files: tuple[RankedFile, ...], places: tuple[Place, ...]) -> Iterator[str]:
    yield f"Files at {sha[:12]}, those that belong to the diff most first:" if files else "No other file belongs to the diff."
    for rank, file in enumerate(files, 1):
        yield f"{rank:>4}  {file.score:6.3f}  {file.path}: {file.why}"
    for place in places:
        yield ""
        symbol = f" in {place.symbol}" if place.symbol else ""
        yield f"{place.path}:{place.first_line}-{place.last_line}{symbol}: {place.why}"
        yield from (f"    {line}" for line in place.text.split("\n"))


def _print(document: str) -> None:
    """The whole document, or as much as the reader takes: `| head` is no failure."""
    try:
        sys.stdout.buffer.write(document.encode("utf-8", "backslashreplace"))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
