"""What is shown on a terminal: colours where there are any, and never a control character that a stranger wrote."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from review.analysis import Analysis
from review.finding import Finding, Severity
from review.reports.lines import as_diff
from review.reports.words import coverage, found, incomplete, place

if TYPE_CHECKING:
    from rich.text import Text

STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
DIFF_STYLES = {"-": "red", "+": "green"}


def harmless(text: str, keep: str = "") -> str:
    """The text with everything that a terminal would obey, or not show, written out (`\\x1b`, `\\u202e`), but for `keep`.

    File names, code and git's words may hold escape sequences that colour, erase, or answer for the person.
    """
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def say(text: str) -> None:
    """Lines for the person at the terminal, on stderr."""
    sys.stderr.write(harmless(text, keep="\n") + "\n")
    sys.stderr.flush()


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on stderr, where that is a terminal: told a step, how much of it is done, and how much there is (0: unknown)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, markup=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("start", total=None)

        def told(step: str, done: int, of: int) -> None:
            progress.update(bar, description=step, completed=done, total=of or None)

        yield told


def text_report(analysis: Analysis) -> str:
    """The analysis for people, coloured when stdout is a terminal that shows colours and NO_COLOR is not set."""
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
    with console.capture() as captured:
        for line in _lines(analysis):
            console.print(line)
    return captured.get()


def _lines(analysis: Analysis) -> Iterator["Text"]:
    from rich.text import Text

    for finding in analysis.findings:
        yield from _finding(finding)
        yield Text()
    headline = found(analysis)
    yield Text(f"{headline[0].upper()}{headline[1:]}.", style="bold")
    if analysis.partial:
        yield Text(incomplete(), style="bold yellow")
    for row in coverage(analysis):
        yield Text(harmless(row), style="dim")


def _finding(finding: Finding) -> Iterator["Text"]:
    from rich.text import Text

    yield Text.assemble(
        (harmless(place(finding)), "bold"),
        "  ",
        (finding.severity.value, STYLES[finding.severity]),
        f"  {finding.category}  ",
        (harmless(f"{finding.source} {finding.rule}"), "dim"),
    )
    for line in finding.message.splitlines():
        yield Text(f"    {harmless(line)}")
    for line in as_diff(finding):
        yield Text(f"    {harmless(line.expandtabs(8))}", style=DIFF_STYLES.get(line[0], ""))
