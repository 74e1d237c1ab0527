"""Look at a proposal's files again: is each finding settled, and does nothing new come with it?"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from review.analyzers.analyzer import Analyzer
from review.change import Change, End
from review.diff import Diff, FileDiff, FileStatus, Hunk, Line
from review.finding import Finding, Severity, severity_order
from review.lines import line_texts
from review.proposals.combine import Piece
from review.run_analyzers import AnalyzersResult, run_analyzers

NEW_AT_LEAST = Severity.MEDIUM
"""A milder finding that a suggestion brings is no reason to leave it out."""


@dataclass(frozen=True, slots=True)
class HeldFiles:
    """A Checkout of files in memory, all of them new."""

    files: Mapping[str, bytes]

    async def read(self, end: End, paths: Sequence[str]) -> Mapping[str, bytes]:
        """See review.change.Checkout."""
        return {path: self.files[path] for path in paths if path in self.files} if end is End.HEAD else {}


async def look(files: Mapping[str, bytes], analyzers: tuple[Analyzer, ...]) -> AnalyzersResult:
    """All that these analyzers find in these files, on whichever line."""
    diff = Diff(tuple(_whole(path, data) for path, data in files.items()))
    return await run_analyzers(Change(diff, HeldFiles(files), base_sha="", head_sha=""), files, {}, analyzers)


def _whole(path: str, data: bytes) -> FileDiff:
    lines = tuple(Line(text, None, number) for number, text in enumerate(line_texts(data), 1))
    return FileDiff(path, FileStatus.ADDED, (Hunk(lines),))


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the lines of one file stand once the pieces are in. `pieces` are that file's, top down."""

    pieces: tuple[Piece, ...]

    def lines(self, first: int, last: int) -> range:
        """Those lines' numbers afterwards; of a piece's lines, all that stand in their place."""
        return range(self._at(first).start, self._at(last).stop)

    def _at(self, line: int) -> range:
        grown = 0
        for piece in self.pieces:
            if line < piece.first:
                break
            if line <= piece.last:
                return range(piece.first + grown, piece.last + grown + piece.grown + 1)
            grown += piece.grown
        return range(line + grown, line + grown + 1)


