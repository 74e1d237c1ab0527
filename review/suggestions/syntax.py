"""Does a file still parse? Told by Python, JSON, YAML and TOML themselves, and by tree-sitter for other languages."""

import ast
import json
import re
import threading
import tomllib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import yaml

from review.suggestions.python_statements import touched_statements
from review.tree_process import GaveUp, tree_process

MAX_BYTES = 1_000_000
MAX_LINE = 20_000
"""Longer lines are data or minified code; parsers take their time with them, and nobody applies a suggestion there."""
MAX_TREE = {"html": 64_000}
MAX_TREE_BYTES = 512_000
"""What tree-sitter is given: nested tags cost it quadratic time, and rubbish several seconds a megabyte."""
MAX_YAML_BYTES = 256_000
MAX_YAML_DEPTH = 100
HOPELESS = 50
"""A file with more syntax errors than this is not in the language that its name promises (or a template of it)."""

LANGUAGES = {
    "python": "py pyi pyw",
    "json": "json webmanifest geojson ipynb",
    "yaml": "yaml yml",
    "toml": "toml",
    "tree:json": "jsonc json5",
    "tree:javascript": "js mjs cjs jsx",
    "tree:typescript": "ts mts cts",
    "tree:tsx": "tsx",
    "tree:java": "java",
    "tree:go": "go",
    "tree:rust": "rs",
    "tree:c": "c",
    "tree:cpp": "cc cpp cxx hpp hh hxx",
    "tree:csharp": "cs",
    "tree:ruby": "rb rake gemspec",
    "tree:php": "php",
    "tree:kotlin": "kt kts",
    "tree:swift": "swift",
    "tree:scala": "scala sc",
    "tree:lua": "lua",
    "tree:elixir": "ex exs",
    "tree:bash": "sh bash",
    "tree:css": "css",
    "tree:html": "html htm",
    "tree:hcl": "tf hcl",
    "tree:solidity": "sol",
}
BY_ENDING = {ending: language for language, endings in LANGUAGES.items() for ending in endings.split()}
BY_NAME = {"Gemfile": "tree:ruby", "Rakefile": "tree:ruby", "SConstruct": "python", "Pipfile": "toml", "Cargo.lock": "toml"}
WITH_COMMENTS = re.compile(r"(^|/)([jt]sconfig[^/]*\.json|\.eslintrc(\.json)?|\.vscode/[^/]+\.json|devcontainer\.json)$")
QUIET = threading.Lock()


class CannotTell(Exception):
    """The parser gave up for reasons of its own (depth, memory); the file may well be right."""


def problems(path: str, data: bytes) -> int | None:
    """How many syntax errors tree-sitter sees; 0 or 1 for Python, JSON, YAML and TOML.

    None when nobody here can tell: an unknown language, too large, too deep.
    """
    language = language_of(path)
    if language is None or not _reasonable(data):
        return None
    try:
        if language.startswith("tree:"):
            return _tree_problems(language.removeprefix("tree:"), data)
        return int(not STRICT[language](data))
    except CannotTell:
        return None


def why_worse(path: str, before: bytes, after: bytes) -> str:
    """Why the file is syntactically worse off as `after` than it was as `before`, or an empty string.

    A file that does not parse may only be altered so that it does, where its language is certain; for tree-sitter, whose
    grammars lag behind languages, there must be no more errors than before.
    """
    was = _known_problems(path, before)
    if was is None or was > HOPELESS:
        return ""
    if was == 0 and language_of(path) == "python" and _statements_compile(before, after):
        return ""
    now = problems(path, after)
    if (language_of(path) or "").startswith("tree:"):
        return "the file would no longer parse" if now is None or now > was else ""
    if now == 0:
        return ""
    return "the file would no longer parse" if was == 0 else "the file does not parse as it is, and this would not mend it"


