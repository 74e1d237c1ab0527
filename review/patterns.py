"""Match paths against patterns as in `.gitignore`, in a time that no pattern and no path can make long."""

import re
from collections.abc import Iterator
from functools import lru_cache

import pathspec

MOST_FOLDERS = 2
"""`**` in one pattern: each more multiplies the time by the folders of a path."""

STAR = re.compile(r"\[\^/\]\*(?!\?)")
"""What pathspec makes of `*`. Several in one name try all ways to share its letters out, unless they are told not to."""

NOT_IN = re.compile(r"\[\^(?!/\])")
"""`[!a]`, which matches no `/` in git, and does in pathspec."""

STARS = re.compile(r"(?:\[\^/\]\*){2,}")
INNER = re.compile(r"\[\^/\]\*((?:\\.|\[\^?(?:\\.|[^\]\\])+\](?!\*)|[^\\/()\[*+?.^$|{}])+)(?=\[\^/\]\*)")
"""A star, and text of a certain length between it and the next one: where that text stands first is as good as anywhere."""


def matches(patterns: tuple[str, ...], path: str) -> bool:
    """Whether the last of the patterns that speaks of this path says yes. Raises ValueError for patterns that are none."""
    return compiled(patterns).match_file(path)


@lru_cache(maxsize=64)
def compiled(patterns: tuple[str, ...]) -> pathspec.GitIgnoreSpec:
    """The patterns, ready to match. Raises ValueError where one is none, or would take too long."""
    try:
        spec = pathspec.GitIgnoreSpec.from_lines(patterns)
    except TypeError as error:
        raise ValueError(str(error)) from error
    for pattern in spec.patterns:
        if pattern.regex is not None:
            pattern.regex = re.compile(_quick(pattern.regex.pattern))
    if any(pattern.split("/").count("**") > MOST_FOLDERS for pattern in patterns) or any(map(_slow, _regexes(spec))):
        raise ValueError("a pattern has too many wildcards")
    return spec


def _quick(regex: str) -> str:
    return INNER.sub(r"(?>[^/]*?\1)", STARS.sub("[^/]*", NOT_IN.sub("[^/", regex)))


def _regexes(spec: pathspec.GitIgnoreSpec) -> Iterator[str]:
    yield from (pattern.regex.pattern for pattern in spec.patterns if pattern.regex is not None)


def _slow(regex: str) -> bool:
    return any(name.count("*") > 2 for name in STAR.sub("*", regex.replace("(?:.+/)?", "").replace("(?:/.+)?", "")).split("/"))
