"""Write verified suggestions into a work tree: only over what was reviewed, and never through a symbolic link."""

import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from review.change import Checkout, End
from review.errors import RefactorIQError
from review.finding import Finding, Suggestion
from review.suggestions.patch import apply_suggestions

LINE_ENDS = (b"\n", b"\r\n")
"""How a file of a checkout may end the lines that git keeps with `\\n` (core.autocrlf, eol=crlf)."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one file: `because` is empty where its suggestions were written, else a clause that says why not."""

    path: str
    suggestions: int
    because: str = ""


class NotWritten(RefactorIQError):
    """This file stays as it is; the text is a clause that says why."""


async def apply_findings(findings: Iterable[Finding], checkout: Checkout, top: Path) -> list[Written]:
    """Write the verified suggestions of these findings into the work tree at `top`, file by file.

    Modes, owners and line ends stay. A file that changed since it was read, or is no regular file, is left alone.
    """
    wanted: dict[str, list[Suggestion]] = {}
    for finding in findings:
        suggestion = finding.verified_suggestion
        if suggestion is not None:
            wanted.setdefault(finding.path, []).append(suggestion)
    reviewed = await checkout.read(End.HEAD, list(wanted))
    return [_written(top, path, reviewed.get(path), suggestions) for path, suggestions in wanted.items()]


def _written(top: Path, path: str, reviewed: bytes | None, suggestions: list[Suggestion]) -> Written:
    try:
        if reviewed is None:
            raise NotWritten("it cannot be read any more")
        _write(top, path, reviewed, suggestions)
    except NotWritten as error:
        return Written(path, len(suggestions), str(error))
    except OSError as error:
        return Written(path, len(suggestions), f"the system refused ({error.strerror})")
    return Written(path, len(suggestions))


def _write(top: Path, path: str, reviewed: bytes, suggestions: list[Suggestion]) -> None:
    *folders, name = path.split("/")
    if not all(_lies_below(part) for part in (*folders, name)):
        raise NotWritten("its path leads out of the work tree, or into git's own folder")
    with _folder(top, folders) as folder:
        held, status = _read(folder, name)
        for end in LINE_ENDS:
            if held == reviewed.replace(b"\n", end):
                new = apply_suggestions(reviewed, suggestions).replace(b"\n", end)
                return _replace(folder, name, new, status)
    raise NotWritten("it is not what was reviewed: it changed meanwhile")


def _lies_below(part: str) -> bool:
    """Git makes no such names; a tree made by hand may hold them."""
    return part not in ("", ".", "..") and part.casefold() != ".git"


@contextmanager
def _folder(top: Path, names: list[str]) -> Iterator[int]:
    """The folder below `top`, opened step by step so that no step can be a symbolic link."""
    opened = [os.open(top, os.O_RDONLY | os.O_DIRECTORY)]
    try:
        for name in names:
            opened.append(os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened[-1]))
        yield opened[-1]
    except NotADirectoryError:
        raise NotWritten("its folder is a symbolic link or a file") from None
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _read(folder: int, name: str) -> tuple[bytes, os.stat_result]:
    kind = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(kind.st_mode):
        raise NotWritten("it is no regular file")
    with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder), "rb") as file:  # noqa: PTH123  (a descriptor)
        return file.read(), os.fstat(file.fileno())


def _replace(folder: int, name: str, data: bytes, old: os.stat_result) -> None:
    """Put a new file in the place of the old one, in one step; whoever reads it sees the one or the other."""
    temporary = f".refactoriq-{secrets.token_hex(8)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  (a descriptor)
            if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        with suppress(FileNotFoundError):  # it bears the other name now
            os.unlink(temporary, dir_fd=folder)
