"""Which findings a change is to blame for: those on the lines that it adds or alters, and that its base did not have."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from review.analyzers.ruff import SYNTAX
from review.diff import Diff
from review.finding import Finding, Location
from review.lines import line_texts

Key = tuple[str, str, str]
"""The head's path, the rule, and the first line that is spoken of without its spaces: what stays when a finding moves."""


class Blame:
    """One change with its files at both ends, by their path there."""

    def __init__(self, diff: Diff, head: Mapping[str, bytes], base: Mapping[str, bytes]) -> None:
        self._altered = {file.path: file.added_numbers() | file.numbers_beside_removed() for file in diff.files}
        self._added = {file.path: file.added_numbers() for file in diff.files}
        self._base_files = base
        self._renamed = {file.previous_path or file.path: file.path for file in diff.files}
        self._head = _Lines(head)
        self._base = _Lines(base)

    def base_of(self, found: Iterable[Finding]) -> dict[str, bytes]:
        """The base's files that must be looked at to tell which of these findings are new, by their path there."""
        paths = {finding.path for finding in found if finding.rule == SYNTAX or self._touched(finding)}
        return {path: data for path, data in self._base_files.items() if self._renamed.get(path) in paths}

    def new(self, found: Iterable[Finding], before: Iterable[Finding]) -> list[Finding]:
        """Those of `found`, at the head, that are new, given those of the base.

        Lines that stayed account for the base's findings first: a copy of a line that was bad before is new, a bad line that
        moved is not. A syntax error that the base did not have is always the change's, whichever line is reported.
        """
        before = tuple(before)
        old = Counter(self._key_at_base(finding) for finding in before)
        broken = {self._renamed.get(finding.path) for finding in before if finding.rule == SYNTAX}
        blamed = [
            self._broke(finding) if finding.rule == SYNTAX and finding.path not in broken else finding for finding in found
        ]
        new = []
        for finding in sorted(blamed, key=self._touched):
            key = self._key(finding)
            if old[key]:
                old[key] -= 1
            elif self._touched(finding):
                new.append(finding)
        return new

    def _touched(self, finding: Finding) -> bool:
        """Whether it stands on a line that the change adds or, for a syntax error, whose neighbour it deletes."""
        numbers = (self._altered if finding.rule == SYNTAX else self._added).get(finding.path, set())
        return not numbers.isdisjoint(range(finding.location.first_line, finding.location.last_line + 1))

    def _broke(self, finding: Finding) -> Finding:
        """The syntax error on the altered line nearest before the place where Python noticed it, or else after it."""
        noticed = finding.location.first_line
        altered = self._altered.get(finding.path, set())
        if noticed in altered or not altered:
            return finding
        line = max((number for number in altered if number < noticed), default=min(altered))
        return replace(
            finding,
            location=Location(finding.path, line, line),
            message=f"{finding.message} Python notices it at line {noticed}.",
            quote=self._head.line(finding.path, line).removesuffix("\r"),
        )

    def _key(self, finding: Finding) -> Key:
        return finding.path, finding.rule, _bare(self._head.line(finding.path, finding.location.first_line))

    def _key_at_base(self, finding: Finding) -> Key:
        path = self._renamed.get(finding.path, finding.path)
        return path, finding.rule, _bare(self._base.line(finding.path, finding.location.first_line))


class _Lines:
    """The lines of some files, split when they are asked for."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._split: dict[str, list[str]] = {}

    def line(self, path: str, number: int) -> str:
        """The text of a line; none where the file has no such line (a tool that reports the end of the file)."""
        if path not in self._split:
            self._split[path] = line_texts(self._files[path])
        lines = self._split[path]
        return lines[number - 1] if number <= len(lines) else ""


def _bare(line: str) -> str:
    return " ".join(line.split())
