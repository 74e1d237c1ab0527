"""The form of every analyzer: files in a folder in, findings out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from review.finding import Finding


class Analyzer(Protocol):
    """One tool. Stateless; never runs the code that it reads, never obeys the repository's own configuration."""

    name: str

    def wants(self, path: str) -> bool:
        """Whether this analyzer can say anything about a file of that name."""
        ...

    async def analyze(self, folder: Path, paths: Sequence[str]) -> list[Finding]:
        """All findings in those files, whatever the change touched; the reviewer keeps what the change is to blame for.

        `paths` are relative to `folder`, which holds nothing but files written by `write_files`.
        Raises AnalyzerFailed, also when its time limit is over.
        """
        ...
