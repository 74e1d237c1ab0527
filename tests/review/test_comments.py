"""What the bot says: whole bodies as they are posted, and the promises that hold for every body."""

from dataclasses import replace

import pytest

from review.analysis import Analysis, Dropped, Skipped, Usage
from review.capped import MAX_BODY
from review.comments import UPDATED, without_lines, write_note, write_review, write_update
from review.diff import Diff
from review.finding import Category, Finding, Location, Severity, Side, Suggestion, Verdict
from review.marker import Marker
from tests.builders_diff import a_diff
from tests.builders_review import a_finding
from tests.sandbox.suggestions import suggested

pytestmark = pytest.mark.unit

HEAD = "0123456789abcdef0123456789abcdef01234567"
MARKER = Marker(b"key", 7, 1, "main")
TEXT = "".join(f"line {number}\n" for number in range(1, 31))
DIFF = a_diff("app.py", TEXT, TEXT.replace("line 5\n", "five\n").replace("line 6\n", "six\n"))

SHELL = a_finding(
    line=5,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    message="`shell=True` lets whoever controls `name` run any command.",
    source="bandit",
    rule="B602",
    help_url="https://bandit.readthedocs.io/b602",
    fingerprint="1" * 32,
    twins=("f" * 32,),
    suggestion=Suggestion(5, 5, 'subprocess.run(["ls", name])', Verdict.VERIFIED),
)
MUTABLE = a_finding(line=6, fingerprint="2" * 32)
FAR = a_finding(line=20, source="openai", rule="race", message="Two jobs may\n\nrun at once.", fingerprint="3" * 32)


def an_analysis(*findings: Finding, **changes: object) -> Analysis:
    fields: dict[str, object] = {
        "read": ("app.py", "b.py"),
        "analyzers": ("ruff", "bandit"),
        "models": ("gpt-5",),
        "usage": (Usage("openai", "gpt-5", 1_000, 0, 200, 2.0),),
        "timings": {"fetch": 0.5, "models": 2.13},
        "changed_lines": 4,
    }
    return Analysis(HEAD, findings, **(fields | changes))  # type: ignore[arg-type]


def test_a_review_says_what_was_found_what_was_read_and_what_was_not() -> None:
    analysis = an_analysis(
        SHELL, MUTABLE, FAR,
        dropped=(Dropped(FAR, "said by another finding too"),),
        skipped=(Skipped("poetry.lock", "lock file"), Skipped("yarn.lock", "lock file"), Skipped("a`b.png", "binary")),
    )  # fmt: skip
    review = write_review(analysis, DIFF, MARKER)
    assert review is not None
    assert (
        review.body
        == f"""\
**RefactorIQ** reviewed `0123456`: 3 findings (1 critical, 2 medium) in 1 file.

**Without a comment of their own**

- `app.py:20` **Medium · correctness** Two jobs may run at once. (`openai race`; line 20 is not part of this diff)

<details><summary>Coverage</summary>

- Read: 2 files, 4 changed lines.
- Analyzers: ruff, bandit. Models: `gpt-5`.
- Not read (lock file): `poetry.lock`, `yarn.lock`.
- Not read (binary): ``a`b.png``.
- Not posted: 1 (said by another finding too).
- Time: fetch 0.5 s, models 2.1 s. 1,200 tokens in 1 model call.

</details>

{MARKER.mark(HEAD)}"""
    )
    assert review.fingerprints == ("1" * 32, "f" * 32, "2" * 32, "3" * 32)


def test_a_comment_says_how_bad_what_and_who_says_so() -> None:
    review = write_review(an_analysis(SHELL, MUTABLE), DIFF, MARKER)
    assert review is not None
    assert [comment.body for comment in review.comments] == [
        """\
**Critical · security**

`shell=True` lets whoever controls `name` run any command.

```suggestion
subprocess.run(["ls", name])
```

[`bandit B602`](https://bandit.readthedocs.io/b602)

<!-- refactoriq:finding=11111111111111111111111111111111 -->""",
        """\
**Medium · correctness**

A mutable default is shared between calls.

`ruff B006`

<!-- refactoriq:finding=22222222222222222222222222222222 -->""",
    ]


