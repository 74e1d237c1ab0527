"""Builders for what models are asked about, and for what they claim."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from review.change import Change, End
from review.diff import Diff, FileDiff, FileStatus
from review.finding import Category, Severity
from review.lines import line_texts
from review.models.answer_schema import Item
from review.models.shown import ShownFile, show
from review.parse_diff import parse_diff

Texts = Mapping[str, str]


class NoCheckout:
    """The models' half of the engine reads no file by itself."""

    async def read(self, end: End, paths: Sequence[str]) -> Mapping[str, bytes]:
        raise AssertionError(f"{paths} read at {end}")


def a_diff(base: Texts, head: Texts) -> Diff:
    """What differs, as git tells it: three lines of context, no renames."""
    parts = [_part(path, base.get(path), head.get(path)) for path in sorted({*base, *head})]
    return parse_diff("".join(parts).encode("utf-8", "surrogateescape")) if any(parts) else Diff()


def _part(path: str, before: str | None, after: str | None) -> str:
    if before == after:
        return ""
    old, new = (text.split("\n")[:-1] if text else [] for text in (before, after))
    lines = list(difflib.unified_diff(old, new, lineterm="", n=3))[2:]
    kind = "new file mode 100644\n" if before is None else "deleted file mode 100644\n" if after is None else ""
    names = (
        f"--- {f'a/{path}' if before is not None else '/dev/null'}\n+++ {f'b/{path}' if after is not None else '/dev/null'}\n"
    )
    return f"diff --git a/{path} b/{path}\n{kind}{names}" + "".join(f"{line}\n" for line in lines)


def a_change(base: Texts, head: Texts, **more: Any) -> Change:
    """A change of these files; `title` and `description` as in Change."""
    return Change(a_diff(base, head), NoCheckout(), "b" * 40, "a" * 40, **more)


def as_bytes(head: Texts) -> dict[str, bytes]:
    return {path: text.encode("utf-8", "surrogateescape") for path, text in head.items()}


def shown_file(path: str, text: str, base: str | None = None) -> ShownFile:
    """A file of a change as models see it: new, unless `base` is given."""
    file = a_file(path, text, base)
    return show(file, line_texts(text.encode("utf-8", "surrogateescape")), unblanked)


def a_file(path: str, text: str, base: str | None = None) -> FileDiff:
    file = a_diff({} if base is None else {path: base}, {path: text}).files[0]
    assert base is not None or file.status is FileStatus.ADDED
    return file


def unblanked(text: str) -> str:
    return text


def numbered(count: int, word: str = "line") -> str:
    """So many lines, all different: `line 1`, `line 2` …"""
    return "".join(f"{word} {number}\n" for number in range(1, count + 1))


def a_claim(path: str = "app.py", line: int = 1, quote: str = "", **more: Any) -> dict[str, Any]:
    """A finding as a model writes it."""
    fields = {
        "severity": "high",
        "category": "correctness",
        "rule": "wrong-result",
        "message": "It is wrong.",
        "confidence": 0.9,
        "context": [],
        "fix": None,
    }
    return {"path": path, "line": line, "quote": quote, **fields, **more}


def an_item(path: str = "app.py", line: int = 1, quote: str = "", **more: Any) -> Item:
    """The same, as it was read."""
    fields: dict[str, Any] = {"rule": "wrong-result", "message": "It is wrong.", "confidence": 0.9}
    return Item(
        path, line, quote, more.pop("severity", Severity.HIGH), more.pop("category", Category.CORRECTNESS), **fields | more
    )
