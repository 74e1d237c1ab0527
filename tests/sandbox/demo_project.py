"""What the demo reviews: a small shop with mistakes in it, or a range of somebody's own git repository."""

from dataclasses import dataclass
from pathlib import Path

from tests.builders import git
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.world import PullRequest

DATA = Path(__file__).parent.parent / "data" / "demo"
AWS_KEY = "AKIA" + "Q3ZV7JH2NTKW5RXB"
"""Not written whole into the repository: it is no key of anybody, but every scanner would say that it looks like one."""


class NoSuchChange(Exception):
    """There is nothing to open a pull request with. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Range:
    """A part of the history of a local git repository, by full commit ids."""

    repository: Path
    base: str
    head: str
    title: str


def open_demo(github: SandboxGitHub) -> PullRequest:
    """The pull request of the small shop."""
    github.create_repository("octo-shop/shop", _files("base"))
    github.install("octo-shop")
    return github.open_pull_request("octo-shop/shop", _files("head"), title="Discounts, partners, and printed invoices")


def _files(folder: str) -> dict[str, str]:
    paths = sorted(path for path in (DATA / folder).rglob("*") if path.is_file())
    return {path.relative_to(DATA / folder).as_posix(): path.read_text().replace("{AWS_KEY}", AWS_KEY) for path in paths}


def open_range(github: SandboxGitHub, given: Range) -> PullRequest:
    """A pull request with that range of that repository, which is read and never written to."""
    name = f"octo-local/{''.join(c if c.isascii() and (c.isalnum() or c in '._-') else '-' for c in given.repository.name)}"
    repository = github.import_repository(name, given.repository, given.base)
    github.install("octo-local")
    return github.open_pull_request(repository, head_rev=given.head, title=given.title)


def find_range(repository: str, base: str | None, head: str | None) -> Range:
    """The range that the person named: `head` is HEAD unless told, `base` the commit before it. Raises NoSuchChange."""
    path = Path(repository).expanduser().resolve()
    try:
        git(path, "rev-parse", "--git-dir")
    except AssertionError:
        raise NoSuchChange(f"{path} is no git repository.") from None
    tip = _commit(path, head or "HEAD")
    start = _commit(path, base or f"{tip}~1", base or f"{head or 'HEAD'}~1")
    try:
        git(path, "merge-base", start, tip)
    except AssertionError:
        raise NoSuchChange(f"{start[:12]} and {tip[:12]} have no history in common (in what this clone has of it).") from None
    if not git(path, "rev-list", "--max-count=1", f"{start}..{tip}"):
        raise NoSuchChange(f"{tip[:12]} has no commit that {start[:12]} has not: there is nothing to review.")
    title = git(path, "log", "-1", "--format=%s", tip).decode(errors="replace").strip() or "A change"
    return Range(path, start, tip, title)


def _commit(repository: Path, revision: str, called: str = "") -> str:
    """The full id of a commit. Raises NoSuchChange."""
    verify = ("rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    try:
        return git(repository, *verify).decode().strip()
    except AssertionError:
        shallow = git(repository, "rev-parse", "--is-shallow-repository").strip() == b"true"
        more = " This is a shallow clone: `git fetch --deepen=50` brings more of the history." if shallow else ""
        raise NoSuchChange(f"There is no commit {called or revision} in {repository}.{more}") from None