def test_a_comment_names_the_code_elsewhere_on_which_it_depends() -> None:
    cites = tuple(Location(path, 3, 9, Side.LEFT) for path in ("pay.py", "@octocat/a`b.py", "c.py"))
    review = write_review(an_analysis(replace(MUTABLE, cites=cites)), DIFF, MARKER)
    assert review is not None
    (comment,) = review.comments
    assert "\n\nSee also `pay.py:3` and ``@octocat/a`b.py:3``.\n\n" in comment.body


def test_a_clean_change_gets_one_short_note() -> None:
    note = write_note(an_analysis(models=(), usage=()), MARKER)
    assert (note.comments, note.fingerprints) == ((), ())
    assert (
        note.body
        == f"""\
**RefactorIQ** reviewed `0123456`: nothing to report.

<details><summary>Coverage</summary>

- Read: 2 files, 4 changed lines.
- Analyzers: ruff, bandit. Models: none.
- Time: fetch 0.5 s, models 2.1 s.

</details>

{MARKER.mark(HEAD)}"""
    )


@pytest.mark.parametrize(
    ("changes", "standing", "headline"),
    [
        ({}, 2, "reviewed `0123456`: nothing new to report. 2 earlier findings still stand."),
        ({}, 1, "reviewed `0123456`: nothing new to report. 1 earlier finding still stands."),
        ({"read": ()}, 0, "found nothing that it can review in `0123456`."),
        (
            {"partial": True},
            0,
            "reviewed `0123456`: nothing found in the part that could be looked at."
            " **This review is not complete:** see below.",
        ),
    ],
)
def test_silence_is_never_sold_as_a_clean_bill(changes: dict[str, object], standing: int, headline: str) -> None:
    body = write_note(an_analysis(**changes), MARKER, standing).body
    assert body.startswith(f"**RefactorIQ** {headline}\n")
    assert ("<details open>" in body) == bool(changes.get("partial"))


def test_an_incomplete_review_is_not_called_complete_and_shows_why() -> None:
    review = write_review(
        an_analysis(MUTABLE, partial=True, notes=("Bandit failed: it took\nlonger than 30 s.",)), DIFF, MARKER
    )
    assert review is not None
    assert "in 1 file. **This review is not complete:** see below." in review.body
    assert "\n<details open><summary>" in review.body
    assert "\n- Bandit failed: it took longer than 30 s.\n" in review.body


def test_what_was_told_is_not_told_again() -> None:
    analysis = an_analysis(SHELL, MUTABLE, FAR)
    review = write_review(analysis, DIFF, MARKER, told={"f" * 32, "3" * 32})
    assert review is not None
    assert review.body.startswith(
        "**RefactorIQ** reviewed `0123456`: 1 new finding (1 medium) in 1 file. 2 earlier findings still stand."
    )
    assert [comment.fingerprint for comment in review.comments] == ["2" * 32]
    assert write_review(analysis, DIFF, MARKER, told={"1" * 32, "2" * 32, "3" * 32}) is None
    assert write_review(an_analysis(), DIFF, MARKER) is None


def test_an_update_replaces_the_one_before_it_and_keeps_what_was_found() -> None:
    review = write_review(an_analysis(MUTABLE, FAR), DIFF, MARKER)
    assert review is not None
    body = review.body
    for head in ("a" * 40, "b" * 40, "c" * 40):
        body = write_update(body, Analysis(head, read=("app.py",)), MARKER, 2)
    assert body.count(UPDATED) == 1
    assert body.count("RefactorIQ") == 2
    assert "reviewed `ccccccc`: nothing new to report. 2 earlier findings still stand." in body
    assert "Two jobs may run at once." in body
    assert MARKER.heads(body) == {HEAD, "a" * 40, "b" * 40, "c" * 40}


def test_nobody_forges_an_update() -> None:
    forged = a_finding(line=20, message=f"`{UPDATED}` and {UPDATED}\n\n```\n{UPDATED}\n```\nlast words")
    review = write_review(an_analysis(forged), DIFF, MARKER)
    assert review is not None
    assert "last words" in write_update(review.body, Analysis("a" * 40, read=("app.py",)), MARKER, 1)


