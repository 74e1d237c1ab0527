"""Measure files: lines of code, cyclomatic complexity, and the maintainability index, as `docs/score.md` explains."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

from review.context.languages import language_of
from review.count_code import Counts
from review.tree_process import GaveUp, TreeProcess

DATA = frozenset({"toml", "yaml", "ini", "xml", "json", "requirements"})
"""Languages whose files hold no code."""

LARGEST = 1_000_000
"""Bytes of a file whose code is counted: a larger one was not written by hand."""

MOST_SECONDS = 60.0
"""For all files of one analysis; lizard reads some 3 MB a second."""


@dataclass(frozen=True, slots=True)
class FileMetrics:
    """One file. `lines` hold code; of a file that does not hold any they are 0.

    `functions` are the cyclomatic complexities of its functions, `outside` that of the code outside of them. Where only lines
    could be counted there are none, `maintainability` is None, and `because` says why.
    """

    path: str
    lines: int
    functions: tuple[int, ...] = ()
    outside: int = 1
    maintainability: float | None = None
    because: str = ""

    @property
    def is_code(self) -> bool:
        return self.lines > 0

    @property
    def complexities(self) -> tuple[int, ...]:
        """Of its functions, and of the code outside of them where that branches or is all there is."""
        if not self.is_code or self.because:
            return ()
        return self.functions if self.functions and self.outside == 1 else (*self.functions, self.outside)


@dataclass(frozen=True, slots=True)
class Metrics:
    """All files that were measured, in the order of their paths."""

    files: tuple[FileMetrics, ...] = ()

    @property
    def lines_of_code(self) -> int:
        return sum(file.lines for file in self.files)

    @property
    def complexity(self) -> float | None:
        """The mean cyclomatic complexity of all functions; None where none was counted."""
        every = [number for file in self.files for number in file.complexities]
        return sum(every) / len(every) if every else None

    @property
    def highest_complexity(self) -> int | None:
        """The most complex function's; None where none was counted."""
        return max((number for file in self.files for number in file.complexities), default=None)

    @property
    def maintainability(self) -> float | None:
        """The mean of the files' indices, weighted by lines: what most of the code is like. None where none was counted."""
        known = [(file.lines, file.maintainability) for file in self.files if file.maintainability is not None]
        return math.fsum(lines * index for lines, index in known) / sum(lines for lines, _ in known) if known else None

    @property
    def by_lines_only(self) -> dict[str, int]:
        """How many files with code were counted by their lines alone, by the reason."""
        return dict(Counter(file.because for file in self.files if file.is_code and file.because))


def measure(files: Mapping[str, bytes]) -> Metrics:
    """The metrics of these files, by their paths. Blocks, for a minute at most: call it in a thread.

    Never raises for what is in a file: one that lizard cannot read in its bounds is counted by its lines, and says so.
    """
    process, until = TreeProcess(), monotonic() + MOST_SECONDS
    try:
        return Metrics(tuple(_measured(path, files[path], process, until) for path in sorted(files)))
    finally:
        process.close()


def _measured(path: str, data: bytes, process: TreeProcess, until: float) -> FileMetrics:
    if language_of(path) in DATA or b"\x00" in data[:8000]:
        return FileMetrics(path, 0)
    because = _why_uncounted(data, until)
    counts = None
    if not because:
        try:
            counts = process.counts(_name(path), data.decode("utf-8", "replace"))
        except GaveUp:
            because = "too much for its reader"
    if counts is not None:
        return FileMetrics(path, counts.lines, counts.functions, counts.outside, _index_of(counts))
    return FileMetrics(
        path, _lines(data) if language_of(path) else 0, because=because or "its language is only counted by lines"
    )


def _name(path: str) -> str:
    """The file's name as far as it tells the language: nothing that cannot be sent, no line end that would hide the ending."""
    return "".join(c if c.isascii() and c.isprintable() else "_" for c in path.rpartition("/")[2])


def _why_uncounted(data: bytes, until: float) -> str:
    if len(data) > LARGEST:
        return "larger than 1 MB"
    return "the time for measuring was over" if monotonic() > until else ""


def _lines(data: bytes) -> int:
    """Those that are not blank."""
    return sum(1 for line in data.splitlines() if line.strip())


def _index_of(counts: Counts) -> float | None:
    """The index of a file's average function, as its inventors took it; a file without functions is one."""
    if not counts.lines:
        return None
    parts = max(len(counts.functions), 1)
    volume = counts.tokens * math.log2(max(counts.vocabulary, 1))
    complexity = sum(counts.functions) + counts.outside - (1 if counts.functions else 0)
    return maintainability_index(volume / parts, complexity / parts, counts.lines / parts)


def maintainability_index(volume: float, complexity: float, lines: float) -> float:
    """0 (hard) to 100 (easy to maintain), of Halstead's volume, the cyclomatic complexity and the lines of code.

    Oman and Hagemeister's (1994) with the coefficients of Coleman, Ash, Lowther and Oman (IEEE Computer 27(8), 1994), on
    Microsoft's scale (Visual Studio, "Code metrics: maintainability index range and meaning"). Never higher for a larger one
    of any of the three.
    """
    index = 171 - 5.2 * math.log(max(volume, 1)) - 0.23 * complexity - 16.2 * math.log(max(lines, 1))
    return min(100.0, max(0.0, index * 100 / 171))
