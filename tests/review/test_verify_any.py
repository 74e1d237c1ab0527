"""Any suggestion at all: what is verified does exactly what it shows, alone and together, whoever applies it."""

import re
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.analysis import Analysis
from review.comments import write_review
from review.finding import Finding, Severity, Suggestion, Verdict
from review.marker import Marker
from review.suggestions.patch import apply_suggestions
from review.verify import verify_all
from tests.builders_diff import PROPERTY, a_diff_of
from tests.builders_review import a_finding
from tests.sandbox.suggestions import suggested

pytestmark = pytest.mark.unit

# Every way in which somebody may apply a block: GitHub's by our best knowledge, one that takes the lines as they stand, and
# one that gives each the file's own line end.


def strict(data: bytes, body: str, first: int, last: int) -> bytes:
    (block,) = suggested(body)
    lines = data.split(b"\n")
    lines[first - 1 : last] = [line.encode() for line in block]
    return b"\n".join(lines)


def with_the_files_ends(data: bytes, body: str, first: int, last: int) -> bytes:
    (block,) = suggested(body.replace("\r\n", "\n"))
    end = "\r\n" if b"\r\n" in data else "\n"
    lines = data.decode().split(end)
    lines[first - 1 : last] = block
    return end.join(lines).encode()


def first_line_of_fence(data: bytes, body: str, first: int, last: int) -> bytes:
    match = re.search(r"^(`{3,})suggestion\n((?:.*\n)*?)\1$", body, re.MULTILINE)
    assert match
    lines = data.splitlines(keepends=True)
    end = lines[last - 1][len(lines[last - 1].rstrip(b"\r\n")) :]
    new = match[2].removesuffix("\n").removesuffix("\r").encode() + end if match[2] else b""
    lines[first - 1 : last] = [new]
    return b"".join(lines)


READERS = (strict, with_the_files_ends, first_line_of_fence)

PIECES = st.sampled_from([
    "import os", "x = 1", "if x:\n    y = 2\nelse:\n    y = 3", "def f(a):\n    return a", "# a comment", "",
    "for i in x:\n    print(i)\n    i += 1", "s = '''\n```\ntext\n'''", "try:\n    f()\nexcept Exception:\n    pass",
    "class A:\n    b = 1\n\n    def c(self):\n        d = [\n            1,\n        ]\n        return d",
    "@dec\ndef g():\n    '''A ``` fence.'''\n    yield",
])  # fmt: skip
CHANGES = st.sampled_from([
    lambda text: text.replace("1", "2"), lambda text: text.replace("x", "(x)"), textwrap.dedent, str.lstrip, str.upper,
    lambda text: text + "\n", lambda text: f"```python\n{text}\n```", lambda text: text.replace("    ", "\t"),
    lambda text: text + "\n# more", lambda text: "", lambda text: "pass", lambda text: text.replace("\n", "\r\n"),
    lambda text: text + "\n" + text, lambda text: "x = '''\n````\n'''", lambda text: text[: len(text) // 2],
    lambda text: text.replace("return", "yield"), lambda text: text.replace("(", "(("), lambda text: "    " + text,
])  # fmt: skip


@st.composite
def suggestions(draw: st.DrawFn) -> tuple[bytes, bytes, list[Finding]]:
    """A Python file before and after, with findings that suggest sensible and senseless things anywhere in it."""
    pieces = draw(st.lists(PIECES, min_size=2, max_size=8))
    indented = [
        textwrap.indent(piece, "    ") if draw(st.booleans()) and number else piece for number, piece in enumerate(pieces)
    ]
    text = "\n".join(["if True:" if line.startswith("    ") else line for line in indented[:1]] + indented)
    text = text if draw(st.booleans()) else "\n\n".join(pieces)
    kept = [piece for piece in pieces if draw(st.booleans())]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    last = draw(st.sampled_from(["", end]))
    after, before = (one.replace("\n", end) + last for one in (text, "\n".join(kept)))
    lines = text.split("\n")
    findings = []
    for number in range(draw(st.integers(1, 6))):
        first = draw(st.integers(1, len(lines)))
        stop = min(len(lines), first + draw(st.integers(0, 4)))
        replacement = draw(CHANGES)("\n".join(lines[first - 1 : stop]))
        severity = draw(st.sampled_from(list(Severity)))
        fix = Suggestion(first, stop, replacement)
        findings.append(a_finding(line=first, last=stop, severity=severity, suggestion=fix, fingerprint=f"{number:032x}"))
    return before.encode(), after.encode(), findings


def compiles(data: bytes) -> bool:
    try:
        compile(data, "x", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


@settings(PROPERTY, max_examples=200)
@given(suggestions())
def test_whatever_is_verified_does_exactly_what_it_shows(given: tuple[bytes, bytes, list[Finding]]) -> None:
    before, data, findings = given
    diff = a_diff_of({"app.py": (before, data)})
    done = verify_all(findings, {"app.py": data}, diff)
    shown = [f.suggestion for f in done if f.suggestion and f.suggestion.verdict is Verdict.VERIFIED]
    assert all(f.suggestion and f.suggestion.because for f in done if f.suggestion not in shown)
    analysis = Analysis("a" * 40, tuple(f for f in done if f.suggestion in shown))
    review = write_review(analysis, diff, Marker(b"k", 1, 1, "main"))
    if review is None:
        assert shown == []
        return
    assert len(review.comments) == len(shown)
    by_place = {(s.first_line, s.last_line): s for s in shown}
    for comment in review.comments:
        first = comment.start_line or comment.line
        result = apply_suggestions(data, [by_place[first, comment.line]])
        assert result != data
        assert compiles(result) or not compiles(data)
        assert b"\r\n" not in data or (result.count(b"\n") == result.count(b"\r\n") == result.count(b"\r"))
        assert result.endswith(b"\n") == data.endswith(b"\n")
        for reader in READERS:
            assert reader(data, comment.body, first, comment.line) == result, reader.__name__
    together = apply_suggestions(data, shown)  # raises where two of them overlap
    assert compiles(together) or not compiles(data)
