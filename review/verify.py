"""Try each suggestion on the head's file before anybody sees it: what applies, differs and still parses is shown, no more."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from review.anchor import hunk_around, outside, why_closed
from review.diff import Diff, FileDiff
from review.finding import Finding, Side, Suggestion, Verdict, severity_order
from review.lines import line_texts
from review.suggestions.gate import why_unfit
from review.suggestions.mend import likeliest, mended
from review.suggestions.patch import Patch, apply_suggestions, lay
from review.suggestions.syntax import same_meaning, why_worse

BESIDE = 3
"""A comment hangs on its suggestion's lines: at most this many lines may lie between them and the finding's."""

TAKEN = "another suggestion replaces the same lines"
TOGETHER = "the file would no longer parse once the other suggestions are applied too"


def verify_all(findings: Sequence[Finding], head: Mapping[str, bytes], diff: Diff) -> list[Finding]:
    """The same findings in the same order, each suggestion VERIFIED (with its final text) or REFUSED (`because` says why).

    `head` are the head's files by path. A verified suggestion can be applied as GitHub applies it, alone or in one batch
    with all the others: no two replace one line, and where two do, or break the file together, the most severe stays.
    """
    by_path: dict[str, list[int]] = {}
    for number in sorted(range(len(findings)), key=lambda number: severity_order(findings[number])):
        if findings[number].suggestion:
            by_path.setdefault(findings[number].path, []).append(number)
    verified = list(findings)
    for path, numbers in by_path.items():
        suggestions = _settled([findings[number] for number in numbers], diff.file(path), head.get(path))
        for number, suggestion in zip(numbers, suggestions, strict=True):
            verified[number] = replace(findings[number], suggestion=suggestion)
    return verified


def _settled(findings: Sequence[Finding], file: FileDiff | None, data: bytes | None) -> list[Suggestion]:
    """What became of each suggestion of one file; the findings are most severe first."""
    suggestions = [finding.suggestion for finding in findings if finding.suggestion]
    if file is None or data is None:
        return [_refused(suggestion, "this file was not read") for suggestion in suggestions]
    because = why_closed(file) or _why_strange(file, data)
    if because:
        return [_refused(suggestion, because) for suggestion in suggestions]
    pairs = zip(findings, suggestions, strict=True)
    return _compatible(file.path, data, [_tried(finding, suggestion, file, data) for finding, suggestion in pairs])


def _why_strange(file: FileDiff, data: bytes) -> str:
    """A diff and a file of two heads must not be mixed: the diff's lines are the file's own."""
    lines = line_texts(data)
    shown = ((line.new, line.text) for line in file.lines() if line.new is not None)
    if all(number <= len(lines) and lines[number - 1] == text for number, text in shown):
        return ""
    return "the diff shows other lines than the file has"


def _tried(finding: Finding, suggestion: Suggestion, file: FileDiff, data: bytes) -> Suggestion:
    """This suggestion alone: verified with its final text, or refused."""
    first, last = suggestion.first_line, suggestion.last_line
    because = _why_misplaced(finding, suggestion) or ("" if hunk_around(file, first, last) else outside(first, last))
    patch = because or lay(file.path, data, suggestion)
    best = patch if isinstance(patch, str) else _best(mended(patch))
    if isinstance(best, str):
        return _refused(suggestion, best)
    old = "".join(f"{line}\n" for line in best.old)
    return replace(suggestion, replacement=best.replacement, verdict=Verdict.VERIFIED, because="", replaced=old)


def _refused(suggestion: Suggestion, because: str) -> Suggestion:
    return replace(suggestion, verdict=Verdict.REFUSED, because=because)


def _why_misplaced(finding: Finding, suggestion: Suggestion) -> str:
    """GitHub applies nothing to deleted lines; and a comment that hangs far from what it speaks of only confuses."""
    place = finding.location
    if place.side is Side.LEFT:
        return "a suggestion cannot replace deleted lines"
    apart = max(suggestion.first_line - place.last_line, place.first_line - suggestion.last_line) - 1
    return "it changes lines far from those that the comment speaks of" if apart > BESIDE else ""


def _best(readings: Sequence[Patch]) -> Patch | str:
    """The one reading that holds, or why none does. Where two hold and mean different things there is none."""
    fit = [reading for reading in readings if not _why_not(reading)]
    if not fit:
        return _why_not(readings[0])
    if len(fit) > 1 and same_meaning(fit[0].path, fit[0].applied(), fit[1].applied()):
        return likeliest(fit) or fit[0]
    return likeliest(fit) or "its indentation can be read in two ways"


def _why_not(patch: Patch) -> str:
    return why_unfit(patch) or why_worse(patch.path, patch.data, patch.applied())


def _compatible(path: str, data: bytes, tried: Iterable[Suggestion]) -> list[Suggestion]:
    """The suggestions of one file, most severe first, as they were tried; those at odds with a better one are refused."""
    taken: set[int] = set()
    apart: list[Suggestion] = []
    for suggestion in tried:
        lines = range(suggestion.first_line, suggestion.last_line + 1)
        if suggestion.verdict is not Verdict.VERIFIED:
            apart.append(suggestion)
        elif taken.isdisjoint(lines):
            taken.update(lines)
            apart.append(suggestion)
        else:
            apart.append(_refused(suggestion, TAKEN))
    return apart if _parse_together(path, data, apart) else _greedy(path, data, apart)


def _greedy(path: str, data: bytes, suggestions: Iterable[Suggestion]) -> list[Suggestion]:
    settled: list[Suggestion] = []
    for suggestion in suggestions:
        verified = suggestion.verdict is Verdict.VERIFIED
        fits = not verified or _parse_together(path, data, [*settled, suggestion])
        settled.append(suggestion if fits else _refused(suggestion, TOGETHER))
    return settled


def _parse_together(path: str, data: bytes, suggestions: Iterable[Suggestion]) -> bool:
    verified = [suggestion for suggestion in suggestions if suggestion.verdict is Verdict.VERIFIED]
    return len(verified) < 2 or not why_worse(path, data, apply_suggestions(data, verified))
