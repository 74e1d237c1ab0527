"""A repository on the sandbox GitHub and a fetcher with a cache of its own, for everything that fetches."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.git.cache import Place, Repositories
from bot.git.fetching import Fetched, Fetcher, Wanted
from bot.git.safety import Remote
from bot.git.tree import GitTree
from tests.builders import Files, git
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.serving import Scope, Serving
from tests.sandbox.world import Installation, PullRequest, Repository

HOST = "github.test"


@dataclass(slots=True)
class Fetching:
    """octo/app on GitHub with the app installed, and what fetches it into `folder`."""

    github: SandboxGitHub
    repository: Repository
    installation: Installation
    folder: Path
    fetcher: Fetcher = field(init=False)

    def __post_init__(self) -> None:
        self.fetcher = Fetcher(Repositories(self.folder))

    def opened(self, base: Files, head: Files) -> PullRequest:
        """A pull request that alters `base` by `head`."""
        return self.github.open_pull_request(self.repository, head, base=base or None)

    def remote(self, token: str | None = None) -> Remote:
        given = self.github.token(self.installation) if token is None else token
        return Remote(f"{self.github.url}/{self.repository.full_name}.git", given)

    @property
    def place(self) -> Place:
        return self.fetcher.repositories.place(HOST, self.repository.id)

    async def fetch(self, pull: PullRequest, *also: str, remote: Remote | None = None) -> Fetched:
        return await self.fetcher.fetch(HOST, self.repository.id, remote or self.remote(), wanted(pull, *also))

    async def branch(self) -> GitTree:
        """The default branch, as an index is made from it."""
        return await self.fetcher.branch(HOST, self.repository.id, self.remote())

    def fetches(self) -> int:
        """How often git has fetched so far: each time it first asks what there is."""
        return sum(asked.path.endswith("info/refs") for asked in self.github.requests)

    def git_requests(self) -> int:
        """How many packs were asked for so far."""
        return sum(asked.path.endswith("git-upload-pack") and asked.method == "POST" for asked in self.github.requests)


def wanted(pull: PullRequest, *also: str) -> Wanted:
    return Wanted(pull.number, pull.head_sha, pull.base_ref, pull.base_sha, also)


def line_of_commits(repository: Path, count: int, *, ref: str, since: str | None = None, file: str = "log") -> list[str]:
    """So many commits in a row on a branch, each with one changed file; gives their ids, oldest first."""
    stream = bytearray()
    for number in range(1, count + 1):
        stream += f"commit {ref}\nmark :{number}\ncommitter A <a@b.c> {1_700_000_000 + number} +0000\ndata 1\nx\n".encode()
        if number == 1 and since:
            stream += f"from {since}\n".encode()
        text = f"{file} {number}\n".encode()
        stream += b"M 100644 inline %s\ndata %d\n%s\n" % (file.encode(), len(text), text)
    stream += b"".join(b"get-mark :%d\n" % number for number in range(1, count + 1))
    options = ("-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", "--force", "--date-format=raw")
    return git(repository, *options, stdin=bytes(stream)).decode().split()


class Recorder:
    """A server that answers every request alike and remembers what it heard."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status, self.headers = status, headers
        self.heard: list[tuple[str, dict[bytes, bytes]]] = []

    async def __call__(self, scope: Scope, receive: object, send: object) -> None:
        self.heard.append((scope["path"], dict(scope["headers"])))
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"moved"})  # type: ignore[operator]


@pytest.fixture
def elsewhere() -> Iterator[tuple[Recorder, str]]:
    """A server of somebody else's, and its address."""
    recorder = Recorder(200, [(b"content-type", b"text/plain")])
    serving = Serving(recorder)
    yield recorder, serving.start()
    serving.stop()


@pytest.fixture
def fetching(github: SandboxGitHub, tmp_path: Path) -> Fetching:
    repository = github.create_repository("octo/app", {"README.md": "Hello\n", "app.py": "a = 1\nb = 2\nc = 3\n"})
    return Fetching(github, repository, github.install("octo"), tmp_path / "repositories")
