"""A checkout on this machine, read without trusting it: its objects are borrowed, its configuration and hooks never run.

All reading happens in a git directory of our own, in a temporary folder, whose `alternates` point at the checkout's objects.
The checkout's own configuration is asked for a few harmless values only; nothing is ever written to it.
"""

import os
import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

from bot.git.errors import GitFailed
from bot.git.objects import Objects
from bot.git.process import Bounds, run
from bot.git.safety import git_program, offline_environment
from bot.git.tree import GitTree
from review.errors import UserError

HARMLESS = r"^core\.(filemode|ignorecase|autocrlf|eol|checkstat|trustctime|precomposeunicode|excludesfile)$"
"""Settings that say how files on this disk compare to files in git. None of them names a program."""

LARGEST = 20_000_000
"""Bytes of a file of the work tree that is still looked at."""

MOST_NEW = 5_000
"""Untracked files that are still looked at."""

BASES = (
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
)


@dataclass(frozen=True, slots=True)
class Found:
    """Where a checkout keeps its things. `top` is None for a bare repository."""

    top: Path | None
    git_dir: Path
    common: Path


def find_repository(path: Path) -> Found:
    """The repository that `path` lies in. Raises UserError.

    Found by hand: `git rev-parse --show-toplevel` would believe the repository's own `core.worktree`.
    """
    start = path.expanduser().resolve()
    if not start.exists():
        raise UserError(f"{path} does not exist: name a folder inside a git repository.")
    for folder in (start, *start.parents):
        dot_git = folder / ".git"
        if dot_git.is_dir() or dot_git.is_file():
            git_dir = _linked(dot_git) if dot_git.is_file() else dot_git
            return Found(folder, git_dir, _common(git_dir))
        if (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir():
            return Found(None, folder, folder)
    raise UserError(f"{path} is not in a git repository: go to your checkout, or name its folder.")


def _linked(dot_git: Path) -> Path:
    """The git directory behind a `.git` file (a linked work tree, or a submodule)."""
    word, _, target = dot_git.read_text(errors="replace").strip().partition(": ")
    git_dir = (dot_git.parent / target).resolve()
    if word != "gitdir" or not git_dir.is_dir():
        raise UserError(f"{dot_git} names no git directory: run `git worktree repair` in the repository it belongs to.")
    return git_dir


def _common(git_dir: Path) -> Path:
    """The directory with the objects: another one for a linked work tree."""
    pointer = git_dir / "commondir"
    return (git_dir / pointer.read_text().strip()).resolve() if pointer.is_file() else git_dir


class LocalRepository:
    """Commits and work tree of the checkout around `path`. `objects` reads its commits, and trees made by `snapshot`."""

    def __init__(self, path: Path) -> None:
        self.found = find_repository(path)
        self._theirs = Objects(self.found.git_dir)
        self._own = Path(tempfile.mkdtemp(prefix="refactoriq-"))
        weakref.finalize(self, shutil.rmtree, self._own, ignore_errors=True)
        self.objects = Objects(self._own)

    async def commit(self, revision: str) -> str:
        """The full id behind a revision. Raises UserError."""
        try:
            sha = (await self._theirs.commits(revision))[0]
        except GitFailed:
            if revision == "HEAD":
                raise UserError(f"{self._name} has no commits yet: commit something first.") from None
            raise UserError(f"{self._name} has no commit {revision}: check the name, or fetch it first.") from None
        if not (self._own / "config").exists():
            self._borrow(sha256=len(sha) == 64)
        return sha

    async def tree(self, revision: str = "HEAD") -> GitTree:
        """The files and the history of that commit. Raises UserError."""
        return GitTree(self.objects, await self.commit(revision), held=self)

    async def default_base(self) -> tuple[str, str] | None:
        """Name and commit of the branch that changes are compared with: origin's default branch, else main or master."""
        for name in BASES:
            try:
                return name.split("/", 2)[2], (await self._theirs.commits(name))[0]
            except GitFailed:
                continue
        return None

    async def snapshot(self) -> tuple[str, list[str]]:
        """The work tree as a tree object (uncommitted and untracked files too), and sentences about what was left out."""
        if self.found.top is None:
            raise UserError(f"{self._name} has no work tree: say which commit to review with --head.")
        settings = await self._harmless_settings()
        await self._copy_index(settings)
        listed = await self._in_work_tree(settings, "ls-files", "-z", "-m", "-d", "--deduplicate")
        new = await self._in_work_tree(settings, "ls-files", "-z", "-o", "--exclude-standard")
        paths, notes = self._chosen(_paths(listed), _paths(new))
        given = b"".join(os.fsencode(path) + b"\0" for path in paths)
        await self._in_work_tree(settings, "update-index", "--add", "--remove", "--replace", "-z", "--stdin", given=given)
        tree = await self._in_work_tree(settings, "write-tree", "--missing-ok")
        return tree.decode().strip(), notes

    @property
    def _name(self) -> str:
        return str(self.found.top or self.found.git_dir)

    def _borrow(self, *, sha256: bool) -> None:
        """Make our own git directory, with their objects and the cuts of their history."""
        for folder in ("objects/info", "objects/pack", "refs", "info"):
            (self._own / folder).mkdir(parents=True, exist_ok=True)
        quoted = str(self.found.common / "objects").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        (self._own / "objects" / "info" / "alternates").write_bytes(os.fsencode(f'"{quoted}"\n'))
        (self._own / "HEAD").write_text("ref: refs/heads/none\n")
        version, extension = (1, "[extensions]\n\tobjectFormat = sha256\n") if sha256 else (0, "")
        (self._own / "config").write_text(f"[core]\n\trepositoryformatversion = {version}\n\tbare = true\n{extension}")
        for name in ("shallow", "info/exclude"):
            if (self.found.common / name).is_file():
                shutil.copyfile(self.found.common / name, self._own / name)

    async def _harmless_settings(self) -> dict[str, str | None]:
        """How this disk and this person treat line ends, modes and ignored files."""
        command = [git_program(), f"--git-dir={self.found.git_dir}", "config", "--path", "-z", "--get-regexp", HARMLESS]
        environment = offline_environment() | {"HOME": str(Path.home())}
        for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
            del environment[name]
        ended = await run(command, environment, Bounds(seconds=10.0, output=1_000_000))
        settings: dict[str, str | None] = {"attr.tree": None, "core.excludesfile": str(Path.home() / ".config/git/ignore")}
        for line in ended.output.decode(errors="surrogateescape").split("\0")[:-1]:
            key, _, value = line.partition("\n")
            settings[key] = value
        return settings

    async def _copy_index(self, settings: dict[str, str | None]) -> None:
        """Their index is what makes it quick: only files that were touched since are read again."""
        index = self.found.git_dir / "index"
        if not index.is_file():
            await self._in_work_tree(settings, "read-tree", await self.commit("HEAD"))
            return
        for file in (index, *self.found.git_dir.glob("sharedindex.*")):
            shutil.copy2(file, self._own / file.name)

    async def _in_work_tree(self, settings: dict[str, str | None], *arguments: str, given: bytes = b"") -> bytes:
        command = [git_program(), f"--git-dir={self._own}", f"--work-tree={self.found.top}", *arguments]
        ended = await run(command, offline_environment(settings), Bounds(), given)
        if ended.code != 0:
            raise GitFailed(ended.words)
        return ended.output

    def _chosen(self, changed: list[str], new: list[str]) -> tuple[list[str], list[str]]:
        """Which paths to look at, and sentences about the others."""
        notes, large = [], []
        if len(new) > MOST_NEW:
            notes.append(f"{len(new):,} untracked files were not looked at: that is too many; ignore or commit them.")
            new = []
        chosen = []
        for path in dict.fromkeys([*changed, *(path for path in new if not path.endswith("/"))]):
            if self._readable(path):
                chosen.append(path)
            else:
                large.append(path)
        if large:
            notes.append(f"Not looked at, larger than {LARGEST // 1_000_000} MB or not readable: {', '.join(large[:10])}.")
        return chosen, notes

    def _readable(self, path: str) -> bool:
        """Whether the file is small and readable, or gone."""
        file = Path(str(self.found.top), path)
        if file.is_symlink() or not file.exists():
            return True
        return file.stat().st_size <= LARGEST and os.access(file, os.R_OK)


def _paths(output: bytes) -> list[str]:
    return [os.fsdecode(path) for path in output.split(b"\0")[:-1]]
