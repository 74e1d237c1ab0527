"""From chosen findings to a proposal that holds: combine their suggestions, look at all of it again, leave out what fails."""

from collections.abc import Iterable, Mapping, Sequence

from review.analyzers.analyzer import Analyzer
from review.proposal import FileChange, LeftOut, Proposal, Settled, Wanted
from review.proposals.combine import Piece, changes_of, compatible, pieces_of
from review.proposals.recheck import Recheck, look
from review.run_analyzers import AnalyzersResult

ROUNDS = 10
"""How often the rest is tried again after something was left out."""

NO_REST = f"what else was wanted did not hold together in {ROUNDS} attempts: propose fewer findings at once"

TOO = "its analyzer looked at the new text and does not find it any more: the suggestion of another finding settles it too"


async def propose(wanted: Iterable[Wanted], head: Mapping[str, bytes], analyzers: tuple[Analyzer, ...]) -> Proposal:
    """What settles as many of these findings as go together, made sure of by these analyzers; the rest with its reasons.

    `head` are the findings' files, as they were when they were found. A proposal without files settles nothing.
    """
    wanted = tuple(wanted)
    pieces, left_out = pieces_of(wanted, head)
    touched = {piece.path: head[piece.path] for piece in pieces}
    before = await look(touched, analyzers) if touched else AnalyzersResult()
    refused: list[LeftOut] = []
    for _ in range(ROUNDS):
        together, at_odds = compatible(pieces, head)
        if not together:
            return Proposal((), (*left_out, *refused, *at_odds), ())
        changes = changes_of(together, head)
        recheck = await _recheck(together, changes, before, analyzers)
        because = recheck.why_not()
        if not because:
            settled = tuple(Settled(p.wanted.issue, p.wanted.finding, recheck.how(p)) for p in together)
            return _with_what_is_settled_too(Proposal(settled, (*left_out, *refused, *at_odds), changes), wanted, recheck)
        refused += [LeftOut(issue, words) for issue, words in because.items()]
        pieces = [piece for piece in pieces if piece.wanted.issue not in because]
    return Proposal((), (*left_out, *refused, *(LeftOut(piece.wanted.issue, NO_REST) for piece in pieces)), ())


def _with_what_is_settled_too(proposal: Proposal, wanted: Iterable[Wanted], recheck: Recheck) -> Proposal:
    """Two findings may be settled by one suggestion, as two unused names of one import."""
    rest = {out.issue for out in proposal.left_out}
    too = [one for one in wanted if one.issue in rest and recheck.settles_too(one.finding)]
    names = {one.issue for one in too}
    return Proposal(
        (*proposal.settled, *(Settled(one.issue, one.finding, TOO) for one in too)),
        tuple(out for out in proposal.left_out if out.issue not in names),
        proposal.files,
    )


async def _recheck(
    pieces: Sequence[Piece], changes: Sequence[FileChange], before: AnalyzersResult, analyzers: tuple[Analyzer, ...]
) -> Recheck:
    old = {change.path: change.before for change in changes}
    new = {change.path: change.after for change in changes}
    after = await look(new, analyzers)
    names = frozenset(analyzer.name for analyzer in analyzers)
    return Recheck(tuple(pieces), old, new, before, after, names)
