"""One finding where several tools, or several calls to a model, say the same."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from review.analysis import Dropped
from review.finding import Finding, Side, worst_first
from review.fingerprint import from_model

TWIN = "said by another finding too"

SHORT = 3
"""Findings of at most this many lines are about the same place as soon as they touch."""


def merged(findings: Iterable[Finding]) -> tuple[list[Finding], list[Dropped]]:
    """The findings with duplicates merged into the most severe of each group, and what was merged away.

    Duplicates stand at the same place and have the same rule or, from different sources or from models (whose rules are
    slugs of the moment), the same category. In doubt two become one: less is said rather than the same thing twice.
    """
    kept: list[Finding] = []
    dropped: list[Dropped] = []
    by_line: dict[tuple[str, Side, int], list[int]] = defaultdict(list)
    for finding in worst_first(findings):
        near = sorted({number for line in _lines(finding) for number in by_line[line]})
        twin = next((number for number in near if _same(finding, kept[number])), None)
        if twin is None:
            for line in _lines(finding):
                by_line[line].append(len(kept))
            kept.append(finding)
        else:
            kept[twin] = _merge(kept[twin], finding)
            dropped.append(Dropped(finding, TWIN))
    return kept, dropped


def _lines(finding: Finding) -> list[tuple[str, Side, int]]:
    place = finding.location
    return [(place.path, place.side, number) for number in range(place.first_line, place.last_line + 1)]


def _same(one: Finding, other: Finding) -> bool:
    if not _same_place(one, other):
        return False
    if one.source == other.source and not from_model(one):
        return one.rule == other.rule
    return one.category == other.category


def _same_place(one: Finding, other: Finding) -> bool:
    """Whether the two ranges mean the same code: short ones touch, long ones share half of their lines."""
    a, b = one.location, other.location
    shared = min(a.last_line, b.last_line) - max(a.first_line, b.first_line) + 1
    if shared <= 0:
        return False
    longer = max(a.last_line - a.first_line, b.last_line - b.first_line) + 1
    return longer <= SHORT or shared * 2 >= longer


def _merge(kept: Finding, twin: Finding) -> Finding:
    return replace(
        kept,
        suggestion=kept.suggestion or twin.suggestion,
        confidence=max(kept.confidence, twin.confidence),
        cites=tuple(dict.fromkeys((*kept.cites, *twin.cites))),
        also=(*kept.also, f"{twin.source}:{twin.rule}", *twin.also),
        twins=tuple(dict.fromkeys(name for name in (*kept.twins, *twin.fingerprints) if name not in ("", kept.fingerprint))),
    )