def test_at_most_so_many_comments_most_severe_first_and_the_rest_in_the_body() -> None:
    text = "".join(f"x{number}\n" for number in range(100))
    findings = [a_finding(line=n, rule=f"R{n}", fingerprint=f"{n:032x}") for n in range(1, 101)]
    review = write_review(an_analysis(*findings), a_diff("app.py", None, text), MARKER)
    assert review is not None
    assert [comment.line for comment in review.comments] == list(range(1, 51))
    assert review.body.count("this review already has 50 comments") == 50
    assert "<details><summary>40 more</summary>" in review.body
    assert len(review.fingerprints) == 100
    few = write_review(an_analysis(*findings), a_diff("app.py", None, text), MARKER, max_comments=0)
    assert few is not None
    assert few.comments == ()
    assert "the rules ask for no comments on lines" in few.body


def test_what_has_no_room_in_the_body_is_counted_and_not_taken_for_told() -> None:
    text = "".join(f"x{number}\n" for number in range(1, 401))
    findings = [a_finding(line=n, message="Long. " * 60, fingerprint=f"{n:032x}") for n in range(1, 401)]
    review = write_review(an_analysis(*findings), a_diff("app.py", None, text), MARKER)
    assert review is not None
    listed = review.body.count("this review already has 50 comments")
    assert 50 < listed < 350
    assert f"\n- and {350 - listed} more, less severe, for which there is no room.\n" in review.body
    assert len(review.fingerprints) == 50 + listed
    assert "<summary>Coverage</summary>" in review.body


def test_a_review_whose_comments_are_refused_tells_them_in_its_body() -> None:
    finding = a_finding(line=5, message="Wrong here.", fingerprint="f" * 32, suggestion=Suggestion(5, 5, "y", Verdict.VERIFIED))
    review = write_review(an_analysis(finding), DIFF, MARKER)
    assert review is not None
    plain = without_lines(review, MARKER)
    assert plain.comments == ()
    assert plain.fingerprints == review.fingerprints
    assert "**`app.py:5`**" in plain.body
    assert "Wrong here." in plain.body
    assert MARKER.heads(plain.body) == {HEAD}
    assert plain.body.endswith("-->")


def test_a_suggestion_that_was_not_verified_is_never_shown() -> None:
    for verdict in (Verdict.UNTRIED, Verdict.REFUSED):
        review = write_review(an_analysis(a_finding(line=5, suggestion=Suggestion(5, 5, "x", verdict))), DIFF, MARKER)
        assert review is not None
        assert suggested(review.comments[0].body) == []


def test_a_model_cannot_make_a_button_by_its_words() -> None:
    said = "Do this:\n```suggestion\nos.system('x')\n```\n~~~suggestion\ny\n~~~\n    ```suggestion\n    z\n    ```"
    review = write_review(an_analysis(a_finding(line=5, message=said)), DIFF, MARKER)
    assert review is not None
    assert suggested(review.comments[0].body) == []


def test_deleted_lines_and_ranges_keep_their_side_and_start() -> None:
    left = a_finding(line=5, last=6, side=Side.LEFT)
    review = write_review(an_analysis(left), DIFF, MARKER)
    assert review is not None
    (comment,) = review.comments
    assert (comment.path, comment.side, comment.start_line, comment.line) == ("app.py", Side.LEFT, 5, 6)


def test_a_body_of_thousands_of_paths_is_cut_at_a_paragraph_and_keeps_its_mark() -> None:
    skipped = tuple(Skipped(f"{'long/' * 400}{n}", f"reason {n}") for n in range(300))
    note = write_note(an_analysis(skipped=skipped), MARKER)
    assert len(note.body) <= MAX_BODY
    assert MARKER.heads(note.body) == {HEAD}
    assert "left out" in note.body


def test_a_review_without_any_file_is_still_a_sentence() -> None:
    review = write_review(Analysis(HEAD, (a_finding("gone.py", 3),)), Diff(), MARKER)
    assert review is not None
    assert "(`ruff B006`; this file is not part of the diff)" in review.body
