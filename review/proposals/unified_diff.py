"""Write known edits of a file's lines as a unified diff that `git apply` and `patch -p1` take, whatever the bytes and names."""

import re
from collections.abc import Iterable, Iterator, Sequence

from review.lines import split_lines
from review.proposals.line_edit import LineEdit

CONTEXT = 3
"""Lines around an edit, as git shows them."""

ODD = re.compile(rb"[^ !#-\[\]-~]")
"""What git writes as an escape within quotes: control characters, `"`, backslashes, and all that is not ASCII."""

ESCAPES = {7: b"\\a", 8: b"\\b", 9: b"\\t", 10: b"\\n", 11: b"\\v", 12: b"\\f", 13: b"\\r", 34: b'\\"', 92: b"\\\\"}
UNENDED = b"\n\\ No newline at end of file\n"


def unified_diff(path: str, data: bytes, edits: Iterable[LineEdit]) -> bytes:
    """The diff of one file with its `diff --git` line, or nothing where there are no edits.

    The edits do not overlap. Bytes of lines stand in it as they are; only `\\n` ends a line.
    """
    lines = split_lines(data)
    hunks, shift = [], 0
    for group in _groups(sorted(edits, key=lambda edit: edit.first)):
        hunks.append(_hunk(group, lines, shift))
        shift += sum(len(edit.lines) - (edit.last - edit.first + 1) for edit in group)
    return _header(path) + b"".join(hunks) if hunks else b""


def _groups(edits: Iterable[LineEdit]) -> Iterator[list[LineEdit]]:
    """Edits whose context meets share a hunk."""
    group: list[LineEdit] = []
    for edit in edits:
        if group and edit.first - group[-1].last - 1 > 2 * CONTEXT:
            yield group
            group = []
        group.append(edit)
    if group:
        yield group


def _hunk(edits: Sequence[LineEdit], lines: Sequence[bytes], shift: int) -> bytes:
    """`shift` is how many lines more the new file has before this hunk."""
    start = max(edits[0].first - CONTEXT, 1)
    stop = min(edits[-1].last + CONTEXT, len(lines))
    rows, at = [], start
    for edit in edits:
        rows += [_row(b" ", line) for line in lines[at - 1 : edit.first - 1]]
        rows += [_row(b"-", line) for line in lines[edit.first - 1 : edit.last]]
        rows += [_row(b"+", line) for line in edit.lines]
        at = edit.last + 1
    rows += [_row(b" ", line) for line in lines[at - 1 : stop]]
    old, new = (sum(row[:1] in signs for row in rows) for signs in (b" -", b" +"))
    return b"@@ -%s +%s @@\n" % (_range(start, old), _range(start + shift, new)) + b"".join(rows)


def _range(start: int, count: int) -> bytes:
    """An empty range is named by the line before it."""
    return b"%d,%d" % (start if count else start - 1, count)


def _row(sign: bytes, line: bytes) -> bytes:
    return sign + line if line.endswith(b"\n") else sign + line + UNENDED


def _header(path: str) -> bytes:
    old, new = _name("a/" + path), _name("b/" + path)
    tab = b"\t" if b" " in old and not old.startswith(b'"') else b""  # or patch takes what follows the space for a date
    return b"diff --git %s %s\n--- %s%s\n+++ %s%s\n" % (old, new, old, tab, new, tab)


def _name(path: str) -> bytes:
    """The path as git writes it: in C quotes where it holds odd bytes, or ends with a space (which patch would cut off)."""
    raw = path.encode("utf-8", "surrogateescape")
    quoted = ODD.sub(lambda match: ESCAPES.get(match[0][0], b"\\%03o" % match[0][0]), raw)
    return raw if quoted == raw and not raw.endswith(b" ") else b'"' + quoted + b'"'
