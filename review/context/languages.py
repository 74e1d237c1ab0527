"""The languages that the index knows: what their files are called, and which nodes of their syntax define something."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from ast_grep_py import Relation, Rule

LANGUAGES_FILE = Path(__file__).parent / "languages.toml"
NODE = re.compile(r"(?P<path>[\w/]+)(?:(?P<where>:\^|:|>)(?P<name>\w+))?")


class Role(StrEnum):
    """What a node is to its file: a key of languages.toml, where each is explained."""

    FUNCTION = "function"
    CLASS = "class"
    PART = "part"
    SCOPE = "scope"
    CONSTANT = "constant"
    LEADING = "leading"


@dataclass(frozen=True, slots=True)
class NodeKind:
    """A kind of node with its role. Its name stands in `field`, of its parent where `of_parent`, or in a `child` of that kind.

    `parents` are those that must be directly above, the innermost first.
    """

    kind: str
    role: Role
    parents: tuple[str, ...] = ()
    field: str = "name"
    child: str = ""
    of_parent: bool = False

    @property
    def key(self) -> str:
        """Kinds named by their parent are told apart by it."""
        return f"{self.parents[0]}/{self.kind}" if self.of_parent else self.kind

    @property
    def rule(self) -> Rule:
        """What ast-grep is asked to find such nodes."""
        rule = Relation(kind=self.kind)
        if self.parents:
            rule["inside"] = _inside(*self.parents)
        return rule


@dataclass(frozen=True, slots=True)
class Language:
    """A language. `kinds` are by their key; there are none where files are cut by lines.

    `largest` is what its parser is given at most in bytes, 0 where it bears as much as any.
    """

    name: str
    kinds: Mapping[str, NodeKind]
    rules: tuple[Rule, ...]
    needs_body: frozenset[str]
    wrappers: frozenset[str]
    receiver: str
    docstrings: bool
    largest: int


@cache
def languages() -> Mapping[str, Language]:
    """All languages by their names."""
    tables = _tables()
    return {name: _language(name, {**tables.get(table.get("like", ""), {}), **table}) for name, table in tables.items()}


@lru_cache(maxsize=50_000)
def language_of(path: str) -> str:
    """The language of a file by its name; empty for an unknown one."""
    name = path.rpartition("/")[2]
    endings, names = _by_name()
    if name in names:
        return names[name]
    parts = name.lower().split(".")[1:]
    ending = next((ending for start in range(len(parts)) if (ending := ".".join(parts[start:])) in endings), "")
    return endings[ending] if ending else names.get(name.partition(".")[0], "")


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(LANGUAGES_FILE.read_text(encoding="utf-8"))


@cache
def _by_name() -> tuple[Mapping[str, str], Mapping[str, str]]:
    endings: dict[str, str] = {}
    names: dict[str, str] = {}
    for language, table in _tables().items():
        endings.update(dict.fromkeys(table.get("endings", "").split(), language))
        names.update(dict.fromkeys(table.get("names", "").split(), language))
    return endings, names


def _language(name: str, table: Mapping[str, Any]) -> Language:
    nodes = [_node(text, role) for role in Role for text in table.get(role, "").split()]
    return Language(
        name=name,
        kinds={node.key: node for node in nodes},
        rules=tuple(node.rule for node in nodes),
        needs_body=frozenset(table.get("needs_body", "").split()),
        wrappers=frozenset(table.get("wrapper", "").split()),
        receiver=table.get("receiver", ""),
        docstrings=table.get("docstrings", False),
        largest=table.get("largest", 0),
    )


def _inside(parent: str, *further: str) -> Relation:
    return Relation(kind=parent, inside=_inside(*further)) if further else Relation(kind=parent)


def _node(text: str, role: Role) -> NodeKind:
    match = NODE.fullmatch(text)
    if match is None:
        raise ValueError(f"{LANGUAGES_FILE.name}: {text!r} is not a node")
    *outer, kind = match["path"].split("/")
    parents, name = tuple(reversed(outer)), match["name"] or "name"
    if match["where"] == ">":
        return NodeKind(kind, role, parents, field="", child=name)
    return NodeKind(kind, role, parents, field=name, of_parent=match["where"] == ":^")