def _statements_compile(before: bytes, after: bytes) -> bool:
    """Whether what the edit touches of a Python file compiles: most edits are small, and most files are not."""
    try:
        with _quiet():
            touched = touched_statements(before, after)
        return touched is not None and _reasonable(touched) and _python(touched)
    except (*TOO_MUCH, CannotTell):
        return False


def same_meaning(path: str, before: bytes, after: bytes) -> bool | None:
    """Whether two versions of a file mean the same in spite of their layout; None when nobody here can tell."""
    meaning = MEANINGS.get(language_of(path) or "")
    if meaning is None or not _reasonable(before) or not _reasonable(after):
        return None
    try:
        return meaning(before) == meaning(after)
    except (*UNPARSABLE, yaml.YAMLError, *TOO_MUCH, CannotTell):
        return None


def language_of(path: str) -> str | None:
    """The language that a file's name promises, `tree:` before those that tree-sitter reads; None for an unknown one."""
    name = path.rpartition("/")[2]
    if WITH_COMMENTS.search(path):
        return "tree:json"
    return BY_NAME.get(name) or BY_ENDING.get(name.rpartition(".")[2].lower() if "." in name else "")


def is_free_form(path: str) -> bool:
    """Whether the file is in a language to which indentation means nothing, as far as its name tells."""
    return (language_of(path) or "python") not in ("python", "yaml")


UNPARSABLE = (SyntaxError, ValueError, OverflowError)
TOO_MUCH = (RecursionError, MemoryError)


def _reasonable(data: bytes) -> bool:
    return len(data) <= MAX_BYTES and max(map(len, data.split(b"\n"))) <= MAX_LINE


@lru_cache(maxsize=4)
def _known_problems(path: str, data: bytes) -> int | None:
    """Many suggestions are tried on one head: it is parsed once."""
    return problems(path, data)


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings about the code that is parsed. One thread at a time: the filters belong to the whole process."""
    with QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _python(data: bytes) -> bool:
    """compile() also refuses what ast.parse() lets pass: `return` outside of a function, `await` outside of async."""
    with _quiet():
        return _accepted(lambda: compile(data, "<head>", "exec", dont_inherit=True))


def _json(data: bytes) -> bool:
    return _accepted(lambda: json.loads(data, parse_int=str))


def _toml(data: bytes) -> bool:
    return _accepted(lambda: tomllib.loads(data.decode()))


def _accepted(parse: Callable[[], object]) -> bool:
    try:
        parse()
    except UNPARSABLE:
        return False
    except TOO_MUCH as error:
        raise CannotTell from error
    return True


def _yaml(data: bytes) -> bool:
    try:
        _yaml_events(data)
    except (yaml.YAMLError, UnicodeDecodeError):
        return False
    return True


def _yaml_events(data: bytes) -> list[tuple[str, ...]]:
    """What libyaml reads, as plain values. Events, not nodes: libyaml's own composer overruns the stack on deep nesting."""
    if len(data) > MAX_YAML_BYTES:
        raise CannotTell
    events, depth, anchors = [], 0, set()
    for event in yaml.parse(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_YAML_DEPTH:
            raise CannotTell
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent) and anchor not in anchors:
            raise yaml.YAMLError(f"undefined alias {anchor}")
        anchors.add(anchor)
        events.append((type(event).__name__, *(str(getattr(event, name, None)) for name in ("value", "tag", "anchor"))))
    return events


STRICT: dict[str, Callable[[bytes], bool]] = {"python": _python, "json": _json, "yaml": _yaml, "toml": _toml}


def _python_meaning(data: bytes) -> object:
    with _quiet():
        return ast.dump(ast.parse(data))


MEANINGS: dict[str, Callable[[bytes], object]] = {"python": _python_meaning, "yaml": _yaml_events}


def _tree_problems(language: str, data: bytes) -> int:
    if len(data) > MAX_TREE.get(language, MAX_TREE_BYTES):
        raise CannotTell
    if not data.strip():
        return 0
    try:
        return tree_process().errors(language, data.decode("utf-8", "replace"))
    except GaveUp as error:
        raise CannotTell from error
