"""The change in a local checkout, for reviewing before pushing: no network, no server, nothing in the checkout is run."""

from dataclasses import dataclass
from pathlib import Path

from bot.git.checkout import GitCheckout, needed_blobs
from bot.git.errors import GitFailed, GitTooMuch
from bot.git.local import LocalRepository
from bot.git.tree import GitTree
from review.change import Change, End
from review.errors import UserError
from review.parse_diff import parse_diff


@dataclass(frozen=True, slots=True)
class LocalChange:
    """A change, and where it lies: `top` is the folder of the work tree (None for a bare repository).

    `compared_with` says in words which commit the change starts from.
    """

    change: Change
    top: Path | None
    compared_with: str


async def local_change(path: Path, base: str | None, head: str | None) -> LocalChange:
    """What `head` changes since it left `base`, in the git repository around `path`.

    `base` None means origin's default branch, else main or master; `head` None means the files on disk, with what is not
    committed and not ignored. Raises UserError: no repository, no commits, an unknown revision, contents that are not here.
    """
    repository = LocalRepository(path)
    try:
        return await _change(repository, base, head)
    except GitTooMuch as error:
        raise UserError(f"{error} Review a smaller range with --base and --head.") from error
    except GitFailed as error:
        raise UserError(f"git cannot read this repository: {error}") from error
    except OSError as error:
        raise UserError(f"This checkout cannot be read: {error.strerror} ({error.filename}).") from error


async def _change(repository: LocalRepository, base: str | None, head: str | None) -> LocalChange:
    bare = repository.found.top is None
    head_sha = await repository.commit(head or "HEAD")
    start, compared_with = await _start(repository, base, head, head_sha)
    end, notes = (head_sha, []) if head or bare else await repository.snapshot()
    objects = repository.objects
    entries = await objects.entries(start, end)
    if await objects.missing(needed_blobs(entries)):
        raise UserError(
            "This is a partial clone without the contents of all changed files: "
            f"`git diff --stat {base or start[:12]} {head or ''}` fetches them; then try again."
        )
    checkout = GitCheckout(objects, {End.BASE: start, End.HEAD: end}, {entry.path: entry for entry in entries}, held=repository)
    diff = parse_diff(await objects.diff(start, end))
    tree = GitTree(objects, start, held=repository)
    change = Change(diff, checkout, base_sha=start, head_sha=head_sha, unread=tuple(notes), tree=tree)
    return LocalChange(change, repository.found.top, compared_with)


async def _start(repository: LocalRepository, base: str | None, head: str | None, head_sha: str) -> tuple[str, str]:
    """The commit that the change starts from, and which one that is in words.

    It is the merge base, or the base itself where the two share no history.
    """
    given = (base, await repository.commit(base)) if base else await repository.default_base()
    if given is None:
        if head:
            raise UserError("There is no origin, main or master to compare with: say with --base where the change starts.")
        return head_sha, f"{head_sha[:12]}, the last commit (there is no origin, main or master)"
    name, tip = given
    bases = await repository.objects.merge_bases(tip, head_sha)
    if not bases:
        return tip, f"{tip[:12]} ({name}, with which it shares no history)"
    where = name if bases[0] == tip else f"where it left {name}"
    return bases[0], f"{bases[0][:12]} ({where})"