@dataclass(frozen=True, slots=True)
class Recheck:
    """Both looks at the files of a proposal, before and after, by which its pieces are judged."""

    pieces: tuple[Piece, ...]
    old_files: Mapping[str, bytes]
    new_files: Mapping[str, bytes]
    before: AnalyzersResult
    after: AnalyzersResult
    analyzers: frozenset[str]

    def why_not(self) -> dict[str, str]:
        """A clause for each issue that must be left out; those that are not named are settled."""
        unsettled = {piece.wanted.issue: because for piece in self.pieces if (because := self._why_unsettled(piece))}
        return self._brought() | unsettled

    def how(self, piece: Piece) -> str:
        """How it was made sure that this piece, which may stay, settles its finding: a clause."""
        finding = piece.wanted.finding
        if finding.source in self.analyzers:
            return f"{finding.source} looked at the new text and does not find {finding.rule} there any more"
        return "the file parses as before and the code in question is gone; no analyzer can check this finding"

    def settles_too(self, finding: Finding) -> bool:
        """Whether these pieces settle a finding that none of them was made for: an analyzer found it, and does not any more."""
        place = finding.location
        if finding.source not in self.analyzers or finding.path not in self.new_files or self._unseen:
            return False
        there = self._moved(finding.path).lines(place.first_line, place.last_line)
        was = _count(self.before.findings, finding, range(place.first_line, place.last_line + 1))
        return was > 0 and not _count(self.after.findings, finding, there)

    @property
    def _unseen(self) -> str:
        """What an analyzer could not do this time, and could before."""
        return next((note for note in self.after.notes if note not in self.before.notes), "")

    def _why_unsettled(self, piece: Piece) -> str:
        finding = piece.wanted.finding
        if finding.source not in self.analyzers:
            return "" if self._code_is_gone(finding) else "the code in question would still be there"
        if self._unseen:
            return f"the new text could not be looked at again: {self._unseen}"
        first = min(piece.first, finding.location.first_line)
        last = max(piece.last, finding.location.last_line)
        old, new = range(first, last + 1), self._moved(piece.path).lines(first, last)
        same = [other.wanted.finding for other in self.pieces]
        chosen = _count(same, finding, old)
        left = _count(self.before.findings, finding, old) - chosen
        still = _count(self.after.findings, finding, new)
        return f"{finding.source} would still find {finding.rule} there" if still > max(left, 0) else ""

    def _code_is_gone(self, finding: Finding) -> bool:
        old, new = (_bare(files[finding.path]) for files in (self.old_files, self.new_files))
        place = finding.location
        lines = line_texts(self.old_files[finding.path])[place.first_line - 1 : place.last_line]
        quote = "".join((finding.quote or "\n".join(lines)).split())
        return bool(quote) and new.count(quote) < old.count(quote)

    def _brought(self) -> dict[str, str]:
        """The issues whose suggestions bring a finding that was not there: where it stands on no suggestion's lines, the
        mildest of the file is named."""
        blamed: dict[str, str] = {}
        for path in self.new_files:
            moved = self._moved(path)
            old, new = (
                [f for f in result.findings if f.path == path and f.severity.at_least(NEW_AT_LEAST)]
                for result in (self.before, self.after)
            )
            for piece in moved.pieces:
                there = moved.lines(piece.first, piece.last)
                known = Counter(map(_rule, _within(old, range(piece.first, piece.last + 1))))
                for finding in _beyond(known, [(_rule(f), f) for f in _within(new, there)]):
                    blamed.setdefault(piece.wanted.issue, f"it would bring a new finding: {_said(finding)}")
            if elsewhere := self._brought_elsewhere(moved, path, old, new):
                mildest = max(moved.pieces, key=lambda piece: severity_order(piece.wanted.finding))
                blamed.setdefault(mildest.wanted.issue, f"the file would have a new finding: {_said(elsewhere)}")
        return blamed

    def _brought_elsewhere(self, moved: Moved, path: str, old: list[Finding], new: list[Finding]) -> Finding | None:
        """A new finding on lines that stay as they are, such as a name that is not defined any more."""
        was = [range(piece.first, piece.last + 1) for piece in moved.pieces]
        now = [moved.lines(piece.first, piece.last) for piece in moved.pieces]
        texts = line_texts(self.old_files[path]), line_texts(self.new_files[path])
        known = Counter(_key(finding, texts[0]) for finding in old if not _on_any(finding, was))
        keyed = [(_key(finding, texts[1]), finding) for finding in new if not _on_any(finding, now)]
        return next(iter(_beyond(known, keyed)), None)

    def _moved(self, path: str) -> Moved:
        return Moved(tuple(sorted((p for p in self.pieces if p.path == path), key=lambda piece: piece.first)))


def _beyond(known: Counter[tuple[str, ...]], found: Iterable[tuple[tuple[str, ...], Finding]]) -> list[Finding]:
    """The findings that are more than what is known under their keys."""
    left, more = Counter(known), []
    for key, finding in found:
        if left[key]:
            left[key] -= 1
        else:
            more.append(finding)
    return more


def _count(findings: Iterable[Finding], like: Finding, lines: range) -> int:
    same = (finding for finding in findings if finding.path == like.path and _rule(finding) == _rule(like))
    return len(_within(same, lines))


def _within(findings: Iterable[Finding], lines: range) -> list[Finding]:
    return [finding for finding in findings if _on(finding, lines)]


def _on(finding: Finding, lines: range) -> bool:
    return finding.location.first_line < lines.stop and lines.start <= finding.location.last_line and len(lines) > 0


def _on_any(finding: Finding, ranges: Iterable[range]) -> bool:
    return any(_on(finding, lines) for lines in ranges)


def _rule(finding: Finding) -> tuple[str, ...]:
    return finding.source, finding.rule


def _key(finding: Finding, texts: Sequence[str]) -> tuple[str, ...]:
    place = finding.location
    return *_rule(finding), *("".join(text.split()) for text in texts[place.first_line - 1 : place.last_line])


def _bare(data: bytes) -> str:
    return "".join(data.decode("utf-8", "surrogateescape").split())


def _said(finding: Finding) -> str:
    return f"{finding.source} {finding.rule} at line {finding.location.first_line}: {finding.message}"
