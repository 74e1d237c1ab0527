"""Where the commit behind a branch, a tag or an id comes from; and names that are none are never handed to git."""

import pytest

from handlers.host import Gone
from review.pull_request import Repository
from review.refs import is_ref
from tests.bot.conftest import Octo
from tests.builders import commit, git

pytestmark = pytest.mark.integration


def the_repository(octo: Octo) -> Repository:
    return Repository(octo.repository.id, octo.repository.full_name)


async def files_at(octo: Octo, ref: str) -> dict[str, bytes]:
    tree = await octo.source.commit(octo.installation.id, the_repository(octo), ref)
    files = await tree.files()
    contents = await tree.read([file.blob for file in files])
    return {file.path: contents[file.blob] for file in files}


async def test_a_branch_a_tag_and_an_id_each_name_their_commit(octo: Octo) -> None:
    main = octo.repository.branch("main")
    other = commit(octo.repository.path, {"other.py": "o = 1\n"}, ref="refs/heads/feature/a", parents=[main])
    git(octo.repository.path, "update-ref", "refs/tags/v1.0", main)
    assert set(await files_at(octo, "main")) == {".refactoriq.yml", "app.py", "lib.py"}
    assert (await files_at(octo, "feature/a"))["other.py"] == b"o = 1\n"
    assert "other.py" not in await files_at(octo, "v1.0")
    assert "other.py" in await files_at(octo, other)


async def test_of_a_branch_and_a_tag_with_one_name_it_is_the_branch(octo: Octo) -> None:
    main = octo.repository.branch("main")
    commit(octo.repository.path, {"branch.py": "b = 1\n"}, ref="refs/heads/both", parents=[main])
    git(octo.repository.path, "update-ref", "refs/tags/both", main)
    assert "branch.py" in await files_at(octo, "both")


async def test_a_branch_that_moved_on_is_fetched_anew(octo: Octo) -> None:
    await files_at(octo, "main")
    octo.github.push_base(octo.repository, {"new.py": "n = 1\n"})
    assert "new.py" in await files_at(octo, "main")


@pytest.mark.parametrize("ref", ["no-such", "1" * 40, "--upload-pack=touch x", "a..b", "main:refs/heads/x", "+main", "HEAD~1"])
async def test_a_ref_that_is_not_there_says_so(octo: Octo, ref: str) -> None:
    with pytest.raises(Gone, match="octo/app has no branch, tag or commit"):
        await files_at(octo, ref)


@pytest.mark.parametrize("ref", ["main", "feature/a-b_c.d", "v1.0", "1" * 40, "a@b", "ünïcode"])
def test_ordinary_names_are_refs(ref: str) -> None:
    assert is_ref(ref)


@pytest.mark.parametrize(
    "ref", ["", "-x", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "a//b", "/a", "a/", "a.", ".a", "a/.b", "@",
            "a@{1}", "a.lock", "a.lock/b", "a\x00", "a\n", "a" * 251]
)  # fmt: skip
def test_what_git_would_not_take_or_take_for_something_else_is_none(ref: str) -> None:
    assert not is_ref(ref)
