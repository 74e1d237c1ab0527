"""Lay chosen suggestions on their files side by side; of two that are at odds the worse finding's stays."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from review.finding import Verdict, severity_order
from review.lines import split_lines
from review.proposal import FileChange, LeftOut, Wanted
from review.proposals.line_edit import line_edit
from review.suggestions.gate import why_unfit
from review.suggestions.patch import apply_suggestions, lay, new_lines
from review.suggestions.syntax import why_worse

NONE = "there is no suggestion for it"
ODD_NAME = "the file's name is not UTF-8"
UNREAD = "the file could not be read"
EMPTY = "nothing would be left of the file"
TOGETHER = "the file would no longer parse together with the other suggestions"


@dataclass(frozen=True, slots=True)
class Piece:
    """One suggestion on its file: the lines `first`..`last` (1-based, inclusive) become `new`."""

    wanted: Wanted
    first: int
    last: int
    new: bytes

    @property
    def path(self) -> str:
        return self.wanted.finding.path

    @property
    def grown(self) -> int:
        """How many lines more the file has afterwards."""
        return len(split_lines(self.new)) - (self.last - self.first + 1)


def pieces_of(wanted: Iterable[Wanted], head: Mapping[str, bytes]) -> tuple[list[Piece], list[LeftOut]]:
    """The suggestions that hold alone, worst finding first, and the others with their reasons. `head` are the files."""
    pieces, left_out = [], []
    for one in sorted(wanted, key=lambda one: severity_order(one.finding)):
        piece = _piece(one, head)
        if isinstance(piece, str):
            left_out.append(LeftOut(one.issue, piece))
        else:
            pieces.append(piece)
    return pieces, left_out


def _piece(wanted: Wanted, head: Mapping[str, bytes]) -> Piece | str:
    suggestion, path = wanted.finding.suggestion, wanted.finding.path
    if suggestion is None:
        return NONE
    if suggestion.verdict is not Verdict.VERIFIED:
        return f"its suggestion does not hold: {suggestion.because}"
    if any("\ud800" <= character <= "\udfff" for character in path):
        return ODD_NAME  # GitHub takes names as JSON
    data = head.get(path)
    if data is None:
        return UNREAD
    patch = lay(path, data, suggestion)
    because = patch if isinstance(patch, str) else why_unfit(patch) or _why_not(path, data, patch.applied())
    if because:
        return because
    last = split_lines(data)[suggestion.last_line - 1]
    new = b"".join(new_lines(suggestion.replacement, last))
    return Piece(wanted, suggestion.first_line, suggestion.last_line, new)


def _why_not(path: str, before: bytes, after: bytes) -> str:
    return why_worse(path, before, after) if after else EMPTY


def compatible(pieces: Sequence[Piece], head: Mapping[str, bytes]) -> tuple[list[Piece], list[LeftOut]]:
    """Those that go together, and the others with their reasons. `pieces` are worst first, and so the worse one stays."""
    kept: list[Piece] = []
    left_out: list[LeftOut] = []
    for piece in pieces:
        beside = [other for other in kept if other.path == piece.path]
        rival = next((other for other in beside if _touch(piece, other)), None)
        if rival is not None:
            left_out.append(LeftOut(piece.wanted.issue, f"the suggestion of {rival.wanted.issue} changes the same lines"))
        elif beside and (because := _why_not_together([*beside, piece], head[piece.path])):
            left_out.append(LeftOut(piece.wanted.issue, because))
        else:
            kept.append(piece)
    return kept, left_out


def _touch(one: Piece, other: Piece) -> bool:
    """Whether they replace a common line, or lines next to each other: those may depend on one another."""
    return one.first <= other.last + 1 and other.first <= one.last + 1


def _why_not_together(pieces: Sequence[Piece], data: bytes) -> str:
    suggestions = [piece.wanted.finding.suggestion for piece in pieces]
    after = apply_suggestions(data, [suggestion for suggestion in suggestions if suggestion is not None])
    if not after:
        return EMPTY
    return TOGETHER if why_worse(pieces[0].path, data, after) else ""


def changes_of(pieces: Iterable[Piece], head: Mapping[str, bytes]) -> tuple[FileChange, ...]:
    """The files that these pieces change, by path."""
    ordered = sorted(pieces, key=lambda piece: (piece.path, piece.first))
    return tuple(_change(path, head[path], list(group)) for path, group in groupby(ordered, key=lambda piece: piece.path))


def _change(path: str, data: bytes, pieces: Sequence[Piece]) -> FileChange:
    return FileChange(path, data, tuple(line_edit(data, piece.first, piece.last, piece.new) for piece in pieces))
