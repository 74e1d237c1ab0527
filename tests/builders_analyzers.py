"""Files and changes as analyzers get them: written out, or as a diff from a real git repository with both ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from review.analyzers.analyzer import Analyzer
from review.analyzers.written import write_files
from review.change import Change, End
from review.diff import FileStatus
from review.finding import Finding
from review.parse_diff import parse_diff
from tests.builders import Files, a_repository


async def found_by(analyzer: Analyzer, files: Mapping[str, bytes | str], folder: Path) -> list[Finding]:
    """What an analyzer finds in these files, all of them handed to it. A `str` is written as UTF-8."""
    folder.mkdir(parents=True, exist_ok=True)
    written = write_files({path: data.encode() if isinstance(data, str) else data for path, data in files.items()}, folder)
    names = [name for name, path in written.paths.items() if analyzer.wants(path)]
    return written.renamed(await analyzer.analyze(written.folder, names))


class NoCheckout:
    """Stands where no file is read from."""

    async def read(self, end: End, paths: Sequence[str]) -> Mapping[str, bytes]:
        raise AssertionError(f"nobody asked for {end} {paths}")


@dataclass(frozen=True, slots=True)
class BuiltChange:
    """A change with the bytes of its files at both ends, by their path there."""

    change: Change
    head: dict[str, bytes]
    base: dict[str, bytes]


def a_change(folder: Path, base: Files, head: Files) -> BuiltChange:
    """The change from `base` to `base` altered by `head`, as git tells it."""
    built = a_repository(folder, base, head)
    diff = parse_diff(built.diff())
    there = [file for file in diff.files if file.status is not FileStatus.REMOVED]
    before = [file.previous_path or file.path for file in there if file.status is not FileStatus.ADDED]
    return BuiltChange(
        Change(diff, NoCheckout(), built.base, built.head),
        {file.path: built.read(file.path) for file in there},
        {path: built.read(path, built.base) for path in before},
    )
