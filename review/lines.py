"""Split a file into lines as git and GitHub do: only `\\n` ends a line, and a `\\r` before it belongs to the line."""

from collections.abc import Sequence


def split_lines(data: bytes) -> list[bytes]:
    """The lines with their `\\n`; the last one has none where the file does not end with a newline."""
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def line_texts(data: bytes) -> list[str]:
    """The lines as text without their `\\n`, as a Diff holds them; bytes that are not UTF-8 become surrogate escapes."""
    return [line.removesuffix(b"\n").decode("utf-8", "surrogateescape") for line in split_lines(data)]


def end_of(line: bytes) -> bytes:
    """What ends this line: `\\r\\n`, `\\n`, or nothing at the end of a file without a newline."""
    if line.endswith(b"\r\n"):
        return b"\r\n"
    return b"\n" if line.endswith(b"\n") else b""


def common_end(lines: Sequence[bytes]) -> str:
    """How most of these lines end, `\\r\\n` or `\\n`; `\\n` where they are even or none of them ends."""
    ends = [end_of(line) for line in lines]
    return "\r\n" if ends.count(b"\r\n") > ends.count(b"\n") else "\n"
