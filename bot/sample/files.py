"""The files of the sample repositories, and what the engine's own analyzers find in them, mended more and more."""

from dataclasses import dataclass, replace
from importlib.resources import files

import yaml

from handlers.analyzing.measure import measured
from review.analysis import Analysis
from review.finding import Category, Severity
from review.reviewer import Reviewer
from review.rules import ReadRules, Rules
from review.whole_files import WholeFiles
from storage.analyses.keep import Measured

ALL = ReadRules(Rules(min_severity=Severity.LOW, categories=frozenset(Category)))
"""Nothing that the analyzers find is kept back."""

Texts = dict[str, str]


@dataclass(frozen=True, slots=True)
class SampleRepository:
    """A repository by its `owner/name`. Each stage holds its files, in each one file more is mended; in the last one all."""

    full_name: str
    stages: tuple[Texts, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found in the files of a stage, and how good they are."""

    analysis: Analysis
    measured: Measured

    def at_commit(self, sha: str) -> Analysis:
        """The analysis as if the files had been read at that commit."""
        return replace(self.analysis, head_sha=sha)


def sample_repositories() -> list[SampleRepository]:
    """All of them, as they lie beside this file."""
    kept: dict[str, dict[str, Texts]] = yaml.safe_load(files("bot.sample").joinpath("files.yml").read_text("utf-8"))
    return [SampleRepository(name, _stages(of)) for name, of in kept.items()]


def _stages(of: dict[str, Texts]) -> tuple[Texts, ...]:
    paths = list(of)
    return tuple(
        {path: of[path]["better" if number < mended else "worse"] for number, path in enumerate(paths)}
        for mended in range(len(paths) + 1)
    )


async def look_at(reviewer: Reviewer, texts: Texts, title: str) -> Looked:
    """Run the engine over these files."""
    whole = WholeFiles()
    for path, text in texts.items():
        whole.add(path, text.encode())
    change = whole.change("", title)
    analysis = await reviewer.review(change, ALL)
    return Looked(analysis, await measured(change, analysis))
