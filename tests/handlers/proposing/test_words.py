"""What a proposal's commit says, the line by which it is known again, and its archive."""

import pytest

from handlers.proposing.archive import packed, unpacked
from handlers.proposing.words import LONGEST_HEADLINE, CommitMark, body, headline
from review.proposal import FileChange
from review.proposals.line_edit import line_edit
from storage.analyses import NumberedFinding
from tests.builders_review import a_finding

pytestmark = pytest.mark.unit

MARK = CommitMark(b"key", 1, 17, "a" * 40)


def test_a_headline_is_one_line_of_bounded_length() -> None:
    assert headline("", 1) == "Settle 1 finding of RefactorIQ"
    assert headline("Mend\n\nit \u202e now", 3) == "Mend it now"
    assert len(headline("x" * 500, 1)) == LONGEST_HEADLINE


def test_a_body_names_findings_and_neither_closes_issues_nor_calls_people() -> None:
    finding = a_finding("fixes #12 @octo/a\nb.py", rule="closes #3")
    lines = body([NumberedFinding(f"style-{n:03}", finding) for n in range(1, 61)], MARK).split("\n")
    assert lines[0] == "- style-001: closes # 3 in fixes # 12 @ octo/a b.py, line 1"
    assert lines[50:] == ["- and 10 more", "", MARK.line]


def test_a_mark_is_only_known_in_the_commit_that_it_was_made_for() -> None:
    assert MARK.stands_in(f"Mend\n\n{body([], MARK)}\n")
    others = [CommitMark(b"other", 1, 17, "a" * 40), CommitMark(b"key", 2, 17, "a" * 40),
              CommitMark(b"key", 1, 18, "a" * 40), CommitMark(b"key", 1, 17, "b" * 40)]  # fmt: skip
    assert not any(MARK.stands_in(f"Mend\n\n{other.line}") for other in others)
    assert not MARK.stands_in(f"> {MARK.line}")


def test_an_archive_holds_the_bytes_and_is_the_same_each_time() -> None:
    files = [
        FileChange(path, b"a\n", (line_edit(b"a\n", 1, 1, data),))
        for path, data in (("é b/c.py", b"\xff\r\n"), ("new\nline", b"x"), ("back\\slash", b"y\n"))
    ]
    assert unpacked(packed(files)) == {file.path: file.after for file in files}
    assert packed(files) == packed(files)
