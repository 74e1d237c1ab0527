"""Find secrets in a text by the table of their forms: for those who report them, and those who must not repeat them."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from review.finding import Severity
from review.secrets.made_up import is_made_up

TABLE = Path(__file__).with_name("kinds.toml")
GENERIC = "hard-coded-secret"
PIECE = 8_192
"""Characters that are searched at a time: a pattern holds the interpreter's lock until it is through with its text."""

OVERLAP = 1_024
"""Where a line is longer than a piece, the next one begins so many characters before the end of the last."""


@dataclass(frozen=True, slots=True)
class SecretKind:
    """One form of a secret. `name` reads "an AWS access key"; `lines` says that it goes over several lines.

    `words`: one of them, in lower case, stands in every text that holds such a secret. `in_tests` is how bad it is in a
    test, an example or documentation.
    """

    rule: str
    name: str
    patterns: tuple[re.Pattern[str], ...]
    words: tuple[str, ...]
    severity: Severity
    in_tests: Severity
    lines: bool


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret in a text: the characters from `first` up to `last`, `last` excluded."""

    kind: SecretKind
    first: int
    last: int


@cache
def secret_kinds() -> tuple[SecretKind, ...]:
    """All kinds in the order of the table, the surest first."""
    return tuple(_kind(rule, entry) for rule, entry in tomllib.loads(TABLE.read_text()).items())


def _kind(rule: str, entry: dict[str, Any]) -> SecretKind:
    severity = Severity(entry.get("severity", Severity.HIGH))
    lenient = Severity.MEDIUM if severity is Severity.CRITICAL else Severity.LOW
    return SecretKind(
        rule=rule,
        name=entry["name"],
        patterns=_patterns_of(entry["from"]) if "from" in entry else (re.compile(entry["pattern"]),),
        words=tuple(entry["words"]),
        severity=severity,
        in_tests=Severity(entry.get("in_tests", lenient)),
        lines=entry.get("lines", False),
    )


def _patterns_of(detector: str) -> tuple[re.Pattern[str], ...]:
    """The patterns of one detector of detect-secrets, which verifies nothing and reaches nowhere this way."""
    module, name = detector.split(".")
    return tuple(getattr(import_module(f"detect_secrets.plugins.{module}"), name).denylist)


def find_secrets(text: str) -> list[Secret]:
    """The secrets in a text, in their order, none inside another. Made-up values (placeholders, examples) are none."""
    lowered = text.lower()
    pieces = list(_pieces(text))
    found: list[Secret] = []
    for kind in secret_kinds():
        if any(word in lowered for word in kind.words):
            found += _of_kind(kind, text, lowered, [(0, len(text))] if kind.lines else pieces)
    return _merged(found)


def _of_kind(kind: SecretKind, text: str, lowered: str, pieces: Iterable[tuple[int, int]]) -> Iterator[Secret]:
    for first, last in pieces:
        if not any(lowered.find(word, first, last) >= 0 for word in kind.words):
            continue
        for pattern in kind.patterns:
            for match in pattern.finditer(text, first, last):
                group = "secret" if match.groupdict().get("secret") else 0
                if not is_made_up(match.group(group), match.groupdict()):
                    yield Secret(kind, *match.span(group))


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """The text in runs of whole lines; a line that is too long for one is cut, each cut shown twice."""
    first = 0
    while len(text) - first > PIECE:
        last = text.rfind("\n", first, first + PIECE) + 1
        if last:
            yield first, last
            first = last
        else:
            yield first, first + PIECE
            first += PIECE - OVERLAP
    yield first, len(text)


def _merged(found: Iterable[Secret]) -> list[Secret]:
    """Where two overlap, one that covers both, of the kind that stands first in the table."""
    kept: list[Secret] = []
    order = secret_kinds().index
    for secret in sorted(found, key=lambda s: (s.first, order(s.kind))):
        if kept and secret.first < kept[-1].last:
            kind = min(kept[-1].kind, secret.kind, key=order)
            kept[-1] = replace(kept[-1], kind=kind, last=max(kept[-1].last, secret.last))
        else:
            kept.append(secret)
    return kept
