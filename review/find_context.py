"""Find for each piece of a change the few places elsewhere that models should see with it; note what was found and cited."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from review.analysis import ContextPlace, Dropped
from review.change import Change
from review.context.query import query_of
from review.context.retrieve import Retriever
from review.context.words import names_of
from review.diff import Diff, FileDiff
from review.errors import RefactorIQError
from review.finding import Finding, Location, Side
from review.models.answer_schema import Item
from review.models.pieces import Piece, is_prose
from review.models.shown import Blank, hunk_tokens, tokens
from review.models.shown_place import by_id, show_place

MOST, MOST_OF_A_PIECE = 10_000, 4_000
"""Tokens of context for a whole review and for one piece. No piece gets more than it has of the change."""

HEADER = 20
"""Tokens of what git writes before a file's hunks, its names apart."""

DEADLINE = 10.0
"""Seconds for the context of all pieces together."""

Look = Callable[[list[Piece]], Awaitable[tuple[list[Piece], str]]]
"""Gives the pieces with their context, and why some have none; empty where nothing was in the way."""


async def find_context(
    pieces: Sequence[Piece], change: Change, whole: Diff, base: Mapping[str, bytes], retriever: Retriever, blank: Blank
) -> tuple[list[Piece], str]:
    """See Look. `whole` is the diff with the files that no model sees, `base` the others at the base, by their path there.

    Raises nothing when the retriever fails.
    """
    kept = {name for file in whole.files for line in file.lines() if not line.removed for name in names_of(line.text)}
    unseen = frozenset(_paths(whole.files) - _paths(change.diff.files))
    most = min(MOST // max(len(pieces), 1), MOST_OF_A_PIECE)
    end = asyncio.get_running_loop().time() + DEADLINE

    async def found(piece: Piece) -> Piece | str:
        if all(is_prose(file.path) for file in piece.files):
            return piece
        try:
            async with asyncio.timeout_at(end):
                part = _diff_of(piece, change.diff)
                query = await asyncio.to_thread(query_of, part, base)  # it parses the piece's files
                budget = min(size_of(part), most)
                query = replace(query, lost=query.lost - kept)  # what another piece only moves is not lost
                retrieved = await retriever.retrieve(query, whole, budget_tokens=budget, without=unseen)
        except TimeoutError:
            return f"it took longer than {DEADLINE:.0f} s"
        except RefactorIQError as error:
            return str(error)
        return replace(piece, context=tuple(show_place(place, blank) for place in retrieved.places))

    results = await asyncio.gather(*(found(piece) for piece in pieces))
    reasons = dict.fromkeys(result for result in results if isinstance(result, str))
    both = zip(pieces, results, strict=True)
    return [piece if isinstance(result, str) else result for piece, result in both], "; ".join(reasons)


def _paths(files: Iterable[FileDiff]) -> set[str]:
    return {path for file in files for path in (file.path, file.previous_path) if path}


def size_of(diff: Diff) -> int:
    """About how many tokens the diff is, as git writes it."""
    names = sum(HEADER + tokens(file.path * 4) for file in diff.files)
    return names + sum(hunk_tokens(hunk) for file in diff.files for hunk in file.hunks)


def _diff_of(piece: Piece, diff: Diff) -> Diff:
    """The part of the diff that is in the piece, as models see it: without secrets."""
    files = ((diff.file(shown.path), shown) for shown in piece.files)
    return Diff(tuple(replace(file, hunks=shown.hunks) for file, shown in files if file))


def found_places(pieces: Iterable[Piece]) -> Iterator[ContextPlace]:
    """For the record: each place that is shown with a piece. Nothing is cited yet."""
    for number, piece in enumerate(pieces, 1):
        for shown in piece.context:
            place = shown.place
            yield ContextPlace(place.path, place.first_line, place.last_line, place.symbol, place.why, shown.tokens, number)


def cited(result: Finding | Dropped, item: Item, piece: Piece) -> Finding | Dropped:
    """The result with the places that the item names, as far as the piece showed such."""
    shown = by_id(piece.context)
    places = [shown[id].place for id in item.cited if id in shown]
    cites = tuple(dict.fromkeys(Location(place.path, place.first_line, place.last_line, Side.LEFT) for place in places))
    if isinstance(result, Dropped):
        return replace(result, finding=replace(result.finding, cites=cites))
    return replace(result, cites=cites)


def settled(
    context: Iterable[ContextPlace], findings: Iterable[Finding], dropped: Iterable[Dropped]
) -> tuple[ContextPlace, ...]:
    """The places, each with whether a finding cites it, and whether one does that is posted."""
    posted = {place for finding in findings for place in finding.cites}
    all_cited = posted | {place for item in dropped for place in item.finding.cites}
    return tuple(
        replace(place, cited=location in all_cited, posted=location in posted)
        for place in context
        for location in (Location(place.path, place.first_line, place.last_line, Side.LEFT),)
    )


def cited_share(context: Sequence[ContextPlace]) -> float | None:
    """The share of the places that a posted finding cites: what retrieval is worth. None where nothing was retrieved."""
    return sum(place.posted for place in context) / len(context) if context else None
