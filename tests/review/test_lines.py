"""Lines as git and GitHub count them: only a line feed ends one."""

import pytest

from review.lines import common_end, end_of, line_texts, split_lines

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n", [b"\n"]),
        (b"a", [b"a"]),
        (b"a\nb", [b"a\n", b"b"]),
        (b"a\r\nb\rc\n", [b"a\r\n", b"b\rc\n"]),
        (b"a\fb\x0bc\x1cd\x85e\n", [b"a\fb\x0bc\x1cd\x85e\n"]),
        ("a\u2028b\u2029c\n".encode(), ["a\u2028b\u2029c\n".encode()]),
    ],
)
def test_only_a_line_feed_ends_a_line(data: bytes, lines: list[bytes]) -> None:
    assert split_lines(data) == lines
    assert b"".join(split_lines(data)) == data
    assert len(line_texts(data)) == len(lines)


def test_the_ends_of_lines() -> None:
    assert [end_of(line) for line in (b"a\r\n", b"a\n", b"a", b"a\r", b"\r\n", b"")] == [b"\r\n", b"\n", b"", b"", b"\r\n", b""]
    assert common_end([b"a\r\n", b"b\r\n", b"c\n"]) == "\r\n"
    assert common_end([b"a\r\n", b"b\n"]) == common_end([b"a"]) == common_end([]) == "\n"
    assert line_texts(b"caf\xe9\r\n") == ["caf\udce9\r"]
