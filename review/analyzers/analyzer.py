"""The form of every analyzer: files in a folder in, findings out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from review.errors import RefactorIQError
from review.finding import Finding


class AnalyzerFailed(RefactorIQError):
    """The tool crashed, timed out, answered nonsense, or left files out. Its text is the reason, as the review will name it.

    `findings` are those that it made all the same (where it only failed on some files): they stand.
    """

    def __init__(self, because: str, findings: Iterable[Finding] = ()) -> None:
        super().__init__(because)
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True)
class Folder:
    """Files of one end of a change, written out for tools: regular files below `root`, none of the repository's own settings.

    `paths` are relative to `root`, with `/`.
    """

    root: Path
    paths: tuple[str, ...]


class Analyzer(Protocol):
    """One tool. Stateless; never runs the code that it reads, never obeys the repository's own configuration."""

    name: str

    def wants(self, path: str) -> bool:
        """Whether this analyzer can say anything about a file of that name."""
        ...

    async def analyze(self, folder: Folder, paths: Sequence[str]) -> list[Finding]:
        """All findings in those files, whatever the change touched; the reviewer keeps what the change is to blame for.

        Raises AnalyzerFailed, also when its time limit is over.
        """
        ...
