"""Bring one change into the cache: both tips, as much history as their merge base needs, and the blobs that differ.

Or the default branch: its newest commit with a long history. Or one commit by its name, without any. Each has a copy of its
own, so that an index, the reviews and the analyses neither wait for each other's fetches nor cut off each other's history.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bot.git.cache import Place, Repositories
from bot.git.checkout import GitCheckout, needed_blobs
from bot.git.errors import GitAway, GitFailed, GitRefused, GitTooMuch, NoSuchCommit, NothingInCommon
from bot.git.incoming import ALL_HISTORY, Fetch, FilesLater, Later
from bot.git.locks import Hold, locked
from bot.git.objects import OBJECT_ID, Objects
from bot.git.process import Bounds
from bot.git.safety import Remote
from bot.git.tree import GitTree
from review.change import End
from review.refs import is_ref

DEPTHS = (30, 400, ALL_HISTORY)
"""How many generations of history are fetched until the merge base is certain."""

BRANCH_DEPTHS = (3_000, 50)
"""How many generations of the default branch are fetched; the second where the first is too much."""

BRANCH = "refs/refactoriq/branch"
COMMIT = "refs/refactoriq/commit"
NOBODYS = "1" * 40
"""The id of no commit."""

SECONDS = 120.0
"""How long one fetch may take."""

LARGEST_PACK = 2_000_000_000
"""Bytes that one fetch may bring."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change to fetch: the head by its commit id, the base by its branch (`base_sha` where the branch is gone)."""

    number: int
    head_sha: str
    base_ref: str
    base_sha: str
    also: tuple[str, ...] = ()
    """Paths at the base branch's tip whose contents come along."""

    @property
    def head(self) -> str:
        return f"refs/refactoriq/{self.number}/head"

    @property
    def base(self) -> str:
        return f"refs/refactoriq/{self.number}/base"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A change that is wholly here. `tip` is the base branch's newest commit, `also` the wanted files that it has.

    `tree` is the whole base commit of the change (its merge base), whose files are fetched when they are read.
    """

    checkout: GitCheckout
    tree: GitTree
    diff: bytes
    tip: str
    also: dict[str, bytes] = field(default_factory=dict)


class Fetcher:
    """Fetches changes into `repositories`, one writer at a time for each."""

    def __init__(self, repositories: Repositories, seconds: float = SECONDS, largest_pack: int = LARGEST_PACK) -> None:
        self.repositories = repositories
        self.bounds = Bounds(seconds, file_bytes=largest_pack)

    async def fetch(self, host: str, repository_id: int, remote: Remote, wanted: Wanted) -> Fetched:
        """The change, from the cache as far as it is there.

        Raises NoSuchCommit when the head is not there (any more), GitRefused, GitAway, GitTooMuch, and GitFailed when even
        a fresh copy does not help.
        """
        place = self.repositories.place(host, repository_id)
        return await self._used(place, lambda hold: self._change(place, hold, remote, wanted))

    async def branch(self, host: str, repository_id: int, remote: Remote) -> GitTree:
        """The newest commit of the default branch, as the host says which that is; its files are fetched when read.

        Raises NoSuchCommit where there is none (an empty repository), and otherwise as `fetch`.
        """
        place = self.repositories.place(host, repository_id, "branch")
        return await self._used(place, lambda hold: self._branch(place, hold, remote))

    async def commit(self, host: str, repository_id: int, remote: Remote, ref: str) -> GitTree:
        """The commit that this branch, tag or full id names, alone; its files are fetched when read. Raises as `branch`."""
        place = self.repositories.place(host, repository_id, "commit")
        return await self._used(place, lambda hold: self._commit(place, hold, remote, ref))

    async def _used(self, place: Place, fetch: Callable[[Hold], Awaitable[T]]) -> T:
        """What `fetch` brings into this place, which stays as long as its hold. A broken copy is started anew, once."""
        hold = await self.repositories.in_use(place)
        with contextlib.ExitStack() as unless_it_succeeds:
            unless_it_succeeds.callback(hold.release)
            try:
                fetched = await fetch(hold)
            except (GitRefused, GitAway, GitTooMuch, NoSuchCommit, NothingInCommon):
                raise
            except GitFailed:
                async with locked(place.write_lock):
                    place.remove()
                fetched = await fetch(hold)
            unless_it_succeeds.pop_all()
        return fetched

    @contextlib.asynccontextmanager
    async def _writing(self, place: Place, remote: Remote) -> AsyncIterator[Fetch]:
        """Alone in this place, which is ready to be fetched into."""
        async with locked(place.write_lock) as writing:
            place.prepare()
            place.sweep()
            yield Fetch(Objects(place.path), remote, self.bounds, writing)

    async def _change(self, place: Place, hold: Hold, remote: Remote, wanted: Wanted) -> Fetched:
        async with self._writing(place, remote) as fetch:
            objects = fetch.objects
            tip, base, head = await _tips(fetch, wanted)
            entries = await objects.entries(base, head)
            also = {path: oid for path in wanted.also if (oid := await objects.blob_at(tip, path))}
            await fetch.blobs([*needed_blobs(entries), *also.values()])
        diff = await objects.diff(base, head)
        contents = await objects.blobs(list(also.values()), GitCheckout.largest)
        await self.repositories.trim(place)
        later, ends = self._later(place, remote), {End.BASE: base, End.HEAD: head}
        checkout = GitCheckout(objects, ends, {entry.path: entry for entry in entries}, later.fetch, hold)
        tree = GitTree(objects, base, FilesLater(later, base).fetch, hold)
        return Fetched(checkout, tree, diff, tip, {path: contents[oid] for path, oid in also.items() if oid in contents})

    async def _branch(self, place: Place, hold: Hold, remote: Remote) -> GitTree:
        async with self._writing(place, remote) as fetch:
            try:
                await _bring_newest(fetch, BRANCH_DEPTHS[0])
            except GitTooMuch:
                place.sweep()
                await _bring_newest(fetch, BRANCH_DEPTHS[1])
            (sha,) = await fetch.objects.commits(BRANCH)
        await self.repositories.trim(place)
        return GitTree(fetch.objects, sha, FilesLater(self._later(place, remote), sha).fetch, hold)

    async def _commit(self, place: Place, hold: Hold, remote: Remote, ref: str) -> GitTree:
        async with self._writing(place, remote) as fetch:
            await _bring_named(fetch, ref)
            (sha,) = await fetch.objects.commits(COMMIT)
        await self.repositories.trim(place)
        return GitTree(fetch.objects, sha, FilesLater(self._later(place, remote), sha).fetch, hold)

    def _later(self, place: Place, remote: Remote) -> Later:
        return Later(place.write_lock, Objects(place.path), remote, self.bounds)


async def _tips(fetch: Fetch, wanted: Wanted) -> tuple[str, str, str]:
    """The base branch's tip, the merge base and the head, fetched. Raises NoSuchCommit, NothingInCommon."""
    _check(wanted)
    for depth in DEPTHS:
        await _bring_tips(fetch, wanted, depth)
        tip, head = await fetch.objects.commits(wanted.base, wanted.head_sha)
        base = await _merge_base(fetch, tip, head)
        if base is not None:
            return tip, base, head
        if not fetch.shallow():
            break
    raise NothingInCommon("The head and the base branch have no commit in common.")


