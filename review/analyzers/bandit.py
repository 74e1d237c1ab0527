"""Bandit: dangerous calls in Python. Runs beside us, file by file, deaf to `nosec` and to the repository's own `.bandit`."""

import asyncio
import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from review.analyzers.run_tool import batches, run_tool
from review.errors import AnalyzerFailed
from review.finding import Category, Finding, Location, Severity
from review.places import is_example, is_test

RULES = Path(__file__).with_name("bandit_rules.toml")

# Only bandit's own plugins, whatever else is installed; that also spares the search through all packages (0.2 s of 0.4).
START = """
import sys, importlib.metadata
entries = importlib.metadata.distribution("bandit").entry_points
from stevedore import _cache
_cache.get_group_all = lambda group: list(entries.select(group=group))
from bandit.cli.main import main
sys.exit(main())
"""
# An exclusion that fits nothing: bandit's own leaves out every path with `CVS` or `.git` in it.
OPTIONS = ("--quiet", "--format", "json", "--ignore-nosec", "--exclude", "/dev/null/nothing", "--ini", "/dev/null")
LARGE = 400_000
"""Bytes that are worth a second process (some 10,000 lines)."""

MAX_SPAN = 10
INPUT_WORDS = re.compile(
    r"\binput\(|request|argv|recv|socket|cookie|payload|upload|\bbody\b|\bparams\b|environ|getenv", re.IGNORECASE
)
SECRET_WORDS = re.compile(r"passw|pwd|secret|token|credential|signature|hmac|session", re.IGNORECASE)
CONFIDENCE = {"HIGH": 0.9, "MEDIUM": 0.7, "LOW": 0.5}


class Issue(msgspec.Struct):
    """One entry of `results` in `bandit --format json`."""

    filename: str
    test_id: str
    issue_text: str
    issue_severity: str
    issue_confidence: str
    line_number: int
    line_range: list[int] = []
    more_info: str = ""


class Unread(msgspec.Struct):
    filename: str
    reason: str = ""


class Report(msgspec.Struct):
    results: list[Issue]
    errors: list[Unread] = []


@dataclass(frozen=True, slots=True)
class RuleTable:
    """The table in bandit_rules.toml, read."""

    skip: str
    words: tuple[re.Pattern[str], ...]
    sequences: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]
    severity: dict[str, Severity]
    say: dict[str, str]
    low_unless_high: frozenset[str]
    low_unless_secret: frozenset[str]
    low_where: dict[str, re.Pattern[str]]
    high_with_input: frozenset[str]

    def grade(self, issue: Issue, call: str, around: str) -> Severity:
        """How bad it is: by the table, else by bandit. What bandit calls low or, outside the table, doubts is low.

        `call` are the lines of the finding, `around` a few more on both sides.
        """
        rule = issue.test_id
        if rule in self.low_where and self.low_where[rule].search(call):
            return Severity.LOW
        if rule in self.high_with_input and INPUT_WORDS.search(around):
            return Severity.HIGH
        if issue.issue_severity == "LOW" or (issue.issue_confidence == "LOW" and rule not in self.severity):
            return Severity.LOW
        if rule in self.low_unless_secret and not SECRET_WORDS.search(around):
            return Severity.LOW
        if issue.issue_severity == "HIGH":
            return self.severity.get(rule, Severity.HIGH)
        return Severity.LOW if rule in self.low_unless_high else self.severity.get(rule, Severity.MEDIUM)


@cache
def rule_table() -> RuleTable:
    """What bandit_rules.toml says, read once. Raises KeyError or ValueError where it is not as its header says."""
    data = tomllib.loads(RULES.read_text())
    return RuleTable(
        skip=",".join(data["skip"]),
        words=tuple(map(re.compile, data["words"])),
        sequences=tuple((re.compile(first), re.compile(then)) for first, then in data["sequences"]),
        severity={rule: Severity(value) for rule, value in data["severity"].items()},
        say=data["say"],
        low_unless_high=frozenset(data["low_unless_high"]),
        low_unless_secret=frozenset(data["low_unless_secret"]),
        low_where={rule: re.compile(pattern, re.DOTALL) for rule, pattern in data["low_where"].items()},
        high_with_input=frozenset(data["high_with_input"]),
    )


