"""Know a finding again on a later push, whatever moved around it: by its rule and the text of its lines, not their numbers."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from review.diff import Diff
from review.finding import Finding, Location, Side
from review.lines import line_texts
from review.providers import PROVIDERS

DIGITS = 32
SHORT = 3
"""A model that speaks of at most this many lines may speak of one line more or less the next time."""

TELLING = 4
"""Letters and digits without which a line says nothing: `}`, `else:`, `try:`."""

WORDS = 4
"""Parts of a key that come before its lines."""

MODELS = frozenset(provider.name for provider in PROVIDERS)


def fingerprinted(findings: Iterable[Finding], head: Mapping[str, bytes], diff: Diff) -> list[Finding]:
    """The same findings with their fingerprints: the same on a later push, after shifted lines, a rename or a reformatting.

    An analyzer's holds the rule, whichever tool it is that has it, the lines without white space, and its number among
    identical ones. A model's words change from run to run: its holds the category and the lines; each line of a short
    range is a twin of it, so that the same point about one line less is not made again. `head` are the head's files.
    """
    texts = Texts(head, diff)
    keyed = [(finding, _key(finding, texts)) for finding in findings]
    places: dict[tuple[str, ...], set[tuple[str, int, int]]] = defaultdict(set)
    for finding, key in keyed:
        places[key].add(_place(finding))
    numbers = {key: {place: number for number, place in enumerate(sorted(found))} for key, found in places.items()}
    return [_with_fingerprint(finding, key, numbers[key][_place(finding)]) for finding, key in keyed]


def from_model(finding: Finding) -> bool:
    """Whether a model says so: its slug and its words change from run to run, and only its place and category stay."""
    return finding.source in MODELS


@dataclass(frozen=True, slots=True)
class Texts:
    """The lines on both sides of a change without their white space, each file split once."""

    head: Mapping[str, bytes]
    diff: Diff
    _sides: dict[tuple[str, Side], list[str]] = field(default_factory=dict)

    def of(self, place: Location) -> list[str]:
        """The place's lines, as far as they are there."""
        side = (place.path, place.side)
        if side not in self._sides:
            self._sides[side] = ["".join(line.split()) for line in self._read(*side)]
        return self._sides[side][max(place.first_line, 1) - 1 : place.last_line]

    def _read(self, path: str, side: Side) -> list[str]:
        if side is Side.RIGHT:
            return line_texts(self.head.get(path, b""))
        file = self.diff.base_file(path)
        shown = {line.old: line.text for line in file.lines() if line.old is not None} if file else {}
        return [shown.get(number, "") for number in range(1, max(shown, default=0) + 1)]


def _key(finding: Finding, texts: Texts) -> tuple[str, ...]:
    """What stays the same on a later push. A rename makes no new finding: the path is the base's."""
    place = finding.location
    file = texts.diff.file_of(place)
    path = (file.previous_path or file.path) if file else place.path
    what = ("model", finding.category.value) if from_model(finding) else ("rule", finding.rule)
    return (*what, path, place.side.value, *texts.of(place))


def _place(finding: Finding) -> tuple[str, int, int]:
    return finding.path, finding.location.first_line, finding.location.last_line


def _with_fingerprint(finding: Finding, key: tuple[str, ...], number: int) -> Finding:
    if not from_model(finding):
        return replace(finding, fingerprint=_digest((*key, str(number))))
    same, lines = key[:WORDS], key[WORDS:]
    telling = [line for line in lines if sum(map(str.isalnum, line)) > TELLING] if 1 < len(lines) <= SHORT else []
    twins = dict.fromkeys(_digest((*same, line)) for line in telling)
    return replace(finding, fingerprint=_digest(key), twins=tuple(twins))


def _digest(parts: Sequence[str]) -> str:
    text = "\0".join(parts).encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()[:DIGITS]
