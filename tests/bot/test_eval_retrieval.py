"""Hidden files are asked for at the commit before, with the history before it; what comes is counted and told."""

import json
from pathlib import Path

import pytest

from bot.commands.eval_retrieval import eval_retrieval
from bot.git.local import LocalRepository
from bot.hidden_file_ranks import answers, quality
from bot.hidden_files import all_changesets, fitting_commits, hide_file
from review.errors import UserError
from tests.builders import Files, commit, init_bare

pytestmark = pytest.mark.integration

SUBJECTS = ["engine", "router", "parser", "writer", "loader", "sender"]


def source(subject: str, version: int) -> str:
    return f"def run_{subject}(value):\n    return value + {version}\n"


def check(subject: str, version: int) -> str:
    return f"from src.{subject} import run_{subject}\n\n\ndef test_{subject}():\n    assert run_{subject}(1) == {version + 1}\n"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each commit changes one subject and its test: whoever sees one of the two can know the other."""
    path = init_bare(tmp_path_factory.mktemp("history") / "it.git")
    first: Files = {f"src/{one}.py": source(one, 0) for one in SUBJECTS} | {
        f"tests/test_{one}.py": check(one, 0) for one in SUBJECTS
    }
    head = commit(path, {**first, "README.md": "it\n"}, message="all")
    for version in (1, 2, 3):
        for one in SUBJECTS:
            changed: Files = {f"src/{one}.py": source(one, version), f"tests/test_{one}.py": check(one, version)}
            head = commit(path, changed, parents=[head], message=f"{one} {version}")
    commit(path, {"README.md": "prose\n"}, parents=[head], message="prose")
    return path


async def test_only_commits_of_two_to_six_source_files_are_asked_about(repository: Path) -> None:
    local = LocalRepository(repository)
    commits = await fitting_commits(local.objects, await local.commit("HEAD"), 100)
    assert len(commits) == 18  # neither the first, which adds all, nor the prose
    assert all(set(one.changes.values()) == {"M"} for one in commits)
    assert len(await fitting_commits(local.objects, await local.commit("HEAD"), 5)) == 5


async def test_the_hidden_file_is_in_the_tree_and_not_in_the_question(repository: Path) -> None:
    local = LocalRepository(repository)
    tip = await local.commit("HEAD")
    one = (await fitting_commits(local.objects, tip, 100))[-1]
    question = await hide_file(local.objects, one, await all_changesets(local.objects, tip))
    assert one.hidden not in [file.path for file in question.diff.files]
    assert one.hidden in {file.path for file in await question.tree.files()}
    assert question.base.keys() == one.changes.keys() - {one.hidden}
    newest = await question.tree.changesets(100)
    assert one.sha not in {changeset.sha for changeset in newest}
    assert len(newest) == 17


async def test_the_ranking_finds_the_other_half_of_each_commit(repository: Path) -> None:
    ranks = [answer.ranks() async for answer in answers(LocalRepository(repository), 100)]
    assert quality([one["hybrid"] for one in ranks]).recall_at_10 == 1.0
    assert quality([one["hybrid"] for one in ranks]).mrr > 0.8
    assert quality([one["co-change"] for one in ranks]).mrr > 0.5


def test_quality_is_counted_by_hand() -> None:
    found = quality([1, 2, 10, 11, float("inf")])
    assert found.recall_at_10 == pytest.approx(3 / 5)
    assert found.mrr == pytest.approx((1 + 1 / 2 + 1 / 10 + 1 / 11) / 5)


def test_the_command_prints_every_source_and_says_where_there_was_less_to_ask(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert eval_retrieval(repository, 200, "json") == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told["questions"] == 18
    assert {"path likeness", "words", "vectors", "symbols", "co-change", "hybrid"} == told["sources"].keys()
    assert "Only 18" in err
    assert eval_retrieval(repository, 4, "text") == 0
    out, err = capsys.readouterr()
    assert "hybrid" in out
    assert "Only" not in err


@pytest.mark.parametrize(
    ("queries", "format", "said"),
    [(0, "text", "--queries"), (5, "yaml", "format")],
)
def test_a_wrong_option_is_told(repository: Path, queries: int, format: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        eval_retrieval(repository, queries, format)


def test_what_cannot_be_measured_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not in a git repository"):
        eval_retrieval(tmp_path, 5, "text")
    commit(init_bare(tmp_path / "prose.git"), {"README.md": "a\n"})
    with pytest.raises(UserError, match="name another repository"):
        eval_retrieval(tmp_path / "prose.git", 5, "text")
