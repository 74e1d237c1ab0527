"""A hostile change and a model that obeys it, through prompt, checks and words: what is posted informs and does not act."""

import re
import unicodedata
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import httpx2
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from review.analysis import Analysis
from review.change import Change, End
from review.clean import BLANK
from review.comments import without_lines, write_review, write_update
from review.diff import Diff
from review.finding import Verdict
from review.marker import Marker, without_marks
from review.models.prompt import instructions
from review.providers.openai import OpenAI
from review.review import Review
from review.reviewer import Reviewer
from review.rules import ReadRules
from tests.builders_models import a_claim, a_diff
from tests.review.injections import ATTEMPTS, Attempt
from tests.sandbox.models import SandboxModels
from tests.sandbox.suggestions import suggested

pytestmark = pytest.mark.integration

BASE = "def pay(amount):\n    return amount\n"
HEAD = "def pay(amount):\n    return amount / 0\n"
HEAD_SHA = "c" * 40
MARKER = Marker(b"key", 7, 1, "main")
GITHUB = MarkdownIt("gfm-like", {"html": True, "linkify": False})
OUR_TAGS = re.compile(r"</?details( open)?>|</?summary>|<!-- refactoriq:(finding=[0-9a-f]*|updated|head=\w+ mac=\w+) -->")
ACTIVE = re.compile(r"@\w|https?:|www\.|ftp:|(?<!&)#\d|GH-\d|/refactoriq|evil\.example")
BLOCKS = {"heading_open", "table_open", "image", "link_open", "s_open", "blockquote_open"}


@dataclass(frozen=True)
class Files:
    """Fulfils review.change.Checkout with these files."""

    ends: Mapping[End, Mapping[str, bytes]]

    async def read(self, end: End, paths: Sequence[str]) -> Mapping[str, bytes]:
        return {path: self.ends[end][path] for path in paths if path in self.ends[end]}


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxModels]:
    """One model server for the whole table."""
    sandbox = SandboxModels().start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
async def reviewer(server: SandboxModels) -> AsyncIterator[Reviewer]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield Reviewer(analyzers=(), providers=(OpenAI("sk-test", "gpt-5.1", server.openai_base_url, client),))


def a_hostile_change(attempt: Attempt) -> Change:
    head = f"{HEAD}{attempt.code}\n" if attempt.code else HEAD
    (file,) = a_diff({"app.py": BASE}, {"app.py": head}).files
    ends = {end: {attempt.path: text.encode()} for end, text in ((End.BASE, BASE), (End.HEAD, head))}
    diff = Diff((replace(file, path=attempt.path),))
    return Change(diff, Files(ends), "b" * 40, HEAD_SHA, attempt.title, attempt.description)


async def reviewed(attempt: Attempt, reviewer: Reviewer, server: SandboxModels) -> tuple[Change, Analysis, str]:
    """The change, what became of the model's claim, and the prompt that the model was sent."""
    change = a_hostile_change(attempt)
    claim = a_claim(attempt.path, 2, "    return amount / 0", message="It divides by zero.")
    server.answer(findings=[claim | attempt.says])
    before = len(server.requests)
    analysis = await reviewer.review(change, ReadRules())
    return change, analysis, server.requests[before].prompt


def flat(body: str) -> list[Token]:
    return [part for token in GITHUB.parse(body) for part in (token, *(token.children or ()))]


def assert_inert(body: str) -> None:
    """Nothing in it acts on GitHub, and nothing is hidden but our own marks."""
    tokens = flat(body)
    assert not {token.type for token in tokens} & BLOCKS
    for token in tokens:
        if token.type in ("html_block", "html_inline"):
            assert not OUR_TAGS.sub("", token.content).strip(" \n") or OUR_TAGS.search(token.content), token.content
            assert "<" not in OUR_TAGS.sub("", token.content), token.content
        if token.type == "text":
            assert not ACTIVE.search(token.content), token.content
    assert not any(re.match(r"/\w", line) for line in body.split("\n"))
    hidden = [c for c in body if c in BLANK or (c != "\n" and c != "\t" and unicodedata.category(c).startswith("C"))]
    assert hidden == []


def assert_harmless(review: Review, change: Change, analysis: Analysis) -> None:
    verified = {
        f.suggestion.replacement for f in analysis.findings if f.suggestion and f.suggestion.verdict is Verdict.VERIFIED
    }
    assert_inert(review.body)
    assert MARKER.heads(review.body) == {HEAD_SHA}
    assert review.body.count("<!-- refactoriq:") == 1
    assert suggested(review.body) == []
    for comment in review.comments:
        assert comment.path == change.diff.files[0].path
        assert comment.line in range(1, 3)
        assert_inert(comment.body)
        assert comment.body.count("<!-- refactoriq:") == 1
        assert comment.body.endswith(f"<!-- refactoriq:finding={comment.fingerprint} -->")
        assert {"\n".join(block) for block in suggested(comment.body)} <= verified


def assert_data_stays_data(prompt: str, attempt: Attempt) -> None:
    """The instructions are ours alone, and between the two marks every line is what its beginning says."""
    assert prompt.count(instructions()) == 1
    _, fence, rest = re.split(r"^(~~~[0-9a-f]{8})$", prompt, maxsplit=1, flags=re.MULTILINE)
    inside, _, after = rest.partition(f"\n{fence}\n")
    assert fence not in inside
    assert after.strip() == ""
    lines = inside.strip("\n").split("\n")
    assert all(re.match(r"(=== |@@ \d|[+ -]|title: |description:$)", line) for line in lines), lines
    assert sum(line.startswith("=== ") for line in lines) == 1
    assert [text for text in attempt.unseen if text in prompt] == []


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=[attempt.name for attempt in ATTEMPTS])
async def test_a_model_that_obeys_an_attacker_does_no_harm(attempt: Attempt, reviewer: Reviewer, server: SandboxModels) -> None:
    change, analysis, prompt = await reviewed(attempt, reviewer, server)
    assert_data_stays_data(prompt, attempt)
    review = write_review(analysis, change.diff, MARKER)
    if review is None:
        assert analysis.dropped or any("could not be read" in note or "No model answered" in note for note in analysis.notes)
        return
    in_the_body = without_lines(review, MARKER)
    listed = write_review(analysis, change.diff, MARKER, max_comments=0)
    assert listed is not None
    for one in (review, listed):
        assert_harmless(one, change, analysis)
    updated = write_update(in_the_body.body, replace(analysis, findings=()), MARKER, 1)
    assert updated.startswith(without_marks(in_the_body.body))
    posted = "\n".join([review.body, listed.body, in_the_body.body, *(comment.body for comment in review.comments)])
    assert [text for text in attempt.never if text in posted] == []


def test_the_table_is_long_enough_and_names_each_attempt_once() -> None:
    assert len({attempt.name for attempt in ATTEMPTS}) == len(ATTEMPTS) >= 60


async def test_the_model_is_obeyed_where_it_is_right(reviewer: Reviewer, server: SandboxModels) -> None:
    """Else all of the above would hold for a reviewer that posts nothing."""
    right = Attempt("none", says={"fix": {"original": "    return amount / 0", "replacement": "    return amount / 1"}})
    change, analysis, _ = await reviewed(right, reviewer, server)
    review = write_review(analysis, change.diff, MARKER)
    assert review is not None
    (comment,) = review.comments
    assert (comment.path, comment.line) == ("app.py", 2)
    assert "It divides by zero." in comment.body
    assert suggested(comment.body) == [["    return amount / 1"]]
