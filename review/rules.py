"""A repository's rules, `.refactoriq.yml`: parsed from the base branch's copy, every mistake in it kept as a sentence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from review.finding import Category, Finding, Severity
from review.patterns import compiled, matches

RULES_PATH = ".refactoriq.yml"
MAX_BYTES = 64 * 1024
MAX_PATTERNS = 200
MOST_COMMENTS = 50
DEFAULT_CATEGORIES = frozenset(Category) - {Category.STYLE}


@dataclass(frozen=True, slots=True)
class Rules:
    """What is reviewed and what is said. The defaults are those of a repository without the file.

    `include` and `exclude` are patterns as in `.gitignore`; an empty `include` means everything. `min_severity` and
    `categories` decide which findings are posted; `max_comments` (0 to 50) how many of them hang on lines (the rest goes
    into the summary). `context` lets models see the repository's other code, and an index be kept of it.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    min_severity: Severity = Severity.MEDIUM
    categories: frozenset[Category] = DEFAULT_CATEGORIES
    max_comments: int = MOST_COMMENTS
    analyzers_off: frozenset[str] = frozenset()
    models: bool = True
    context: bool = True

    def covers(self, path: str) -> bool:
        """Whether the rules want this path reviewed."""
        if self.include and not matches(self.include, path):
            return False
        return not matches(self.exclude, path)

    def why_unwanted(self, finding: Finding) -> str:
        """Why this finding is not posted, or an empty string when it is."""
        if not finding.severity.at_least(self.min_severity):
            return f"below the severity threshold, {self.min_severity}"
        if finding.category not in self.categories:
            return f"category {finding.category} is not asked for"
        return ""


@dataclass(frozen=True, slots=True)
class ReadRules:
    """Rules, and a sentence for everything in the file that was not understood (and therefore had no effect)."""

    rules: Rules = field(default_factory=Rules)
    notes: tuple[str, ...] = ()


class _Loader(yaml.SafeLoader):
    """YAML without aliases: a few lines of them, merged into each other, fill any memory."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias")
        return super().compose_node(parent, index)


def parse_rules(data: bytes | None, analyzers: tuple[str, ...] = ()) -> ReadRules:
    """The rules in that file (None: there is none). Never raises: a broken file leaves the defaults and a note.

    `analyzers` are the names that `analyzers:` may switch on and off.
    """
    if data is None:
        return ReadRules()
    if len(data) > MAX_BYTES:
        return ReadRules(notes=(f"`{RULES_PATH}` is larger than 64 KB and was not read.",))
    try:
        document = yaml.load(data, Loader=_Loader)  # noqa: S506  (a safe one)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError):
        return ReadRules(notes=(f"`{RULES_PATH}` is not valid YAML (without aliases); the defaults were used.",))
    if document is None:
        return ReadRules()
    if not isinstance(document, dict):
        return ReadRules(notes=(f"`{RULES_PATH}` must be a mapping of keys to values; the defaults were used.",))
    return _apply(document, analyzers)


def _apply(document: Mapping[Any, Any], analyzers: tuple[str, ...]) -> ReadRules:
    rules, notes = Rules(), []
    for key, value in document.items():
        reader = KEYS.get(key) if isinstance(key, str) else None
        if reader is None:
            notes.append(f"`{RULES_PATH}`: unknown key `{_shown(key)}`; known are {', '.join(KEYS)}.")
            continue
        try:
            rules = reader(rules, value, analyzers)
        except _Wrong as wrong:
            rules = wrong.rules or rules
            notes.append(f"`{RULES_PATH}`: `{key}` {wrong}")
    return ReadRules(rules, tuple(notes))


class _Wrong(Exception):
    """A value that does not fit; `rules` is what could still be taken from it."""

    def __init__(self, sentence: str, rules: Rules | None = None) -> None:
        super().__init__(sentence)
        self.rules = rules


def _paths(rules: Rules, value: Any, _: tuple[str, ...]) -> Rules:
    if not isinstance(value, dict) or not set(value) <= {"include", "exclude"}:
        raise _Wrong("takes `include` and `exclude`, each a list of patterns.")
    include, exclude = (_patterns(value.get(key, [])) for key in ("include", "exclude"))
    return replace(rules, include=include, exclude=exclude)


def _patterns(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or len(value) > MAX_PATTERNS or not all(isinstance(p, str) for p in value):
        raise _Wrong(f"takes lists of at most {MAX_PATTERNS} patterns, as in .gitignore.")
    for pattern in value:
        try:
            compiled((pattern,))
        except ValueError:
            raise _Wrong(f"holds a pattern that .gitignore would not understand, or one too slow: {_shown(pattern)}.") from None
    return tuple(value)


def _severity(rules: Rules, value: Any, _: tuple[str, ...]) -> Rules:
    if value not in list(Severity):
        raise _Wrong(f"takes one of {', '.join(Severity)}: the least severity that is posted.")
    return replace(rules, min_severity=Severity(value))


def _categories(rules: Rules, value: Any, _: tuple[str, ...]) -> Rules:
    if not isinstance(value, list) or not all(isinstance(c, str) for c in value):
        raise _Wrong(f"takes a list out of {', '.join(Category)}.")
    unknown = [c for c in value if c not in list(Category)]
    known = replace(rules, categories=frozenset(Category(c) for c in value if c not in unknown))
    if unknown:
        raise _Wrong(f"names unknown categories ({', '.join(map(_shown, unknown))}); known are {', '.join(Category)}.", known)
    return known


def _comments(rules: Rules, value: Any, _: tuple[str, ...]) -> Rules:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_COMMENTS:
        raise _Wrong(f"takes a number from 0 to {MOST_COMMENTS}: how many comments hang on lines.")
    return replace(rules, max_comments=value)


def _analyzers(rules: Rules, value: Any, known: tuple[str, ...]) -> Rules:
    if not isinstance(value, dict) or not all(isinstance(on, bool) for on in value.values()):
        raise _Wrong(f"takes names with true or false; known are {', '.join(known)}.")
    off = replace(rules, analyzers_off=frozenset(name for name, on in value.items() if not on and name in known))
    unknown = [_shown(name) for name in value if name not in known]
    if unknown:
        raise _Wrong(f"names unknown analyzers ({', '.join(unknown)}); known are {', '.join(known)}.", off)
    return off


def _models(rules: Rules, value: Any, _: tuple[str, ...]) -> Rules:
    return replace(rules, models=_switch(value))


def _context(rules: Rules, value: Any, _: tuple[str, ...]) -> Rules:
    return replace(rules, context=_switch(value))


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("takes true or false.")
    return value


KEYS: dict[str, Callable[[Rules, Any, tuple[str, ...]], Rules]] = {
    "paths": _paths,
    "severity": _severity,
    "categories": _categories,
    "max_comments": _comments,
    "analyzers": _analyzers,
    "models": _models,
    "context": _context,
}


def _shown(value: object) -> str:
    """A few printable characters of something that a stranger wrote, safe inside a code span."""
    return "".join(c for c in str(value)[:60] if c.isprintable() and c != "`")
