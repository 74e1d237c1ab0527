"""Bring one change into the cache: both tips, as much history as their merge base needs, and the blobs that differ."""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.git.cache import Place, Repositories
from bot.git.checkout import GitCheckout, needed_blobs
from bot.git.errors import GitAway, GitFailed, GitRefused, GitTooMuch, NoSuchCommit, NothingInCommon, understood
from bot.git.locks import Hold, locked
from bot.git.objects import OBJECT_ID, Entry, Objects
from bot.git.process import Bounds, run
from bot.git.safety import Remote, git_program, online_environment
from review.change import End

DEPTHS = (30, 400, 2_147_483_647)
"""How many generations of history are fetched until the merge base is certain; the last means all (git's own number)."""

SECONDS = 120.0
"""How long one fetch may take."""

LARGEST_PACK = 2_000_000_000
"""Bytes that one fetch may bring."""

MOST_BLOBS = 40_000
FETCH = (
    "fetch", "--quiet", "--force", "--no-tags", "--no-auto-maintenance", "--no-write-fetch-head", "--no-recurse-submodules",
    "--filter=blob:none",
)  # fmt: skip
NO_NEGOTIATION = {"fetch.negotiationAlgorithm": "noop"}


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
    """A change that is wholly here. `tip` is the base branch's newest commit, `also` the wanted files that it has."""

    checkout: GitCheckout
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
        hold = await self.repositories.in_use(place)
        with contextlib.ExitStack() as unless_it_succeeds:
            unless_it_succeeds.callback(hold.release)
            fetched = await self._fetch_or_start_anew(place, hold, remote, wanted)
            unless_it_succeeds.pop_all()
        return fetched

    async def _fetch_or_start_anew(self, place: Place, hold: Hold, remote: Remote, wanted: Wanted) -> Fetched:
        try:
            return await self._fetch(place, hold, remote, wanted)
        except (GitRefused, GitAway, GitTooMuch, NoSuchCommit, NothingInCommon):
            raise
        except GitFailed:
            async with locked(place.write_lock):
                place.remove()
            return await self._fetch(place, hold, remote, wanted)

    async def _fetch(self, place: Place, hold: Hold, remote: Remote, wanted: Wanted) -> Fetched:
        objects = Objects(place.path)
        async with locked(place.write_lock) as writing:
            place.prepare()
            place.sweep()
            fetch = _Fetch(objects, remote, self.bounds, writing)
            tip, base, head = await _tips(fetch, wanted)
            entries = await objects.entries(base, head)
            also = {path: oid for path in wanted.also if (oid := await objects.blob_at(tip, path))}
            await fetch.blobs([*needed_blobs(entries), *also.values()])
        diff = await objects.diff(base, head)
        contents = await objects.blobs(list(also.values()), GitCheckout.largest)
        await self.repositories.trim(place)
        checkout = _checkout(objects, base, head, entries, _Later(place.write_lock, objects, remote, self.bounds), hold)
        return Fetched(checkout, diff, tip, {path: contents[oid] for path, oid in also.items() if oid in contents})


def _checkout(objects: Objects, base: str, head: str, entries: Sequence[Entry], later: "_Later", hold: Hold) -> GitCheckout:
    commits = {End.BASE: base, End.HEAD: head}
    return GitCheckout(objects, commits, {entry.path: entry for entry in entries}, later.fetch, hold)


@dataclass(frozen=True, slots=True)
class _Later:
    """Fetches blobs that turn out to be wanted after the change was fetched."""

    write_lock: Path
    objects: Objects
    remote: Remote
    bounds: Bounds

    async def fetch(self, oids: set[str]) -> None:
        async with locked(self.write_lock) as writing:
            await _Fetch(self.objects, self.remote, self.bounds, writing).blobs(oids)


@dataclass(frozen=True, slots=True)
class _Fetch:
    """Fetches into one repository, under its write lock, which git itself keeps too: it may outlive this process."""

    objects: Objects
    remote: Remote
    bounds: Bounds
    writing: Hold

    async def run(self, *arguments: str, given: str = "", settings: dict[str, str] | None = None) -> None:
        command = [git_program(), f"--git-dir={self.objects.path}", *FETCH, *arguments]
        environment = online_environment(self.remote, settings)
        ended = await run(command, environment, self.bounds, given.encode(), held=(self.writing.descriptor,))
        if ended.code != 0:
            raise understood(self.remote.redacted(ended.words) or f"git fetch ended with {ended.code}")

    async def blobs(self, oids: Iterable[str]) -> None:
        """Bring those of the blobs that are missing, in one fetch without negotiation."""
        missing = await self.objects.missing(oids)
        if len(missing) > MOST_BLOBS:
            raise GitTooMuch(f"The change touches more than {MOST_BLOBS:,} files' contents.")
        if missing:
            lines = "".join(f"{oid}\n" for oid in missing)
            await self.run("--stdin", "origin", given=lines, settings=NO_NEGOTIATION)

    async def tips(self, wanted: Wanted, depth: int) -> None:
        """Bring head and base: the head by its id, which GitHub serves before its refs/pull/N/head has caught up.

        A depth is always given. Without one, git takes a proxy's page for an old server that has no branches at all.
        """
        deep = f"--depth={DEPTHS[-1] if self.complete() else depth}"
        head, branch = f"+{wanted.head_sha}:{wanted.head}", f"+refs/heads/{wanted.base_ref}:{wanted.base}"
        pull = f"+refs/pull/{wanted.number}/head:{wanted.head}"
        last: GitFailed | None = None
        for refs in ((head, branch), (pull, branch), (head, f"+{wanted.base_sha}:{wanted.base}")):
            try:
                await self.run(deep, "origin", *refs)
            except NoSuchCommit as error:
                last = last or error
            else:
                return
        raise last or NoSuchCommit(wanted.head_sha)

    def complete(self) -> bool:
        """Whether all history is here already, so that only what is new needs asking for."""
        return not self.shallow() and (self.objects.path / "refs" / "refactoriq").is_dir()

    def shallow(self) -> set[str]:
        """The commits whose parents were not fetched."""
        with contextlib.suppress(FileNotFoundError):
            return set((self.objects.path / "shallow").read_text().split())
        return set()


async def _tips(fetch: _Fetch, wanted: Wanted) -> tuple[str, str, str]:
    """The base branch's tip, the merge base and the head, fetched. Raises NoSuchCommit, NothingInCommon."""
    _check(wanted)
    for depth in DEPTHS:
        await fetch.tips(wanted, depth)
        tip, head = await fetch.objects.commits(wanted.base, wanted.head_sha)
        base = await _merge_base(fetch, tip, head)
        if base is not None:
            return tip, base, head
        if not fetch.shallow():
            break
    raise NothingInCommon("The head and the base branch have no commit in common.")


async def _merge_base(fetch: _Fetch, tip: str, head: str) -> str | None:
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