async def _bring_tips(fetch: Fetch, wanted: Wanted, depth: int) -> None:
    """Bring head and base: the head by its id, which GitHub serves before its refs/pull/N/head has caught up."""
    head, branch = f"+{wanted.head_sha}:{wanted.head}", f"+refs/heads/{wanted.base_ref}:{wanted.base}"
    pull = f"+refs/pull/{wanted.number}/head:{wanted.head}"
    last: GitFailed | None = None
    for refs in ((head, branch), (pull, branch), (head, f"+{wanted.base_sha}:{wanted.base}")):
        try:
            await fetch.refs(depth, *refs)
        except NoSuchCommit as error:
            last = last or error
        else:
            return
    raise last or NoSuchCommit(wanted.head_sha)


async def _bring_newest(fetch: Fetch, depth: int) -> None:
    """Bring what HEAD stands for. Raises NoSuchCommit where a git server has none: it was asked twice.

    To git, a proxy's page is a server without any branch; but only a git server answers when it is asked for an id.
    """
    try:
        await fetch.refs(depth, f"+HEAD:{BRANCH}")
    except NoSuchCommit:
        await fetch.refs(depth, f"+{NOBODYS}:{BRANCH}")


async def _bring_named(fetch: Fetch, ref: str) -> None:
    """Bring what that name stands for. Raises NoSuchCommit, also for what is no name of a ref."""
    if not is_ref(ref):
        raise NoSuchCommit(f"{ref} is no name of a commit")
    if OBJECT_ID.fullmatch(ref):
        await fetch.refs(1, f"+{ref}:{COMMIT}")
        return
    try:
        await fetch.refs(1, f"+refs/heads/{ref}:{COMMIT}")
    except NoSuchCommit:
        await fetch.refs(1, f"+refs/tags/{ref}:{COMMIT}")


async def _merge_base(fetch: Fetch, tip: str, head: str) -> str | None:
    """The merge base where it is certain.

    With history cut off it is certain when there is one, and every commit on the way to it from either tip has all of its
    parents here: whatever was cut off lies behind it.
    """
    bases = await fetch.objects.merge_bases(tip, head)
    shallow = fetch.shallow()
    if not shallow or not bases:
        return bases[0] if bases else None
    if len(bases) > 1 or shallow & await fetch.objects.between(tip, head):
        return None
    return bases[0]


def _check(wanted: Wanted) -> None:
    """Names come from outside: nothing but ids and a plain branch name may become part of a refspec."""
    if not all(OBJECT_ID.fullmatch(sha) for sha in (wanted.head_sha, wanted.base_sha)):
        raise NoSuchCommit(f"{wanted.head_sha} is no commit id")
    if not wanted.base_ref or any(c in ":*?[\\^~" or c <= " " for c in wanted.base_ref):
        raise NoSuchCommit(f"{wanted.base_ref} is no branch")
