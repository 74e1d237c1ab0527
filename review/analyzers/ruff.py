"""Ruff: mistakes in Python, with its fixes as suggestions. The repository's own settings and `noqa` comments have no say,
but for an unused import that is marked as meant."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import msgspec

from review.analyzers.ruff_harmless import is_harmless
from review.analyzers.run_tool import batches, run_tool
from review.errors import AnalyzerFailed
from review.finding import Category, Finding, Location, Severity, Suggestion
from review.places import is_example, is_test, is_test_data
from review.suggestions.edits import Edit, Places, suggestion

RULES = Path(__file__).with_name("ruff_rules.toml")
# Defined by whoever runs the code: gettext's install, type checkers, IPython.
BUILTINS = "builtins = ['_', 'ngettext', 'reveal_type', 'reveal_locals', 'get_ipython', 'display']"
OPTIONS = (
    "check", "--isolated", "--no-cache", "--ignore-noqa", "--no-respect-gitignore", "--no-force-exclude", "--no-fix", "--quiet",
    "--output-format", "json", "--config", BUILTINS, "--target-version", "py315",  # the newest: new syntax is no mistake
)  # fmt: skip
MAX_SPAN = 10
SYNTAX = "invalid-syntax"
UNREADABLE = "E902"


class Point(msgspec.Struct):
    """A place in a file: 1-based, columns in characters."""

    row: int
    column: int


class RuffEdit(msgspec.Struct):
    location: Point
    end_location: Point
    content: str = ""


class Fix(msgspec.Struct):
    applicability: str = ""
    edits: list[RuffEdit] = []


class Item(msgspec.Struct):
    """One entry of `ruff check --output-format json`."""

    filename: str
    message: str
    location: Point
    end_location: Point
    code: str | None = None
    fix: Fix | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class RuleTable:
    """The table in ruff_rules.toml, read."""

    select: str
    ignore: str
    style: tuple[str, ...]
    grades: dict[str, tuple[Severity, Category, str]]
    unsafe_fixes: frozenset[str]
    no_fixes: frozenset[str]
    low_in_tests: frozenset[str]
    low_in_examples: frozenset[str]

    def grade(self, rule: str, path: str) -> tuple[Severity, Category, str]:
        """How bad a rule's finding in that file is, its kind, and what to say after ruff's text."""
        if is_test_data(path):
            return Severity.LOW, Category.TESTS, ""
        if rule not in self.grades:
            style = rule.startswith(self.style)
            return Severity.LOW, Category.STYLE if style else Category.MAINTAINABILITY, ""
        severity, category, advice = self.grades[rule]
        example = is_example(path)
        if (rule in self.low_in_tests and (example or is_test(path))) or (rule in self.low_in_examples and example):
            severity = Severity.LOW
        return severity, category, advice


@cache
def rule_table() -> RuleTable:
    """What ruff_rules.toml says, read once. Raises KeyError or ValueError where it is not as its header says."""
    data = tomllib.loads(RULES.read_text())
    return RuleTable(
        select=",".join(data["select"]),
        ignore=",".join(data["ignore"]),
        style=tuple(data["style"]),
        grades={
            rule: (severity, Category(category), advice)
            for severity in Severity
            for category, rules in data.get(severity, {}).items()
            for rule, advice in rules.items()
        },
        unsafe_fixes=frozenset(data["unsafe_fixes"]),
        no_fixes=frozenset(data["no_fixes"]),
        low_in_tests=frozenset(data["low_in_tests"]),
        low_in_examples=frozenset(data["low_in_examples"]),
    )


class Ruff:
    """The ruff of our own environment."""

    name = "ruff"

    def wants(self, path: str) -> bool:
        return path.endswith((".py", ".pyi"))

    async def analyze(self, folder: Path, paths: Sequence[str]) -> list[Finding]:
        items: list[Item] = []
        for batch in batches(str(folder / path) for path in paths):
            items += await self._run(folder, batch)
        findings = list(_findings(folder, items))
        unread = sorted(_name(folder, item) for item in items if item.code == UNREADABLE)
        if unread:
            raise AnalyzerFailed(f"it could not read {', '.join(unread[:3])}{' and others' * (len(unread) > 3)}", findings)
        return findings

    async def _run(self, folder: Path, files: Sequence[str]) -> list[Item]:
        table = rule_table()
        rules = ("--select", table.select, "--ignore", table.ignore)
        ran = await run_tool([binary(), *OPTIONS, *rules, "--", *files], folder)
        if ran.code not in (0, 1):
            raise AnalyzerFailed(ran.complaints.splitlines()[0] if ran.complaints else f"it ended with {ran.code}")
        try:
            return msgspec.json.decode(ran.out, type=list[Item])
        except msgspec.MsgspecError as error:
            raise AnalyzerFailed("its answer could not be read") from error


@cache
def binary() -> str:
    """Where the pinned ruff is. Raises AnalyzerFailed when it is not installed."""
    try:
        return str(import_module("ruff").find_ruff_bin())
    except (ImportError, FileNotFoundError) as error:
        raise AnalyzerFailed("it is not installed") from error


def _findings(folder: Path, items: Sequence[Item]) -> Iterable[Finding]:
    files: dict[str, Source] = {}
    broken = {_name(folder, item): item for item in reversed(items) if item.code == SYNTAX}
    for item in items:
        name = _name(folder, item)
        if item.code == UNREADABLE or broken.get(name, item) is not item:
            continue  # one mistake in the syntax brings others after it, and names that seem undefined
        if name not in files:
            files[name] = Source.read(folder / name)
        yield _finding(name, item, files[name])


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text with the places of its rows; `bom` when the text begins after a byte order mark."""

    places: Places
    lines: list[str]
    bom: bool

    @classmethod
    def read(cls, path: Path) -> "Source":
        text = path.read_bytes().decode("utf-8", errors="surrogateescape")
        bare = text.removeprefix("\ufeff")
        return cls(Places(bare), bare.split("\n"), bare != text)

    def line(self, row: int) -> int:
        return self.places.line(self.places.offset(row, 1))


def _finding(name: str, item: Item, source: Source) -> Finding:
    rule = item.code or SYNTAX
    severity, category, advice = rule_table().grade(rule, name)
    first = source.line(item.location.row)
    last = max(source.line(item.end_location.row if item.end_location.column > 1 else item.end_location.row - 1), first)
    if last - first >= MAX_SPAN:
        last = first
    harmless = is_harmless(rule, item.message, name, source.lines, first, item.location.column)
    return Finding(
        rule=rule,
        location=Location(name, first, last),
        severity=Severity.LOW if harmless else severity,
        category=category,
        message=f"{_sentence(item.message)} {advice}".strip(),
        source=Ruff.name,
        quote="\n".join(source.lines[first - 1 : last]).replace("\r", ""),
        suggestion=_suggestion(rule, item.fix, source),
        help_url=item.url or "",
    )


def _suggestion(rule: str, fix: Fix | None, source: Source) -> Suggestion | None:
    table = rule_table()
    if fix is None or rule in table.no_fixes:
        return None
    if fix.applicability != "safe" and rule not in table.unsafe_fixes:
        return None
    places = source.places
    edits = [Edit(_offset(places, e.location), _offset(places, e.end_location), e.content) for e in fix.edits]
    found = suggestion(places.text, edits)
    return None if found is not None and source.bom and found.first_line == 1 else found


def _offset(places: Places, point: Point) -> int:
    return places.offset(point.row, point.column)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "?", "!")) else text + "."


def _name(folder: Path, item: Item) -> str:
    return Path(item.filename).relative_to(folder).as_posix()
