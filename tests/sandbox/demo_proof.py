"""What the demo proves of a review: every suggestion is committed as GitHub's button would, and the files still parse."""

import ast
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

import yaml

from tests.builders import git
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.suggestions import SuggestionRefused, suggested
from tests.sandbox.world import Comment, PullRequest

PARSERS: dict[str, Callable[[bytes], object]] = {
    ".py": ast.parse,
    ".pyi": ast.parse,
    ".json": json.loads,
    ".toml": lambda data: tomllib.loads(data.decode()),
    ".yml": yaml.safe_load,
    ".yaml": yaml.safe_load,
}


class Disproved(Exception):
    """A suggestion does not hold. The text says which and why."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How many suggestions were applied, each alone and all in one batch, and how many of the files parsed afterwards."""

    applied: int
    files: int
    parsed: int


def prove(github: SandboxGitHub, pull: PullRequest, comments: list[Comment]) -> Proof:
    """Apply every suggestion. Raises Disproved."""
    with_one = [comment for comment in comments if suggested(comment.body)]
    for comment in with_one:
        _apply(github, pull, [comment])
    together = _apply(github, pull, with_one) if with_one else {}
    return Proof(len(with_one), len(together), sum(together.values()))


def _apply(github: SandboxGitHub, pull: PullRequest, comments: list[Comment]) -> dict[str, bool]:
    """Whether each of the files could be parsed before, and so was parsed after. Raises Disproved."""
    places = ", ".join(f"{comment.path}:{comment.line}" for comment in comments)
    try:
        files = github.apply_suggestions(comments)
    except SuggestionRefused as refused:
        raise Disproved(f"GitHub would refuse the suggestion on {places}: {refused}") from refused
    return {path: _parsed(pull, path, data, places) for path, data in files.items()}


def _parsed(pull: PullRequest, path: str, data: bytes, places: str) -> bool:
    parse = PARSERS.get(PurePosixPath(path).suffix)
    if parse is None or _trouble(parse, git(pull.repository.path, "cat-file", "blob", f"{pull.head_sha}:{path}")):
        return False
    if trouble := _trouble(parse, data):
        raise Disproved(f"With the suggestion on {places} the file {path} does not parse: {trouble}")
    return True


def _trouble(parse: Callable[[bytes], object], data: bytes) -> str:
    try:
        parse(data)
    except (SyntaxError, ValueError, yaml.YAMLError) as error:
        return str(error) or type(error).__name__
    return ""
