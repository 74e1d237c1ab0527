"""Which files of a change are read: not binaries, lock files, generated or vendored code, nor what the rules leave out."""

import re
from collections.abc import Iterable

from review.analysis import Skipped
from review.diff import FileDiff, FileKind, FileStatus
from review.rules import Rules

LOCK_FILES = frozenset(
    """
    package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb deno.lock poetry.lock uv.lock pdm.lock
    pipfile.lock requirements.lock pixi.lock conda-lock.yml cargo.lock go.sum gemfile.lock composer.lock mix.lock podfile.lock
    pubspec.lock packages.lock.json flake.lock gradle.lockfile .terraform.lock.hcl cartfile.resolved package.resolved
    """.split()  # noqa: SIM905  (a list of forty strings hides what is in it)
)
VENDORED = re.compile(
    r"(^|/)(node_modules|vendor|vendored|_vendor|third_party|third-party|bower_components|site-packages|\.yarn)/"
)
GENERATED = re.compile(
    r"(\.min\.(js|css|mjs)|\.map|_pb2(_grpc)?\.pyi?|\.pb\.(go|cc|h|rb)|\.g\.dart|\.freezed\.dart|\.designer\.cs|\.generated\.\w+"
    r"|_generated\.\w+|\.snap|\.po|\.svg|\.ipynb)$|(^|/)(dist|__snapshots__|__generated__)/",
    re.IGNORECASE,
)
NOT_TEXT = {FileKind.BINARY: "binary", FileKind.SYMLINK: "symbolic link", FileKind.SUBMODULE: "submodule"}


def why_skipped(file: FileDiff, rules: Rules) -> str:
    """Why this file is not read, in a word or two, or an empty string when it is."""
    if not rules.covers(file.path):
        return "left out by the rules"
    if file.kind is not FileKind.TEXT:
        return NOT_TEXT[file.kind]
    if file.unread:
        return file.unread
    if file.status is FileStatus.REMOVED:
        return "deleted"
    if not file.hunks:
        return "no changed lines"
    return why_ignored(file.path)


def why_ignored(path: str) -> str:
    """Why no repository wants this path reviewed, judged by its name alone."""
    if path.rsplit("/", 1)[-1].lower() in LOCK_FILES:
        return "lock file"
    if VENDORED.search(path):
        return "vendored"
    if GENERATED.search(path):
        return "generated"
    return ""


def choose_files(files: Iterable[FileDiff], rules: Rules) -> tuple[list[FileDiff], list[Skipped]]:
    """The files to read, and the others with their reasons, both in the diff's order."""
    chosen, skipped = [], []
    for file in files:
        because = why_skipped(file, rules)
        if because:
            skipped.append(Skipped(file.path, because))
        else:
            chosen.append(file)
    return chosen, skipped
