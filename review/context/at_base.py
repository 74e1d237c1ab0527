"""The chunks of files as they stand at the base commit: the index proposes, and what it kept of another version is cut anew."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from review.context.chunk import Chunk
from review.context.index import Index, IndexedFile
from review.context.parse import parse
from review.context.source_files import why_not_indexed
from review.context.tree import Tree
from review.diff import Diff
from review.models.shown import OVER_LINES, inside_of_keys
from review.secrets.blank import blank_secrets

MOST_SHOWN = 1 / 3
"""Share of a chunk's lines that a diff may show already; of a chunk with more of them the rest says little."""

ByPath = Mapping[str, Sequence[Chunk]]

Cut = dict[tuple[str, str], Sequence[Chunk]]
"""The chunks of a blob, by its id and its path."""


async def chunks_at_base(
    index: Index, files: Sequence[IndexedFile], paths: Sequence[str], tree: Tree | None, cut: Cut | None = None
) -> ByPath:
    """By path, the chunks of these indexed files and of the files at `paths`, in this order, as they stand in the tree.

    Files that are not in the tree are absent, and so are those that no index takes. Without a tree the index is believed.
    Chunks that touch a secret over several lines are left out. `cut` is what was cut before, and is added to. Raises TryAgain.
    """
    known = {file.path: file for file in files}
    blobs = {file.path: file.blob for file in files} if tree is None else await tree.blobs([*paths, *known])
    kept = {path: file for path, file in known.items() if blobs.get(path) == file.blob}
    chunks = await index.chunks([file.id for file in kept.values()])
    found: dict[str, Sequence[Chunk]] = {path: chunks.get(file.id, ()) for path, file in kept.items()}
    if tree is not None:
        known_cuts = {} if cut is None else cut
        others = {path: blob for path, blob in blobs.items() if path not in kept}
        known_cuts |= await _cut_anew({path: blob for path, blob in others.items() if (blob, path) not in known_cuts}, tree)
        found |= {path: known_cuts[blob, path] for path, blob in others.items() if (blob, path) in known_cuts}
    return {path: _without_keys(found[path]) for path in dict.fromkeys([*paths, *known]) if path in found}


async def _cut_anew(blobs: Mapping[str, str], tree: Tree) -> Cut:
    if not blobs:
        return {}
    contents = await tree.read(list(dict.fromkeys(blobs.values())))
    read = {path: contents[blob] for path, blob in blobs.items() if blob in contents}
    wanted = {path: data for path, data in read.items() if not why_not_indexed(path, data)}
    return {(blobs[path], path): (await asyncio.to_thread(parse, path, data)).chunks for path, data in wanted.items()}


def _without_keys(chunks: Sequence[Chunk]) -> Sequence[Chunk]:
    """The begin of a key may stand in one chunk and its end in another: by itself neither looks like a secret."""
    if not any(word in chunk.text for chunk in chunks for word in OVER_LINES):
        return chunks
    lines = [""] * max(chunk.last_line for chunk in chunks)
    for chunk in chunks:
        lines[chunk.first_line - 1 : chunk.last_line] = chunk.text.split("\n")
    inside = inside_of_keys(lines, blank_secrets)
    return [chunk for chunk in chunks if inside.isdisjoint(range(chunk.first_line, chunk.last_line + 1))]


def shown_at_base(diff: Diff) -> dict[str, set[int]]:
    """By path at the base, the base's lines that the diff shows: removed and unchanged ones of every hunk."""
    shown: dict[str, set[int]] = {}
    for file in diff.files:
        numbers = {line.old for line in file.lines() if line.old is not None}
        shown.setdefault(file.previous_path or file.path, set()).update(numbers)
    return shown


def unshown(chunk: Chunk, shown: set[int]) -> Chunk | None:
    """The longest run of the chunk's lines that the diff does not show; None where it shows more than a little of it."""
    numbers = [number for number in range(chunk.first_line, chunk.last_line + 1) if number not in shown]
    length = chunk.last_line - chunk.first_line + 1
    if length - len(numbers) > length * MOST_SHOWN or not numbers:
        return None
    first = last = start = numbers[0]
    for before, number in pairwise(numbers):
        start = start if number == before + 1 else number
        if number - start > last - first:
            first, last = start, number
    return _without_empty_ends(chunk, first, last)


def _without_empty_ends(chunk: Chunk, first: int, last: int) -> Chunk | None:
    lines = chunk.text.split("\n")[first - chunk.first_line : last - chunk.first_line + 1]
    told = [number for number, line in enumerate(lines) if line.strip()]
    if not told:
        return None
    text = "\n".join(lines[told[0] : told[-1] + 1])
    return replace(chunk, first_line=first + told[0], last_line=first + told[-1], text=text)
