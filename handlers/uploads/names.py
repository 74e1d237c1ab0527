"""Names of files as archives and browsers send them: a plain relative path, or refused."""

import re

from handlers.uploads.bounds import unsafe

LONGEST_PART, LONGEST_NAME, DEEPEST = 255, 1024, 32
"""Bytes of a part and of the whole name in UTF-8, and parts of a name."""

DRIVE = re.compile(r"[A-Za-z]:")
LEFT_OUT = frozenset({".git", "__macosx", ".ds_store"})
"""Parts of names that nobody wants to have looked at: git's own files, and what macOS adds."""


def safe_name(name: str) -> str:
    """The path without `./`, which leads nowhere but down. Raises Problem.

    Names are told apart by every character: `Makefile` and `makefile` are two files, as they are in git.
    """
    if not name.isprintable():
        raise unsafe(name, "holds characters that cannot be printed, or is not UTF-8")
    if "\\" in name:
        raise unsafe(name, "holds a backslash: part folders by /")
    if name.startswith("/") or DRIVE.match(name):
        raise unsafe(name, "is an absolute path")
    parts = [part for part in name.rstrip("/").split("/") if part != "."]
    if ".." in parts:
        raise unsafe(name, "leads out of its folder")
    if not all(parts) or not parts:
        raise unsafe(name, "has an empty part")
    _short_enough(name, parts)
    return "/".join(parts)


def _short_enough(name: str, parts: list[str]) -> None:
    if len(parts) > DEEPEST:
        raise unsafe(name, f"lies deeper than {DEEPEST} folders")
    if len("/".join(parts).encode()) > LONGEST_NAME or any(len(part.encode()) > LONGEST_PART for part in parts):
        raise unsafe(name, f"is longer than {LONGEST_NAME} bytes, or a part of it than {LONGEST_PART}")


def is_root(name: str) -> bool:
    """Whether that is the archive's own folder, which `tar -cz .` lists as `./`."""
    return name.startswith(".") and set(name.split("/")) <= {".", ""}


def left_out(name: str) -> bool:
    """Whether a file of that safe name is passed over in silence."""
    return any(part.lower() in LEFT_OUT for part in name.split("/"))
