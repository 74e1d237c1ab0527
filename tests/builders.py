"""Real git repositories for tests, built from plain dicts of files: bases, heads, renames, modes, symlinks, submodules."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

AUTHOR = "Mona Lisa <mona@example.com>"
NO_CONFIGURATION = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
    # A repository that somebody else owns is read too: the demo takes any, and nothing of it is run.
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}


@dataclass(frozen=True, slots=True)
class Symlink:
    """A symbolic link to `target`."""

    target: str


@dataclass(frozen=True, slots=True)
class Submodule:
    """A gitlink: another repository's commit under a path."""

    sha: str = "5" * 40


@dataclass(frozen=True, slots=True)
class Executable:
    """A regular file with mode 100755."""

    data: bytes | str


Content = bytes | str | Symlink | Submodule | Executable | None
Files = Mapping[str, Content]
"""What a commit holds or alters. None deletes the path; a `str` is written as UTF-8, and no line end is touched."""


@dataclass(frozen=True, slots=True)
class BuiltRepository:
    """A repository with `base` and, on top of it, `head`; both are full commit ids."""

    path: Path
    base: str
    head: str

    def diff(self) -> bytes:
        """The change as GitHub shows it: from the merge base, renames found, three lines of context."""
        return git(self.path, "diff", "--no-color", "-M", "-U3", f"{self.base}...{self.head}")

    def read(self, path: str, rev: str | None = None) -> bytes:
        """A file's bytes, at the head unless told otherwise."""
        return git(self.path, "cat-file", "blob", f"{rev or self.head}:{path}")


def git(repository: Path, *arguments: str, stdin: bytes | None = None) -> bytes:
    """Run git there, free of this machine's configuration; gives its output. Raises AssertionError with git's own words."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | NO_CONFIGURATION
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], input=stdin, capture_output=True, env=environment, check=False
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}"
    return done.stdout


def init_bare(path: Path) -> Path:
    """An empty bare repository with the branch `main`; serves partial clones and single commits, as GitHub does."""
    path.mkdir(parents=True, exist_ok=True)
    git(path, "init", "--quiet", "--bare", "--template=", "--initial-branch=main")
    config = "[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n[gc]\n\tauto = 0\n"
    with (path / "config").open("a") as file:
        file.write(config)
    return path


def commit(
    repository: Path,
    files: Files,
    *,
    ref: str = "refs/heads/main",
    parents: Sequence[str] = (),
    message: str = "A change",
    author: str = AUTHOR,
) -> str:
    """Put one commit on `ref` (moved there by force); gives its id. `files` alter the first parent's tree.

    The same files, parents, message and author give the same id: the date is always the same.
    """
    stream = bytearray(f"commit {ref}\nmark :1\ncommitter {author} 1760000000 +0000\n".encode())
    stream += _data(message.encode())
    for word, parent in zip(["from", *["merge"] * len(parents)], parents, strict=False):
        stream += f"{word} {parent}\n".encode()
    if not parents:
        stream += b"deleteall\n"
    for path, content in files.items():
        stream += _change(path, content)
    stream += b"\nget-mark :1\n"
    options = ("-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", "--force", "--date-format=raw")
    return git(repository, *options, stdin=bytes(stream)).decode().strip()


def _change(path: str, content: Content) -> bytes:
    name = _quoted(path)
    match content:
        case None:
            return b"D " + name + b"\n"
        case Submodule(sha):
            return b"M 160000 " + sha.encode() + b" " + name + b"\n"
        case Symlink(target):
            return b"M 120000 inline " + name + b"\n" + _data(target.encode())
        case Executable(data):
            return b"M 100755 inline " + name + b"\n" + _data(_bytes(data))
    return b"M 100644 inline " + name + b"\n" + _data(_bytes(content))


def _bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _data(data: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(data), data)


def _quoted(path: str) -> bytes:
    """A path in C quotes; bytes that are not UTF-8 come as surrogate escapes."""
    raw = path.encode(errors="surrogateescape")
    return b'"' + b"".join(bytes([c]) if 32 <= c < 127 and c not in b'"\\' else b"\\%03o" % c for c in raw) + b'"'


def a_repository(folder: Path, base: Files, head: Files) -> BuiltRepository:
    """A bare repository in that folder: `main` holds `base`, the branch `change` alters it by `head`."""
    path = init_bare(folder)
    first = commit(path, base, message="The base")
    return BuiltRepository(path, first, commit(path, head, ref="refs/heads/change", parents=[first]))


def a_checkout(folder: Path, base: Files, head: Files) -> BuiltRepository:
    """A repository with a work tree on the branch `change`, as a developer has it before pushing."""
    built = a_repository(folder / ".git", base, head)
    git(built.path, "config", "core.bare", "false")
    git(folder, "checkout", "--quiet", "change")
    return BuiltRepository(folder, built.base, built.head)
