"""Cut the statements that an edit touches out of a Python file: trying a hundred edits is not parsing a hundred files."""

import ast
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache

ACROSS = re.compile(rb"__future__|^global\b|^[ \t\f]*#.*coding[:=]|\r(?!\n)", re.MULTILINE)
"""What makes one statement depend on another, or lines on more than `\\n`: such a file is only read as a whole."""

CONTINUED = (b"\\\n", b"\\\r\n")
INDENT = re.compile(rb"[ \t]*")


def touched_statements(before: bytes, after: bytes) -> bytes | None:
    """A text that compiles only if `after` does, where `before` is known to: what the edit touches, between neighbours.

    That are whole statements of the module or of a class. None when they cannot be told apart from the rest; that the
    text does not compile proves nothing. Raises RecursionError or MemoryError where ast.parse() does.
    """
    starts = _starts(before)
    if not starts:
        return None
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    first = starts[bisect_right(starts, head) - 1]
    last = [*starts, len(before)][bisect_left(starts, len(before) - tail)]
    chunk = after[first : len(after) - (len(before) - last)]
    indent = _indent_at(before, first)
    neighbour = indent + b"pass\n"
    above = (b"class _:\n" if indent else b"") + neighbour
    if ACROSS.search(chunk) or not all(line.startswith(indent) for line in chunk.split(b"\n") if line.strip()):
        return None
    if last == len(before):
        return above + chunk
    ends = chunk.endswith(b"\n") and not chunk.endswith(CONTINUED)
    return above + chunk + neighbour if ends and _indent_at(before, last) == indent else None


@lru_cache(maxsize=4)  # many edits are tried on one file
def _starts(data: bytes) -> Sequence[int]:
    """Where the lines of statements in the module and in its classes begin, and 0; nothing for a file with ACROSS in it."""
    if ACROSS.search(data):
        return ()
    offsets = [0, *(match.end() for match in re.finditer(rb"\n", data))]
    starts = {0}
    for node in _statements(ast.parse(data).body):
        offset = offsets[min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))]) - 1]
        if len(_indent_at(data, offset)) == node.col_offset and not data.endswith(CONTINUED, 0, offset):
            starts.add(offset)
    return sorted(starts)


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.ClassDef):
            yield from _statements(node.body[1:])  # without its first statement, what stands before it is no class


def _indent_at(data: bytes, offset: int) -> bytes:
    match = INDENT.match(data, offset)
    return match.group() if match else b""


def _common(one: bytes, two: bytes) -> int:
    """How many bytes at the beginning of both are the same."""
    return bisect_left(range(min(len(one), len(two))), True, key=lambda count: one[: count + 1] != two[: count + 1])