class Bandit:
    """The bandit of our own environment, in a process of its own."""

    name = "bandit"

    def wants(self, path: str) -> bool:
        return path.endswith(".py")

    async def analyze(self, folder: Path, paths: Sequence[str]) -> list[Finding]:
        worth = [path for path in paths if _worth_reading(folder / path)]
        findings: list[Finding] = []
        unread: list[Unread] = []
        for report in await self._run_all(folder, worth):
            findings += _findings(folder, report.results)
            unread += report.errors
        if unread:
            names = ", ".join(sorted(_name(entry.filename) for entry in unread)[:3])
            raise AnalyzerFailed(f"it could not read {names}{' and others' * (len(unread) > 3)}", findings)
        return findings

    async def _run_all(self, folder: Path, paths: Sequence[str]) -> list[Report]:
        """One process after the other; two side by side where there are many lines."""
        large = sum((folder / path).stat().st_size for path in paths) > LARGE
        halves = (paths[::2], paths[1::2]) if large else (paths,)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._run_in_turn(folder, half)) for half in halves]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return [report for task in tasks for report in task.result()]

    async def _run_in_turn(self, folder: Path, paths: Sequence[str]) -> list[Report]:
        return [await self._run(folder, batch) for batch in batches(paths)]

    async def _run(self, folder: Path, paths: Sequence[str]) -> Report:
        command = (sys.executable, "-I", "-B", "-c", START, *OPTIONS, "--skip", rule_table().skip, "--", *paths)
        ran = await run_tool(command, folder)
        if ran.code not in (0, 1) or not ran.out:
            raise AnalyzerFailed(ran.complaints.splitlines()[-1] if ran.complaints else f"it ended with {ran.code}")
        try:
            return msgspec.json.decode(ran.out, type=Report)
        except msgspec.MsgspecError as error:
            raise AnalyzerFailed("its answer could not be read") from error


def _worth_reading(path: Path) -> bool:
    """Whether the file holds a word of the table: each is looked for by itself, which takes linear time on any text."""
    text = path.read_bytes().decode(errors="replace").lower()
    table = rule_table()
    if any(word.search(text) for word in table.words):
        return True
    return any(then.search(text, match.end()) for first, then in table.sequences if (match := first.search(text)))


def _findings(folder: Path, issues: Iterable[Issue]) -> Iterable[Finding]:
    files: dict[str, list[str]] = {}
    for issue in issues:
        name = _name(issue.filename)
        if name not in files:
            files[name] = (folder / name).read_bytes().decode(errors="replace").split("\n")
        yield _finding(name, issue, files[name])


def _finding(name: str, issue: Issue, lines: Sequence[str]) -> Finding:
    first = issue.line_number
    last = max(issue.line_range, default=first)
    if not first <= last < first + MAX_SPAN:
        last = first
    call, around = "\n".join(lines[first - 1 : last]), "\n".join(lines[max(first - 4, 0) : last + 3])
    quiet = is_test(name) or is_example(name)
    return Finding(
        rule=issue.test_id,
        location=Location(name, first, last),
        severity=Severity.LOW if quiet else rule_table().grade(issue, call, around),
        category=Category.CORRECTNESS if issue.test_id == "B113" else Category.SECURITY,
        message=rule_table().say.get(issue.test_id) or _sentence(issue.issue_text),
        source=Bandit.name,
        confidence=CONFIDENCE.get(issue.issue_confidence, 0.5),
        quote=call.replace("\r", ""),
        help_url=issue.more_info,
    )


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "?", "!")) else text + "."


def _name(filename: str) -> str:
    return filename.removeprefix("./")
