"""A pull request is opened, and its review stands there: what is in it, what it costs, what it says of what it left out."""

import ast

import pytest

from tests.sandbox.github import SandboxGitHub
from tests.sandbox.world import PullRequest, Repository
from tests.walks.conftest import LEAK, MISTAKES, SOUND, WRONG_SUM, says_wrong_sum
from tests.walks.house import House

pytestmark = pytest.mark.walk


async def test_opened_brings_one_review_whose_suggestions_apply(house: House, repository: Repository) -> None:
    pull = house.github.open_pull_request(repository, MISTAKES)
    row = await house.review(pull)
    [review] = house.standing(pull)
    assert (row.state, row.attempts) == ("done", 1)
    assert row.outcome == f"Posted review {review.id} with 2 comments on lines."
    assert (review.state, review.commit_id, review.user.login) == ("COMMENTED", pull.head_sha, house.github.bot_login)
    assert "2 findings (1 high, 1 medium) in 1 file" in review.body
    shell, default = house.github.comments(repository, pull.number)
    assert (shell.path, shell.line, shell.side) == ("shop/cart.py", 15, "RIGHT")
    assert "bandit B602" in shell.body
    mended = house.github.apply_suggestion(default)
    assert b"def total(prices, extra=None):" in mended
    ast.parse(mended)


async def test_without_a_key_the_review_says_that_no_model_looked(house: House, pull: PullRequest) -> None:
    await house.review(pull)
    [review] = house.standing(pull)
    assert "No model looked at this change: neither OPENAI_API_KEY nor ANTHROPIC_API_KEY is set" in review.body
    assert house.models.requests == []


async def test_a_review_costs_five_calls_and_the_next_one_four(house: House, pull: PullRequest) -> None:
    await house.review(pull)
    assert house.calls() == [
        f"POST /app/installations/{house.github.world.installation_of(pull.repository).id}/access_tokens",
        "GET /repos/octo/shop/pulls/1",
        "GET /repos/octo/shop/pulls/1/reviews",
        "GET /repos/octo/shop/pulls/1",
        "POST /repos/octo/shop/pulls/1/reviews",
    ]
    house.github.push(pull, {"more.js": LEAK["config.js"].replace("Q7XJ", "W6ZK")})
    await house.review(pull, "synchronize")
    assert len(house.standing(pull)) == 2
    assert len(house.calls()) == 5 + 4


async def test_a_model_that_is_asked_finds_and_mends(thinking_house: House, repository: Repository) -> None:
    house = thinking_house
    pull = house.github.open_pull_request(repository, WRONG_SUM)
    house.models.answer(findings=[says_wrong_sum()])
    row = await house.review(pull)
    [comment] = house.github.comments(repository, pull.number)
    assert row.state == "done"
    assert (comment.path, comment.line) == ("src/sum.js", 2)
    assert "The difference is returned where the sum is meant." in comment.body
    assert house.github.apply_suggestion(comment) == b"export function sum(a, b) {\n  return a + b;\n}\n"
    [review] = house.standing(pull)
    assert "Models: `openai gpt-5.1`" in review.body
    assert [request.provider for request in house.models.requests] == ["openai"]


async def test_where_nothing_is_found_one_short_note_is_kept_up_to_date(house: House, repository: Repository) -> None:
    pull = house.github.open_pull_request(repository, SOUND)
    await house.review(pull)
    [note] = house.standing(pull)
    assert f"reviewed `{pull.head_sha[:7]}`: nothing to report." in note.body
    for words in ("It sells more.", "It sells most."):
        house.github.push(pull, {"README.md": f"# Shop\n\n{words}\n"})
        row = await house.review(pull, "synchronize")
        assert (row.state, row.outcome) == ("done", f"Nothing new: review {note.id} says so now.")
    [still] = house.standing(pull)
    assert f"reviewed `{pull.head_sha[:7]}`: nothing to report." in still.body
    assert house.github.comments(repository, pull.number) == []


async def test_of_more_than_fifty_findings_fifty_hang_on_lines_and_the_rest_stands_in_the_summary(
    house: House, repository: Repository
) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    lines = [f'export const key{n} = "{"AKIA"}{letters[n // 30]}7XJ3M5N{letters[n % 30]}2P4R6T7";' for n in range(60)]
    pull = house.github.open_pull_request(repository, {"config.js": "\n".join(lines) + "\n"})
    await house.review(pull)
    [review] = house.standing(pull)
    assert len(house.github.comments(repository, pull.number)) == 50
    assert review.body.count("this review already has 50 comments") == 10
    assert len(house.calls()) <= 6


async def test_a_change_of_binaries_only_gets_a_note_that_names_them(house: House, repository: Repository) -> None:
    pull = house.github.open_pull_request(repository, {"logo.png": b"\x89PNG\x00\x01\x02", "old.bin": bytes(range(256))})
    row = await house.review(pull)
    [note] = house.standing(pull)
    assert row.state == "done"
    assert "found nothing that it can review" in note.body
    assert "`logo.png`" in note.body
    assert "`old.bin`" in note.body


async def test_a_change_of_a_thousand_files_costs_no_call_more(house: House, repository: Repository) -> None:
    files = {f"src/part{n // 100}/file{n}.txt": f"file {n}\n" * 10 for n in range(1000)}
    pull = house.github.open_pull_request(repository, {**files, **LEAK})
    row = await house.review(pull)
    assert row.state == "done", row.outcome
    assert len(house.github.comments(repository, pull.number)) == 1
    assert len(house.calls()) <= 6


async def test_a_change_from_a_fork_is_read_from_the_base_repository(
    house: House, github: SandboxGitHub, repository: Repository
) -> None:
    fork = github.fork(repository, "mona")
    pull = github.open_pull_request(repository, LEAK, fork=fork, association="CONTRIBUTOR")
    row = await house.review(pull)
    assert row.state == "done"
    assert [comment.path for comment in github.comments(repository, pull.number)] == ["config.js"]
    assert not [exchange for exchange in github.requests if exchange.path.startswith("/mona/")]


async def test_rules_count_on_the_base_branch_and_never_on_the_head(house: House, github: SandboxGitHub) -> None:
    repository = github.create_repository("octo/ruled", {".refactoriq.yml": "severity: info\ncolour: blue\n"})
    github.install("octo")
    silenced = "analyzers: {secrets: false}\npaths: {exclude: ['**']}\nseverity: critical\n"
    pull = github.open_pull_request(repository, {".refactoriq.yml": silenced, **LEAK})
    await house.review(pull)
    [review] = house.standing(pull)
    assert [comment.path for comment in github.comments(repository, pull.number)] == ["config.js"]
    assert "`.refactoriq.yml`: unknown key `colour`" in review.body


async def test_rules_on_the_base_branch_leave_paths_out(house: House, github: SandboxGitHub) -> None:
    repository = github.create_repository("octo/ruled", {".refactoriq.yml": "paths: {exclude: ['config.js']}\n"})
    github.install("octo")
    pull = github.open_pull_request(repository, LEAK)
    await house.review(pull)
    [note] = house.standing(pull)
    assert github.comments(repository, pull.number) == []
    assert "`config.js`" in note.body
