"""Secrets: keys, tokens and passwords that stand in a file of any kind. Says what it found, and never repeats it."""

import asyncio
from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from time import monotonic

from review.errors import AnalyzerFailed
from review.finding import Category, Finding, Location
from review.places import is_example, is_test
from review.secrets.blank import blank_secrets
from review.secrets.kinds import GENERIC, SecretKind, find_secrets

SECONDS = 30.0
"""For all files together. A megabyte takes a fifth of a second, one made to be slow some two."""

ADVICE = (
    "Whoever can read this repository can use it, and the history keeps it after it is deleted here. "
    "Revoke it, and read the new one from the environment or a secret store."
)


class Secrets:
    """Looks for the forms in kinds.toml, in a thread of this process: nothing that it finds leaves it."""

    name = "secrets"

    def wants(self, path: str) -> bool:  # noqa: ARG002  (any file may hold a secret)
        """Every file."""
        return True

    async def analyze(self, folder: Path, paths: Sequence[str]) -> list[Finding]:
        """All secrets in those files. Raises AnalyzerFailed, with what it has, when half a minute is over."""
        return await asyncio.to_thread(_search, folder, paths, monotonic() + SECONDS)


def _search(folder: Path, paths: Sequence[str], until: float) -> list[Finding]:
    findings: list[Finding] = []
    for number, path in enumerate(paths):
        if monotonic() > until:
            raise AnalyzerFailed(f"its time was over before {len(paths) - number} of {len(paths)} files", findings)
        findings += _in_file(path, (folder / path).read_bytes().decode(errors="replace"))
    return findings


def _in_file(path: str, text: str) -> Iterator[Finding]:
    """One finding for each kind on a line: a line full of keys is one thing to mend."""
    lines = blank_secrets(text).replace("\r", "").split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    quiet = is_test(path) or is_example(path)
    told: set[tuple[str, int]] = set()
    for secret in find_secrets(text):
        first = bisect(starts, secret.first)
        last = bisect(starts, secret.first + len(text[secret.first : secret.last].rstrip()) - 1)
        if (secret.kind.rule, first) not in told and not (quiet and secret.kind.rule == GENERIC):
            told.add((secret.kind.rule, first))
            yield _finding(secret.kind, Location(path, first, last), "\n".join(lines[first - 1 : last]), quiet)


def _finding(kind: SecretKind, location: Location, quote: str, quiet: bool) -> Finding:
    return Finding(
        rule=kind.rule,
        location=location,
        severity=kind.in_tests if quiet else kind.severity,
        category=Category.SECURITY,
        message=f"This looks like {kind.name}. {ADVICE}",
        source=Secrets.name,
        confidence=0.7 if kind.rule == GENERIC else 0.95,
        quote=quote,
    )
