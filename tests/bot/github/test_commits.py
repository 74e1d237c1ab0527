"""Commits by the real client on the sandbox: bytes and modes as they were, and what each refusal means."""

import pytest

from bot.github.http import graphql_url
from handlers.host import Gone, Moved, NewCommit, Rejected, Unclear
from review.errors import TryAgain
from tests.bot.github.conftest import Octo
from tests.builders import Executable, git
from tests.sandbox.world import PERMISSIONS

pytestmark = pytest.mark.integration

MAY = PERMISSIONS | {"contents": "write"}
ODD = {"app.py": b"a\r\nb\xff\0\n", "é x.py": "ünended".encode()}


@pytest.fixture
def pen(octo: Octo) -> Octo:
    """The app may write contents."""
    octo.installation.permissions = dict(MAY)
    return octo


def a_commit(octo: Octo, **changes: str) -> NewCommit:
    given = {"branch": octo.pull.head_ref, "expected_head": octo.pull.head_sha, "headline": "Mend", "body": "It was\n\nbroken"}
    return NewCommit(**(given | changes), files=ODD)


async def test_a_commit_is_made_on_the_branch_with_the_bytes_as_they_are(pen: Octo) -> None:
    before = pen.pull.head_sha
    made = await pen.host.commit_files(pen.id, "octo/app", a_commit(pen))
    assert pen.repository.branch(pen.pull.head_ref) == made == pen.pull.head_sha
    for path, data in ODD.items():
        assert git(pen.repository.path, "cat-file", "blob", f"{made}:{path}") == data
    (found,) = await pen.host.commits_since(pen.id, "octo/app", before, pen.pull.head_ref)
    assert (found.sha, found.message, found.parents) == (made, "Mend\n\nIt was\n\nbroken", (before,))
    read = await pen.host.pull_request(pen.id, "octo/app", 1)
    assert (read.head_sha, read.head_ref, read.from_fork) == (made, pen.pull.head_ref, False)


async def test_a_file_keeps_its_mode(pen: Octo) -> None:
    pen.github.push(pen.pull, {"app.py": Executable("old\n")})
    made = await pen.host.commit_files(pen.id, "octo/app", a_commit(pen))
    assert git(pen.repository.path, "ls-tree", made, "app.py").startswith(b"100755")


async def test_a_branch_that_has_moved_on_is_left_alone(pen: Octo) -> None:
    wanted = a_commit(pen)
    pushed = pen.github.push(pen.pull, {"app.py": "new\n"})
    with pytest.raises(Moved, match="has moved on"):
        await pen.host.commit_files(pen.id, "octo/app", wanted)
    assert pen.repository.branch(pen.pull.head_ref) == pushed


async def test_a_missing_permission_is_named(octo: Octo) -> None:
    with pytest.raises(Rejected, match="`contents: write`"):
        await octo.host.commit_files(octo.id, "octo/app", a_commit(octo))


async def test_a_branch_that_is_gone_or_protected_is_told_in_githubs_words(pen: Octo) -> None:
    with pytest.raises(Gone, match="Branch not found"):
        await pen.host.commit_files(pen.id, "octo/app", a_commit(pen, branch="nowhere"))
    with pytest.raises(Gone, match="Could not resolve to a Repository"):
        await pen.host.commit_files(pen.id, "octo/gone", a_commit(pen))
    pen.repository.protected.add(pen.pull.head_ref)
    with pytest.raises(Rejected, match="GitHub says: Changes must be made through a pull request"):
        await pen.host.commit_files(pen.id, "octo/app", a_commit(pen))


@pytest.mark.parametrize("kind", ["lose_answer", "502", "malformed"])
async def test_without_an_answer_nobody_knows_and_it_is_not_sent_again(pen: Octo, kind: str) -> None:
    pen.github.fault("POST", "graphql", kind)
    with pytest.raises(Unclear, match="may have been done"):
        await pen.host.commit_files(pen.id, "octo/app", a_commit(pen))
    assert sum("graphql" in call for call in pen.asked()) == 1


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        ({"type": "RATE_LIMITED", "message": "API rate limit exceeded"}, TryAgain, "rate limit is used up"),
        ({"message": "Something went wrong while executing your query."}, Unclear, "Something went wrong"),
        ({"type": "UNPROCESSABLE", "message": "Ref refs/heads/x is at a but expected b"}, Moved, "has moved on"),
        (
            {"type": "UNPROCESSABLE", "message": "Repository rule violations found"},
            Rejected,
            "Repository rule violations found",
        ),
    ],
)
async def test_what_github_says_within_a_200_has_its_meaning(
    pen: Octo, monkeypatch: pytest.MonkeyPatch, error: dict[str, str], raised: type[Exception], words: str
) -> None:
    from tests.sandbox.answering import Answer
    from tests.sandbox.routes import graphql

    monkeypatch.setattr(graphql, "_create_commit", lambda *_: (_ for _ in ()).throw(graphql.Wrong("", "")))
    monkeypatch.setattr(graphql, "_refused", lambda _: Answer(200, {"data": {"createCommitOnBranch": None}, "errors": [error]}))
    with pytest.raises(raised, match=words):
        await pen.host.commit_files(pen.id, "octo/app", a_commit(pen))


async def test_a_pull_request_from_a_fork_is_known_for_one(octo: Octo) -> None:
    fork = octo.github.fork("octo/app", "mona")
    pull = octo.github.open_pull_request("octo/app", {"a.py": "1\n"}, fork=fork)
    assert (await octo.host.pull_request(octo.id, "octo/app", pull.number)).from_fork


def test_graphql_is_answered_below_the_api_or_beside_it() -> None:
    assert graphql_url("https://api.github.com") == "https://api.github.com/graphql"
    assert graphql_url("https://git.example.com/api/v3/") == "https://git.example.com/api/graphql"
