"""Diffs for tests without git: written as git writes them, and read by the product's own parser."""

import difflib
from collections.abc import Mapping

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from review.diff import Diff
from review.lines import split_lines
from review.parse_diff import parse_diff

Ends = tuple[bytes | None, bytes | None]
"""What a file holds before and after; None where it is not there."""


def a_diff_of(files: Mapping[str, Ends]) -> Diff:
    """The change of these text files, three lines of context. Files that stay as they are do not appear."""
    return parse_diff(b"".join(_section(path, *ends) for path, ends in files.items() if ends[0] != ends[1]))


def a_diff(path: str, before: bytes | str | None, after: bytes | str | None) -> Diff:
    """The change of one text file."""
    return a_diff_of({path: (_bytes(before), _bytes(after))})


def _bytes(text: bytes | str | None) -> bytes | None:
    return text.encode() if isinstance(text, str) else text


def _section(path: str, before: bytes | None, after: bytes | None) -> bytes:
    name = path.encode(errors="surrogateescape")
    header = b"diff --git a/%s b/%s\n" % (name, name)
    if before is None:
        header += b"new file mode 100644\n"
    if after is None:
        header += b"deleted file mode 100644\n"
    header += b"index 1111111..2222222" + (b" 100644\n" if before is not None and after is not None else b"\n")
    old, new = split_lines(before or b""), split_lines(after or b"")
    rows = difflib.diff_bytes(difflib.unified_diff, old, new, b"a/" + name, b"b/" + name, lineterm=b"\n")
    return header + b"".join(row if row.endswith(b"\n") else row + b"\n\\ No newline at end of file\n" for row in rows)


PROPERTY = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
"""For properties: a busy machine is no failure, and nothing is left behind."""

LINES = st.sampled_from(["a", "b", "", "    x = 1", "\ty", "-- z", "++ z", "@@ -1 +1 @@", "é\u2028", "\f", "same"])


@st.composite
def edited_texts(draw: st.DrawFn, lines: st.SearchStrategy[str] = LINES, end: str = "\n") -> tuple[str, str]:
    """A text and what a few edits made of it: lines deleted, replaced and inserted, with or without a last line end."""
    before = draw(st.lists(lines, max_size=40))
    after = list(before)
    for _ in range(draw(st.integers(1, 4))):
        first = draw(st.integers(0, len(after)))
        last = min(len(after), first + draw(st.integers(0, 4)))
        after[first:last] = draw(st.lists(lines, max_size=4))
    ends = draw(st.tuples(st.sampled_from([end, ""]), st.sampled_from([end, ""])))
    old, new = (
        end.join(text) + (last if text and text[-1] else end if text else "")
        for text, last in zip((before, after), ends, strict=True)
    )
    return old, new
